//! The shops of the file, and how each is doing. Never a secret; only where the file has it from.

use std::collections::BTreeMap;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use domain::ShopId;
use operate::pause;
use operate::shop::{self, Health};
use platforms::Shop;
use store::pages::{ActivityRow, SCAN_MAX};
use store::{Pages, Pause, Pauses};

use super::{Answer, Asker, Frame, render};
use crate::Console;
use crate::refused::Refused;
use crate::view::{Moment, grouped, link};

#[derive(Template)]
#[template(path = "shops.html")]
struct ShopsPage {
    frame: Frame,
    window: String,
    /// Everything is.
    is_paused: bool,
    /// This process receives, so it knows what it refused.
    knows_refused: bool,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    /// Its platform, its domain, and where its stock lies.
    place: String,
    last: Option<Moment>,
    /// What would have come by now.
    missed: Option<String>,
    last_hour: String,
    last_day: String,
    dead: String,
    refused: String,
    secrets: Vec<Secret>,
    /// The sender does not use the first yet.
    old_signs: Option<String>,
    link: String,
    /// By itself, so that it can be resumed by itself.
    is_paused: bool,
    switch: String,
}

struct Secret {
    source: String,
    last: Option<Moment>,
}

impl Row {
    fn new(
        shop: &Shop,
        health: &Health,
        activity: Option<&ActivityRow>,
        refused: Option<u64>,
        pauses: &[Pause],
    ) -> Self {
        let is_paused = pause::is_paused(pauses, &shop.name);
        let locations = shop.policy.locations.iter().map(|location| location.as_str());
        let of: Vec<&str> =
            [shop.platform.as_str()].into_iter().chain(shop.domain.as_deref()).collect();
        let last = health.last.max(activity.map(|row| row.last));
        let secret = |signer: &shop::Signer| Secret {
            source: signer.source.clone(),
            last: signer.last_at.map(Moment::new),
        };
        Self {
            name: shop.name.to_string(),
            place: format!("{}: {}", of.join(", "), locations.collect::<Vec<_>>().join(", ")),
            last: last.map(Moment::new),
            missed: health.silence.filter(|_| !is_paused).map(|silence| grouped(silence.missed)),
            last_hour: grouped(health.last_hour),
            last_day: grouped(health.last_day),
            dead: grouped(activity.map_or(0, |row| row.dead)),
            refused: refused.map(grouped).unwrap_or_default(),
            secrets: health.signers.iter().map(secret).collect(),
            old_signs: health.old_signer().map(|signer| signer.source.clone()),
            link: link("/console/webhooks", &[("shop", shop.name.as_str())]),
            is_paused: pause::is_paused_itself(pauses, &shop.name),
            switch: link("/console/pause", &[("shop", shop.name.as_str())]),
        }
    }
}

pub(super) async fn list(State(console): State<Console>, Extension(session): Asker) -> Answer {
    let activity: BTreeMap<ShopId, ActivityRow> = console
        .store
        .shop_activity()
        .await?
        .into_iter()
        .map(|row| (row.shop.clone(), row))
        .collect();
    let pauses = console.store.pauses().await?;
    let shops = console.shops.borrow().clone();
    let health = shop::health(&console.store, &shops, operate::now()).await?;
    let refused = console.refused();
    let row = |(shop, health): (&Shop, &Health)| {
        let refused = refused.as_ref().map(|refused| refused.of(&shop.name));
        Row::new(shop, health, activity.get(&shop.name), refused, &pauses)
    };
    Ok(render(&ShopsPage {
        frame: Frame::new(&console, &session, "shops", "Shops"),
        window: grouped(SCAN_MAX),
        is_paused: pause::is_all_paused(&pauses),
        knows_refused: refused.is_some(),
        rows: shops.iter().zip(&health).map(row).collect(),
    }))
}

impl Console {
    fn refused(&self) -> Option<Refused> {
        Refused::read(&self.metrics.as_ref()?.render())
    }
}

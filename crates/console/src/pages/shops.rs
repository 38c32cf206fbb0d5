//! The shops of the file, and what came of each lately. Never a secret; only how many there are.

use std::collections::BTreeMap;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use domain::ShopId;
use platforms::Shop;
use store::pages::{ActivityRow, SCAN_MAX};
use store::{Pages, Pauses};

use super::{Answer, Asker, Frame, render};
use crate::Console;
use crate::view::{Moment, grouped, link};

#[derive(Template)]
#[template(path = "shops.html")]
struct ShopsPage {
    frame: Frame,
    window: String,
    /// Everything is.
    is_paused: bool,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    platform: String,
    domain: String,
    secrets: usize,
    locations: String,
    last: Option<Moment>,
    webhooks: String,
    dead: String,
    link: String,
    is_paused: bool,
    switch: String,
}

impl Row {
    fn new(shop: &Shop, activity: Option<&ActivityRow>, is_paused: bool) -> Self {
        let locations = shop.policy.locations.iter().map(|location| location.as_str());
        Self {
            name: shop.name.to_string(),
            platform: shop.platform.as_str().to_owned(),
            domain: shop.domain.clone().unwrap_or_default(),
            secrets: shop.secrets.len(),
            locations: locations.collect::<Vec<_>>().join(", "),
            last: activity.map(|row| Moment::new(row.last)),
            webhooks: grouped(activity.map_or(0, |row| row.webhooks)),
            dead: grouped(activity.map_or(0, |row| row.dead)),
            link: link("/console/webhooks", &[("shop", shop.name.as_str())]),
            is_paused,
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
    let is_paused = |shop: Option<&ShopId>| pauses.iter().any(|it| it.shop.as_ref() == shop);
    let row = |shop: &Shop| Row::new(shop, activity.get(&shop.name), is_paused(Some(&shop.name)));
    let shops = console.shops.borrow().clone();
    Ok(render(&ShopsPage {
        frame: Frame::new(&console, &session, "shops", "Shops"),
        window: grouped(SCAN_MAX),
        is_paused: is_paused(None),
        rows: shops.iter().map(row).collect(),
    }))
}

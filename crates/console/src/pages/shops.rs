//! The shops of the file, and how each is doing. Never a secret; only where the file has it from.

use std::collections::BTreeMap;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use domain::ShopId;
use operate::pause;
use operate::shop::{self, Health};
use platforms::{Shop, Shops};
use store::pages::{ActivityRow, SCAN_MAX};
use store::{Pages, Pause, Pauses};

use super::{Answer, Asker, Frame, render};
use crate::Console;
use crate::refused::{Refused, Told};
use crate::view::{Moment, grouped, link, prose};

#[derive(Template)]
#[template(path = "shops.html")]
struct ShopsPage {
    frame: Frame,
    window: String,
    /// Everything is.
    is_paused: bool,
    rows: Vec<Row>,
    /// Who says how many were refused.
    refused: Vec<(bool, String)>,
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
        refused: &Counted,
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
            refused: refused.of(&shop.name),
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
    let refused = console.refused(&shops);
    let row = |(shop, health): (&Shop, &Health)| {
        Row::new(shop, health, activity.get(&shop.name), &refused, &pauses)
    };
    Ok(render(&ShopsPage {
        frame: Frame::new(&console, &session, "shops", "Shops"),
        window: grouped(SCAN_MAX),
        is_paused: pause::is_all_paused(&pauses),
        rows: shops.iter().zip(&health).map(row).collect(),
        refused: prose(&refused.by()),
    }))
}

/// What was refused, by whose word.
enum Counted {
    /// This process receives.
    Here(Refused),
    Elsewhere(Told),
    /// Metrics do not tell so many shops apart.
    Together,
}

impl Console {
    fn refused(&self, shops: &Shops) -> Counted {
        let is_named = |shop: &Shop| shops.label(&shop.name).as_deref() == Some(shop.name.as_str());
        if !shops.iter().all(is_named) {
            return Counted::Together;
        }
        let metrics = self.metrics.as_ref();
        match metrics.and_then(|metrics| Refused::read(&metrics.render())) {
            Some(refused) => Counted::Here(refused),
            None => Counted::Elsewhere(
                self.told.as_ref().map(|told| told.borrow().clone()).unwrap_or_default(),
            ),
        }
    }
}

impl Counted {
    fn of(&self, shop: &ShopId) -> String {
        match self {
            Self::Here(refused) => grouped(refused.of(shop)),
            Self::Together | Self::Elsewhere(Told { answered: 0, .. }) => "not known".to_owned(),
            Self::Elsewhere(Told { refused, silent: 0, .. }) => grouped(refused.of(shop)),
            Self::Elsewhere(Told { refused, .. }) => {
                format!("{} or more", grouped(refused.of(shop)))
            }
        }
    }

    fn by(&self) -> String {
        const WHAT: &str = "Refused: requests with a wrong signature, answered 401, which leave no \
            trace in the database";
        match self {
            Self::Here(_) => format!("{WHAT}; since this process started."),
            Self::Together => format!(
                "{WHAT}. Of so many shops they are counted for all together, as \
                 `onhand_shop_signatures_refused_total`."
            ),
            Self::Elsewhere(Told { answered: 0, silent: 0, .. }) => format!(
                "{WHAT}. Ingresses count them: tell this console where they show their metrics \
                 (`ONHAND_INGRESS_METRICS`), or look at their \
                 `onhand_shop_signatures_refused_total`."
            ),
            Self::Elsewhere(Told { answered: 0, .. }) => {
                format!("{WHAT}. No ingress answers that this console was told to ask for them.")
            }
            Self::Elsewhere(Told { answered, silent, .. }) => {
                let all = match answered {
                    1 => "as one ingress counts them since it started".to_owned(),
                    several => format!("as {several} ingresses count them since each started"),
                };
                let others = match silent {
                    0 => "",
                    _ => " Another does not answer, so there may be more.",
                };
                format!("{WHAT}, {all}.{others}")
            }
        }
    }
}

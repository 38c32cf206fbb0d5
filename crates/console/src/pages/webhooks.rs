//! Webhooks: found by id, shop, topic and outcome, and one with what became of it.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use domain::{OrderKey, Outcome, ShopId, WebhookId};
use serde::Deserialize;
use store::pages::WebhookPage;
use store::reports::{self, WebhookFilter};
use store::{Pages, Reports};

use super::{
    Answer, Asked, Asker, Choice, Frame, ROWS, Trouble, asked, choices, render, shop_choices,
};
use crate::Console;
use crate::view::{self, Moment, grouped, link};

#[derive(Deserialize)]
pub(super) struct Search {
    /// An id.
    #[serde(default)]
    q: String,
    #[serde(default)]
    shop: String,
    #[serde(default)]
    topic: String,
    #[serde(default)]
    outcome: String,
    /// The envelope below which the page lies.
    #[serde(default)]
    before: String,
}

#[derive(Template)]
#[template(path = "webhooks.html")]
struct WebhooksPage {
    frame: Frame,
    q: String,
    topic: String,
    shops: Vec<Choice>,
    outcomes: Vec<Choice>,
    rows: Vec<Row>,
    next: Option<String>,
}

/// A webhook, in words.
pub(super) struct Row {
    pub(super) id: String,
    /// The beginning of it.
    pub(super) short: String,
    pub(super) link: String,
    pub(super) shop: String,
    pub(super) topic: String,
    pub(super) outcome: String,
    pub(super) is_dead: bool,
    pub(super) reason: String,
    pub(super) detail: String,
    pub(super) order: Option<(String, String)>,
    pub(super) deliveries: String,
    pub(super) received: Moment,
    pub(super) decided: Moment,
    pub(super) envelope: String,
}

impl Row {
    pub(super) fn new(row: &reports::WebhookRow) -> Self {
        let order = row.order.as_ref().map(|order| {
            let key = OrderKey { shop: row.shop.clone(), order: order.clone() };
            (order.to_string(), view::order(&key))
        });
        Self {
            id: row.webhook.to_string(),
            short: view::shortened(row.webhook.as_str()),
            link: view::webhook(&row.shop, row.webhook.as_str()),
            shop: row.shop.to_string(),
            topic: row.topic.clone(),
            outcome: row.outcome.clone(),
            is_dead: row.outcome == Outcome::Dead.as_str(),
            reason: row.reason.clone().unwrap_or_default(),
            detail: row.detail.clone().unwrap_or_default(),
            order,
            deliveries: grouped(row.deliveries),
            received: Moment::new(row.received_at),
            decided: Moment::new(row.decided_at),
            envelope: row.envelope.clone(),
        }
    }
}

pub(super) async fn list(
    State(console): State<Console>,
    Extension(session): Asker,
    Asked(search): Asked<Search>,
) -> Answer {
    let (q, shop, topic) = (asked(&search.q), asked(&search.shop), asked(&search.topic));
    let outcome: Option<Outcome> = asked(&search.outcome).and_then(|text| text.parse().ok());
    let (rows, next) = match &q {
        Some(id) => {
            let filter = WebhookFilter {
                webhook: Some(WebhookId::new(id)),
                shop: shop.as_deref().map(ShopId::new),
                outcome,
                limit: ROWS,
                ..WebhookFilter::default()
            };
            (console.store.webhooks(&filter).await?, None)
        }
        None => {
            let page = WebhookPage {
                shop: shop.as_deref().map(ShopId::new),
                topic: topic.clone(),
                outcome,
                before: asked(&search.before)
                    .and_then(|id| id.parse().ok())
                    .map(domain::EnvelopeId),
                limit: ROWS,
            };
            let found = console.store.webhook_page(&page).await?;
            let next = found.next.map(|id| {
                let at = [
                    ("shop", shop.as_deref().unwrap_or_default()),
                    ("topic", topic.as_deref().unwrap_or_default()),
                    ("outcome", outcome.map_or("", Outcome::as_str)),
                    ("before", &id.to_string()),
                ];
                link("/console/webhooks", &at)
            });
            (found.rows, next)
        }
    };
    Ok(render(&WebhooksPage {
        frame: Frame::new(&console, &session, "webhooks", "Webhooks"),
        q: q.unwrap_or_default(),
        topic: topic.unwrap_or_default(),
        shops: shop_choices(&console, shop.as_deref()),
        outcomes: choices(Outcome::ALL.map(Outcome::as_str), outcome.map(Outcome::as_str)),
        rows: rows.iter().map(Row::new).collect(),
        next,
    }))
}

#[derive(Deserialize)]
pub(super) struct One {
    #[serde(default)]
    shop: String,
    id: String,
}

#[derive(Template)]
#[template(path = "webhook.html")]
struct WebhookView {
    frame: Frame,
    id: String,
    /// One for each body that came under this id.
    rows: Vec<Row>,
}

pub(super) async fn webhook(
    State(console): State<Console>,
    Extension(session): Asker,
    Asked(one): Asked<One>,
) -> Answer {
    let id = asked(&one.id).unwrap_or_default();
    let filter = WebhookFilter {
        shop: asked(&one.shop).map(ShopId::new),
        webhook: Some(WebhookId::new(&id)),
        limit: ROWS,
        ..WebhookFilter::default()
    };
    let mut rows = console.store.webhooks(&filter).await?;
    if rows.is_empty() {
        // A payment's callback is kept under the shop that sent it, and its moves name the order's.
        rows = console.store.webhooks(&WebhookFilter { shop: None, ..filter }).await?;
    }
    if rows.is_empty() {
        return Err(Trouble::not_found(format!(
            "No webhook {id} was decided. It may still be in the queue."
        )));
    }
    Ok(render(&WebhookView {
        frame: Frame::new(&console, &session, "webhooks", format!("Webhook {id}")),
        id,
        rows: rows.iter().map(Row::new).collect(),
    }))
}

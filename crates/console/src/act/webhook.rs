//! A webhook decided once more whose body is kept.

use askama::Template;
use axum::extract::State;
use axum::{Extension, Form};
use operate::webhook::{self, Replay, not_kept};
use serde::Deserialize;
use store::reports::WebhookRow;

use super::{begun_before, check, new_key, operation};
use crate::Console;
use crate::pages::{Answer, Asked, Asker, Frame, Trouble, WebhookAsked, page_of_webhook, render};

#[derive(Deserialize)]
pub(super) struct Which {
    #[serde(flatten)]
    webhook: WebhookAsked,
    /// Which of the bodies that came under the id.
    body: String,
    #[serde(default)]
    key: String,
}

#[derive(Template)]
#[template(path = "webhook_ask.html")]
struct AskPage {
    frame: Frame,
    key: String,
    shop: String,
    id: String,
    body: String,
    envelope: String,
    outcome: String,
    back: String,
}

#[derive(Template)]
#[template(path = "webhook_done.html")]
struct DonePage {
    frame: Frame,
    id: String,
    outcome: &'static str,
    is_dead: bool,
    detail: String,
    back: String,
}

impl Which {
    async fn row(&self, console: &Console) -> Result<WebhookRow, Trouble> {
        let (rows, _) = self.webhook.rows(&console.store).await?;
        let row = rows.into_iter().find(|row| row.body_hash == self.body);
        row.ok_or_else(|| Trouble::not_found("There is no such webhook."))
    }
}

pub(super) async fn ask(
    State(console): State<Console>,
    Extension(session): Asker,
    Asked(which): Asked<Which>,
) -> Answer {
    check(&session.who)?;
    let row = which.row(&console).await?;
    if webhook::body(&console.store, &row).await?.is_none() {
        return Err(refused(&console, &row));
    }
    Ok(render(&AskPage {
        frame: Frame::new(&console, &session, "webhooks", format!("Replay {}?", row.webhook)),
        key: new_key(),
        back: page_of_webhook(&row),
        outcome: row.outcome,
        shop: which.webhook.shop,
        id: which.webhook.id,
        envelope: which.webhook.envelope,
        body: which.body,
    }))
}

pub(super) async fn replay(
    State(console): State<Console>,
    Extension(session): Asker,
    Form(which): Form<Which>,
) -> Answer {
    check(&session.who)?;
    let row = which.row(&console).await?;
    let what = format!("replay webhook {} of {}", row.webhook, row.shop);
    let operation = operation(&which.key, &what, &session.who)?;
    let shops = console.shops.borrow().clone();
    let replayed = match webhook::replay(&console.store, &shops, &row, operation).await? {
        Replay::Decided(replayed) => replayed,
        Replay::NotKept => return Err(refused(&console, &row)),
        Replay::BegunBefore => return Err(begun_before()),
    };
    Ok(render(&DonePage {
        frame: Frame::new(&console, &session, "webhooks", "Replayed"),
        id: row.webhook.to_string(),
        is_dead: replayed.is_dead(),
        outcome: replayed.outcome,
        detail: replayed.detail.unwrap_or_default(),
        back: page_of_webhook(&row),
    }))
}

fn refused(console: &Console, row: &WebhookRow) -> Trouble {
    let shops = console.shops.borrow().clone();
    Trouble::new(
        axum::http::StatusCode::CONFLICT,
        format!("It cannot be decided again: {}.", not_kept(&row.shop, &shops)),
    )
}

//! Dead letters: how many for which reason, and one of them.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use domain::EnvelopeId;
use serde::Deserialize;
use store::pages::{DeadPage, LETTERS_MAX};
use store::reports::{DeadFilter, DeadRow};
use store::{Pages, Reports};

use super::{Answer, Asked, Asker, Frame, ROWS, Trouble, asked, render};
use crate::Console;
use crate::view::{self, Moment, grouped, link, or_more};

#[derive(Deserialize)]
pub(super) struct Search {
    #[serde(default)]
    reason: String,
    /// Also closed ones.
    #[serde(default)]
    all: String,
    #[serde(default)]
    before: String,
}

#[derive(Template)]
#[template(path = "dead.html")]
struct DeadListPage {
    frame: Frame,
    reasons: Vec<Reason>,
    reason: String,
    closed_too: bool,
    rows: Vec<Row>,
    next: Option<String>,
    replay: String,
    discard: String,
}

struct Reason {
    name: String,
    link: String,
    count: String,
    oldest: Moment,
    is_chosen: bool,
}

/// A dead letter, in words.
struct Row {
    id: String,
    link: String,
    shop: String,
    topic: String,
    reason: String,
    detail: String,
    webhook: Option<(String, String)>,
    state: String,
    is_open: bool,
    attempts: String,
    deaths: String,
    note: String,
    received: Moment,
    died: Moment,
}

impl Row {
    pub(super) fn new(row: &DeadRow) -> Self {
        let webhook = row.shop.as_ref().zip(row.webhook.as_ref()).map(|(shop, webhook)| {
            (webhook.to_string(), view::webhook(shop.as_str(), webhook.as_str(), None, &row.id))
        });
        Self {
            id: row.id.clone(),
            link: view::letter(&row.id),
            shop: row.shop.as_ref().map(ToString::to_string).unwrap_or_default(),
            topic: row.topic.clone(),
            reason: row.reason.clone(),
            detail: row.detail.clone(),
            webhook,
            is_open: row.state == "open",
            state: row.state.clone(),
            attempts: grouped(row.attempts),
            deaths: grouped(row.deaths),
            note: row.closed_note.clone().unwrap_or_default(),
            received: Moment::new(row.received_at),
            died: Moment::new(row.died_at),
        }
    }
}

pub(super) async fn list(
    State(console): State<Console>,
    Extension(session): Asker,
    Asked(search): Asked<Search>,
) -> Answer {
    let (reason, closed_too) = (asked(&search.reason), !search.all.is_empty());
    let page = DeadPage {
        reason: reason.clone(),
        closed_too,
        before: asked(&search.before).and_then(|id| id.parse().ok()).map(EnvelopeId),
        limit: ROWS,
    };
    let rows = console.store.dead_page(&page).await?;
    let reasons = console.store.dead_reasons().await?;
    let all = if closed_too { "1" } else { "" };
    let chosen = reason.clone().unwrap_or_default();
    let last = rows.last().filter(|_| i64::try_from(rows.len()).is_ok_and(|len| len == ROWS));
    let next = last.map(|row| {
        link("/console/dead", &[("reason", &chosen), ("all", all), ("before", &row.id)])
    });
    let reason_row = |row: &store::pages::ReasonRow| Reason {
        name: row.reason.clone(),
        link: link("/console/dead", &[("reason", &row.reason)]),
        count: or_more(row.count, LETTERS_MAX),
        oldest: Moment::new(row.oldest),
        is_chosen: row.reason == chosen,
    };
    Ok(render(&DeadListPage {
        frame: Frame::new(&console, &session, "dead", "Dead letters"),
        reasons: reasons.iter().map(reason_row).collect(),
        rows: rows.iter().map(Row::new).collect(),
        next,
        closed_too,
        replay: link("/console/dead/replay", &[("reason", &chosen)]),
        discard: link("/console/dead/discard", &[("reason", &chosen)]),
        reason: chosen,
    }))
}

#[derive(Deserialize)]
pub(super) struct One {
    id: String,
}

#[derive(Template)]
#[template(path = "letter.html")]
struct LetterPage {
    frame: Frame,
    row: Row,
    replay: String,
    discard: String,
}

/// Its body is not shown: customers' names and addresses are in it. `onhand dead show` prints it.
pub(super) async fn letter(
    State(console): State<Console>,
    Extension(session): Asker,
    Asked(one): Asked<One>,
) -> Answer {
    let nothing = || Trouble::not_found("There is no such dead letter.");
    let id = one.id.trim().parse().map(EnvelopeId).map_err(|_| nothing())?;
    let filter = DeadFilter { id: Some(id), closed_too: true, limit: 1, ..DeadFilter::default() };
    let row = console.store.dead_letters(&filter).await?.pop().ok_or_else(nothing)?;
    Ok(render(&LetterPage {
        frame: Frame::new(&console, &session, "dead", "Dead letter"),
        replay: link("/console/dead/replay", &[("id", &row.id)]),
        discard: link("/console/dead/discard", &[("id", &row.id)]),
        row: Row::new(&row),
    }))
}

//! Webhooks: found by id, shop, topic and outcome, and one with what became of it.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use domain::{Envelope, EnvelopeId, OrderKey, Outcome, ShopId, Timestamp, WebhookId};
use operate::meaning::lines;
use operate::webhook;
use platforms::mask::mask;
use serde::Deserialize;
use store::pages::WebhookPage;
use store::reports::{self, DeadFilter, WebhookFilter};
use store::{Pages, Reports};
use tokio::task::spawn_blocking;

use super::{
    Answer, Asked, Asker, Choice, Frame, ROWS, Trouble, asked, choices, render, shop_choices,
};
use crate::Console;
use crate::view::{self, Moment, grouped, link};

mod find;

pub(crate) use find::One;

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
    /// Received at this moment of UTC or later, as a browser's field for moments has it.
    #[serde(default)]
    since: String,
    /// Received before this moment.
    #[serde(default)]
    until: String,
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
    since: String,
    until: String,
    rows: Vec<Row>,
    next: Option<String>,
}

/// Microseconds.
const LATE: i64 = 60_000_000;

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
    pub(super) is_repeated: bool,
    /// It was decided long after it came, as what is replayed.
    pub(super) is_late: bool,
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
            link: page_of(row),
            shop: row.shop.to_string(),
            topic: row.topic.clone(),
            outcome: row.outcome.clone(),
            is_dead: row.outcome == Outcome::Dead.as_str(),
            reason: row.reason.clone().unwrap_or_default(),
            detail: row.detail.clone().unwrap_or_default(),
            order,
            deliveries: grouped(row.deliveries),
            is_repeated: row.deliveries > 1,
            is_late: row.decided_at.0 - row.received_at.0 > LATE,
            received: Moment::new(row.received_at),
            decided: Moment::new(row.decided_at),
            envelope: row.envelope.clone(),
        }
    }
}

/// Where it is shown.
pub(crate) fn page_of(row: &reports::WebhookRow) -> String {
    let (shop, id) = (row.shop.as_str(), row.webhook.as_str());
    view::webhook(shop, id, row.order.as_ref(), &row.envelope)
}

pub(super) async fn list(
    State(console): State<Console>,
    Extension(session): Asker,
    Asked(search): Asked<Search>,
) -> Answer {
    let (q, shop, topic) = (asked(&search.q), asked(&search.shop), asked(&search.topic));
    let outcome: Option<Outcome> = asked(&search.outcome).and_then(|text| text.parse().ok());
    let before = asked(&search.before).and_then(|id| id.parse().ok()).map(EnvelopeId);
    let since = asked(&search.since).and_then(|text| moment(&text));
    let until = asked(&search.until).and_then(|text| moment(&text));
    let (begin, end) = (since.map(EnvelopeId::before_all_of), until.map(EnvelopeId::before_all_of));
    let (rows, next) = match &q {
        Some(id) => {
            let filter = WebhookFilter {
                webhook: Some(WebhookId::new(id)),
                shop: shop.as_deref().map(ShopId::new),
                outcome,
                // To be narrowed, it takes more than a page shows.
                limit: OF_AN_ID_MAX,
                ..WebhookFilter::default()
            };
            (console.store.webhooks(&filter).await?, None)
        }
        None => {
            let page = WebhookPage {
                shop: shop.as_deref().map(ShopId::new),
                topic: topic.clone(),
                outcome,
                before: before.or(end),
                limit: ROWS,
            };
            let found = console.store.webhook_page(&page).await?;
            let next = found.next.filter(|id| begin.is_none_or(|begin| *id > begin));
            let next = next.map(|id| {
                let at = [
                    ("shop", shop.as_deref().unwrap_or_default()),
                    ("topic", topic.as_deref().unwrap_or_default()),
                    ("outcome", outcome.map_or("", Outcome::as_str)),
                    ("since", since.map_or("", |_| search.since.trim())),
                    ("before", &id.to_string()),
                ];
                link("/console/webhooks", &at)
            });
            (found.rows, next)
        }
    };
    let rows = narrowed(rows, topic.as_deref(), begin, end);
    let shown = |at: Option<Timestamp>, text: &str| at.map_or("", |_| text.trim()).to_owned();
    Ok(render(&WebhooksPage {
        frame: Frame::new(&console, &session, "webhooks", "Webhooks"),
        q: q.unwrap_or_default(),
        topic: topic.unwrap_or_default(),
        shops: shop_choices(&console, shop.as_deref()),
        outcomes: choices(Outcome::ALL.map(Outcome::as_str), outcome.map(Outcome::as_str)),
        since: shown(since, &search.since),
        until: shown(until, &search.until),
        rows: rows.iter().map(Row::new).collect(),
        next,
    }))
}

/// Whatever else is asked narrows what was found. When it came its envelope says, by which pages go.
fn narrowed(
    mut rows: Vec<reports::WebhookRow>,
    topic: Option<&str>,
    begin: Option<EnvelopeId>,
    end: Option<EnvelopeId>,
) -> Vec<reports::WebhookRow> {
    rows.retain(|row| {
        let came = row.envelope.parse().map(EnvelopeId).ok();
        topic.is_none_or(|topic| row.topic == topic)
            && begin.is_none_or(|begin| came >= Some(begin))
            && end.is_none_or(|end| came < Some(end))
    });
    rows.truncate(usize::try_from(ROWS).unwrap_or(usize::MAX));
    rows
}

/// So many of one id are narrowed.
const OF_AN_ID_MAX: i64 = 1_000;

/// A moment of UTC without its offset, as 2026-11-21T12:00.
fn moment(text: &str) -> Option<Timestamp> {
    let at: jiff::civil::DateTime = text.parse().ok()?;
    let at = at.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    Some(Timestamp(at.as_microsecond()))
}

#[derive(Template)]
#[template(path = "webhook.html")]
struct WebhookView {
    frame: Frame,
    id: String,
    /// Where one order's are shown, or one envelope's: the page of all that came under this id.
    all: Option<String>,
    /// One for each body that came under this id.
    rows: Vec<(Row, Content)>,
}

/// What the body of a webhook says.
struct Content {
    /// In words; nothing where the body is not kept.
    meaning: Vec<String>,
    /// With personal data covered.
    body: Option<String>,
    /// Why there is none.
    not_kept: Vec<(bool, String)>,
    /// How often it waited on the retry ladder; of a dead one also how often it died.
    attempts: Option<String>,
    replay: String,
}

/// Longer bodies are cut: a browser has to show it.
const BODY_SHOWN: usize = 128 * 1024;

impl Content {
    async fn read(console: &Console, row: &reports::WebhookRow) -> Result<Self, Trouble> {
        let envelope = webhook::body(&console.store, row).await?;
        let shops = console.shops.borrow().clone();
        let not_kept = match envelope {
            None => view::prose(&webhook::not_kept(&row.shop, &shops)),
            Some(_) => Vec::new(),
        };
        let at = [
            ("shop", row.shop.as_str()),
            ("id", row.webhook.as_str()),
            ("body", row.body_hash.as_str()),
            ("envelope", row.envelope.as_str()),
        ];
        let (meaning, body) = match envelope {
            // Megabytes of JSON take their time, and must not hold up a lane beside it.
            Some(envelope) => {
                let said = spawn_blocking(move || said(&envelope)).await;
                said.map_err(|_| Trouble::new(StatusCode::INTERNAL_SERVER_ERROR, UNREADABLE))?
            }
            None => (Vec::new(), None),
        };
        Ok(Self {
            meaning,
            body,
            not_kept,
            attempts: attempts(console, row).await?,
            replay: link("/console/webhook/replay", &at),
        })
    }
}

const UNREADABLE: &str = "Its body cannot be shown. The log says why.";

/// What it means, and its body.
fn said(envelope: &Envelope) -> (Vec<String>, Option<String>) {
    (lines(&platforms::parse(envelope)), Some(cut(mask(&envelope.body))))
}

/// Nothing of one that was decided at once. How a dead one died is with its letter.
async fn attempts(console: &Console, row: &reports::WebhookRow) -> Result<Option<String>, Trouble> {
    if row.outcome != Outcome::Dead.as_str() {
        let waits = times(row.attempts);
        return Ok((row.attempts > 0).then(|| format!("waited for a retry {waits}")));
    }
    let Ok(id) = row.envelope.parse().map(EnvelopeId) else { return Ok(None) };
    let filter = DeadFilter { id: Some(id), closed_too: true, limit: 1, ..DeadFilter::default() };
    let letter = console.store.dead_letters(&filter).await?.pop();
    Ok(letter.map(|letter| {
        let (waits, deaths) = (times(letter.attempts), times(letter.deaths));
        format!("waited for a retry {waits}, applying it failed {deaths}")
    }))
}

fn times(count: i64) -> String {
    match count {
        1 => "once".to_owned(),
        count => format!("{} times", grouped(count)),
    }
}

fn cut(mut body: String) -> String {
    if body.len() > BODY_SHOWN {
        let end = (0..=BODY_SHOWN).rev().find(|at| body.is_char_boundary(*at)).unwrap_or_default();
        let left = body.len() - end;
        body.truncate(end);
        body += &format!("\n… and {left} bytes more");
    }
    body
}

pub(super) async fn one(
    State(console): State<Console>,
    Extension(session): Asker,
    Asked(one): Asked<One>,
) -> Answer {
    let (rows, are_all) = one.rows(&console.store).await?;
    let id = asked(&one.id).unwrap_or_default();
    if rows.is_empty() {
        return Err(Trouble::not_found(format!(
            "No webhook {id} was decided. It may still be in the queue."
        )));
    }
    let mut shown = Vec::with_capacity(rows.len());
    for row in &rows {
        shown.push((Row::new(row), Content::read(&console, row).await?));
    }
    Ok(render(&WebhookView {
        frame: Frame::new(&console, &session, "webhooks", format!("Webhook {id}")),
        all: (!are_all).then(|| link("/console/webhook", &[("id", &id)])),
        id,
        rows: shown,
    }))
}

//! The overview: is all well, and if not, what to do; how it goes, and how it went. While it is
//! looked at, a small script shows what the server pushes (`stream.rs`).

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::{Html, IntoResponse};
use domain::Timestamp;
use operate::health::{Facts, Matter, Stored, Todo, Work, ask_store, look};
use operate::verify::Verified;
use queue::QueueStats;
use store::pages::LETTERS_MAX;

use super::pulse::{Held, Pulse, Rows, held};
use super::queue::{Stats, queue};
use super::{Answer, Asker, Frame, Trouble, render, trends};
use crate::Console;
use crate::view::{Moment, ago, grouped, link, or_more, prose};

/// How old the numbers may be, however many look.
pub(super) const AGE_MAX: Duration = Duration::from_secs(2);

struct Verdict {
    sentence: String,
    todo: Vec<TodoRow>,
}

/// Something to do, and where; no link: not in the console.
struct TodoRow {
    prose: Vec<(bool, String)>,
    link: Option<(&'static str, String)>,
}

/// The numbers, in words.
struct Numbers {
    verdict: Verdict,
    pulse: Vec<(&'static str, Vec<(bool, String)>)>,
    verified: Option<String>,
    outcomes: Vec<(String, String)>,
    queue: Vec<(&'static str, String)>,
    dead: String,
    oldest_dead: Option<Moment>,
    unlinked: String,
    privacy: String,
    outbox: String,
    as_of: Moment,
}

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    frame: Frame,
    numbers: Numbers,
    charts: [(&'static str, &'static str); trends::TITLES.len()],
}

#[derive(Template)]
#[template(path = "live.html")]
struct LivePart {
    numbers: Numbers,
}

pub(super) async fn overview(State(console): State<Console>, Extension(session): Asker) -> Answer {
    let frame = Frame::new(&console, &session, "overview", "Overview");
    let charts = trends::TITLES;
    Ok(render(&OverviewPage { frame, numbers: numbers(&console).await?, charts }))
}

pub(super) async fn live(State(console): State<Console>) -> Answer {
    let part = live_part(&console).await.ok_or_else(Trouble::database_away)?;
    Ok(Html(part.to_string()).into_response())
}

/// The numbers as HTML, the same for everybody who looks; `None`: they cannot be read just now.
pub(super) async fn live_part(console: &Console) -> Option<Arc<str>> {
    let write = async |_| {
        let numbers = numbers(console).await.ok()?;
        // Events cannot carry these; HTML does not need them.
        LivePart { numbers }.render().ok().map(|html| html.replace('\r', "").into())
    };
    console.seen.live.get(AGE_MAX, write).await
}

async fn numbers(console: &Console) -> Result<Numbers, Trouble> {
    let (store, now) = (&console.store, operate::now());
    let stored = ask_store(store, now).await?;
    let shops = console.shops.borrow().clone();
    let shops = Some(console.health.get(store, &shops).await?);
    let checks = console.checks.borrow().clone();
    let queue = queue(console).await;
    let look_on = async |before: Option<Option<Work>>| {
        Work::look(before.flatten(), queue.as_ref().ok(), Some(&stored), now)
    };
    let work = console.seen.work.get(Duration::ZERO, look_on).await;
    let pulse = Pulse {
        sums: &stored.recent,
        queue: &queue,
        workers: stored.workers,
        still_since: work.and_then(|work| work.still_since),
        knows_acks: console.knows_acks,
        now,
    };
    let pulse = in_prose(pulse.rows());
    let queue_rows = queue_rows(&queue, held(&stored.recent, now));
    let facts = Facts { queue, stored: Ok(stored.clone()), work, checks, shops };
    let Stored { totals, dead, unlinked_payments, .. } = &stored;
    let oldest = dead.iter().map(|reason| reason.oldest).min();
    let verdict = look(&facts, now);
    let outcome = |(outcome, count): (&domain::Outcome, &i64)| {
        (outcome.as_str().replace('_', " "), grouped(*count))
    };
    Ok(Numbers {
        pulse,
        verdict: Verdict {
            sentence: verdict.sentence,
            todo: verdict.todo.iter().map(|todo| todo_row(todo, &stored)).collect(),
        },
        verified: facts.checks.last.as_ref().map(|verified| verified_line(verified, now)),
        outcomes: totals.webhooks.iter().map(outcome).collect(),
        queue: queue_rows,
        dead: or_more(totals.dead_letters, LETTERS_MAX),
        oldest_dead: oldest.map(Moment::new),
        unlinked: or_more(*unlinked_payments, LETTERS_MAX),
        privacy: or_more(totals.privacy_requests, LETTERS_MAX),
        outbox: or_more(totals.outbox_pending, LETTERS_MAX),
        as_of: Moment::new(now),
    })
}

fn todo_row(todo: &Todo, stored: &Stored) -> TodoRow {
    let most = stored.dead.first().map(|reason| reason.reason.as_str()).unwrap_or_default();
    let link = match todo.matter {
        Matter::Dead => Some(("Dead letters", link("/console/dead", &[("reason", most)]))),
        Matter::Short => Some(("Short orders", link("/console/orders", &[("state", "short")]))),
        Matter::Drift | Matter::BelowZero => Some(("Stock", "/console/stock".to_owned())),
        Matter::Paused | Matter::Silent => Some(("Shops", "/console/shops".to_owned())),
        Matter::Database
        | Matter::Violations
        | Matter::Queue
        | Matter::Standstill
        | Matter::Backlog
        | Matter::Unverified
        | Matter::Privacy
        | Matter::Payments => None,
    };
    TodoRow { prose: prose(&todo.text), link }
}

fn verified_line(verified: &Verified, now: Timestamp) -> String {
    let found = match verified.violations.len() {
        0 => "no violations".to_owned(),
        1 => "1 violation".to_owned(),
        several => format!("{several} violations"),
    };
    format!("Verified {}: {found}", ago(now, verified.at))
}

/// RabbitMQ does not tell how many parcels are handed out; workers tell how many webhooks they hold.
fn queue_rows(stats: &Stats, held: Option<Held>) -> Vec<(&'static str, String)> {
    let parcels =
        |pick: fn(&QueueStats) -> Option<u64>| stats.as_ref().ok().and_then(pick).map(grouped);
    let webhooks = || held.map(|held| format!("{}\u{a0}webhooks", grouped(held.webhooks)));
    let rows = [
        ("Parcels ready", parcels(|stats| Some(stats.ready))),
        ("Being worked on", parcels(|stats| stats.unacked).or_else(webhooks)),
        ("Waiting for a retry", parcels(|stats| Some(stats.delayed))),
    ];
    rows.map(|(name, count)| (name, count.unwrap_or_else(|| "not known".to_owned()))).into()
}

fn in_prose(rows: Rows) -> Vec<(&'static str, Vec<(bool, String)>)> {
    rows.into_iter().map(|(name, text)| (name, prose(&text))).collect()
}

#[cfg(test)]
mod tests {
    use store::rollups::Rollup;

    use super::*;

    fn worked_on(unacked: Option<u64>, told_at: i64) -> String {
        let counts = [("held".to_owned(), 1_200), ("oldest_held_max".to_owned(), 0)].into();
        let sums = [Rollup { at: Timestamp::from_seconds(told_at), counts }];
        let stats = Ok(QueueStats { unacked, ..QueueStats::default() });
        let rows = queue_rows(&stats, held(&sums, Timestamp::from_seconds(100)));
        assert_eq!(rows[1].0, "Being worked on");
        rows[1].1.replace('\u{a0}', " ")
    }

    #[test]
    fn what_is_worked_on_is_told_by_the_queue_or_else_by_workers() {
        assert_eq!(worked_on(Some(3), 80), "3");
        assert_eq!(worked_on(None, 80), "1,200 webhooks");
        assert_eq!(worked_on(None, 60), "not known", "nobody has told lately");
    }
}

//! The overview: is all well, and if not, what to do. A small script fetches it again while it is
//! looked at.

use std::sync::Arc;
use std::time::{Duration, Instant};

use askama::Template;
use axum::Extension;
use axum::extract::State;
use domain::Timestamp;
use operate::health::{Facts, Matter, Stored, Todo, ask_queue, ask_store, look};
use operate::verify::Verified;
use queue::QueueStats;
use tokio::sync::Mutex;

use super::{Answer, Asker, Frame, Trouble, render};
use crate::Console;
use crate::view::{Moment, ago, grouped, link, prose};

/// How old the queue's numbers may be: asking a broker takes a connection of its own.
const QUEUE_AGE_MAX: Duration = Duration::from_secs(5);

/// The queue's latest numbers, shared by everybody who looks.
#[derive(Clone, Debug, Default)]
pub(crate) struct LatestStats(Arc<Mutex<Option<(Instant, Stats)>>>);

/// `Err`: why nobody knows.
type Stats = Result<QueueStats, String>;

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
}

#[derive(Template)]
#[template(path = "live.html")]
struct LivePart {
    numbers: Numbers,
}

pub(super) async fn overview(State(console): State<Console>, Extension(session): Asker) -> Answer {
    let frame = Frame::new(&console, &session, "overview", "Overview");
    Ok(render(&OverviewPage { frame, numbers: numbers(&console).await? }))
}

pub(super) async fn live(State(console): State<Console>) -> Answer {
    Ok(render(&LivePart { numbers: numbers(&console).await? }))
}

async fn numbers(console: &Console) -> Result<Numbers, Trouble> {
    let now = operate::now();
    let stored = ask_store(&console.store, now).await?;
    let verified = console.verified.borrow().clone();
    let queue = queue_stats(console).await;
    let queue_rows = queue_rows(&queue);
    let facts = Facts { queue, stored: Ok(stored.clone()), verified };
    let Stored { totals, dead, unlinked_payments, .. } = &stored;
    let oldest = dead.iter().map(|reason| reason.oldest).min();
    let verdict = look(&facts, now);
    let outcome = |(outcome, count): (&domain::Outcome, &i64)| {
        (outcome.as_str().replace('_', " "), grouped(*count))
    };
    Ok(Numbers {
        verdict: Verdict {
            sentence: verdict.sentence,
            todo: verdict.todo.iter().map(|todo| todo_row(todo, &stored)).collect(),
        },
        verified: facts.verified.as_ref().map(|verified| verified_line(verified, now)),
        outcomes: totals.webhooks.iter().map(outcome).collect(),
        queue: queue_rows,
        dead: grouped(totals.dead_letters),
        oldest_dead: oldest.map(Moment::new),
        unlinked: grouped(*unlinked_payments),
        privacy: grouped(totals.privacy_requests),
        outbox: grouped(totals.outbox_pending),
        as_of: Moment::new(now),
    })
}

fn todo_row(todo: &Todo, stored: &Stored) -> TodoRow {
    let most = stored.dead.first().map(|reason| reason.reason.as_str()).unwrap_or_default();
    let link = match todo.matter {
        Matter::Dead => Some(("Dead letters", link("/console/dead", &[("reason", most)]))),
        Matter::Short => Some(("Short orders", link("/console/orders", &[("state", "short")]))),
        Matter::Database
        | Matter::Violations
        | Matter::Queue
        | Matter::Backlog
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

fn queue_rows(stats: &Stats) -> Vec<(&'static str, String)> {
    let number = |pick: fn(&QueueStats) -> Option<u64>| {
        stats.as_ref().ok().and_then(pick).map_or_else(|| "not known".to_owned(), grouped)
    };
    vec![
        ("Parcels ready", number(|stats| Some(stats.ready))),
        ("Being worked on", number(|stats| stats.unacked)),
        ("Waiting for a retry", number(|stats| Some(stats.delayed))),
    ]
}

async fn queue_stats(console: &Console) -> Stats {
    let mut latest = console.stats.0.lock().await;
    if let Some((at, stats)) = &*latest
        && at.elapsed() < QUEUE_AGE_MAX
    {
        return stats.clone();
    }
    let stats = ask_queue(&console.broker).await;
    *latest = Some((Instant::now(), stats.clone()));
    stats
}

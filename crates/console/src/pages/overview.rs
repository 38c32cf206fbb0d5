//! The overview: is all well, and if not, what to do. A small script fetches it again while it is
//! looked at.

use std::sync::Arc;
use std::time::{Duration, Instant};

use askama::Template;
use axum::Extension;
use axum::extract::State;
use domain::Timestamp;
use queue::QueueStats;
use store::{Channels, Pages, Reports, Store};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::{Answer, Asker, Frame, Trouble, render};
use crate::Console;
use crate::health::{Facts, Verdict, look};
use crate::view::{Moment, grouped};

/// An order may come a while after its payment.
const UNLINKED_AFTER: Timestamp = Timestamp(24 * 60 * 60 * 1_000_000);

/// How long the queue may take to tell how long it is.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(2);

/// How old the queue's numbers may be: asking a broker takes a connection of its own.
const QUEUE_AGE_MAX: Duration = Duration::from_secs(5);

/// The queue's latest numbers, shared by everybody who looks.
#[derive(Clone, Debug, Default)]
pub(crate) struct LatestStats(Arc<Mutex<Option<(Instant, Stats)>>>);

/// `Err`: why nobody knows.
type Stats = Result<QueueStats, String>;

/// The numbers, in words.
struct Numbers {
    verdict: Verdict,
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
    let (store, now) = (&console.store, operate::now());
    let totals = store.totals().await?;
    let dead = store.dead_reasons().await?;
    let privacy = store.privacy_requests(false, 1).await?;
    let facts = Facts {
        queue: queue_stats(console).await,
        dead,
        unlinked_payments: store.unlinked_payments(Timestamp(now.0 - UNLINKED_AFTER.0)).await?,
        privacy_open: totals.privacy_requests,
        privacy_due: privacy.first().map(|request| request.due_at),
    };
    let oldest = facts.dead.iter().map(|reason| reason.oldest).min();
    let outcome = |(outcome, count): (&domain::Outcome, &i64)| {
        (outcome.as_str().replace('_', " "), grouped(*count))
    };
    Ok(Numbers {
        verdict: look(&facts, now),
        outcomes: totals.webhooks.iter().map(outcome).collect(),
        queue: queue_rows(&facts.queue),
        dead: grouped(totals.dead_letters),
        oldest_dead: oldest.map(Moment::new),
        unlinked: grouped(facts.unlinked_payments),
        privacy: grouped(totals.privacy_requests),
        outbox: grouped(totals.outbox_pending),
        as_of: Moment::new(now),
    })
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
    let stats = match timeout(QUEUE_TIMEOUT, console.broker.stats()).await {
        Ok(stats) => stats.map_err(|error| error.to_string()),
        Err(_) => Err("it took too long to answer".to_owned()),
    };
    *latest = Some((Instant::now(), stats.clone()));
    stats
}

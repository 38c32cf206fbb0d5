//! Whether workers do what waits for them.
//!
//! A broker does not tell how long something has waited in it, nor how much it has handed out, and
//! signs of life do not tell whether anything gets done. So workers note what they hold, and whoever
//! looks keeps what the looks so far have shown.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use domain::Timestamp;
use queue::QueueStats;
use store::rollups::{HELD, Rollup};
use store::{AnyStore, Rollups, StoreError};

use super::{Facts, NotKnown, Stored, is_all_paused};
use crate::output::{ago, grouped};

/// The roles that apply webhooks.
const WORKING: [&str; 2] = ["serve", "worker"];

/// Whoever was not seen for so long is not there: three times the pause between two signs of life.
const ALIVE_WITHIN: Duration = Duration::from_secs(30);

/// How long nothing may be decided while something waits.
const STILL_AFTER: Duration = Duration::from_secs(5 * 60);

/// Parcels in the queue beyond which workers do not keep up.
pub(super) const BACKLOG: u64 = 1_000;

/// What the looks so far have shown of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// Webhooks that were ever decided.
    decided: i64,
    /// Processes that apply webhooks and were seen lately.
    workers: i64,
    /// At every look since then something waited, and not one webhook more was decided.
    pub still_since: Option<Timestamp>,
}

impl Work {
    /// What is known after one look more; `None`: nothing is, and the looks before it are worth
    /// nothing.
    pub fn look(
        before: Option<Self>,
        queue: Option<&QueueStats>,
        stored: Option<&Stored>,
        now: Timestamp,
    ) -> Option<Self> {
        let (queue, stored) = (queue?, stored?);
        let (decided, workers) = (stored.totals.webhooks.values().sum(), stored.workers);
        let moved = before.is_some_and(|before| before.decided != decided);
        // Who has just started gets its time.
        let same = before.filter(|before| (before.workers > 0) == (workers > 0));
        let waits = waiting(queue, &stored.recent, now).any()
            && !crate::pause::is_all_paused(&stored.paused);
        let still_since =
            (waits && !moved).then(|| same.and_then(|before| before.still_since).unwrap_or(now));
        Some(Self { decided, workers, still_since })
    }
}

/// What is not applied, that which failed and waits for another try left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// In the queue; where it tells, also those that were handed out.
    parcels: u64,
    /// In the hands of workers, where the queue does not tell.
    webhooks: i64,
}

/// `recent`: what the processes counted lately.
pub fn waiting(queue: &QueueStats, recent: &[Rollup], now: Timestamp) -> Waiting {
    let held = |sum: &Rollup| sum.counts.get(HELD).copied();
    // Not all may have written their part of the latest sum.
    let lately = recent.iter().filter(|sum| !is_older(sum.at, ALIVE_WITHIN, now));
    let webhooks = match queue.unacked {
        Some(_) => 0,
        None => lately.filter_map(held).max().unwrap_or_default(),
    };
    Waiting { parcels: queue.ready + queue.unacked.unwrap_or_default(), webhooks }
}

impl Waiting {
    pub fn any(self) -> bool {
        self.parcels > 0 || self.webhooks > 0
    }
}

impl Display for Waiting {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (self.parcels, self.webhooks) {
            (0, 1) => f.write_str("1 webhook is in the workers' hands"),
            (0, held) => write!(f, "{} webhooks are in the workers' hands", grouped(held)),
            (1, _) => f.write_str("1 parcel waits in the queue"),
            (several, _) => write!(f, "{} parcels wait in the queue", grouped(several)),
        }
    }
}

/// How many processes that apply webhooks are there.
pub(super) async fn workers(store: &AnyStore) -> Result<i64, StoreError> {
    let alive = store.processes(ALIVE_WITHIN).await?;
    Ok(WORKING.iter().filter_map(|role| alive.get(*role)).sum())
}

/// Something waits and nobody works, or to no avail.
pub(super) fn standstill(facts: &Facts, now: Timestamp) -> Result<Option<String>, NotKnown> {
    let (Some(work), Ok(queue), Ok(stored)) = (facts.work, &facts.queue, &facts.stored) else {
        return Err(NotKnown);
    };
    // In a pause it is meant to wait.
    if is_all_paused(facts) {
        return Err(NotKnown);
    }
    let Some(since) = work.still_since else { return Ok(None) };
    let wait = waiting(queue, &stored.recent, now);
    if work.workers == 0 {
        return Ok(Some(format!(
            "{wait} and nobody applies webhooks: no worker has shown a sign of life for {} s. Start \
             one (`onhand worker`, or `onhand serve` where one process does it all), and see in the \
             log of the last why it ended.",
            ALIVE_WITHIN.as_secs()
        )));
    }
    // It may have begun before anybody looked, and what waits may be a paused shop's.
    if !is_older(since, STILL_AFTER, now) || !stored.paused.is_empty() {
        return Err(NotKnown);
    }
    let alive = match work.workers {
        1 => "a worker is".to_owned(),
        several => format!("{} workers are", grouped(several)),
    };
    Ok(Some(format!(
        "{wait} and nothing is applied, though {alive} alive: the last webhook was decided {} or \
         earlier. Look at the workers' logs and at `onhand doctor`, restart them, and go by \
         OnhandNothingApplied in the runbook.",
        ago(now, since)
    )))
}

/// There is more than workers get done. Where they get nothing done that is what is to be said.
pub(super) fn backlog(facts: &Facts, now: Timestamp) -> Result<Option<String>, NotKnown> {
    let (Ok(stats), Ok(stored)) = (&facts.queue, &facts.stored) else { return Err(NotKnown) };
    if is_all_paused(facts) || matches!(standstill(facts, now), Ok(Some(_))) {
        return Err(NotKnown);
    }
    // Only the embedded queue tells, and what comes from a paused shop's ladder came long ago.
    let oldest = stats.oldest.filter(|_| stored.paused.is_empty());
    let late = oldest.filter(|oldest| is_older(*oldest, STILL_AFTER, now));
    if stats.ready <= BACKLOG && late.is_none() {
        return Ok(None);
    }
    let oldest = late.map_or_else(String::new, |oldest| {
        format!(", of which the oldest webhook came {}", ago(now, oldest))
    });
    Ok(Some(format!(
        "{}{oldest}: workers do not keep up. If `onhand top` does not show them become fewer, look \
         at the workers, and start another.",
        waiting(stats, &[], now)
    )))
}

fn is_older(at: Timestamp, age: Duration, now: Timestamp) -> bool {
    u64::try_from(now.0.saturating_sub(at.0))
        .is_ok_and(|micros| Duration::from_micros(micros) >= age)
}

#[cfg(test)]
mod tests;

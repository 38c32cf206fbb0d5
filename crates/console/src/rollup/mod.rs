//! What this process counts, added to the store every ten seconds: the history behind the charts.
//!
//! It is read from the metrics that the process keeps anyway, apart from all batches, with one
//! small statement. While the store is away, and when the process dies, charts lack points; nothing
//! else rests on them.

use std::time::Duration;

use domain::Timestamp;
use metrics_exporter_prometheus::PrometheusHandle;
use store::rollups::{Counts, Process};
use store::{AnyStore, Rollups};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

mod quantile;
mod reading;
mod scrape;

pub(crate) use quantile::quantile;
pub use scrape::{BadMetricsUrl, Ingresses, MetricsUrl};

use reading::Reading;

/// Commits that found a row changed.
pub(crate) const CONFLICTS: &str = "conflicts";

/// Commits that succeeded.
pub(crate) const BATCHES: &str = "batches";

pub(crate) use store::rollups::HELD;

/// How many seconds old the oldest of these was.
pub(crate) const OLDEST_HELD: &str = "oldest_held_max";

/// [`store::rollups::Span::Recent`]'s.
const STEP_MICROS: i64 = 10_000_000;

/// How long the store may take: less than the time to the next one.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long what was counted last may take to be written when the process stops.
const LAST_TIMEOUT: Duration = Duration::from_secs(1);

/// A time of which the distribution is kept, as counts up to each bound of its histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Times {
    /// From a webhook's arrival to its 200.
    Ack,
    /// From a webhook's arrival to its commit.
    Lag,
}

impl Times {
    /// What the count of those up to `bound` seconds is called.
    pub(crate) fn bucket(self, bound: f64) -> String {
        match self {
            Self::Ack => format!("ack_le_{bound}"),
            Self::Lag => format!("lag_le_{bound}"),
        }
    }
}

/// Whose counts go where.
#[derive(Debug)]
pub struct Counting {
    pub store: AnyStore,
    pub role: &'static str,
    /// Of this process.
    pub metrics: PrometheusHandle,
    /// Others who do not know the store.
    pub ingresses: Ingresses,
}

/// Adds what is counted to the store until `stop`, and then the rest.
pub async fn count(counting: Counting, stop: CancellationToken) {
    let process = Process { id: Uuid::now_v7(), role: counting.role };
    let own = Reading::parse(&counting.metrics.render());
    let mut tally = Tally { own, ingresses: counting.ingresses };
    let (store, metrics) = (&counting.store, &counting.metrics);
    // Alive from the start, not only after the first ten seconds.
    write(store, process, operate::now(), Counts::new(), WRITE_TIMEOUT).await;
    // From where ingresses are counted, and what they have refused until now.
    tally.ingresses.counts().await;
    while stop.run_until_cancelled(sleep(until_next(operate::now()))).await.is_some() {
        let mut counts = tally.own(metrics);
        // Just after a full step: what was counted belongs to the step before.
        let at = Timestamp(operate::now().0 - STEP_MICROS / 2);
        merge(&mut counts, &tally.ingresses.counts().await);
        write(store, process, at, counts, WRITE_TIMEOUT).await;
    }
    write(store, process, operate::now(), tally.own(metrics), LAST_TIMEOUT).await;
}

/// What was known at the end of the stretch of time before.
struct Tally {
    own: Reading,
    ingresses: Ingresses,
}

impl Tally {
    fn own(&mut self, metrics: &PrometheusHandle) -> Counts {
        let now = Reading::parse(&metrics.render());
        let counts = now.since(&self.own);
        self.own = now;
        counts
    }
}

/// All processes count from one full step of the clock to the next, so that a sum of several is one
/// of the same time.
fn until_next(now: Timestamp) -> Duration {
    let left = STEP_MICROS - now.0.rem_euclid(STEP_MICROS);
    Duration::from_micros(left.unsigned_abs())
}

async fn write(
    store: &AnyStore,
    process: Process,
    at: Timestamp,
    counts: Counts,
    patience: Duration,
) {
    match timeout(patience, store.add_rollup(process, at, &counts)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "the charts lack a point"),
        Err(_) => tracing::debug!("the charts lack a point: the database was too slow"),
    }
}

pub(crate) fn merge(counts: &mut Counts, more: &Counts) {
    for (name, count) in more {
        *counts.entry(name.clone()).or_default() += count;
    }
}

/// `None`: in no time at all.
pub(crate) fn per_second(count: i64, time: Duration) -> Option<f64> {
    (!time.is_zero()).then(|| quantile::as_f64(count) / time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_step_is_that_of_the_shortest_sums() {
        let step = store::rollups::Span::Recent.step();
        assert_eq!(step, Duration::from_micros(STEP_MICROS.unsigned_abs()));
    }

    #[test]
    fn all_processes_count_to_the_same_moments() {
        let until = |micros| until_next(Timestamp(micros)).as_micros();
        assert_eq!(until(0), 10_000_000);
        assert_eq!(until(1), 9_999_999);
        assert_eq!(until(1_795_262_409_999_999), 1);
    }
}

//! How much waits in the queue, as metrics: what people and autoscalers go by.
//!
//! Asked now and then, over a connection that is there anyway. All who ask are told the same, so of
//! several processes the maximum counts. While the queue cannot be asked nobody knows, and the
//! gauges say so (NaN, which no alert takes for a number): an old number would look like calm.

use std::convert::Infallible;
use std::time::Duration;

use metrics::gauge;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::measure::float;
use crate::{AnyQueue, QueueStats};

/// Often enough that each scrape finds something new; a question is some ten round trips.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// A queue that has not answered by then is not there.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

const PARCELS: &str = "onhand_queue_parcels";

/// Shows how much waits in `queue`, for as long as it is polled.
pub(crate) async fn show(queue: &AnyQueue) -> Infallible {
    metrics::describe_gauge!(PARCELS, "Parcels in the queue, by state; NaN: it cannot be asked");
    let mut ticks = interval(ASK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut tells_unacked = false;
    loop {
        ticks.tick().await;
        match timeout(ANSWER_WITHIN, queue.stats()).await {
            Ok(Ok(stats)) => {
                tells_unacked = stats.unacked.is_some();
                set(stats);
            }
            Ok(Err(error)) => {
                tracing::debug!(%error, "the queue cannot be asked how much waits");
                unknown(tells_unacked);
            }
            Err(_) => unknown(tells_unacked),
        }
    }
}

fn set(stats: QueueStats) {
    gauge!(PARCELS, "state" => "ready").set(float(stats.ready));
    gauge!(PARCELS, "state" => "delayed").set(float(stats.delayed));
    if let Some(unacked) = stats.unacked {
        gauge!(PARCELS, "state" => "unacked").set(float(unacked));
    }
}

fn unknown(tells_unacked: bool) {
    for state in ["ready", "delayed"].into_iter().chain(tells_unacked.then_some("unacked")) {
        gauge!(PARCELS, "state" => state).set(f64::NAN);
    }
}

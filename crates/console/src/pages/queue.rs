//! What waits in the queue, and since when.

use std::time::Duration;

use domain::Timestamp;
use operate::health::ask_queue;
use queue::QueueStats;

use crate::Console;

/// How old the numbers may be: asking a broker takes a connection of its own.
const AGE_MAX: Duration = Duration::from_secs(5);

/// `Err`: why nobody knows.
pub(crate) type Stats = Result<QueueStats, String>;

/// The queue at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    pub(crate) stats: Stats,
    /// Since when something was there at every look.
    pub(crate) waiting_since: Option<Timestamp>,
}

pub(super) async fn queue(console: &Console) -> Queue {
    let look = async |before: Option<Queue>| {
        let stats = ask_queue(&console.broker).await;
        let since = before.and_then(|queue| queue.waiting_since);
        let waiting_since = match &stats {
            Ok(stats) if waiting(stats) == 0 => None,
            Ok(_) => since.or_else(|| Some(operate::now())),
            Err(_) => since,
        };
        Queue { stats, waiting_since }
    };
    console.seen.queue.get(AGE_MAX, look).await
}

/// Parcels that are not applied, those that failed and wait for another try left out.
pub(crate) fn waiting(stats: &QueueStats) -> u64 {
    stats.ready + stats.unacked.unwrap_or_default()
}

//! What waits in the queue.

use std::time::Duration;

use operate::health::ask_queue;
use queue::QueueStats;

use crate::Console;

/// How old the numbers may be: asking a broker takes a connection of its own.
const AGE_MAX: Duration = Duration::from_secs(5);

/// `Err`: why nobody knows.
pub(crate) type Stats = Result<QueueStats, String>;

pub(super) async fn queue(console: &Console) -> Stats {
    console.seen.queue.get(AGE_MAX, async |_| ask_queue(&console.broker).await).await
}

//! What publishers and consumers ask of the writer.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use domain::Envelope;
use tokio::sync::oneshot;

use crate::{PublishError, QueueStats};

/// Answers a publish.
pub(super) type Published = oneshot::Sender<Result<(), PublishError>>;

#[derive(Debug)]
pub(super) enum Command {
    Publish(Box<Envelope>, Published),
    Take(Take),
    /// The sender is told when it is in the file.
    Settle(Settle, oneshot::Sender<()>),
    /// A consumer wants nothing for now; told when nothing can come to it any more.
    Withdraw {
        session: u64,
        done: oneshot::Sender<()>,
    },
    /// Parcels that came to a consumer all the same, and that nobody has looked into.
    Return {
        parcels: Vec<i64>,
        done: oneshot::Sender<()>,
    },
    /// A consumer gives everything back and waits until that is done.
    Leave {
        session: u64,
        done: oneshot::Sender<()>,
    },
    Stats(oneshot::Sender<QueueStats>),
    Close,
}

/// A consumer wants parcels.
#[derive(Debug)]
pub(super) struct Take {
    pub(super) session: u64,
    /// In envelopes.
    pub(super) max: usize,
    pub(super) reply: oneshot::Sender<Vec<Leased>>,
}

/// A parcel, handed out.
#[derive(Debug)]
pub(super) struct Leased {
    pub(super) parcel: i64,
    pub(super) attempts: u32,
    /// This one included.
    pub(super) deliveries: u32,
    pub(super) body: Vec<u8>,
}

/// What a consumer is done with.
#[derive(Debug, Default)]
pub(super) struct Settle {
    /// Parcels of which nothing is left.
    pub(super) finished: Vec<i64>,
    pub(super) retries: Vec<Retry>,
}

/// One envelope that has to wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Retry {
    pub(super) parcel: i64,
    /// Its place in the parcel.
    pub(super) index: u32,
    pub(super) not_before: i64,
    /// Whether it was tried. If not, it is only held, and stays with those that are held as long.
    pub(super) tried: bool,
}

/// Microseconds since 1970, the file's unit of time.
pub(super) fn now() -> i64 {
    micros(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// The longest waits end beyond anybody's lifetime: cutting them off changes nothing.
pub(super) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

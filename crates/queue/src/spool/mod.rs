//! The spool: webhooks that wait on this machine's disk while the broker does not take them.
//!
//! Not every sender sends again. WooCommerce sends once, so a 503 loses its webhook for ever; with a
//! spool it is answered 200 all the same, a broker or not.
//!
//! * [`Spooling`] answers `Ok` for what the broker has confirmed and for what is on this disk,
//!   fsynced. What the broker has not confirmed within [`BROKER_PATIENCE`] goes to the disk, and
//!   while it is known to be away everything does at once.
//! * [`Spool::drain`] hands the oldest to the broker whenever that is there, a bounded number at a
//!   time, and removes them after the broker's confirm and not before.
//! * The spool is bounded. When it is full, or the disk is, and the broker away, publishes are
//!   `Unavailable`. What the broker refuses for good waits without holding up the others.
//!
//! If the process dies, the file holds all that was answered and not yet confirmed by the broker;
//! whoever opens the folder next goes on with it. So the folder has to outlive the process: in a
//! container it is a volume. What was on its way to the broker at that moment, or was confirmed
//! after the patience had ended, gets there twice, as the same envelope with the same id, which the
//! worker knows for one.
//!
//! A file that is damaged is set aside, never deleted, and an empty one takes its place, at the start
//! or when the damage is met: neither the broker nor the next webhook has to wait for somebody who
//! mends it. What was on its way to the broker gets there; the rest waits in the damaged file for a
//! person.
//!
//! The file is an embedded queue's, and one process at a time may have it: an exclusive lock on the
//! folder, which goes with the process however that ends, sees to it.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::embedded::{EmbeddedQueue, Limits};
use crate::{Publisher, QueueError};

mod drain;
mod measure;
mod publisher;
mod shelf;

pub use publisher::Spooling;

use drain::Drain;
use shelf::Shelf;

/// How long the broker may take for a confirm before the disk gets the envelope. Leaves the disk
/// 1.5 of the 3.5 seconds within which ingress has to know.
pub const BROKER_PATIENCE: Duration = Duration::from_secs(2);

/// How often to look whether it is empty, for those who wait for that.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The spool's file in its folder.
const FILE: &str = "spool.db";

/// Not `lock`, so that the folder may also be the data folder of `onhand serve`.
const LOCK_FILE: &str = "spool.lock";

/// A folder for what the broker does not take. Dropping it stops everything where it stands, as a
/// crash would; [`close`](Self::close) is the way to leave.
#[derive(Debug)]
pub struct Spool {
    queue: EmbeddedQueue,
    shelf: Arc<Shelf>,
    /// Dropped last.
    _lock: File,
}

impl Spool {
    /// Opens or creates the spool in `folder`, for at most `bytes_max` of parcels as stored, which
    /// is about a fifth of what was sent. A full disk does not keep it from opening, nor does a
    /// damaged file, because with a spool that takes nothing the broker may still be there; what is
    /// on a full disk is there again when that has room.
    pub async fn open(folder: impl AsRef<Path>, bytes_max: u64) -> Result<Self, QueueError> {
        let folder = folder.as_ref();
        let lock = lock(folder)?;
        let limits = Limits { waiting_bytes_max: bytes_max, ..Limits::default() };
        let queue = EmbeddedQueue::open_spool(folder.join(FILE), limits).await?;
        measure::describe(bytes_max);
        let shelf = Arc::new(Shelf::new(queue.publisher()));
        Ok(Self { queue, shelf, _lock: lock })
    }

    /// Publishes to `broker`, and here what that does not take.
    pub fn in_front_of<P: Publisher>(&self, broker: P) -> Spooling<P> {
        Spooling::new(broker, Arc::clone(&self.shelf))
    }

    /// Hands what waits here to `broker` until `stop`; what it has not confirmed by then stays.
    pub async fn drain<P: Publisher>(&self, broker: P, stop: CancellationToken) {
        Drain::new(broker, &self.shelf, self.queue.consumer()).run(stop).await;
    }

    /// Returns when nothing waits here any more, or `broker` does not take it. Whoever stops for good
    /// waits for this before the drain is stopped: the folder may never be opened again.
    pub async fn emptied<P: Publisher>(&self, broker: &P) {
        while self.waiting() > 0 && broker.is_ready() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// How many envelopes wait here.
    pub fn waiting(&self) -> u64 {
        self.shelf.waiting()
    }

    /// Writes what was handed over and leaves one tidy file. Publishers that are still around have
    /// only the broker.
    pub async fn close(self) {
        self.queue.close().await;
    }
}

fn lock(folder: &Path) -> Result<File, QueueError> {
    let failed = |why: &dyn std::fmt::Display| {
        QueueError::Unusable(format!("cannot use the spool's folder {}: {why}", folder.display()))
    };
    std::fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    let file = File::create(folder.join(LOCK_FILE)).map_err(|error| failed(&error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(failed(&"another process has it; each needs one of its own"))
        }
        // Some network file systems have no locks.
        Err(TryLockError::Error(error)) => Err(failed(&format!("it cannot be locked: {error}"))),
    }
}

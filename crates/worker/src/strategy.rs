//! How lanes keep out of each other's way: the known ways of concurrency control, side by side.
//!
//! Whichever is chosen, the version of every row is checked where it is written. A lock that was
//! lost to a pause or a partition costs a try, never a unit.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;

use crate::heat::Heat;

/// When and how a batch takes its locks.
#[derive(Clone, Debug, Default)]
pub enum Strategy {
    /// Optimistic, one lane of a process after the other ([`Turn`]), and locking for items that turn
    /// out hot between processes.
    #[default]
    Adaptive,
    /// Reads without locks and relies on versions.
    Optimistic,
    /// Locks rows before it reads them.
    Locking,
    /// Takes the database's advisory locks of the items before it reads.
    Advisory,
    /// Takes leases of the items in Redis, then goes on as an optimistic one.
    #[cfg(feature = "redis")]
    Redis(lease::Leases),
}

/// From where on an adaptive batch does what costs a smaller or a calmer one more than it gives.
#[derive(Clone, Copy, Debug)]
pub struct Thresholds {
    /// Webhooks of a batch that looks ahead: two flights more are to save its turn more than they cost.
    pub ahead: usize,
    /// Items of a batch that meets those of other processes on some.
    pub many: usize,
    /// Tries after which a batch locks before it reads, whatever the heat of its items.
    pub tries: u32,
    /// How long a lane waits for its turn: many times what a batch takes.
    pub patience: Duration,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { ahead: 128, many: 32, tries: 3, patience: Duration::from_secs(1) }
    }
}

/// Whose turn it is among the lanes of one process.
///
/// From reading to committing one adaptive batch goes at a time: two would want the same rows of a
/// sale, and one of them would have read in vain. Meanwhile the other lanes fetch, unpack and parse,
/// so both sides of the work are always busy. More commits at the same time are had by more
/// processes.
#[derive(Clone, Debug, Default)]
pub struct Turn {
    heat: Arc<Mutex<Heat>>,
    pub(crate) thresholds: Thresholds,
}

impl Turn {
    pub fn new(thresholds: Thresholds) -> Self {
        Self { heat: Arc::default(), thresholds }
    }

    /// Whoever has the turn also has what was learned of items by all. `None`: another lane holds it
    /// for long, waiting for rows or for the database, and must not stop this one.
    pub(crate) async fn take(&self) -> Option<MutexGuard<'_, Heat>> {
        timeout(self.thresholds.patience, self.heat.lock()).await.ok()
    }

    /// Another lane has it.
    pub(crate) fn is_taken(&self) -> bool {
        self.heat.try_lock().is_err()
    }
}

/// Why there is no strategy with leases.
#[derive(Debug, thiserror::Error)]
pub enum NoRedis {
    #[error("this onhand was built without it; build it with `--features redis`")]
    NotBuilt,
    #[error("{0}")]
    Unavailable(String),
}

impl Strategy {
    /// Leases in the Redis at `url`, under names that start with `prefix`.
    #[cfg(feature = "redis")]
    pub async fn redis(url: &str, prefix: &str) -> Result<Self, NoRedis> {
        let leases = lease::Leases::connect(url, prefix, lease::TTL).await;
        leases.map(Self::Redis).map_err(|error| NoRedis::Unavailable(crate::error_chain(&error)))
    }

    #[cfg(not(feature = "redis"))]
    #[expect(clippy::unused_async, reason = "the same in builds that have it")]
    pub async fn redis(_url: &str, _prefix: &str) -> Result<Self, NoRedis> {
        Err(NoRedis::NotBuilt)
    }
}

//! How lanes keep out of each other's way: the known ways of concurrency control, side by side.
//!
//! Whichever is chosen, the version of every row is checked where it is written. A lock that was
//! lost to a pause or a partition costs a try, never a unit.

/// When and how a batch takes its locks.
#[derive(Clone, Debug, Default)]
pub enum Strategy {
    /// Optimistic, one lane of a process after the other ([`crate::Turn`]), and locking for items that turn
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

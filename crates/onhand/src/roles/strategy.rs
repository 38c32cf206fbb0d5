//! Which strategy of concurrency control lanes follow.

use clap::{Args, ValueEnum};
use worker::Strategy;

use crate::exit::bad_config;

#[derive(Debug, Args)]
pub(super) struct StrategyArgs {
    /// How lanes keep out of each other's way. Whichever it is, versions are checked where rows are
    /// written
    #[arg(long, env = "ONHAND_STRATEGY", value_enum, default_value_t = Name::Adaptive)]
    strategy: Name,
    /// Where leases are taken, for --strategy redis
    #[arg(
        long,
        env = "ONHAND_REDIS_URL",
        hide_env_values = true,
        default_value = "redis://127.0.0.1:6379/"
    )]
    redis_url: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Name {
    /// Optimistic, but locking for items that turn out hot
    Adaptive,
    /// Read without locks, write if no version has changed, else try again
    Optimistic,
    /// Lock rows before reading them
    Locking,
    /// Take PostgreSQL's advisory locks of the items before reading
    Advisory,
    /// Take leases of the items in Redis before reading (a build with the feature `redis`)
    Redis,
}

impl StrategyArgs {
    /// `prefix` tells fleets apart that share a Redis.
    pub(super) async fn strategy(&self, prefix: &str) -> anyhow::Result<Strategy> {
        Ok(match self.strategy {
            Name::Adaptive => Strategy::Adaptive,
            Name::Optimistic => Strategy::Optimistic,
            Name::Locking => Strategy::Locking,
            Name::Advisory => Strategy::Advisory,
            Name::Redis => Strategy::redis(&self.redis_url, prefix)
                .await
                .map_err(|error| bad_config(format!("--strategy redis: {error}")))?,
        })
    }
}

//! What a store counts: how long its callers wait for a connection, and how many are in use.

use std::future::Future;
use std::time::{Duration, Instant};

use metrics::{Unit, gauge, histogram};

const WAIT: &str = "onhand_store_wait_seconds";
const CONNECTIONS: &str = "onhand_store_connections";
const MAX: &str = "onhand_store_connections_max";

/// Often enough that each scrape finds something new.
pub(crate) const SHOW_EVERY: Duration = Duration::from_secs(5);

/// Connections of one kind: to PostgreSQL, or those that write or read a SQLite file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connections {
    pub(crate) pool: &'static str,
    pub(crate) open: usize,
    pub(crate) idle: usize,
    pub(crate) max: usize,
}

pub(crate) fn describe() {
    metrics::describe_histogram!(WAIT, Unit::Seconds, "Waits for a connection to the database");
    metrics::describe_gauge!(CONNECTIONS, "Connections to the database, used and idle");
    metrics::describe_gauge!(MAX, "As many connections to the database as there may be");
}

/// Times how long it takes to get a connection of `pool`, whatever comes of it.
pub(crate) async fn timed<T>(pool: &'static str, getting: impl Future<Output = T>) -> T {
    let since = Instant::now();
    let got = getting.await;
    histogram!(WAIT, "pool" => pool).record(since.elapsed());
    got
}

pub(crate) fn show(Connections { pool, open, idle, max }: Connections) {
    let used = open.saturating_sub(idle);
    gauge!(CONNECTIONS, "pool" => pool, "state" => "used").set(used as f64);
    gauge!(CONNECTIONS, "pool" => pool, "state" => "idle").set(idle as f64);
    gauge!(MAX, "pool" => pool).set(max as f64);
}

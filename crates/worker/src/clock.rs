//! The only clock of this crate.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::Timestamp;

/// This moment, by the machine's clock.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

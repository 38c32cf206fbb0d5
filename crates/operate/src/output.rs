//! How people read moments.

use domain::Timestamp;

/// A moment as RFC 3339 in UTC, to the millisecond.
pub fn moment(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.0)
        .map_or_else(|_| at.0.to_string(), |at| format!("{at:.3}"))
}

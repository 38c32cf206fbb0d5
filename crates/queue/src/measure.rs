//! What both queues count under the same names.

use metrics::counter;

use crate::PublishError;

const FAILURES: &str = "onhand_publish_failures_total";

/// There from the first scrape on, so that a rate over them sees the first failure.
pub(crate) fn describe() {
    metrics::describe_counter!(FAILURES, "Webhooks that the queue did not take, by reason");
    for reason in ["unavailable", "refused"] {
        counter!(FAILURES, "reason" => reason).increment(0);
    }
}

pub(crate) fn not_published(error: &PublishError, envelopes: usize) {
    let reason = match error {
        PublishError::Unavailable(_) => "unavailable",
        PublishError::Refused(_) => "refused",
    };
    let count = u64::try_from(envelopes).unwrap_or(u64::MAX);
    counter!(FAILURES, "reason" => reason).increment(count);
}

/// As metrics want it; exact up to 2^53.
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

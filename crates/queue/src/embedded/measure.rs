//! The embedded queue's metrics.

use std::time::Duration;

use metrics::{Unit, counter, histogram};

use crate::PublishError;

const ENVELOPES: &str = "onhand_queue_published_envelopes_total";
const PARCELS: &str = "onhand_queue_published_parcels_total";
const REFUSED: &str = "onhand_queue_refused_envelopes_total";
const COMMIT: &str = "onhand_queue_commit_seconds";
const FAILURES: &str = "onhand_queue_write_failures_total";

pub(super) fn describe() {
    metrics::describe_counter!(ENVELOPES, "Envelopes made durable");
    metrics::describe_counter!(PARCELS, "Parcels that those envelopes travelled in");
    metrics::describe_counter!(REFUSED, "Envelopes not made durable, by reason");
    metrics::describe_histogram!(COMMIT, Unit::Seconds, "One transaction of the embedded queue");
    metrics::describe_counter!(FAILURES, "Transactions of the embedded queue that failed");
}

pub(super) fn published(parcels: usize, envelopes: usize) {
    counter!(ENVELOPES).increment(widen(envelopes));
    counter!(PARCELS).increment(widen(parcels));
}

pub(super) fn refused(error: &PublishError) {
    let reason = match error {
        PublishError::Unavailable(_) => "unavailable",
        PublishError::Refused(_) => "refused",
    };
    counter!(REFUSED, "reason" => reason).increment(1);
}

pub(super) fn committed(after: Duration) {
    histogram!(COMMIT).record(after);
}

pub(super) fn failed() {
    counter!(FAILURES).increment(1);
}

fn widen(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

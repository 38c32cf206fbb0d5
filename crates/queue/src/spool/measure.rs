//! What a spool counts. Its file's own metrics are those of an embedded queue.

use metrics::{Unit, counter, gauge};

use crate::measure::float;

const ENVELOPES: &str = "onhand_spool_envelopes";
const BYTES: &str = "onhand_spool_bytes";
const LIMIT: &str = "onhand_spool_limit_bytes";
const SPOOLED: &str = "onhand_spooled_total";
const DRAINED: &str = "onhand_spool_drained_total";

/// `limit`: how many bytes may wait.
pub(super) fn describe(limit: u64) {
    metrics::describe_gauge!(ENVELOPES, "Webhooks that wait in the spool for the broker");
    metrics::describe_gauge!(BYTES, Unit::Bytes, "What waits in the spool, as stored");
    metrics::describe_gauge!(LIMIT, Unit::Bytes, "What may wait in the spool, as stored");
    gauge!(LIMIT).set(float(limit));
    metrics::describe_counter!(SPOOLED, "Webhooks that the broker did not take and the spool did");
    metrics::describe_counter!(DRAINED, "Webhooks that went from the spool to the broker");
    // There from the first scrape on, so that a rate over them sees the first webhook.
    counter!(SPOOLED).increment(0);
    counter!(DRAINED).increment(0);
}

pub(super) fn spooled() {
    counter!(SPOOLED).increment(1);
}

pub(super) fn drained(envelopes: usize) {
    counter!(DRAINED).increment(u64::try_from(envelopes).unwrap_or(u64::MAX));
}

pub(super) fn waiting(envelopes: u64, bytes: u64) {
    gauge!(ENVELOPES).set(float(envelopes));
    gauge!(BYTES).set(float(bytes));
}

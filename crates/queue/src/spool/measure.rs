//! What a spool counts. Its file's own metrics are those of an embedded queue.

use metrics::{counter, gauge};

const ENVELOPES: &str = "onhand_spool_envelopes";
const SPOOLED: &str = "onhand_spooled_total";
const DRAINED: &str = "onhand_spool_drained_total";

pub(super) fn describe() {
    metrics::describe_gauge!(ENVELOPES, "Webhooks that wait in the spool for the broker");
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

/// The limit on parcels keeps this far below 2^32.
pub(super) fn waiting(envelopes: u64) {
    gauge!(ENVELOPES).set(f64::from(u32::try_from(envelopes).unwrap_or(u32::MAX)));
}

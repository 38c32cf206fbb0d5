//! The embedded queue's metrics. The same names as the other queue's where they mean the same.

use std::time::Duration;

use metrics::{counter, gauge, histogram};

use super::group::Packed;

const FAILURES: &str = "onhand_queue_file_failures_total";

/// A transaction with new parcels in it is on the disk.
pub(super) fn published(parcels: &[Packed], after: Duration) {
    if !parcels.is_empty() {
        histogram!("onhand_publish_confirm_seconds").record(after);
    }
    for parcel in parcels {
        let envelopes = u32::try_from(parcel.envelopes).unwrap_or(u32::MAX);
        histogram!("onhand_parcel_envelopes").record(envelopes);
    }
}

/// There from the first scrape on, so that a rate over them sees the first failure.
pub(super) fn describe() {
    metrics::describe_counter!(FAILURES, "Times the file could not be written or opened");
    counter!(FAILURES).increment(0);
    crate::measure::describe();
}

/// The file could not be written or opened again.
pub(super) fn failed() {
    counter!(FAILURES).increment(1);
}

/// So many damaged files of a spool lie beside it.
pub(super) fn set_aside(files: usize) {
    const FILES: &str = "onhand_spool_damaged_files";
    metrics::describe_gauge!(
        FILES,
        "Damaged spool files that were set aside, counted at the start and with each new one"
    );
    gauge!(FILES).set(f64::from(u32::try_from(files).unwrap_or(u32::MAX)));
}

//! What an ingress counts. Labels are bounded: no topic, nothing that a sender chooses; shops are in
//! `per_shop`.

use std::time::Duration;

use axum::http::StatusCode;
use metrics::{Unit, counter, gauge, histogram};

use crate::sender::Door;

const REQUESTS: &str = "onhand_ingress_requests_total";
const REFUSED: &str = "onhand_ingress_refused_total";
const ACK: &str = "onhand_ingress_ack_seconds";
const BYTES_IN_FLIGHT: &str = "onhand_ingress_bytes_in_flight";

pub(crate) fn describe() {
    metrics::describe_counter!(
        REQUESTS,
        "Requests answered, by platform (or payment provider) and status"
    );
    metrics::describe_counter!(REFUSED, "Requests not answered 200, by reason");
    metrics::describe_histogram!(
        ACK,
        Unit::Seconds,
        "From the end of a webhook's header to its 200, the reading of its body included"
    );
    metrics::describe_gauge!(
        BYTES_IN_FLIGHT,
        Unit::Bytes,
        "Room taken by the bodies of requests in progress"
    );
    // There from the first scrape on, so that a rate over them sees the first request.
    gauge!(BYTES_IN_FLIGHT).set(0.0);
    for platform in Door::labels() {
        for status in ["200", "401", "503"] {
            counter!(REQUESTS, "platform" => platform, "status" => status).increment(0);
        }
    }
}

pub(crate) fn answered(platform: &'static str, status: StatusCode) {
    let status = status.as_str().to_owned();
    counter!(REQUESTS, "platform" => platform, "status" => status).increment(1);
}

pub(crate) fn acked(after: Duration) {
    histogram!(ACK).record(after);
}

pub(crate) fn refused(reason: &'static str) {
    counter!(REFUSED, "reason" => reason).increment(1);
}

pub(crate) fn bytes_taken(bytes: usize) {
    gauge!(BYTES_IN_FLIGHT).increment(float(bytes));
}

pub(crate) fn bytes_given_back(bytes: usize) {
    gauge!(BYTES_IN_FLIGHT).decrement(float(bytes));
}

/// Bodies are far shorter than 4 GiB.
fn float(bytes: usize) -> f64 {
    f64::from(u32::try_from(bytes).unwrap_or(u32::MAX))
}

//! What waits for people: dead letters and short orders, as metrics.
//!
//! All workers count the same rows. While the store is away the numbers stay as they were.

use domain::{DeadReason, Timestamp};
use metrics::{Unit, gauge};
use store::{ReasonRow, Store};

use crate::clock;

const DEAD: &str = "onhand_dead_letters_open";
const DEAD_AGE: &str = "onhand_dead_letters_oldest_seconds";
const SHORT: &str = "onhand_orders_short";

pub(crate) fn describe() {
    metrics::describe_gauge!(DEAD, "Open dead letters, by reason, counted up to 10,000");
    metrics::describe_gauge!(DEAD_AGE, Unit::Seconds, "Age of the oldest of these, by reason");
    metrics::describe_gauge!(SHORT, "Orders that lack stock, counted up to 10,000");
}

/// Counts it and shows it.
pub(crate) async fn look<S: Store>(store: &S) {
    match store.waiting().await {
        Ok(waiting) => {
            show_dead(&waiting.dead, clock::now());
            gauge!(SHORT).set(waiting.short as f64);
        }
        Err(error) => {
            let error = crate::error_chain(&error);
            tracing::debug!(error, "cannot count what waits for people");
        }
    }
}

/// Every reason each time: of what was mended there are none.
fn show_dead(open: &[ReasonRow], now: Timestamp) {
    for reason in DeadReason::ALL.map(DeadReason::as_str) {
        let row = open.iter().find(|row| row.reason == reason);
        let age = row.map_or(0, |row| now.0.saturating_sub(row.oldest.0) / 1_000_000);
        gauge!(DEAD, "reason" => reason).set(row.map_or(0, |row| row.count) as f64);
        gauge!(DEAD_AGE, "reason" => reason).set(age.max(0) as f64);
    }
}

//! What breaks in production, done on purpose and at the worst moment: promise P8.
//!
//! Every test sends a sale through the fault with a sender that repeats as Shopify does, and then
//! finds each order in stock exactly once.

use std::time::Duration;

use crate::harness::Sales;

mod crashes;
mod frozen;
mod leases;
mod lost_answers;
mod outages;
mod partitions;
mod readiness;
mod scarce;
mod spool;
mod stopping;

/// Connections that a burst is sent over.
const CONNECTIONS: usize = 16;

/// Shopify gives up after 5 s; a refusal must be there before that.
const REFUSED_WITHIN: Duration = Duration::from_millis(4_500);

/// A sale that outlasts a fault in its middle.
fn sale() -> Sales {
    Sales::of(500, &["CAP", "MUG", "PIN", "TEE", "BAG"])
}

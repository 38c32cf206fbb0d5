//! Shopify: signed orders in, order facts out.
//!
//! `receive` believes nothing before a known secret has signed the body. Headers are not signed, so
//! `parse` also checks that the body is what its topic says. Both are pure: the same request makes
//! the same envelope and the same envelope the same fact, however often and wherever it is done.

use domain::{DeadReason, Envelope, Fact, Meaning};

mod body;
mod order;
mod rank;
mod receive;
mod value;

pub use receive::receive;
pub(crate) use value::Id;

/// The topics whose body is the whole order. `orders/updated` alone would do; the others make the
/// same news come sooner.
const ORDER_TOPICS: [&str; 6] = [
    "orders/create",
    "orders/paid",
    "orders/updated",
    "orders/cancelled",
    "orders/fulfilled",
    "orders/partially_fulfilled",
];

/// What the body of a Shopify envelope means.
pub fn parse(envelope: &Envelope) -> Meaning {
    let topic = envelope.topic.as_str();
    if !ORDER_TOPICS.contains(&topic) {
        return Meaning::Ignored("unsupported_topic");
    }
    let order = match body::order(&envelope.body) {
        Ok(order) => order,
        Err(detail) => return dead(DeadReason::Malformed, &detail),
    };
    if let Some(what) = order.mismatch() {
        return dead(DeadReason::TopicMismatch, &format!("{topic} brings an order, not {what}"));
    }
    match order::fact(&order, envelope.triggered_at) {
        Ok(fact) => Meaning::Fact(Fact::Order(Box::new(fact))),
        Err(detail) => dead(DeadReason::Malformed, &detail),
    }
}

/// Details may quote the body: never more of it than this.
const DETAIL_CHARS_MAX: usize = 300;

fn dead(reason: DeadReason, detail: &str) -> Meaning {
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    Meaning::Dead { reason, detail: detail.chars().map(printable).take(DETAIL_CHARS_MAX).collect() }
}

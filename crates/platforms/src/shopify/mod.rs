//! Shopify: signed webhooks in, order facts out.
//!
//! `receive` believes nothing before a known secret has signed the body. Headers are not signed, so
//! `parse` also checks that the body is what its topic says. Both are pure: the same request makes
//! the same envelope and the same envelope the same fact, however often and wherever it is done.

use domain::{DeadReason, Envelope, Fact, Meaning};

mod body;
mod events;
mod order;
mod parts;
mod rank;
mod receive;
mod value;

pub use receive::{is_signed_by, receive};
pub(crate) use value::Id;

/// What the body of a Shopify envelope means.
pub fn parse(envelope: &Envelope) -> Meaning {
    let (topic, body) = (envelope.topic.as_str(), &envelope.body[..]);
    let fact = match topic {
        // Each brings the whole order. `orders/updated` alone would do; the others make the same
        // news come sooner.
        "orders/create"
        | "orders/paid"
        | "orders/updated"
        | "orders/cancelled"
        | "orders/fulfilled"
        | "orders/partially_fulfilled" => order::whole(body, envelope.triggered_at),
        "orders/edited" => events::edit(body),
        "orders/delete" => events::deletion(body),
        "refunds/create" => events::refund(body),
        "fulfillments/create" | "fulfillments/update" => events::fulfilment(body),
        "order_transactions/create" => match events::transaction(body) {
            Ok(Some(fact)) => Ok(fact),
            Ok(None) => return Meaning::Ignored("no_money_came_in"),
            Err(unfit) => Err(unfit),
        },
        _ if needs_fetch(topic) => return Meaning::Ignored("needs_fetch"),
        _ => return Meaning::Ignored("unsupported_topic"),
    };
    match fact {
        Ok(fact) => Meaning::Fact(Fact::Order(Box::new(fact))),
        Err(Unfit::Malformed(detail)) => dead(DeadReason::Malformed, &detail),
        Err(Unfit::Other(what)) => {
            dead(DeadReason::TopicMismatch, &format!("{topic} does not bring {what}"))
        }
    }
}

/// Bodies that name what changed by ids of their own kind only: without asking Shopify nobody can
/// tell which order it is, or which units.
fn needs_fetch(topic: &str) -> bool {
    const KINDS: [&str; 3] = ["fulfillment_orders", "returns", "reverse_fulfillment_orders"];
    topic.split_once('/').is_some_and(|(kind, _)| KINDS.contains(&kind))
}

/// Why a body says nothing that can be believed.
enum Unfit {
    /// The field and what is wrong with it.
    Malformed(String),
    /// It is not what the topic brings, but this.
    Other(&'static str),
}

impl From<String> for Unfit {
    fn from(detail: String) -> Self {
        Self::Malformed(detail)
    }
}

impl From<&str> for Unfit {
    fn from(detail: &str) -> Self {
        Self::Malformed(detail.to_owned())
    }
}

/// Details may quote the body: never more of it than this.
const DETAIL_CHARS_MAX: usize = 300;

fn dead(reason: DeadReason, detail: &str) -> Meaning {
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    Meaning::Dead { reason, detail: detail.chars().map(printable).take(DETAIL_CHARS_MAX).collect() }
}

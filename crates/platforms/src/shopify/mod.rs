//! Shopify: signed webhooks in, facts out.
//!
//! `receive` believes nothing before a known secret has signed the body. Headers are not signed, so
//! `parse` also checks that the body is what its topic says. Both are pure: the same request makes
//! the same envelope and the same envelope the same fact, however often and wherever it is done.

use domain::privacy::PrivacyKind;
use domain::{Envelope, Fact, Meaning, OrderFact};

use crate::unfit::Unfit;

mod app;
mod body;
mod catalogue;
mod count;
mod events;
mod id;
mod order;
mod parts;
mod privacy;
mod rank;
mod receive;

pub(crate) use id::Id;
pub use receive::{is_signed_by, receive};

/// What the body of a Shopify envelope means.
pub fn parse(envelope: &Envelope) -> Meaning {
    let (topic, body) = (envelope.topic.as_str(), &envelope.body[..]);
    // For bodies that have no moment of their own. The header is not signed, and a moment to come
    // would win for ever.
    let received_at = envelope.received_at;
    let at = envelope.triggered_at.map_or(received_at, |at| at.min(received_at));
    let fact = match topic {
        // Each brings the whole order. `orders/updated` alone would do; the others make the same
        // news come sooner.
        "orders/create"
        | "orders/paid"
        | "orders/updated"
        | "orders/fulfilled"
        | "orders/partially_fulfilled" => order::whole(body, envelope.triggered_at).map(order_fact),
        "orders/cancelled" => order::cancelled(body, envelope.triggered_at).map(order_fact),
        "orders/edited" => events::edit(body).map(order_fact),
        "orders/delete" => events::deletion(body).map(order_fact),
        "refunds/create" => events::refund(body).map(order_fact),
        "fulfillments/create" | "fulfillments/update" => events::fulfilment(body).map(order_fact),
        "order_transactions/create" => match events::transaction(body) {
            Ok(None) => return Meaning::Ignored("no_money_came_in"),
            Ok(Some(fact)) => Ok(order_fact(fact)),
            Err(unfit) => Err(unfit),
        },
        "inventory_levels/update" | "inventory_levels/connect" => {
            catalogue::level(body).map(Fact::Sightings)
        }
        "inventory_levels/disconnect" => catalogue::level_gone(body, at).map(Fact::Sightings),
        "inventory_items/create" | "inventory_items/update" => {
            catalogue::inventory_item(body).map(Fact::Sightings)
        }
        "inventory_items/delete" => catalogue::inventory_item_gone(body, at).map(Fact::Sightings),
        "products/create" | "products/update" => catalogue::product(body).map(Fact::Sightings),
        "products/delete" => catalogue::product_gone(body, at).map(Fact::Sightings),
        "app/uninstalled" => app::uninstalled(body, at).map(Fact::Sightings),
        "customers/data_request" => {
            privacy::request(body, PrivacyKind::DataRequest).map(Fact::Privacy)
        }
        "customers/redact" => {
            privacy::request(body, PrivacyKind::RedactCustomer).map(Fact::Privacy)
        }
        "shop/redact" => privacy::request(body, PrivacyKind::RedactShop).map(Fact::Privacy),
        _ if needs_fetch(topic) => return Meaning::Ignored("needs_fetch"),
        _ => return Meaning::Ignored("unsupported_topic"),
    };
    match fact {
        Ok(Fact::Sightings(nothing)) if nothing.is_empty() => Meaning::Ignored("no_variants"),
        Ok(fact) => Meaning::Fact(fact),
        Err(unfit) => unfit.meaning(topic),
    }
}

fn order_fact(fact: OrderFact) -> Fact {
    Fact::Order(Box::new(fact))
}

/// Bodies that name what changed by ids of their own kind only: without asking Shopify nobody can
/// tell which order it is, or which units.
fn needs_fetch(topic: &str) -> bool {
    const KINDS: [&str; 3] = ["fulfillment_orders", "returns", "reverse_fulfillment_orders"];
    topic.split_once('/').is_some_and(|(kind, _)| KINDS.contains(&kind))
}

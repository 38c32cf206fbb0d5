//! WooCommerce: signed webhooks in, order facts out.
//!
//! Only the body is signed: no header can be believed for more than how to read it, and a captured
//! body stays valid for ever. So every meaning is a piece of knowledge that may come again at any
//! time without harm: an order's body has the date of its last change, and what has no date (the
//! bin), or the same date as another body, counts from when it came.
//!
//! An order has no revision and no fulfilments. Its status says what it holds, and what each line
//! holds at the shop itself is in the line's `_reduced_stock`: see `status`.

use domain::{Envelope, Meaning};

mod body;
mod catalogue;
mod order;
mod receive;
mod scalar;
mod secret;
mod status;

pub use receive::{is_ping_body, receive};

/// What the body of a WooCommerce envelope means.
pub fn parse(envelope: &Envelope) -> Meaning {
    let topic = envelope.topic.as_str();
    let meaning = match topic {
        // Bodies are built when they are sent: each shows the order as it is then.
        "order.created" | "order.updated" => order::whole(envelope),
        "order.restored" => order::restored(envelope),
        "order.deleted" => order::deleted(envelope),
        "product.created" | "product.updated" | "product.restored" | "product.published" => {
            catalogue::product(envelope)
        }
        "product.deleted" => catalogue::deleted(envelope),
        // These name an order or whatever else by its id alone.
        _ if topic.starts_with("action.") => Ok(Meaning::Ignored("needs_fetch")),
        _ => Ok(Meaning::Ignored("unsupported_topic")),
    };
    meaning.unwrap_or_else(|unfit| unfit.meaning(topic))
}

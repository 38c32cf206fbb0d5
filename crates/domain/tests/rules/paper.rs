//! What Shopify puts on the wire, with every number in it written by hand: nothing is worked out
//! here, so that no mistake of ours can be on both sides of a comparison.

use domain::{Fact, Meaning, OrderFact, Timestamp};
use serde_json::{Value, json};
use testkit::shopify::{DOMAIN, LOCATION, SECRET, SignedWebhook};

pub(crate) const SKUS: [&str; 2] = ["BOWL", "CUP"];

/// What becomes of units in a refund or a fulfilment: of the first line and of the second.
type Units<'a> = &'a [u64];

/// A webhook.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    topic: String,
    body: Value,
}

impl Sent {
    /// What the parser makes of its bytes.
    pub(crate) fn read(&self) -> OrderFact {
        let body = self.body.to_string();
        let webhook = SignedWebhook::raw(&self.topic, DOMAIN, SECRET, body);
        match platforms::parse(&webhook.envelope("demo", Timestamp(0))) {
            Meaning::Fact(Fact::Order(fact)) => *fact,
            other => panic!("{}: {other:?}", self.topic),
        }
    }

    /// In its body the order is cancelled, since that second.
    pub(crate) fn cancelled(mut self, second: u64) -> Self {
        self.body["cancelled_at"] = moment(second);
        self
    }

    pub(crate) fn money(mut self, status: &str) -> Self {
        self.body["financial_status"] = json!(status);
        self
    }

    /// Its body shows this refund or fulfilment, too.
    pub(crate) fn with(mut self, part: &Sent) -> Self {
        let list = if part.topic.starts_with("refunds/") { "refunds" } else { "fulfillments" };
        let parts = self.body[list].as_array_mut().expect("it is an order's");
        parts.push(part.body.clone());
        self
    }
}

/// An order's body of that second; of each line what Shopify calls `quantity`, `current_quantity`
/// and `fulfillable_quantity`.
pub(crate) fn order(topic: &str, second: u64, lines: &[[u64; 3]]) -> Sent {
    let line = |(at, [quantity, current, fulfillable]): (usize, &[u64; 3])| {
        json!({
            "id": line_id(at), "variant_id": 800 + at, "sku": SKUS[at],
            "variant_inventory_management": "shopify", "quantity": quantity,
            "current_quantity": current, "fulfillable_quantity": fulfillable
        })
    };
    let lines: Vec<Value> = lines.iter().enumerate().map(line).collect();
    let body = json!({
        "id": 1, "name": "#1001", "test": false, "financial_status": "authorized",
        "updated_at": moment(second), "cancelled_at": null, "line_items": lines,
        "refunds": [], "fulfillments": []
    });
    Sent { topic: format!("orders/{topic}"), body }
}

/// `refunds/create`. Ids of its lines follow from its own.
pub(crate) fn refund(id: usize, second: u64, restock: &str, units: Units<'_>) -> Sent {
    let line = |(at, quantity): (usize, &u64)| {
        let location = (restock != "no_restock").then_some(LOCATION);
        json!({
            "id": id * 10 + at, "line_item_id": line_id(at), "quantity": quantity,
            "restock_type": restock, "location_id": location
        })
    };
    let lines: Vec<Value> = units.iter().enumerate().map(line).collect();
    let lines: Vec<Value> = lines.into_iter().filter(|line| line["quantity"] != 0).collect();
    let body = json!({
        "id": id, "order_id": 1, "created_at": moment(second), "refund_line_items": lines
    });
    Sent { topic: "refunds/create".to_owned(), body }
}

/// `fulfillments/create`, or `fulfillments/update` where it became what it is later.
pub(crate) fn fulfilment(id: usize, seconds: [u64; 2], status: &str, units: Units<'_>) -> Sent {
    let [created, updated] = seconds;
    let line = |(at, quantity): (usize, &u64)| json!({ "id": line_id(at), "quantity": quantity });
    let lines: Vec<Value> = units.iter().enumerate().map(line).collect();
    let body = json!({
        "id": id, "order_id": 1, "status": status, "location_id": LOCATION,
        "created_at": moment(created), "updated_at": moment(updated), "line_items": lines
    });
    let topic = if created == updated { "create" } else { "update" };
    Sent { topic: format!("fulfillments/{topic}"), body }
}

/// `orders/delete`.
pub(crate) fn deletion() -> Sent {
    Sent { topic: "orders/delete".to_owned(), body: json!({ "id": 1 }) }
}

fn line_id(at: usize) -> usize {
    900 + at
}

fn moment(second: u64) -> Value {
    json!(format!("2026-11-21T07:00:{second:02}-05:00"))
}

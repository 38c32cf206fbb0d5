//! Bodies written by hand after what Shopify sends, and what they are wrapped in.

use bytes::Bytes;
use domain::{
    DeadReason, Envelope, EnvelopeId, Fact, Meaning, OrderFact, Platform, ShopId, Timestamp,
    WebhookId,
};
use serde_json::Value;
use uuid::Uuid;

/// One order: paid, then shipped in two parcels, then partly sent back.
pub(crate) const PAID: &str = include_str!("../fixtures/order_paid.json");
pub(crate) const PARTIALLY_FULFILLED: &str =
    include_str!("../fixtures/order_partially_fulfilled.json");
pub(crate) const FULFILLED: &str = include_str!("../fixtures/order_fulfilled.json");
pub(crate) const PARTLY_REFUNDED: &str = include_str!("../fixtures/order_partly_refunded.json");
/// Two lines of one SKU, a tip, a gift card, a custom line, an untracked one, one without a SKU.
pub(crate) const ODD_LINES: &str = include_str!("../fixtures/order_odd_lines.json");

pub(crate) fn envelope(topic: &str, body: impl Into<Bytes>) -> Envelope {
    Envelope {
        provider: None,
        id: EnvelopeId(Uuid::nil()),
        platform: Platform::Shopify,
        shop: ShopId::new("demo"),
        webhook: WebhookId::new("w1"),
        topic: topic.to_owned(),
        event: None,
        api_version: None,
        triggered_at: None,
        received_at: Timestamp::from_seconds(1_800_000_000),
        signature: None,
        signed_by: None,
        traceparent: None,
        body: body.into(),
    }
}

pub(crate) fn parse(body: impl Into<Bytes>) -> Meaning {
    platforms::parse(&envelope("orders/updated", body))
}

#[track_caller]
pub(crate) fn order(body: impl Into<Bytes>) -> OrderFact {
    match parse(body) {
        Meaning::Fact(Fact::Order(order)) => *order,
        other => panic!("not an order: {other:?}"),
    }
}

#[track_caller]
pub(crate) fn dead(body: impl Into<Bytes>) -> (DeadReason, String) {
    match parse(body) {
        Meaning::Dead { reason, detail } => (reason, detail),
        other => panic!("not dead: {other:?}"),
    }
}

/// `body` with the value at `pointer` (such as `/line_items/0/sku`) replaced, or added.
#[track_caller]
pub(crate) fn with(body: &str, pointer: &str, value: Value) -> String {
    let mut json: Value = serde_json::from_str(body).expect("the fixture is JSON");
    if let Some(place) = json.pointer_mut(pointer) {
        *place = value;
    } else {
        let (parent, field) = pointer.rsplit_once('/').expect("a pointer begins with a slash");
        json.pointer_mut(parent).expect("the parent exists")[field] = value;
    }
    json.to_string()
}

/// `body` without the field at `pointer`.
#[track_caller]
pub(crate) fn without(body: &str, pointer: &str) -> String {
    let mut json: Value = serde_json::from_str(body).expect("the fixture is JSON");
    let (parent, field) = pointer.rsplit_once('/').expect("a pointer begins with a slash");
    let parent = json.pointer_mut(parent).and_then(Value::as_object_mut);
    parent.expect("the parent is an object").remove(field).expect("the field is there");
    json.to_string()
}

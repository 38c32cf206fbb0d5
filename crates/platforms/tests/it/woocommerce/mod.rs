//! WooCommerce from outside: requests in, envelopes and facts out.

use bytes::Bytes;
use domain::order::{Snapshot, SnapshotLine};
use domain::{
    DeadReason, Envelope, EnvelopeId, Fact, Meaning, OrderFact, Platform, ShopId, Timestamp,
    WebhookId,
};
use serde_json::{Value, json};
use uuid::Uuid;

mod catalogue;
mod dead;
mod lines;
mod orders;
mod random;
mod receive;

/// When the tests' envelopes came.
const RECEIVED_AT: Timestamp = Timestamp(1_800_000_000_000_000);

/// 2026-11-21T12:00:05Z, as the tests' orders date their last change.
const CHANGED: &str = "2026-11-21T12:00:05";
const CHANGED_AT: Timestamp = Timestamp(1_795_262_405_000_000);

/// An order of two mugs and one shirt, a variation, in `status`; the shop keeps stock of both.
fn body(status: &str) -> Value {
    json!({
        "id": 897,
        "parent_id": 0,
        "number": "897",
        "order_key": "wc_order_x1Y2z3",
        "created_via": "checkout",
        "version": "11.3.0",
        "status": status,
        "currency": "EUR",
        "date_created": "2026-11-21T13:00:00",
        "date_created_gmt": "2026-11-21T12:00:00",
        "date_modified": "2026-11-21T13:00:05",
        "date_modified_gmt": CHANGED,
        "total": "61.80",
        "prices_include_tax": true,
        "customer_note": "caf\u{e9} / tea",
        "billing": { "first_name": "Sam", "last_name": "Example", "city": "K\u{f6}ln" },
        "payment_method": "bacs",
        "transaction_id": "",
        "date_paid": null,
        "date_paid_gmt": null,
        "date_completed": null,
        "date_completed_gmt": null,
        "meta_data": [{ "id": 1, "key": "_x", "value": [{ "deep": true }] }],
        "line_items": [line(11, 2, "MUG", Some(json!("2"))), shirt()],
        "tax_lines": [],
        "shipping_lines": [{ "id": 13, "method_id": "flat_rate", "meta_data": [] }],
        "fee_lines": [],
        "coupon_lines": [],
        "refunds": [],
        "_links": { "self": [{ "href": "https://shop.example/wp-json/wc/v3/orders/897" }] }
    })
}

fn line(id: u64, quantity: impl Into<Value>, sku: &str, reduced: Option<Value>) -> Value {
    let mut meta = vec![
        json!({ "id": 1, "key": "_pao_ids", "value": [{ "key": "_reduced_stock", "value": "9" }] }),
        json!({ "id": 2, "key": "reduced_stock", "value": "many", "display_key": "x" }),
    ];
    if let Some(reduced) = reduced {
        meta.push(json!({
            "id": 3, "key": "_reduced_stock", "value": reduced,
            "display_key": "_reduced_stock", "display_value": reduced
        }));
    }
    json!({
        "id": id, "name": "A thing", "product_id": 93, "variation_id": 0,
        "quantity": quantity.into(), "tax_class": "", "subtotal": "24.00", "total": "24.00",
        "taxes": [], "meta_data": meta, "sku": sku, "price": 12
    })
}

fn shirt() -> Value {
    let mut shirt = line(12, 1, "SHIRT-M", Some(json!(1)));
    shirt["product_id"] = json!(22);
    shirt["variation_id"] = json!(23);
    shirt
}

/// An order with one line, `fields` put in its place.
fn one_line(status: &str, quantity: i64, reduced: Option<i64>, fields: &[(&str, Value)]) -> Value {
    let mut body = body(status);
    body["line_items"] = json!([line(11, quantity, "MUG", reduced.map(|units| json!(units)))]);
    for (field, value) in fields {
        body[*field] = value.clone();
    }
    body
}

fn envelope(topic: &str, body: impl Into<Bytes>) -> Envelope {
    Envelope {
        provider: None,
        id: EnvelopeId(Uuid::nil()),
        platform: Platform::WooCommerce,
        shop: ShopId::new("site"),
        webhook: WebhookId::new("w1"),
        topic: topic.to_owned(),
        event: None,
        api_version: None,
        triggered_at: None,
        received_at: RECEIVED_AT,
        signature: None,
        signed_by: None,
        traceparent: None,
        body: body.into(),
    }
}

fn parse(topic: &str, body: impl Into<Bytes>) -> Meaning {
    platforms::parse(&envelope(topic, body))
}

#[track_caller]
fn order_under(topic: &str, body: &Value) -> OrderFact {
    match parse(topic, body.to_string()) {
        Meaning::Fact(Fact::Order(order)) => *order,
        other => panic!("not an order: {other:?}"),
    }
}

#[track_caller]
fn snapshot(body: &Value) -> Snapshot {
    order_under("order.updated", body).known.snapshot.expect("an order is a snapshot")
}

/// The first line of `body`.
#[track_caller]
fn first_line(body: &Value) -> SnapshotLine {
    *snapshot(body).lines.values().next().expect("it has a line")
}

#[track_caller]
fn dead_under(topic: &str, body: impl Into<Bytes>) -> (DeadReason, String) {
    match parse(topic, body) {
        Meaning::Dead { reason, detail } => (reason, detail),
        other => panic!("not dead: {other:?}"),
    }
}

#[track_caller]
fn dead(body: &Value) -> (DeadReason, String) {
    dead_under("order.updated", body.to_string())
}

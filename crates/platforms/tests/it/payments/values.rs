//! Ids, references, amounts and moments: what is taken, and how the rest is explained.

use domain::{DeadReason, Meaning, Provider};
use serde_json::{Value, json};

use super::{dead, fact, references, told};

fn stripe(order: Value) -> Value {
    json!({"id": "evt_1", "type": "payment_intent.succeeded", "created": 1_700_000_000, "data": {
        "object": {"id": "pi_1", "amount_received": 1, "currency": "eur",
                   "metadata": {"order_id": order}}}})
}

fn adyen(reference: Value) -> Value {
    json!({"pspReference": "P1", "eventCode": "AUTHORISATION", "success": "true",
           "merchantReference": reference})
}

fn mollie(order: Value) -> Value {
    json!({"id": "event_1", "type": "payment.paid", "entityId": "tr_1",
           "createdAt": "2026-11-21T12:00:00Z", "_embedded": {"entity": {
               "id": "tr_1", "status": "paid", "metadata": {"order_id": order}}}})
}

fn standard(order: Value) -> Value {
    json!({"type": "payment.captured", "data": {"payment_id": "p-1", "order_id": order}})
}

type Body = fn(Value) -> Value;

const BODIES: [(Provider, Body); 4] = [
    (Provider::Stripe, stripe),
    (Provider::Adyen, adyen),
    (Provider::Mollie, mollie),
    (Provider::Standard, standard),
];

/// A body of Stripe with the value at `pointer` replaced.
fn with(pointer: &str, value: Value) -> Value {
    let mut body = stripe(json!("5001"));
    *body.pointer_mut(pointer).expect("the place exists") = value;
    body
}

#[test]
fn references_are_the_platforms_own_ids() {
    for (provider, body) in BODIES {
        for (written, read) in [
            (json!("5001"), vec!["5001"]),
            (json!(5001), vec!["5001"]),
            (json!(" 5001 "), vec!["5001"]),
            (json!("gid://shopify/Order/5001"), vec!["5001"]),
            (json!(u64::MAX), vec!["18446744073709551615"]),
            (json!("#1001-a/\u{e9}"), vec!["#1001-a/\u{e9}"]),
            (json!("x".repeat(255)), vec![&*"x".repeat(255)]),
            (json!(""), vec![]),
            (json!("  "), vec![]),
            (json!("gid://shopify/Order/"), vec![]),
            (json!(null), vec![]),
        ] {
            assert_eq!(references(&fact(provider, body(written.clone()))), read, "{written}");
        }
        for bad in [json!("x".repeat(256)), json!("50\u{0}01"), json!("50\n01")] {
            let (reason, detail) = dead(provider, body(bad));
            assert_eq!(reason, DeadReason::Malformed);
            assert!(detail.contains("order_id") || detail.contains("merchantReference"));
            assert!(!detail.contains(char::is_control));
        }
    }
}

#[test]
fn mollies_metadata_may_be_anything() {
    for metadata in [json!(null), json!("5001"), json!(["5001"]), json!({"order_id": {}})] {
        let mut body = mollie(json!("5001"));
        body["_embedded"]["entity"]["metadata"] = metadata;
        assert!(references(&fact(Provider::Mollie, body)).is_empty());
    }
}

#[test]
fn malformed_bodies_name_the_field() {
    for (pointer, value, path) in [
        ("/id", json!(""), "id"),
        ("/id", json!("e\u{0}"), "id"),
        ("/id", json!("x".repeat(256)), "id"),
        ("/created", json!("yesterday"), "created"),
        ("/created", json!(-1), "created"),
        ("/created", json!(i64::MAX), "created"),
        ("/created", json!(253_402_300_800_i64), "created"),
        ("/data", json!([]), "data"),
        ("/data/object", json!(null), "data.object"),
        ("/data/object/id", json!(5), "data.object.id"),
        ("/data/object/amount_received", json!(-1), "data.object.amount_received"),
        ("/data/object/amount_received", json!(1.5), "data.object.amount_received"),
        ("/data/object/amount_received", json!(1_i64 << 53), "data.object.amount_received"),
        ("/data/object/amount_received", json!(null), "data.object.amount_received: missing"),
        ("/data/object/currency", json!("euro"), "data.object.currency"),
        ("/data/object/currency", json!("e\u{e9}"), "data.object.currency"),
        ("/data/object/currency", json!(null), "data.object.currency: missing"),
        ("/data/object/metadata", json!([]), "data.object.metadata"),
        ("/type", json!(null), "type: missing"),
    ] {
        let (reason, detail) = dead(Provider::Stripe, with(pointer, value.clone()));
        assert_eq!(reason, DeadReason::Malformed, "{pointer} {value}");
        assert!(detail.starts_with(path), "{pointer} {value}: {detail}");
    }
    for (provider, _) in BODIES {
        for body in ["", "null", "[]", "{", "{}", "id=tr_1", "\"x\"", "{}{}"] {
            let (reason, detail) = dead(provider, body);
            assert_eq!(reason, DeadReason::Malformed, "{provider:?} {body}");
            assert!(!detail.is_empty());
        }
    }
}

#[test]
fn what_is_not_needed_is_not_looked_at() {
    for body in [
        json!({"type": "invoice.paid", "id": 5, "created": "now", "data": {"object": {"amount": {}}}}),
        json!({"type": "\u{e9}\u{1f4b6}"}),
    ] {
        let meaning = super::meaning(Provider::Stripe, body);
        assert_eq!(meaning, Meaning::Ignored("unsupported_topic"));
    }
    let mut body = with("/data/object/currency", json!("JPY"));
    body["data"]["object"]["charges"] = json!({"data": [{"amount": "?"}]});
    body["livemode"] = json!("whatever");
    assert_eq!(told(Provider::Stripe, body).1, Some(1));
}

#[test]
fn an_object_of_another_kind_is_a_mismatch() {
    let mut body = stripe(json!("5001"));
    body["data"]["object"]["object"] = json!("charge");
    assert_eq!(dead(Provider::Stripe, body).0, DeadReason::TopicMismatch);
    let mut body = mollie(json!("5001"));
    body["entityId"] = json!("tr_2");
    assert_eq!(dead(Provider::Mollie, body).0, DeadReason::TopicMismatch);
}

#[test]
fn no_amount_is_beyond_what_can_be_paid() {
    let max = (1_i64 << 53) - 1;
    let body = with("/data/object/amount_received", json!(max));
    assert_eq!(told(Provider::Stripe, body).1, Some(max));

    let amount = |value: Value| {
        let mut item = adyen(json!("5001"));
        item["amount"] = json!({"value": value, "currency": "EUR"});
        item
    };
    assert_eq!(told(Provider::Adyen, amount(json!(max))).1, Some(max));
    for bad in [json!(max + 1), json!(-1), json!("1.5"), json!("+1"), json!(""), json!(null)] {
        let (reason, detail) = dead(Provider::Adyen, amount(bad));
        assert_eq!(reason, DeadReason::Malformed);
        assert!(detail.starts_with("amount.value"), "{detail}");
    }
}

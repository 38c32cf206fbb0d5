//! Whatever comes, receiving and parsing answer, and what they answer can be stored.

use bytes::Bytes;
use domain::stock::QUANTITY_MAX;
use domain::{EnvelopeId, Fact, Meaning, Timestamp};
use http::HeaderMap;
use platforms::signature::sign;
use platforms::{Shops, woocommerce};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{body, one_line, parse};

const TOPICS: [&str; 6] = [
    "order.created",
    "order.updated",
    "order.restored",
    "order.deleted",
    "product.updated",
    "product.deleted",
];

fn check(meaning: &Meaning) {
    match meaning {
        Meaning::Ignored(_) | Meaning::Fact(Fact::Sightings(_)) => {}
        Meaning::Dead { detail, .. } => {
            assert!(!detail.is_empty() && detail.chars().count() <= 300);
            assert!(!detail.contains(char::is_control));
        }
        Meaning::Fact(Fact::Order(order)) => {
            let Some(snapshot) = &order.known.snapshot else {
                assert!(order.known.trashed_at.is_some());
                return;
            };
            assert!(snapshot.lines.keys().eq(order.lines.keys()));
            for line in snapshot.lines.values() {
                assert!((0..=QUANTITY_MAX).contains(&line.quantity));
                for part in [line.kept, line.shipped, line.returned] {
                    assert!((0..=line.quantity).contains(&part));
                }
                assert!(line.returned <= line.shipped);
                assert!(snapshot.completed_at.is_some() || line.shipped == 0);
            }
            assert!(snapshot.name.as_ref().is_none_or(|name| name.len() <= 255));
        }
        other @ Meaning::Fact(_) => panic!("nothing of WooCommerce's: {other:?}"),
    }
}

/// The body, signed, at the door.
fn knock(topic: &str, body: Vec<u8>) {
    let file = "[[shop]]\nname = \"s\"\nplatform = \"woocommerce\"\nsecrets = [\"plain:k\"]\n";
    let shops = Shops::parse(file, |_| Err(String::new())).expect("the file is good");
    let shop = shops.get(&"s".into()).expect("it was just read");
    let signed =
        [("x-wc-webhook-topic", topic.to_owned()), ("x-wc-webhook-signature", sign("k", &body))];
    let headers: HeaderMap = signed
        .into_iter()
        .map(|(name, value)| {
            (http::HeaderName::from_static(name), value.parse().expect("a header value"))
        })
        .collect();
    let id = EnvelopeId(Uuid::nil());
    let envelope = woocommerce::receive(&headers, Bytes::from(body), shop, id, Timestamp(1));
    let envelope = envelope.expect("it is signed").expect("it is no ping");
    assert!(envelope.webhook.as_str().len() <= 220);
    check(&platforms::parse(&envelope));
}

fn fixture() -> impl Strategy<Value = Value> {
    let completed = ("date_completed_gmt", json!("2026-11-21T12:00:05"));
    let refunds = ("refunds", json!([{ "id": 5, "reason": "", "total": "-1.00" }]));
    select(vec![
        body("processing"),
        one_line("completed", 3, Some(2), &[completed, refunds]),
        one_line("ready-for-pickup", 3, Some(2), &[]),
        one_line("cancelled", 3, None, &[]),
        json!({ "id": 897 }),
        json!({ "code": "woocommerce_rest_cannot_view", "data": { "status": 401 } }),
        json!({ "id": 93, "sku": "MUG", "manage_stock": true, "stock_quantity": 7,
                "date_modified_gmt": "2026-11-21T12:00:05" }),
    ])
}

/// Values that once were trouble somewhere.
fn any_value() -> impl Strategy<Value = Value> {
    let nasty = select(vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(0.1),
        json!(1.5),
        json!(-0.0),
        json!(1e300),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(QUANTITY_MAX),
        json!(""),
        json!("\u{0}"),
        json!("\""),
        json!("2"),
        json!("1.5"),
        json!("-inf"),
        json!("completed"),
        json!("trash"),
        json!("_reduced_stock"),
        json!("2026-11-21T12:00:05"),
        json!("9999-12-31T23:59:59-23:59"),
        json!([]),
        json!({}),
        json!([{}]),
        json!([[[[]]]]),
    ]);
    prop_oneof![
        3 => nasty,
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => any::<String>().prop_map(Value::from),
    ]
}

/// Every place in `value`, as JSON pointers.
fn places(value: &Value, at: &str, into: &mut Vec<String>) {
    into.push(at.to_owned());
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                places(field, &format!("{at}/{name}"), into);
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                places(value, &format!("{at}/{index}"), into);
            }
        }
        _ => {}
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_get_an_answer(
        topic in select(&TOPICS[..]),
        body in vec(any::<u8>(), 0..512),
    ) {
        knock(topic, body);
    }

    #[test]
    fn arbitrary_secrets_get_an_answer(
        secret in "[a&#;x0-9ü]{0,24}",
        body in vec(any::<u8>(), 0..64),
    ) {
        let file = format!(
            "[[shop]]\nname = \"s\"\nplatform = \"woocommerce\"\n\
             secrets = [\"plain:k\", \"plain:-{secret}\"]\n"
        );
        let shops = Shops::parse(&file, |_| Err(String::new())).expect("the file is good");
        let shop = shops.get(&"s".into()).expect("it was just read");
        let mut headers = HeaderMap::new();
        let signature = sign(&format!("-{secret}"), &body).parse().expect("a header value");
        headers.insert("x-wc-webhook-signature", signature);
        headers.insert("x-wc-webhook-topic", "order.updated".parse().expect("a header value"));
        let id = EnvelopeId(Uuid::nil());
        let envelope = woocommerce::receive(&headers, Bytes::from(body), shop, id, Timestamp(1));
        prop_assert!(envelope.is_ok());
    }

    #[test]
    fn bodies_with_changed_bytes_get_an_answer(
        topic in select(&TOPICS[..]),
        body in fixture(),
        changes in vec((any::<Index>(), any::<u8>()), 0..8),
        end in any::<Index>(),
        cut in any::<bool>(),
    ) {
        let mut body = body.to_string().into_bytes();
        for (place, byte) in changes {
            let place = place.index(body.len());
            body[place] = byte;
        }
        if cut {
            body.truncate(end.index(body.len()));
        }
        knock(topic, body);
    }

    #[test]
    fn bodies_with_changed_values_get_an_answer(
        topic in select(&TOPICS[..]),
        mut body in fixture(),
        changes in vec((any::<Index>(), any_value()), 1..6),
    ) {
        for (place, value) in changes {
            let mut all = Vec::new();
            places(&body, "", &mut all);
            *body.pointer_mut(&all[place.index(all.len())]).expect("it was just listed") = value;
        }
        knock(topic, body.to_string().into_bytes());
        // White space means nothing.
        let meaning = parse(topic, body.to_string());
        if let Meaning::Fact(_) = meaning {
            let spaced = serde_json::to_string_pretty(&body).expect("values can be written");
            prop_assert_eq!(&parse(topic, spaced), &meaning);
        }
    }
}

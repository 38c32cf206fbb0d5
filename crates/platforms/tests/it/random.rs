//! Whatever comes, parsing answers, and what it answers can be stored.

use domain::stock::QUANTITY_MAX;
use domain::{Fact, Meaning};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

use crate::bodies::{FULFILLED, ODD_LINES, PAID, PARTLY_REFUNDED, parse};

fn is_storable(text: &str) -> bool {
    text.len() <= 255 && !text.contains(char::is_control)
}

/// What every meaning keeps, whatever the body was.
fn check(meaning: &Meaning) {
    match meaning {
        Meaning::Ignored(_) => {}
        Meaning::Dead { detail, .. } => {
            assert!(!detail.is_empty() && detail.chars().count() <= 300);
            assert!(!detail.contains(char::is_control));
        }
        Meaning::Fact(Fact::Order(order)) => {
            let snapshot = order.known.snapshot.as_ref().expect("an order is a snapshot");
            assert!(snapshot.lines.keys().eq(order.lines.keys()));
            assert!(snapshot.refund_lines.iter().eq(order.known.refund_lines.keys()));
            for line in snapshot.lines.values() {
                assert!((0..=line.quantity).contains(&line.kept) && line.quantity <= QUANTITY_MAX);
            }
            for fulfilment in order.known.fulfilments.values() {
                assert!(fulfilment.lines.values().all(|u| (1..=QUANTITY_MAX).contains(u)));
            }
            let skus = order.lines.values().filter_map(|line| line.sku.as_ref());
            assert!(skus.into_iter().all(|sku| is_storable(sku.as_str())));
            assert!(snapshot.name.as_deref().is_none_or(is_storable));
        }
    }
}

fn fixture() -> impl Strategy<Value = &'static str> {
    select(&[PAID, FULFILLED, PARTLY_REFUNDED, ODD_LINES][..])
}

/// Values that once were trouble somewhere.
fn any_value() -> impl Strategy<Value = Value> {
    let nasty = select(vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(0.1),
        json!(1e300),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(QUANTITY_MAX),
        json!(""),
        json!("\u{0}"),
        json!("2"),
        json!("success"),
        json!("cancel"),
        json!("paid"),
        json!("2026-03-02T09:14:10+01:00"),
        json!("9999-12-31T23:59:59-23:59"),
        json!("gid://shopify/Order/1"),
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

/// The same JSON with the fields of every object backwards.
fn backwards(value: &Value, into: &mut String) {
    match value {
        Value::Object(fields) => {
            into.push('{');
            for (index, (name, field)) in fields.iter().rev().enumerate() {
                into.push_str(if index == 0 { "" } else { "," });
                into.push_str(&json!(name).to_string());
                into.push(':');
                backwards(field, into);
            }
            into.push('}');
        }
        Value::Array(values) => {
            into.push('[');
            for (index, value) in values.iter().enumerate() {
                into.push_str(if index == 0 { "" } else { "," });
                backwards(value, into);
            }
            into.push(']');
        }
        other => into.push_str(&other.to_string()),
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_get_an_answer(body in vec(any::<u8>(), 0..512)) {
        check(&parse(body));
    }

    #[test]
    fn arbitrary_objects_get_an_answer(
        fields in vec((select(FIELDS), any_value()), 0..12),
        line in vec((select(FIELDS), any_value()), 0..8),
    ) {
        let mut body: Map<String, Value> =
            fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let line: Map<String, Value> =
            line.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        body.insert("line_items".into(), json!([line]));
        check(&parse(Value::Object(body).to_string()));
    }

    #[test]
    fn orders_with_changed_bytes_get_an_answer(
        body in fixture(),
        changes in vec((any::<Index>(), any::<u8>()), 0..8),
        end in any::<Index>(),
        cut in any::<bool>(),
    ) {
        let mut body = body.as_bytes().to_vec();
        for (place, byte) in changes {
            let place = place.index(body.len());
            body[place] = byte;
        }
        if cut {
            body.truncate(end.index(body.len()));
        }
        check(&parse(body));
    }

    #[test]
    fn orders_with_changed_values_get_an_answer(
        body in fixture(),
        changes in vec((any::<Index>(), any_value()), 1..6),
    ) {
        let mut json: Value = serde_json::from_str(body).expect("the fixture is JSON");
        for (place, value) in changes {
            let mut all = Vec::new();
            places(&json, "", &mut all);
            *json.pointer_mut(&all[place.index(all.len())]).expect("it was just listed") = value;
        }
        let meaning = parse(json.to_string());
        check(&meaning);

        // Neither white space nor the order of fields means anything.
        let spaced = serde_json::to_string_pretty(&json).expect("values can be written");
        let mut turned = String::new();
        backwards(&json, &mut turned);
        if let Meaning::Fact(_) = meaning {
            prop_assert_eq!(&parse(spaced), &meaning);
            prop_assert_eq!(&parse(turned), &meaning);
        }
    }
}

const FIELDS: &[&str] = &[
    "id",
    "admin_graphql_api_id",
    "updated_at",
    "financial_status",
    "fulfillments",
    "refunds",
    "order_id",
    "name",
    "test",
    "quantity",
    "sku",
    "variant_id",
    "tip",
    "gift_card",
    "variant_inventory_management",
    "fulfillable_quantity",
    "current_quantity",
];

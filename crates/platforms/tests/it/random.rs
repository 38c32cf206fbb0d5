//! Whatever comes, parsing answers, and what it answers can be stored.

use domain::Meaning;
use domain::stock::QUANTITY_MAX;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

use crate::bodies::{FULFILLED, ODD_LINES, PAID, PARTLY_REFUNDED, envelope};
use crate::check::check;
use crate::samples::samples;

fn meaning(topic: &str, body: impl Into<bytes::Bytes>) -> Meaning {
    platforms::parse(&envelope(topic, body))
}

fn topic() -> impl Strategy<Value = &'static str> {
    select(samples().into_iter().map(|sample| sample.topic).collect::<Vec<_>>())
}

/// A topic and a body that it brings, richer orders among them.
fn fixture() -> impl Strategy<Value = (&'static str, String)> {
    let orders = [PAID, FULFILLED, PARTLY_REFUNDED, ODD_LINES];
    let orders = orders.map(|body| ("orders/updated", body.to_owned()));
    let others = samples().into_iter().map(|sample| (sample.topic, sample.body.to_string()));
    select(orders.into_iter().chain(others).collect::<Vec<_>>())
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
    fn arbitrary_bytes_get_an_answer(topic in topic(), body in vec(any::<u8>(), 0..512)) {
        check(&meaning(topic, body));
    }

    #[test]
    fn arbitrary_objects_get_an_answer(
        topic in topic(),
        list in select(&["line_items", "refund_line_items", "variants", "customer"][..]),
        fields in vec((select(FIELDS), any_value()), 0..12),
        line in vec((select(FIELDS), any_value()), 0..8),
    ) {
        let mut body: Map<String, Value> =
            fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let line: Map<String, Value> =
            line.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let inner = if list == "customer" { json!(line) } else { json!([line]) };
        body.insert(list.into(), inner);
        check(&meaning(topic, Value::Object(body).to_string()));
    }

    #[test]
    fn bodies_with_changed_bytes_get_an_answer(
        (topic, body) in fixture(),
        changes in vec((any::<Index>(), any::<u8>()), 0..8),
        end in any::<Index>(),
        cut in any::<bool>(),
    ) {
        let mut body = body.into_bytes();
        for (place, byte) in changes {
            let place = place.index(body.len());
            body[place] = byte;
        }
        if cut {
            body.truncate(end.index(body.len()));
        }
        check(&meaning(topic, body));
    }

    #[test]
    fn bodies_with_changed_values_get_an_answer(
        (topic, body) in fixture(),
        changes in vec((any::<Index>(), any_value()), 1..6),
    ) {
        let mut json: Value = serde_json::from_str(&body).expect("the fixture is JSON");
        for (place, value) in changes {
            let mut all = Vec::new();
            places(&json, "", &mut all);
            *json.pointer_mut(&all[place.index(all.len())]).expect("it was just listed") = value;
        }
        let as_it_is = meaning(topic, json.to_string());
        check(&as_it_is);

        // Neither white space nor the order of fields means anything.
        let spaced = serde_json::to_string_pretty(&json).expect("values can be written");
        let mut turned = String::new();
        backwards(&json, &mut turned);
        if let Meaning::Fact(_) = as_it_is {
            prop_assert_eq!(&meaning(topic, spaced), &as_it_is);
            prop_assert_eq!(&meaning(topic, turned), &as_it_is);
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
    "order_edit",
    "refund_line_items",
    "kind",
    "status",
    "inventory_item_id",
    "location_id",
    "available",
    "tracked",
    "variants",
    "inventory_quantity",
    "domain",
    "customer",
    "orders_requested",
    "orders_to_redact",
    "shop_id",
    "shop_domain",
    "email",
    "phone",
];

use domain::sighting::{Sighting, Thing};
use domain::{DeadReason, Fact, Meaning};
use serde_json::{Value, json};

use super::{CHANGED, CHANGED_AT, RECEIVED_AT, body, dead_under, parse};

fn product(fields: &[(&str, Value)]) -> Value {
    let mut product = json!({
        "id": 93, "name": "Mug", "type": "simple", "status": "publish", "sku": "MUG",
        "price": "12.00", "date_modified_gmt": CHANGED, "manage_stock": true,
        "stock_quantity": 7, "stock_status": "instock", "variations": [], "meta_data": []
    });
    for (field, value) in fields {
        product[*field] = value.clone();
    }
    product
}

#[track_caller]
fn seen(topic: &str, body: &Value) -> Sighting {
    match parse(topic, body.to_string()) {
        Meaning::Fact(Fact::Sightings(seen)) if seen.len() == 1 => seen[0].clone(),
        other => panic!("not one sighting: {other:?}"),
    }
}

fn variant(id: &str, sku: Option<&str>, available: Option<i64>) -> Thing {
    let (variant, sku) = (id.into(), sku.map(Into::into));
    Thing::Variant { variant, product: None, sku, inventory_item: None, available }
}

#[test]
fn a_product_is_seen() {
    for (topic, seen_at) in [
        ("product.created", CHANGED_AT),
        ("product.updated", CHANGED_AT),
        ("product.published", CHANGED_AT),
        // Its deletion was dated by when we heard of it.
        ("product.restored", RECEIVED_AT),
    ] {
        let sighting = seen(topic, &product(&[]));
        let thing = variant("93", Some("MUG"), Some(7));
        assert_eq!(sighting, Sighting { seen_at, thing, gone: false }, "{topic}");
    }
    let undated = seen("product.updated", &product(&[("date_modified_gmt", Value::Null)]));
    assert_eq!(undated.seen_at, RECEIVED_AT);
    let bare = product(&[("sku", json!("")), ("id", json!("94"))]);
    assert_eq!(seen("product.updated", &bare).thing, variant("94", None, Some(7)));
}

#[test]
fn its_quantity_counts_where_the_shop_keeps_one() {
    for (manage, quantity, available) in [
        (json!(true), json!(0), Some(0)),
        (json!(true), json!(-3), Some(-3)),
        (json!(true), json!("7"), Some(7)),
        (json!(true), json!(7.0), Some(7)),
        (json!(true), json!(7.5), None),
        (json!(true), json!(null), None),
        (json!(true), json!("plenty"), None),
        (json!(true), json!(i64::MIN), None),
        (json!(true), json!([7]), None),
        (json!(false), json!(7), None),
        // A variation whose stock is its product's.
        (json!("parent"), json!(7), None),
    ] {
        let product = product(&[("manage_stock", manage), ("stock_quantity", quantity)]);
        assert_eq!(
            seen("product.updated", &product).thing,
            variant("93", Some("MUG"), available),
            "{product}"
        );
    }
}

#[test]
fn a_deleted_product_is_gone() {
    for id in [json!(93), json!("93")] {
        let sighting = seen("product.deleted", &json!({ "id": id }));
        let thing = variant("93", None, None);
        assert_eq!(sighting, Sighting { seen_at: RECEIVED_AT, thing, gone: true });
    }
}

#[test]
fn what_is_no_product_does_not_fit_the_topic() {
    for (topic, body) in [
        ("product.updated", body("processing")),
        ("product.updated", json!({ "id": 93 })),
        ("product.created", json!({})),
        ("product.deleted", product(&[])),
    ] {
        let (reason, detail) = dead_under(topic, body.to_string());
        assert_eq!(reason, DeadReason::TopicMismatch, "{detail}");
    }
    for (field, value) in
        [("id", json!(null)), ("sku", json!("a\u{0}")), ("date_modified_gmt", json!("x"))]
    {
        let (reason, detail) =
            dead_under("product.updated", product(&[(field, value)]).to_string());
        assert_eq!(reason, DeadReason::Malformed);
        assert!(detail.starts_with(&format!("{field}: ")), "{detail}");
    }
}

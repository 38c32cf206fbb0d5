//! What Shopify shows of its own catalogue and stock.

use domain::sighting::Thing;
use domain::{DeadReason, Fact, Meaning, PlatformLocation, Sighting, Sku, Timestamp, Variant};
use serde_json::{Value, json};

use crate::bodies::envelope;
use crate::samples::{
    inventory_item, inventory_item_gone, level, level_gone, meaning, product, shop,
};

/// When the envelopes of the tests came in.
const RECEIVED: &str = "2027-01-15T08:00:00Z";

fn at(text: &str) -> Timestamp {
    let moment: jiff::Timestamp = text.parse().expect("a moment");
    Timestamp(moment.as_microsecond())
}

fn sighting(moment: &str, thing: Thing, gone: bool) -> Sighting {
    Sighting { seen_at: at(moment), thing, gone }
}

#[track_caller]
fn seen(topic: &str, body: &Value) -> Vec<Sighting> {
    match meaning(topic, body) {
        Meaning::Fact(Fact::Sightings(sightings)) => sightings,
        other => panic!("{topic} shows nothing: {other:?}"),
    }
}

#[track_caller]
fn dead(topic: &str, body: &Value) -> (DeadReason, String) {
    match meaning(topic, body) {
        Meaning::Dead { reason, detail } => (reason, detail),
        other => panic!("{topic} is not dead: {other:?}"),
    }
}

/// `body` with `fields` in place of its own.
fn with(mut body: Value, fields: &Value) -> Value {
    for (name, value) in fields.as_object().expect("fields are an object") {
        body[name] = value.clone();
    }
    body
}

fn without(mut body: Value, field: &str) -> Value {
    body.as_object_mut().and_then(|body| body.remove(field)).expect("the field is there");
    body
}

fn level_of(available: Option<i64>) -> Thing {
    let location = PlatformLocation::new("77310459");
    Thing::Level { inventory_item: "49148385001".into(), location, available }
}

fn item_with(sku: Option<&str>) -> Thing {
    Thing::InventoryItem { inventory_item: "49148385001".into(), sku: sku.map(Sku::new) }
}

#[test]
fn a_level_is_what_shopify_has_at_one_place() {
    for topic in ["inventory_levels/update", "inventory_levels/connect"] {
        for (available, read) in [
            (json!(41), Some(41)),
            (json!(0), Some(0)),
            (json!(-12), Some(-12)),
            (json!(2_000_000_000), Some(2_000_000_000)),
            (json!(null), None),
        ] {
            let body = with(level(), &json!({ "available": available }));
            let expected = sighting("2026-03-02T08:14:11Z", level_of(read), false);
            assert_eq!(seen(topic, &body), [expected], "{topic} {available}");
        }
    }
}

#[test]
fn a_level_that_is_gone_has_only_the_moment_of_its_envelope() {
    let gone = |moment| [sighting(moment, level_of(None), true)];
    assert_eq!(seen("inventory_levels/disconnect", &level_gone()), gone(RECEIVED));
    let mut sent = envelope("inventory_levels/disconnect", level_gone().to_string());
    sent.triggered_at = Some(at("2026-03-05T10:00:00.123456Z"));
    let expected = gone("2026-03-05T10:00:00.123456Z").to_vec();
    assert_eq!(platforms::parse(&sent), Meaning::Fact(Fact::Sightings(expected)));
    let named = with(
        level_gone(),
        &json!({"admin_graphql_api_id":
        "gid://shopify/InventoryLevel/113000459?inventory_item_id=49148385001"}),
    );
    assert_eq!(seen("inventory_levels/disconnect", &named), gone(RECEIVED));
}

#[test]
fn an_inventory_item_may_have_no_sku() {
    for topic in ["inventory_items/create", "inventory_items/update"] {
        for (sku, read) in
            [(json!("CAP-RED"), Some("CAP-RED")), (json!(""), None), (json!(null), None)]
        {
            let body = with(inventory_item(), &json!({ "sku": sku }));
            let expected = sighting("2026-03-01T11:30:00Z", item_with(read), false);
            assert_eq!(seen(topic, &body), [expected], "{topic} {sku}");
        }
    }
    let unnamed = without(inventory_item(), "admin_graphql_api_id");
    assert_eq!(
        seen("inventory_items/update", &unnamed),
        seen("inventory_items/update", &inventory_item())
    );
}

#[test]
fn an_inventory_item_goes_with_little_more_than_its_id() {
    let expected = [sighting(RECEIVED, item_with(None), true)];
    assert_eq!(seen("inventory_items/delete", &inventory_item_gone()), expected);
    for id in [
        json!(49148385001_u64),
        json!("49148385001"),
        json!("gid://shopify/InventoryItem/49148385001"),
    ] {
        assert_eq!(seen("inventory_items/delete", &json!({ "id": id })), expected);
    }
}

#[test]
fn a_product_shows_each_of_its_variants() {
    let red = Thing::Variant {
        variant: Variant::new("47110815001"),
        product: Some("8124600385".into()),
        sku: Some("CAP-RED".into()),
        inventory_item: Some("49148385001".into()),
        available: Some(41),
    };
    let blue = Thing::Variant {
        variant: Variant::new("47110815002"),
        product: Some("8124600385".into()),
        sku: None,
        inventory_item: None,
        available: Some(-3),
    };
    // The moment is the product's or the variant's, whichever is later; the third is no more than a
    // name.
    let expected = [
        sighting("2026-03-02T08:14:11Z", red, false),
        sighting("2026-03-02T08:14:11Z", blue, false),
        sighting("2026-03-02T08:14:11Z", the_product(), false),
    ];
    for topic in ["products/create", "products/update"] {
        assert_eq!(seen(topic, &product()), expected, "{topic}");
    }
    for bare in [with(product(), &json!({"variants": []})), without(product(), "variants")] {
        assert_eq!(meaning("products/update", &bare), Meaning::Ignored("no_variants"));
    }
}

#[test]
fn of_a_variant_everything_but_its_id_may_be_missing() {
    let body = with(product(), &json!({"variants": [{"id": "gid://shopify/ProductVariant/5"}]}));
    let bare = Thing::Variant {
        variant: Variant::new("5"),
        product: Some("8124600385".into()),
        sku: None,
        inventory_item: None,
        available: None,
    };
    let moment = "2026-03-02T08:14:11Z";
    let expected = [sighting(moment, bare, false), sighting(moment, the_product(), false)];
    assert_eq!(seen("products/update", &body), expected);
}

#[test]
fn a_product_that_may_have_more_variants_than_it_shows_does_not_show_all() {
    let shown = |count: u64| {
        let variants: Vec<Value> = (1..=count).map(|id| json!({ "id": id })).collect();
        seen("products/update", &with(product(), &json!({ "variants": variants })))
    };
    let whole = |seen: &[Sighting]| seen.iter().any(|one| one.thing == the_product());
    assert!(whole(&shown(99)));
    assert!(!whole(&shown(100)));
}

fn the_product() -> Thing {
    Thing::Product { product: "8124600385".into() }
}

#[test]
fn a_product_that_is_gone_is_an_id_and_nothing_else() {
    for id in
        [json!(8_124_600_385_u64), json!("8124600385"), json!("gid://shopify/Product/8124600385")]
    {
        let expected = [sighting(RECEIVED, the_product(), true)];
        assert_eq!(seen("products/delete", &json!({ "id": id })), expected);
    }
    let (reason, _) = dead("products/delete", &json!({"id": 1, "title": "Cap"}));
    assert_eq!(reason, DeadReason::TopicMismatch);
}

#[test]
fn an_app_that_was_removed_is_gone_from_the_moment_it_was_removed() {
    let app = |domain: &str| Thing::App { domain: Some(domain.to_owned()) };
    let gone = app("demo.myshopify.com");
    assert_eq!(seen("app/uninstalled", &shop()), [sighting(RECEIVED, gone.clone(), true)]);
    let mut sent = envelope("app/uninstalled", shop().to_string());
    sent.triggered_at = Some(at("2026-03-05T10:00:00Z"));
    let expected = vec![sighting("2026-03-05T10:00:00Z", gone, true)];
    assert_eq!(platforms::parse(&sent), Meaning::Fact(Fact::Sightings(expected)));
    // As Shopify's tools send it to try out a receiver.
    let tried = with(shop(), &json!({"domain": null, "myshopify_domain": null}));
    let nobodys = Thing::App { domain: None };
    assert_eq!(seen("app/uninstalled", &tried), [sighting(RECEIVED, nobodys, true)]);
    let nowhere = without(without(shop(), "domain"), "myshopify_domain");
    assert_eq!(dead("app/uninstalled", &nowhere).0, DeadReason::TopicMismatch);
    assert_eq!(dead("app/uninstalled", &without(shop(), "id")).0, DeadReason::TopicMismatch);
}

#[test]
fn ids_come_as_numbers_texts_and_gids() {
    let expected = seen("inventory_levels/update", &level());
    for (item, location) in [
        (json!("49148385001"), json!("77310459")),
        (
            json!("gid://shopify/InventoryItem/49148385001"),
            json!("gid://shopify/Location/77310459"),
        ),
        (json!("gid://shopify/InventoryItem/49148385001?a=b"), json!(77310459)),
    ] {
        let body = with(level(), &json!({"inventory_item_id": item, "location_id": location}));
        assert_eq!(seen("inventory_levels/update", &body), expected);
    }
}

#[test]
fn a_body_whose_gid_is_of_another_kind_does_not_fit() {
    for (topic, body) in [
        ("inventory_levels/update", level()),
        ("inventory_levels/disconnect", level_gone()),
        ("inventory_items/update", inventory_item()),
        ("inventory_items/delete", inventory_item_gone()),
        ("products/update", product()),
        ("app/uninstalled", shop()),
    ] {
        for gid in ["gid://shopify/Order/1", "gid://shopify/InventoryLevelX/1"] {
            let foreign = with(body.clone(), &json!({ "admin_graphql_api_id": gid }));
            let (reason, detail) = dead(topic, &foreign);
            assert_eq!(reason, DeadReason::TopicMismatch, "{topic} {gid}: {detail}");
        }
    }
}

#[test]
fn without_what_makes_it_one_a_body_is_none() {
    let mismatches = [
        ("inventory_levels/update", level(), "available"),
        ("inventory_levels/update", level(), "location_id"),
        ("inventory_levels/update", level(), "inventory_item_id"),
        ("inventory_levels/disconnect", level_gone(), "location_id"),
        ("inventory_items/update", inventory_item(), "sku"),
        ("inventory_items/delete", inventory_item_gone(), "admin_graphql_api_id"),
        ("products/update", without(product(), "title"), "variants"),
    ];
    for (topic, body, field) in mismatches {
        let (reason, detail) = dead(topic, &without(body, field));
        assert_eq!(reason, DeadReason::TopicMismatch, "{topic} without {field}: {detail}");
    }
    // Still there, so not gone.
    let stocked = with(level_gone(), &json!({"available": null}));
    assert_eq!(dead("inventory_levels/disconnect", &stocked).0, DeadReason::TopicMismatch);
}

#[test]
fn what_is_wrong_is_named_with_its_path() {
    let variant = |fields: &Value| {
        let mut body = product();
        body["variants"][1] = with(body["variants"][1].clone(), fields);
        body
    };
    let cases = [
        ("inventory_levels/update", without(level(), "updated_at"), "updated_at: missing"),
        ("inventory_levels/update", with(level(), &json!({"available": 1.5})), "available: "),
        ("inventory_levels/update", with(level(), &json!({"available": "7"})), "available: "),
        ("inventory_levels/update", with(level(), &json!({"available": i64::MIN})), "available: "),
        ("inventory_levels/update", with(level(), &json!({"available": u64::MAX})), "available: "),
        ("inventory_levels/disconnect", json!({"inventory_item_id": -1}), "inventory_item_id: "),
        ("inventory_items/update", without(inventory_item(), "updated_at"), "updated_at: missing"),
        ("inventory_items/update", without(inventory_item(), "id"), "id: missing"),
        ("inventory_items/update", with(inventory_item(), &json!({"sku": "a\u{0}"})), "sku: "),
        ("inventory_items/delete", without(inventory_item_gone(), "id"), "id: missing"),
        ("products/update", without(product(), "id"), "id: missing"),
        ("products/update", variant(&json!({"id": null})), "variants[1].id: "),
        ("products/update", variant(&json!({"id": 47110815001_u64})), "variants[1].id: "),
        ("products/update", variant(&json!({"inventory_quantity": 0.5})), "variants[1].inventory_"),
        ("products/update", without(product(), "updated_at"), "variants[1].updated_at: missing"),
        ("products/delete", json!({}), "id: missing"),
    ];
    for (topic, body, path) in cases {
        let (reason, detail) = dead(topic, &body);
        assert_eq!(reason, DeadReason::Malformed, "{topic}: {detail}");
        assert!(detail.starts_with(path), "{topic}: {detail}");
    }
}

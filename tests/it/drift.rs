//! Bodies as platforms change them without asking.

use serde_json::{Value, json};
use testkit::shopify::{DOMAIN, SECRET, ShopifyOrder, SignedWebhook};

use crate::harness::{Fleet, Profile, in_both_profiles};

in_both_profiles!(what_the_platform_changes_about_its_bodies_changes_nothing_here);

/// What is changed, how, and the outcome.
type Drift = (&'static str, fn(&mut Value), &'static str);

/// Each way to change an order of one line of 2 caps, and what must become of it.
fn drifts() -> Vec<Drift> {
    vec![
        (
            "unknown fields everywhere",
            |order| {
                order["brand_new"] = json!({ "deep": [1, { "er": null }] });
                order["line_items"][0]["brand_new"] = json!(["x"]);
            },
            "applied",
        ),
        (
            "a variant that is gone",
            |order| order["line_items"][0]["variant_id"] = Value::Null,
            "applied",
        ),
        (
            "neither SKU nor variant: a custom line",
            |order| {
                order["line_items"][0]["sku"] = Value::Null;
                order["line_items"][0]["variant_id"] = Value::Null;
            },
            "ignored",
        ),
        ("an id above 2^53", |order| order["line_items"][0]["id"] = json!(u64::MAX), "applied"),
        (
            "money as numbers",
            |order| {
                order["total_price"] = json!(199.0);
                order["line_items"][0]["price"] = json!(199);
            },
            "applied",
        ),
        ("money as objects", |order| order["total_price"] = json!({ "amount": "1" }), "applied"),
        (
            "properties as an object",
            |order| {
                order["line_items"][0]["properties"] = json!({ "gift": "yes" });
            },
            "applied",
        ),
        (
            "no properties at all",
            |order| {
                let line = order["line_items"][0].as_object_mut().expect("an object");
                line.remove("properties");
            },
            "applied",
        ),
        (
            "an unknown financial status",
            |order| order["financial_status"] = json!("moonlit"),
            "applied",
        ),
        ("no financial status", |order| order["financial_status"] = Value::Null, "applied"),
        ("empty text for nothing", |order| order["note"] = json!(""), "applied"),
        (
            "a quantity that is text",
            |order| order["line_items"][0]["quantity"] = json!("many"),
            "dead",
        ),
        ("a time that is none", |order| order["updated_at"] = json!("yesterday"), "dead"),
        ("no lines", |order| order["line_items"] = Value::Null, "dead"),
    ]
}

async fn what_the_platform_changes_about_its_bodies_changes_nothing_here(profile: Profile) {
    let fleet = Fleet::start(profile, 1).await;
    fleet.stock("CAP", 1000).await;
    let mut sent = Vec::new();
    for (id, (what, drift, outcome)) in (1_u64 << 60..).zip(drifts()) {
        let order = ShopifyOrder::new(id).line("CAP", 2).webhook("orders/create");
        let mut body: Value = serde_json::from_slice(&order.body).expect("made by us");
        drift(&mut body);
        let body = body.to_string().into_bytes();
        sent.push((what, SignedWebhook::raw("orders/create", DOMAIN, SECRET, body), outcome));
    }
    let webhooks: Vec<_> = sent.iter().map(|(_, webhook, _)| webhook.clone()).collect();
    fleet.burst(webhooks, 4).done().await;
    fleet.settled().await;
    for (what, webhook, outcome) in &sent {
        let (found, reason) = fleet.fate(webhook).await;
        assert_eq!(found, *outcome, "{what}: {reason:?}");
    }
    let sold = sent.iter().filter(|(.., outcome)| *outcome == "applied").count();
    let units = 2 * i64::try_from(sold).expect("a handful");
    assert_eq!(fleet.stock_of("CAP").await, (1000, units), "each of these once");
    fleet.finish().await;
}

//! What Shopify shows of its own stock and passes on from customers, as operators see it.

use serde_json::{Value, json};
use testkit::shopify::{DOMAIN, LOCATION, SECRET, ShopifyOrder, SignedWebhook};

use crate::harness::{Fleet, Profile, in_both_profiles};

in_both_profiles!(
    drift_is_what_the_platform_shows_beside_what_we_have,
    a_customers_request_waits_until_it_is_done,
    a_removed_app_is_missed_until_webhooks_come_again,
);

async fn drift_is_what_the_platform_shows_beside_what_we_have(profile: Profile) {
    let fleet = Fleet::start(profile, 1).await;
    fleet.stock("CAP", 10).await;
    fleet.outcome(&ShopifyOrder::new(1).line("CAP", 3).webhook("orders/create")).await;
    let at = "2026-11-21T12:00:00Z";
    let product = json!({ "id": 1, "updated_at": at, "variants": [
        { "id": 44, "sku": "CAP", "inventory_item_id": 7, "inventory_quantity": 20,
          "updated_at": at },
        { "id": 45, "sku": "HAT", "inventory_item_id": 8, "inventory_quantity": 1,
          "updated_at": at },
    ] });
    assert_eq!(fleet.outcome(&webhook("products/update", &product)).await.0, "applied");
    let drift = async || fleet.ok(&["stock", "drift"]).await;
    assert_eq!(drift().await[0]["difference"], 13, "over all of its locations");

    let level = json!({ "inventory_item_id": 7, "location_id": LOCATION, "available": 6,
        "updated_at": at });
    fleet.outcome(&webhook("inventory_levels/update", &level)).await;
    let seen_at = "2026-11-21T12:00:00.000Z";
    let expected = json!([{ "shop": "demo", "sku": "CAP", "ours": 7, "theirs": 6,
        "difference": -1, "seen_at": seen_at }]);
    assert_eq!(drift().await, expected);
    assert_eq!(fleet.stock_of("CAP").await, (10, 3), "it moves nothing");
    fleet.ok(&["listing", "set", "demo", "44", "CAP:2"]).await;
    assert_eq!(drift().await, json!([]), "a kit is not compared");
    fleet.finish().await;
}

async fn a_customers_request_waits_until_it_is_done(profile: Profile) {
    let fleet = Fleet::start(profile, 1).await;
    let request = json!({ "shop_id": 1, "shop_domain": DOMAIN, "orders_requested": [5001, 5002],
        "customer": { "id": 191_167, "email": "john@example.com", "phone": "555-625-1199" },
        "data_request": { "id": 9999 } });
    assert_eq!(fleet.outcome(&webhook("customers/data_request", &request)).await.0, "applied");
    assert_eq!(fleet.ok(&["status"]).await["privacy_requests"], 1);
    let listed = fleet.ok(&["privacy", "list"]).await;
    assert_eq!(listed[0]["orders"], json!(["5001", "5002"]));
    assert_eq!(
        (&listed[0]["kind"], &listed[0]["overdue"]),
        (&"data_request".into(), &false.into())
    );
    assert!(!listed.to_string().contains("john"), "{listed}");

    let id = listed[0]["id"].as_str().expect("an id").to_owned();
    fleet.ok(&["privacy", "done", &id, "--note", "sent by mail"]).await;
    assert_eq!(fleet.ok(&["privacy", "list"]).await, json!([]));
    let all = fleet.ok(&["privacy", "list", "--all"]).await;
    assert_eq!((&all[0]["note"], &all[0]["days_left"]), (&"sent by mail".into(), &Value::Null));
    fleet.cli(&["privacy", "done", &id]).await.fails_with(1);
    fleet.finish().await;
}

async fn a_removed_app_is_missed_until_webhooks_come_again(profile: Profile) {
    let fleet = Fleet::start(profile, 1).await;
    fleet.stock("CAP", 10).await;
    let shop = json!({ "id": 1, "myshopify_domain": DOMAIN, "name": "demo", "domain": DOMAIN });
    let mut removed = webhook("app/uninstalled", &shop);
    removed.triggered_at = "2026-01-01T00:00:00Z".to_owned();
    assert_eq!(fleet.outcome(&removed).await.0, "applied");
    let checks = fleet.cli(&["doctor"]).await.fails_with(1).json();
    let apps = checks.as_array().expect("a list").iter().find(|check| check["what"] == "apps");
    let detail = apps.and_then(|check| check["detail"].as_str()).expect("shops are looked at");
    assert!(detail.contains("demo since 20"), "{detail}");
    // What the platform sends for a shop that has gone is no sign of its coming back.
    let gone = json!({ "shop_id": 1, "shop_domain": DOMAIN });
    assert_eq!(fleet.outcome(&webhook("shop/redact", &gone)).await.0, "applied");
    fleet.cli(&["doctor"]).await.fails_with(1);
    fleet.outcome(&ShopifyOrder::new(1).line("CAP", 3).webhook("orders/create")).await;
    fleet.cli(&["doctor"]).await.fails_with(0);

    // A removal from before the app was installed again, which comes only now.
    let mut late = webhook(
        "app/uninstalled",
        &json!({ "id": 1, "myshopify_domain": DOMAIN,
        "name": "demo", "domain": DOMAIN, "plan_name": "basic" }),
    );
    late.triggered_at = "2026-01-02T00:00:00Z".to_owned();
    assert_eq!(fleet.outcome(&late).await.0, "applied");
    fleet.cli(&["doctor"]).await.fails_with(0);

    let other = json!({ "id": 2, "myshopify_domain": "other.myshopify.com", "domain": DOMAIN });
    let refused = fleet.outcome(&webhook("app/uninstalled", &other)).await;
    assert_eq!(refused, ("dead".to_owned(), Some("topic_mismatch".to_owned())));
    fleet.finish().await;
}

fn webhook(topic: &str, body: &Value) -> SignedWebhook {
    SignedWebhook::raw(topic, DOMAIN, SECRET, body.to_string())
}

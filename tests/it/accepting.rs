//! One webhook at a time: what the sender is told, and what becomes of it, the same in both
//! profiles.

use serde_json::{Value, json};
use testkit::shopify::{DOMAIN, SECRET, ShopifyOrder, SignedWebhook};

use crate::harness::{Fleet, Profile, in_both_profiles};

in_both_profiles!(
    a_webhook_that_comes_twice_is_applied_once,
    what_cannot_be_applied_becomes_a_dead_letter_with_a_reason_and_its_neighbours_are_applied,
    what_is_not_a_stock_matter_is_ignored_with_a_reason,
    an_unknown_sku_is_applied_by_a_replay_once_the_sku_is_there,
    what_is_refused_is_not_queued,
    without_a_webhook_id_the_body_identifies_a_webhook,
    the_same_webhook_id_with_another_body_is_another_webhook,
    an_order_of_ten_thousand_lines_is_applied,
);

async fn a_webhook_that_comes_twice_is_applied_once(profile: Profile) {
    let fleet = Fleet::start(profile, 1).await;
    fleet.stock("CAP", 10).await;
    let mut order = ShopifyOrder::new(1001).line("CAP", 3);
    let paid = order.pay().webhook("orders/paid");
    assert_eq!(fleet.outcome(&paid).await, ("applied".to_owned(), None));
    assert_eq!(fleet.send(&paid).await, 200);
    fleet.settled().await;

    assert_eq!(fleet.stock_of("CAP").await, (10, 3));
    let status = fleet.ok(&["status"]).await;
    assert_eq!(status["webhooks"]["applied"], 1);
    assert_eq!(status["webhooks"]["duplicate"], 1);
    assert_eq!(status["dead_letters"], 0);
    let shown = fleet.ok(&["order", "show", "demo", "1001"]).await;
    assert_eq!(shown["state"], "committed");
    assert_eq!(shown["lines"][0]["committed"], 3);
    assert_eq!(shown["webhooks"][0]["deliveries"], 2);
    assert_eq!(shown["ledger"].as_array().map(Vec::len), Some(1), "moved once");
    fleet.finish().await;
}

async fn what_cannot_be_applied_becomes_a_dead_letter_with_a_reason_and_its_neighbours_are_applied(
    profile: Profile,
) {
    let fleet = Fleet::start(profile, 1).await;
    fleet.stock("CAP", 1000).await;
    let raw = |topic: &str, body: Value| {
        SignedWebhook::raw(topic, DOMAIN, SECRET, body.to_string().into_bytes())
    };
    let broken = br#"{"id": 1, "line_items": [{"#.to_vec();
    let huge = json!({
        "id": 7, "updated_at": "2026-11-21T12:00:00Z",
        "line_items": [{ "id": 1, "sku": "CAP", "variant_id": 1, "quantity": 1e300 }]
    });
    let order = ShopifyOrder::new(5).line("CAP", 1);
    let fulfilled = ShopifyOrder::new(6).line("CAP", 1).fulfil().webhook("fulfillments/create");
    let doomed = [
        (SignedWebhook::raw("orders/paid", DOMAIN, SECRET, broken), "malformed"),
        (raw("orders/create", huge), "malformed"),
        (raw("orders/create", json!({ "id": 8 })), "topic_mismatch"),
        (fulfilled.under("orders/paid"), "topic_mismatch"),
        (order.of("other.myshopify.com", SECRET).webhook("orders/create"), "unknown_shop"),
        (ShopifyOrder::new(9).line("NOBODY-SELLS-THIS", 1).webhook("orders/create"), "unknown_sku"),
    ];
    let sound: Vec<_> = (0..40)
        .map(|at| ShopifyOrder::new(100 + at).line("CAP", 1).webhook("orders/create"))
        .collect();
    let mut webhooks: Vec<_> = doomed.iter().map(|(webhook, _)| webhook.clone()).collect();
    for (at, webhook) in sound.iter().enumerate() {
        webhooks.insert((2 * at).min(webhooks.len()), webhook.clone());
    }
    fleet.burst(webhooks, 4).done().await;
    fleet.settled().await;

    for (webhook, reason) in &doomed {
        let fate = fleet.fate(webhook).await;
        assert_eq!(fate, ("dead".to_owned(), Some((*reason).to_owned())), "{}", webhook.topic);
    }
    assert_eq!(fleet.stock_of("CAP").await, (1000, 40));
    let letters = fleet.ok(&["dead", "list"]).await;
    assert_eq!(letters.as_array().map(Vec::len), Some(doomed.len()));
    for letter in letters.as_array().expect("a list") {
        let id = letter["id"].as_str().expect("an id");
        let shown = fleet.ok(&["dead", "show", id]).await;
        let sent = doomed.iter().find(|(w, _)| shown["webhook_id"] == w.webhook_id.as_str());
        let (sent, _) = sent.expect("one of ours");
        assert_eq!(shown["body"], *String::from_utf8_lossy(&sent.body), "bodies are kept whole");
    }
    fleet.finish().await;
}

async fn what_is_not_a_stock_matter_is_ignored_with_a_reason(profile: Profile) {
    let fleet = Fleet::start(profile, 1).await;
    fleet.stock("CAP", 10).await;
    // The platform's own "send test notification" is a test order.
    let sample = ShopifyOrder::new(820_982_911_946_154_508).line("CAP", 1).test();
    let fate = fleet.outcome(&sample.webhook("orders/paid")).await;
    assert_eq!(fate, ("ignored".to_owned(), Some("test_order".to_owned())));
    let product = br#"{"id":1,"title":"Cap"}"#.to_vec();
    let unknown = SignedWebhook::raw("products/update", DOMAIN, SECRET, product);
    let (outcome, reason) = fleet.outcome(&unknown).await;
    assert_eq!((outcome.as_str(), reason.is_some()), ("ignored", true));
    assert_eq!(fleet.stock_of("CAP").await, (10, 0));
    assert_eq!(fleet.count("dead").await, 0);
    fleet.finish().await;
}

async fn an_unknown_sku_is_applied_by_a_replay_once_the_sku_is_there(profile: Profile) {
    let fleet = Fleet::start(profile, 1).await;
    let order = ShopifyOrder::new(1).line("NEW", 2).webhook("orders/create");
    let fate = fleet.outcome(&order).await;
    assert_eq!(fate, ("dead".to_owned(), Some("unknown_sku".to_owned())));
    let id = fleet.ok(&["dead", "list"]).await[0]["id"].as_str().expect("an id").to_owned();

    let replayed = fleet.cli(&["dead", "replay", &id]).await.fails_with(1).json();
    assert_eq!(replayed[0]["outcome"], "dead", "nothing was mended");
    fleet.stock("NEW", 5).await;
    let replayed = fleet.ok(&["dead", "replay", "--all"]).await;
    assert_eq!(replayed[0]["outcome"], "applied");
    let again = fleet.ok(&["dead", "replay", &id]).await;
    assert_eq!(again[0]["outcome"], "unchanged");
    assert_eq!(fleet.ok(&["dead", "show", &id]).await["body"], "", "it is not kept any longer");

    assert_eq!(fleet.stock_of("NEW").await, (5, 2), "replayed again, applied once");
    assert_eq!(fleet.fate(&order).await, ("applied".to_owned(), None));
    assert_eq!(fleet.ok(&["status"]).await["dead_letters"], 0);

    let other = ShopifyOrder::new(2).line("NEVER", 1).webhook("orders/create");
    fleet.outcome(&other).await;
    let id = fleet.ok(&["dead", "list"]).await[0]["id"].as_str().expect("an id").to_owned();
    fleet.ok(&["dead", "discard", &id, "--reason", "sold elsewhere"]).await;
    assert_eq!(fleet.ok(&["dead", "show", &id]).await["body"], "");
    let replayed = fleet.cli(&["dead", "replay", &id]).await.fails_with(1).json();
    let detail = replayed[0]["detail"].as_str().expect("a detail");
    assert!(detail.contains("discarded") && detail.contains("cannot be replayed"), "{detail}");
    fleet.finish().await;
}

async fn what_is_refused_is_not_queued(profile: Profile) {
    let fleet = Fleet::start(profile, 1).await;
    fleet.stock("CAP", 10).await;
    let order = ShopifyOrder::new(1).line("CAP", 1).webhook("orders/create");
    assert_eq!(fleet.send(&order.clone().signed_with("not-the-secret")).await, 401);
    let stranger = ShopifyOrder::new(1).of("evil.myshopify.com", "stolen").webhook("orders/create");
    assert_eq!(fleet.send(&stranger).await, 401);

    let without = |name: &str| {
        let all = order.headers().into_iter();
        all.filter(|(header, _)| *header != name).collect::<Vec<_>>()
    };
    let unsigned = fleet.deliver(&without("X-Shopify-Hmac-Sha256"), &order.body).await;
    assert_eq!(unsigned.status, 401);
    let no_topic = fleet.deliver(&without("X-Shopify-Topic"), &order.body).await;
    assert_eq!(no_topic.status, 400);

    let mebibyte = vec![b' '; (8 << 20) + 1];
    let oversize = SignedWebhook::raw("orders/create", DOMAIN, SECRET, mebibyte);
    assert_eq!(fleet.send(&oversize).await, 413);
    for (method, path, status) in [
        ("GET", "/webhooks/shopify", 405),
        ("PUT", "/webhooks/shopify", 405),
        ("POST", "/webhooks/shopify/", 404),
        ("POST", "/nothing/here", 404),
        ("GET", "/healthz", 200),
        ("GET", "/readyz", 200),
    ] {
        let answer = fleet.request(method, path).await;
        assert_eq!(answer.status, status, "{method} {path}");
    }

    // One that is in order comes after them, so they would be there by now.
    assert_eq!(fleet.outcome(&order).await, ("applied".to_owned(), None));
    let all = fleet.ok(&["webhook", "list"]).await;
    assert_eq!(all.as_array().map(Vec::len), Some(1), "{all}");
    fleet.finish().await;
}

async fn without_a_webhook_id_the_body_identifies_a_webhook(profile: Profile) {
    let fleet = Fleet::start(profile, 1).await;
    fleet.stock("CAP", 10).await;
    let order = ShopifyOrder::new(1).line("CAP", 4).webhook("orders/create");
    let headers: Vec<_> =
        order.headers().into_iter().filter(|(name, _)| *name != "X-Shopify-Webhook-Id").collect();
    for _ in 0..3 {
        assert_eq!(fleet.deliver(&headers, &order.body).await.status, 200);
    }
    fleet.settled().await;
    assert_eq!((fleet.count("applied").await, fleet.count("duplicate").await), (1, 2));
    assert_eq!(fleet.stock_of("CAP").await, (10, 4));
    fleet.finish().await;
}

async fn the_same_webhook_id_with_another_body_is_another_webhook(profile: Profile) {
    let fleet = Fleet::start(profile, 1).await;
    fleet.stock("CAP", 10).await;
    for id in 1..=3 {
        let order = ShopifyOrder::new(id).line("CAP", 1).webhook("orders/create");
        assert_eq!(fleet.send(&order.with_id("the-same")).await, 200);
    }
    fleet.settled().await;
    assert_eq!((fleet.count("applied").await, fleet.count("duplicate").await), (3, 0));
    assert_eq!(fleet.stock_of("CAP").await, (10, 3));
    fleet.finish().await;
}

async fn an_order_of_ten_thousand_lines_is_applied(profile: Profile) {
    let fleet = Fleet::start(profile, 1).await;
    fleet.stock("CAP", 100_000).await;
    let lines: Vec<_> = (0..10_000)
        .map(|line| json!({ "id": 1 + line, "sku": "CAP", "variant_id": 1, "quantity": 2 }))
        .collect();
    let body = json!({
        "id": 1, "updated_at": "2026-11-21T12:00:00Z", "line_items": lines
    });
    let order = SignedWebhook::raw("orders/create", DOMAIN, SECRET, body.to_string().into_bytes());
    assert_eq!(fleet.outcome(&order).await, ("applied".to_owned(), None));
    assert_eq!(fleet.stock_of("CAP").await, (100_000, 20_000));
    fleet.finish().await;
}

//! Orders as they live, over HTTP, the same in both profiles; and the JSON that others read.

use domain::order::{FulfilmentStatus, Restock};
use serde_json::Value;
use testkit::shopify::{LOCATION, ShopifyOrder};

use crate::harness::{Fleet, Profile, in_both_profiles, shape};

in_both_profiles!(
    an_order_is_placed_paid_sent_in_parts_and_partly_returned,
    a_cancelled_order_gives_back_what_it_held,
    an_edited_order_holds_what_it_asks_for_now,
    parts_of_an_order_count_when_they_come_alone,
    a_short_order_is_committed_by_a_retry_after_stock_came,
    short_orders_are_committed_when_stock_comes_if_the_shop_says_so,
    an_older_snapshot_never_replaces_a_newer_one,
    under_commit_on_paid_only_payment_commits,
    a_body_says_what_it_means_before_it_is_sent,
);

async fn an_order_is_placed_paid_sent_in_parts_and_partly_returned(profile: Profile) {
    let fleet = Fleet::start(profile, 1).await;
    fleet.stock("CAP", 10).await;
    fleet.stock("MUG", 10).await;
    let mut order = ShopifyOrder::new(1001).line("CAP", 3).line("MUG", 1);
    let mut sent = Vec::new();
    let mut step = async |topic: &str, order: &ShopifyOrder, cap: (i64, i64), mug: (i64, i64)| {
        let webhook = order.webhook(topic);
        fleet.outcome(&webhook).await;
        assert_eq!(
            (fleet.stock_of("CAP").await, fleet.stock_of("MUG").await),
            (cap, mug),
            "{topic}"
        );
        sent.push(webhook);
    };
    step("orders/create", &order, (10, 3), (10, 1)).await;
    step("orders/paid", order.pay(), (10, 3), (10, 1)).await;
    order.fulfil_at(LOCATION, FulfilmentStatus::Success, &[(0, 2)]);
    step("orders/partially_fulfilled", &order, (8, 1), (10, 1)).await;
    step("orders/fulfilled", order.fulfil(), (7, 0), (9, 0)).await;
    order.refund(Restock::Return, Some(LOCATION), &[(0, 1)]);
    step("orders/updated", &order, (8, 0), (9, 0)).await;

    for webhook in sent.iter().rev() {
        assert_eq!(fleet.send(webhook).await, 200, "and all of it again, backwards");
    }
    fleet.settled().await;
    assert_eq!((fleet.stock_of("CAP").await, fleet.stock_of("MUG").await), ((8, 0), (9, 0)));
    every_move_leads_to_its_webhook(&fleet, "1001").await;

    insta::assert_snapshot!(
        "order_show",
        shape(fleet.ok(&["order", "show", "demo", "1001"]).await)
    );
    insta::assert_snapshot!("stock_list", shape(fleet.ok(&["stock", "list"]).await));
    insta::assert_snapshot!("stock_history", shape(fleet.ok(&["stock", "history", "MUG"]).await));
    // Only the embedded queue knows what is being worked on.
    let name = format!("status_{profile:?}").to_lowercase();
    insta::assert_snapshot!(name, shape(fleet.ok(&["status"]).await));
    insta::assert_snapshot!("verify", shape(fleet.ok(&["verify"]).await));
    fleet.finish().await;
}

/// By the id of the envelope that moved it, which traces and logs name, too.
async fn every_move_leads_to_its_webhook(fleet: &Fleet, order: &str) {
    let shown = fleet.ok(&["order", "show", "demo", order]).await;
    let moves = shown["ledger"].as_array().expect("a list");
    assert!(!moves.is_empty(), "{shown}");
    for moved in moves {
        let id = moved["webhook_id"].as_str().expect("a webhook moved it");
        let webhook = fleet.ok(&["webhook", "show", id]).await;
        assert!(moved["correlation_id"].is_string(), "{moved}");
        assert_eq!(moved["correlation_id"], webhook[0]["correlation_id"], "{moved} by {webhook}");
    }
}

async fn a_cancelled_order_gives_back_what_it_held(profile: Profile) {
    let fleet = Fleet::start(profile, 1).await;
    fleet.stock("CAP", 10).await;
    let mut order = ShopifyOrder::new(1).line("CAP", 4);
    fleet.outcome(&order.webhook("orders/create")).await;
    assert_eq!(fleet.stock_of("CAP").await, (10, 4));
    fleet.outcome(&order.cancel(Some(LOCATION)).webhook("orders/cancelled")).await;
    assert_eq!(fleet.stock_of("CAP").await, (10, 0));
    assert_eq!(fleet.ok(&["order", "show", "demo", "1"]).await["state"], "cancelled");
    fleet.finish().await;
}

async fn an_edited_order_holds_what_it_asks_for_now(profile: Profile) {
    let fleet = Fleet::start(profile, 1).await;
    fleet.stock("CAP", 10).await;
    fleet.stock("MUG", 10).await;
    let mut order = ShopifyOrder::new(1).line("CAP", 4);
    fleet.outcome(&order.webhook("orders/create")).await;
    fleet.outcome(&order.edit(0, -3).webhook("orders/updated")).await;
    assert_eq!(fleet.stock_of("CAP").await, (10, 1));
    fleet.outcome(&order.add_line("MUG", 2).webhook("orders/updated")).await;
    assert_eq!((fleet.stock_of("CAP").await, fleet.stock_of("MUG").await), ((10, 1), (10, 2)));
    fleet.finish().await;
}

async fn parts_of_an_order_count_when_they_come_alone(profile: Profile) {
    let mut fleet = Fleet::prepare(profile).await;
    fleet.write_shops(&crate::harness::shops("commit_on = \"paid\""));
    fleet.start_all(1).await;
    fleet.stock("CAP", 10).await;
    let mut order = ShopifyOrder::new(1).line("CAP", 4);
    let placed = order.webhook("orders/create");
    order.pay();
    let step = async |topic: &str, order: &ShopifyOrder, stock: (i64, i64)| {
        assert_eq!(fleet.outcome(&order.webhook(topic)).await.0, "applied", "{topic}");
        assert_eq!(fleet.stock_of("CAP").await, stock, "{topic}");
    };
    step("order_transactions/create", &order, (10, 0)).await;
    assert_eq!(fleet.ok(&["order", "show", "demo", "1"]).await["state"], "partial");
    assert_eq!(fleet.outcome(&placed).await.0, "applied");
    assert_eq!(fleet.stock_of("CAP").await, (10, 4), "it was paid before it came");
    order.fulfil_at(LOCATION, FulfilmentStatus::Success, &[(0, 3)]);
    step("fulfillments/create", &order, (7, 1)).await;
    order.refund(Restock::Return, Some(LOCATION), &[(0, 2)]);
    step("refunds/create", &order, (9, 1)).await;
    step("orders/edited", order.edit(0, -1), (9, 1)).await;
    let shown = fleet.ok(&["order", "show", "demo", "1"]).await;
    assert_eq!(shown["flags"][0], "edit_pending");
    step("orders/updated", &order, (9, 0)).await;
    step("orders/delete", &order, (9, 0)).await;
    assert_eq!(fleet.ok(&["order", "show", "demo", "1"]).await["state"], "deleted");
    fleet.finish().await;
}

async fn a_short_order_is_committed_by_a_retry_after_stock_came(profile: Profile) {
    let fleet = Fleet::start(profile, 1).await;
    fleet.stock("CAP", 10).await;
    fleet.stock("MUG", 1).await;
    let order = ShopifyOrder::new(1).line("CAP", 4).line("MUG", 2);
    assert_eq!(fleet.outcome(&order.webhook("orders/create")).await.0, "short");
    assert_eq!(fleet.stock_of("CAP").await, (10, 0), "all of it or nothing");
    let still = fleet.cli(&["order", "retry", "demo", "1"]).await.fails_with(1).json();
    assert_eq!(still["outcome"], "short");

    fleet.ok(&["stock", "adjust", "MUG", "1", "--reason", "found one"]).await;
    assert_eq!(fleet.stock_of("MUG").await, (2, 0), "stock alone does not wake it");
    assert_eq!(fleet.ok(&["order", "retry", "demo", "1"]).await["outcome"], "applied");
    assert_eq!((fleet.stock_of("CAP").await, fleet.stock_of("MUG").await), ((10, 4), (2, 2)));
    fleet.ok(&["order", "retry", "demo", "1"]).await;
    assert_eq!(fleet.stock_of("MUG").await, (2, 2), "a retry too many does nothing");
    assert_eq!(fleet.ok(&["order", "show", "demo", "1"]).await["state"], "committed");
    fleet.finish().await;
}

async fn short_orders_are_committed_when_stock_comes_if_the_shop_says_so(profile: Profile) {
    let mut fleet = Fleet::prepare(profile).await;
    fleet.write_shops(&crate::harness::shops("when_restocked = \"commit_short\""));
    fleet.start_all(1).await;
    fleet.stock("CAP", 1).await;
    for (id, units) in [(1, 5), (2, 3), (3, 3)] {
        let order = ShopifyOrder::new(id).line("CAP", units).webhook("orders/create");
        assert_eq!(fleet.outcome(&order).await.0, "short");
    }
    fleet.ok(&["stock", "adjust", "CAP", "3", "--reason", "found"]).await;
    let committed = async |orders: u64| {
        let sweeper = fleet.roles().last().expect("a role that sweeps");
        sweeper.sums("short orders committed", "orders", orders).await;
        fleet.stock_of("CAP").await
    };
    assert_eq!(committed(1).await, (4, 3), "the oldest that fits");
    assert_eq!(fleet.ok(&["order", "show", "demo", "2"]).await["state"], "committed");
    fleet.ok(&["stock", "adjust", "CAP", "10", "--reason", "delivery"]).await;
    assert_eq!(committed(3).await, (14, 11), "all of them");
    let history = fleet.ok(&["stock", "history", "CAP"]).await;
    assert_eq!(history[0]["reason"], "restocked");
    fleet.finish().await;
}

async fn an_older_snapshot_never_replaces_a_newer_one(profile: Profile) {
    let fleet = Fleet::start(profile, 1).await;
    fleet.stock("CAP", 10).await;
    let mut order = ShopifyOrder::new(1).line("CAP", 4);
    let placed = order.webhook("orders/create");
    let edited = order.edit(0, -2).webhook("orders/updated");
    assert_eq!(fleet.outcome(&edited).await.0, "applied");
    assert_eq!(fleet.outcome(&placed).await.0, "superseded");
    assert_eq!(fleet.outcome(&edited.with_id("another")).await.0, "unchanged");
    assert_eq!(fleet.stock_of("CAP").await, (10, 2));
    fleet.finish().await;
}

async fn under_commit_on_paid_only_payment_commits(profile: Profile) {
    let mut fleet = Fleet::prepare(profile).await;
    fleet.write_shops(&crate::harness::shops("commit_on = \"paid\""));
    fleet.start_all(1).await;
    fleet.stock("CAP", 10).await;
    let mut order = ShopifyOrder::new(1).line("CAP", 4);
    fleet.outcome(&order.webhook("orders/create")).await;
    assert_eq!(fleet.stock_of("CAP").await, (10, 0));
    fleet.outcome(&order.pay().webhook("orders/paid")).await;
    assert_eq!(fleet.stock_of("CAP").await, (10, 4));
    fleet.finish().await;
}

async fn a_body_says_what_it_means_before_it_is_sent(profile: Profile) {
    let fleet = Fleet::start(profile, 1).await;
    let mut order = ShopifyOrder::new(1001).line("CAP", 3);
    order.fulfil_at(LOCATION, FulfilmentStatus::Success, &[(0, 2)]);
    std::fs::write(fleet.path("order.json"), order.webhook("orders/paid").body).expect("written");
    std::fs::write(fleet.path("product.json"), r#"{"id":1,"title":"Cap"}"#).expect("written");
    let explain = ["explain", "--platform", "shopify", "--topic"];
    let explained = fleet.ok(&[&explain[..], &["orders/paid", "order.json"]].concat()).await;
    insta::assert_snapshot!("explain", shape(explained));
    let ignored = fleet.ok(&[&explain[..], &["products/update", "product.json"]].concat()).await;
    assert_eq!(ignored["facts"], Value::Array(vec![]));
    assert!(ignored["ignored"].is_string());
    let dead = fleet.cli(&[&explain[..], &["orders/paid", "product.json"]].concat()).await;
    assert_eq!(dead.fails_with(1).json()["dead"]["reason"], "topic_mismatch");
    let moved = fleet.ok(&["webhook", "list"]).await;
    assert_eq!(moved, Value::Array(vec![]), "explaining leaves no trace");
    fleet.finish().await;
}

//! What a shop's variants stand for, as operators say it.

use std::fs;

use serde_json::{Value, json};
use testkit::shopify::{LineKind, ShopifyOrder, SignedWebhook};

use crate::harness::{Fleet, Profile, in_both_profiles, shops};

in_both_profiles!(a_kit_commits_each_of_its_items, a_line_without_a_sku_is_what_its_listing_says);

async fn a_kit_commits_each_of_its_items(profile: Profile) {
    let fleet = Fleet::start(profile, 1).await;
    for sku in ["BOWL", "SPOON", "GIFT-SET"] {
        fleet.stock(sku, 10).await;
    }
    let mut order = ShopifyOrder::new(1).line("GIFT-SET", 3);
    let placed = order.webhook("orders/create");
    let variant = variant(&placed);
    // The same item twice is summed.
    let set = ["listing", "set", "demo", &variant, "SPOON", "BOWL", "BOWL:1"];
    let items = json!([{ "sku": "BOWL", "units": 2 }, { "sku": "SPOON", "units": 1 }]);
    assert_eq!(fleet.ok(&set).await, json!({ "shop": "demo", "variant": variant, "items": items }));

    assert_eq!(fleet.outcome(&placed).await.0, "applied");
    assert_eq!(fleet.stock_of("BOWL").await, (10, 6));
    assert_eq!(fleet.stock_of("SPOON").await, (10, 3));
    assert_eq!(fleet.stock_of("GIFT-SET").await, (10, 0), "the kit is not an item of its own");

    fleet.ok(&["listing", "set", "demo", &variant, "SPOON:2"]).await;
    fleet.outcome(&order.edit(0, -1).webhook("orders/updated")).await;
    assert_eq!(fleet.stock_of("BOWL").await, (10, 4), "a line keeps what it was at first");
    assert_eq!(fleet.stock_of("SPOON").await, (10, 2));
    let another = ShopifyOrder::new(2).line("GIFT-SET", 1).webhook("orders/create");
    fleet.outcome(&another).await;
    assert_eq!(fleet.stock_of("SPOON").await, (10, 4), "a new one is what the listing says now");

    fleet.ok(&["listing", "remove", "demo", &variant]).await;
    let last = ShopifyOrder::new(3).line("GIFT-SET", 1).webhook("orders/create");
    fleet.outcome(&last).await;
    assert_eq!(fleet.stock_of("GIFT-SET").await, (10, 1), "and without one what its SKU says");
    fleet.finish().await;
}

async fn a_line_without_a_sku_is_what_its_listing_says(profile: Profile) {
    let fleet = Fleet::start(profile, 1).await;
    let order = ShopifyOrder::new(1).line_of(LineKind::Tracked, None, 2);
    let placed = order.webhook("orders/create");
    let variant = variant(&placed);
    assert_eq!(fleet.outcome(&placed).await, ("dead".to_owned(), Some("unknown_sku".to_owned())));
    let letters = fleet.ok(&["dead", "list", "--reason", "unknown_sku"]).await;
    let detail = letters[0]["detail"].as_str().expect("a detail");
    assert!(detail.contains(&format!("onhand listing set demo {variant} SKU")), "{detail}");

    // The listing may come before the stock, but not without a word.
    let set = fleet.cli(&["listing", "set", "demo", &variant, "BOWL"]).await.fails_with(0);
    set.names(&["BOWL", "dead letters", "onhand stock set BOWL"]);
    fleet.cli(&["dead", "replay", "--reason", "unknown_sku"]).await.fails_with(1);
    fleet.stock("BOWL", 10).await;
    let set = fleet.cli(&["listing", "set", "demo", &variant, "BOWL"]).await.fails_with(0);
    assert_eq!(set.stderr, "");
    let replayed = fleet.ok(&["dead", "replay", "--reason", "unknown_sku"]).await;
    assert_eq!(replayed[0]["outcome"], "applied");
    assert_eq!(fleet.stock_of("BOWL").await, (10, 2));
    fleet.finish().await;
}

#[tokio::test]
async fn a_listing_that_cannot_be_meant_is_refused() {
    let fleet = Fleet::prepare(Profile::Embedded).await;
    fleet.write_shops(&shops(
        "[[shop]]\nname = \"till\"\nplatform = \"payments\"\nsecrets = [\"plain:x\"]\n\
         pays_for = \"demo\"\n",
    ));
    let refused = |args: &'static [&'static str], names: &'static [&'static str]| {
        let fleet = &fleet;
        async move { fleet.cli(args).await.fails_with(2).names(names) }
    };
    refused(&["listing", "set", "dmo", "1", "BOWL"], &["no shop dmo", "demo"]).await;
    refused(&["listing", "set", "till", "1", "BOWL"], &["till", "payments", "demo"]).await;
    refused(&["listing", "set", "demo", "1", "BOWL:0"], &["BOWL", "between 1"]).await;
    refused(&["listing", "set", "demo", "1", "BOWL:"], &["SKU:UNITS"]).await;
    refused(&["listing", "set", "demo", "1"], &["SKU[:UNITS]"]).await;
    refused(&["listing", "set", "demo", "", "BOWL"], &["variant"]).await;
    refused(&["listing", "list", "--shop", "dmo"], &["no shop dmo"]).await;
    refused(&["listing", "remove", "dmo", "1"], &["no shop dmo"]).await;
    let missing = fleet.cli(&["listing", "remove", "demo", "1"]).await.fails_with(1);
    missing.names(&["no listing", "onhand listing list"]);
    assert_eq!(fleet.ok(&["listing", "list"]).await, json!([]));
    fleet.finish().await;
}

#[tokio::test]
async fn an_import_of_listings_is_all_or_nothing() {
    let fleet = Fleet::prepare(Profile::Embedded).await;
    fleet.stock("BOWL", 1).await;
    fleet.ok(&["listing", "set", "demo", "1", "CAP"]).await;
    fleet.ok(&["listing", "set", "demo", "9", "CAP"]).await;
    let good = "shop,variant,sku,units\ndemo,1,BOWL,2\ndemo,2,BOWL,\ndemo,1,SPOON,1\n";
    fs::write(fleet.path("good.csv"), good).expect("written");
    let imported = fleet.cli(&["listing", "import", "good.csv"]).await.fails_with(0);
    assert_eq!(imported.json(), json!({ "rows": 3, "listings": 2 }));
    imported.names(&["SPOON has no stock row"]);
    let expected = json!([
        { "shop": "demo", "variant": "1",
          "items": [{ "sku": "BOWL", "units": 2 }, { "sku": "SPOON", "units": 1 }] },
        { "shop": "demo", "variant": "2", "items": [{ "sku": "BOWL", "units": 1 }] },
        { "shop": "demo", "variant": "9", "items": [{ "sku": "CAP", "units": 1 }] },
    ]);
    assert_eq!(fleet.ok(&["listing", "list", "--shop", "demo"]).await, expected);

    let bad = "shop,variant,sku,units\ndemo,1,CAP,1\nother,1,CAP,1\ndemo,,CAP,1\ndemo,1,CAP,2\n\
               demo,3,CAP,none\ndemo,4,CAP,0\n";
    fs::write(fleet.path("bad.csv"), bad).expect("written");
    let refused = fleet.cli(&["listing", "import", "bad.csv"]).await.fails_with(1);
    refused.names(&["nothing was changed", "line 3", "line 4", "line 5", "line 6", "line 7"]);
    refused.names(&["no shop \"other\"", "on line 2 already", "not a whole number"]);
    assert_eq!(fleet.ok(&["listing", "list"]).await, expected);

    fs::write(fleet.path("short.csv"), "shop,variant,sku\ndemo,5,BOWL\n").expect("written");
    fleet.ok(&["listing", "import", "short.csv"]).await;
    fs::write(fleet.path("other.csv"), "sku,units\nBOWL,1\n").expect("written");
    let refused = fleet.cli(&["listing", "import", "other.csv"]).await.fails_with(1);
    refused.names(&["line 1", "shop,variant,sku,units"]);
    fleet.finish().await;
}

/// The variant of an order's first line.
fn variant(webhook: &SignedWebhook) -> String {
    let body: Value = serde_json::from_slice(&webhook.body).expect("made by us");
    body["line_items"][0]["variant_id"].to_string()
}

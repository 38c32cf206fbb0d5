//! `order show` says why, and `order retry --backorder` promises what is not there yet.

use serde_json::Value;
use testkit::shopify::{LOCATION, ShopifyOrder};

use crate::harness::{Fleet, Profile, shops};

#[tokio::test]
async fn an_order_says_why_it_is_as_it_is_and_what_to_do() {
    let mut fleet = Fleet::prepare(Profile::Embedded).await;
    let other = ["other.myshopify.com", "other-secret"];
    fleet.write_shops(&shops(&format!(
        "[[shop]]\nname = \"later\"\nplatform = \"shopify\"\ndomain = \"{}\"\n\
         secrets = [\"plain:{}\"]\ncommit_on = \"paid\"\n",
        other[0], other[1]
    )));
    fleet.start_all(0).await;
    fleet.stock("BOWL", 4).await;
    let mut order = ShopifyOrder::new(1).line("BOWL", 3);
    fleet.outcome(&order.webhook("orders/create")).await;
    says(&fleet, "demo", "1", &["3 units are committed"]).await;

    fleet.outcome(&ShopifyOrder::new(2).line("BOWL", 3).pay().webhook("orders/create")).await;
    let short = says(
        &fleet,
        "demo",
        "2",
        &[
            "3 × BOWL missing, 1 available",
            "`onhand stock adjust BOWL +2 --reason delivery --location main`",
            "`onhand order retry demo 2`",
            "--backorder",
        ],
    )
    .await;
    assert_eq!(short["flags"], serde_json::json!(["paid_but_short"]));
    assert!(short["webhooks"][0]["detail"].as_str().is_some_and(|it| it.contains("3 × BOWL")));
    fleet.outcome(&order.cancel(Some(LOCATION)).webhook("orders/cancelled")).await;
    says(&fleet, "demo", "1", &["cancelled it at 2026-11-21"]).await;
    says(&fleet, "demo", "2", &["By now there is enough"]).await;

    let mut waiting = ShopifyOrder::new(3).of(other[0], other[1]).line("BOWL", 1);
    let placed = waiting.webhook("orders/create");
    fleet.outcome(&waiting.pay().webhook("order_transactions/create")).await;
    says(&fleet, "later", "3", &["Only parts of it came", "that it was paid"]).await;
    fleet.outcome(&placed).await;
    says(&fleet, "later", "3", &["1 unit is committed"]).await;
    let unpaid = ShopifyOrder::new(4).of(other[0], other[1]).line("BOWL", 1);
    fleet.outcome(&unpaid.webhook("orders/create")).await;
    says(&fleet, "later", "4", &["commit_on = \"paid\"", "No payment for it is known"]).await;

    fleet.cli(&["order", "show", "demo", "5"]).await.fails_with(1).names(&["nothing is known"]);
    fleet.cli(&["order", "show", "dmo", "5"]).await.fails_with(2).names(&["no shop dmo", "demo"]);
    fleet.finish().await;
}

#[tokio::test]
async fn a_short_order_is_promised_for_later_as_far_as_the_floor_goes() {
    let fleet = Fleet::start(Profile::Embedded, 0).await;
    fleet.stock("BOWL", 1).await;
    fleet.outcome(&ShopifyOrder::new(1).line("BOWL", 3).webhook("orders/create")).await;
    let retry = ["order", "retry", "demo", "1", "--backorder"];
    let still = fleet.cli(&retry).await.fails_with(1).json();
    let command = "onhand stock floor BOWL -2 --location main";
    assert_eq!((&still["outcome"], &still["advice"][0]), (&"short".into(), &command.into()));

    // What the advice says is what helps, and no unit less.
    fleet.ok(&["stock", "floor", "BOWL", "-1"]).await;
    fleet.cli(&retry).await.fails_with(1);
    let args: Vec<&str> = command.split(' ').skip(1).collect();
    fleet.ok(&args).await;
    assert_eq!(fleet.stock_of("BOWL").await, (1, 0), "a floor moves nothing");
    fleet.cli(&retry[..4]).await.fails_with(1);
    assert_eq!(fleet.ok(&retry).await["outcome"], "applied");
    assert_eq!(fleet.stock_of("BOWL").await, (1, 3));
    says(&fleet, "demo", "1", &["3 units are committed"]).await;
    let refused = fleet.cli(&["stock", "floor", "BOWL", "0"]).await.fails_with(1);
    refused.names(&["3 units are committed"]);
    fleet.cli(&["stock", "floor", "BOWL", "2"]).await.fails_with(2).names(&["0 or less"]);
    fleet.cli(&["stock", "floor", "NONE", "-2"]).await.fails_with(1).names(&["no stock row"]);
    fleet.finish().await;
}

#[tokio::test]
async fn a_reason_that_no_dead_letter_has_is_a_slip_of_the_pen() {
    let fleet = Fleet::prepare(Profile::Embedded).await;
    for command in ["list", "replay"] {
        let refused = fleet.cli(&["dead", command, "--reason", "unknwon_sku"]).await.fails_with(2);
        refused.names(&["unknwon_sku", "unknown_sku", "retries_exhausted"]);
    }
    fleet.ok(&["dead", "list", "--reason", "unknown_sku"]).await;
    fleet.finish().await;
}

/// Shows an order, whose `why` must hold all of `texts`.
async fn says(fleet: &Fleet, shop: &str, order: &str, texts: &[&str]) -> Value {
    let shown = fleet.ok(&["order", "show", shop, order]).await;
    let why = shown["why"].as_str().expect("every order says why");
    for text in texts {
        assert!(why.contains(text), "{text:?} is missing in: {why}");
    }
    shown
}

//! More is asked for than there is.

use testkit::shopify::{SECRET, ShopifyOrder};

use super::CONNECTIONS;
use crate::harness::{Fleet, Profile, in_both_profiles};

in_both_profiles!(two_thousand_orders_for_a_thousand_units_commit_exactly_a_thousand);

async fn two_thousand_orders_for_a_thousand_units_commit_exactly_a_thousand(profile: Profile) {
    let fleet = Fleet::start(profile, 2).await;
    fleet.stock("LAST", 1000).await;
    let orders =
        (1..=2000).map(|id| ShopifyOrder::new(id).line("LAST", 1).webhook("orders/create"));
    fleet.burst(orders.collect(), CONNECTIONS).done().await;
    fleet.settled().await;
    assert_eq!(fleet.stock_of("LAST").await, (1000, 1000));
    assert_eq!((fleet.count("applied").await, fleet.count("short").await), (1000, 1000));
    fleet.finish().await;
}

/// Most orders are for one unit, so the last unit is sold, too.
#[tokio::test]
async fn four_workers_sell_the_last_of_ten_thousand_units_once() {
    let fleet = Fleet::start(Profile::Fleet, 4).await;
    let (url, secret) = (format!("http://{}", fleet.address()), format!("plain:{SECRET}"));
    let sale = ["--orders", "20000", "--skus", "1", "--lines", "1", "--units", "10000"];
    let sender = ["simulate", "--url", &url, "--secret", &secret, "--setup", "--wait"];
    let report = fleet.ok(&[&sender[..], &sale].concat()).await;
    assert_eq!(report["ok"], true, "{report}");
    assert_eq!(fleet.stock_of("SKU-00001").await, (10_000, 10_000));
    let outcome = |name: &str| report["applied"]["outcomes"][name].as_i64().expect("a count");
    assert_eq!(outcome("applied") + outcome("short"), 20_000, "{report}");
    let mut conflicts = 0.0;
    for worker in &fleet.workers {
        conflicts += worker.counter("onhand_conflicts_total").await;
    }
    // The usual design has several for each order.
    assert!(conflicts < 2_000.0, "{conflicts} conflicts for 20,000 orders");
    fleet.finish_simulated().await;
}

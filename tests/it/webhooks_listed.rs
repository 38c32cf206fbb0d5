//! Webhooks, as `onhand webhook list` finds them.

use serde_json::Value;
use testkit::shopify::ShopifyOrder;

use crate::harness::{Fleet, Profile, in_both_profiles};

in_both_profiles!(webhooks_are_listed_from_where_the_last_list_ended);

async fn webhooks_are_listed_from_where_the_last_list_ended(profile: Profile) {
    let fleet = Fleet::start(profile, 1).await;
    fleet.stock("CAP", 10).await;
    for id in [1, 2, 3] {
        fleet.outcome(&ShopifyOrder::new(id).line("CAP", 1).webhook("orders/create")).await;
    }
    let listed = async |more: &[&str]| {
        let rows = fleet.ok(&[&["webhook", "list"], more].concat()).await;
        rows.as_array().expect("a list").clone()
    };
    let orders = |rows: &[Value]| {
        let orders = rows.iter().map(|row| row["order_id"].as_str().expect("an order").to_owned());
        orders.collect::<Vec<_>>()
    };
    let first = listed(&["--limit", "2"]).await;
    assert_eq!(orders(&first), ["3", "2"]);
    assert_eq!(first[1]["attempts"], 0);
    let before = first[1]["correlation_id"].as_str().expect("an id");
    assert_eq!(orders(&listed(&["--before", before]).await), ["1"]);
    let text = fleet.text(&["webhook", "list", "--limit", "2"]).await.fails_with(0);
    text.names(&["--limit N", &format!("--before {before}")]);

    assert_eq!(orders(&listed(&["--order", "2"]).await), ["2"], "whatever its shop");
    assert_eq!(listed(&["--order", "2", "--outcome", "dead"]).await, [] as [Value; 0]);
    assert_eq!(listed(&["--outcome", "dead"]).await, [] as [Value; 0]);
    let both = ["webhook", "list", "--order", "2", "--before", before];
    fleet.cli(&both).await.fails_with(2).names(&["--order", "--before"]);
    fleet.finish().await;
}

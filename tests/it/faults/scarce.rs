//! More is asked for than there is.

use testkit::shopify::ShopifyOrder;

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

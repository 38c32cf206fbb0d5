//! Several queues, and workers that come, die and go while webhooks arrive.

use super::{CONNECTIONS, sale};
use crate::harness::{Fleet, Profile, eventually};

#[tokio::test]
async fn partitions_find_their_workers_whoever_comes_and_dies() {
    let mut fleet = Fleet::prepare(Profile::Fleet).await;
    fleet.settings.insert("ONHAND_PARTITIONS", "4".to_owned());
    fleet.start_all(1).await;
    let sale = sale();
    sale.supply(&fleet).await;
    let mut burst = fleet.burst(sale.webhooks.clone(), CONNECTIONS);
    burst.accepted(100).await;
    fleet.start_worker(&[]).await;
    fleet.start_worker(&[]).await;
    burst.accepted(200).await;
    fleet.workers.remove(0).kill9().await;
    burst.done().await;
    fleet.settled().await;
    fleet.workers.remove(0).stop().await;
    // The one that is left serves all of them.
    let late = sale.webhooks.iter().take(50).cloned().collect();
    fleet.burst(late, CONNECTIONS).done().await;
    sale.check(&fleet).await;
    let worked = fleet.workers[0].counter("onhand_webhooks_total").await;
    assert!(worked > 0.0, "the last worker had nothing to do");
    fleet.finish().await;
}

#[tokio::test]
async fn a_fleet_that_grew_to_partitions_still_drains_the_one_queue() {
    let mut fleet = Fleet::start(Profile::Fleet, 0).await;
    let sale = sale();
    sale.supply(&fleet).await;
    let mut burst = fleet.burst(sale.webhooks.clone(), CONNECTIONS);
    burst.accepted(100).await;
    fleet.front.take().expect("it runs").stop().await;
    fleet.settings.insert("ONHAND_PARTITIONS", "3".to_owned());
    fleet.start_all(2).await;
    burst.done().await;
    sale.check(&fleet).await;
    eventually("nothing waits", async || {
        let queue = &fleet.ok(&["status"]).await["queue"];
        (queue["ready"] == 0).then_some(())
    })
    .await;
    fleet.finish().await;
}

//! SIGTERM under load: a deploy.

use super::{CONNECTIONS, sale};
use crate::harness::{Fleet, Profile};

#[tokio::test]
async fn a_worker_that_is_stopped_finishes_what_it_took_and_leaves_nothing_to_repeat() {
    let mut fleet = Fleet::start(Profile::Fleet, 2).await;
    let sale = sale();
    sale.supply(&fleet).await;
    let mut burst = fleet.burst(sale.webhooks.clone(), CONNECTIONS);
    burst.accepted(200).await;
    fleet.workers.remove(0).stop().await;
    burst.done().await;

    sale.check(&fleet).await;
    let again = fleet.workers[0].counter("onhand_redelivered_total").await;
    assert_eq!(again, 0.0, "nothing that was committed came again");
    fleet.finish().await;
}

#[tokio::test]
async fn workers_that_come_and_go_under_load_repeat_nothing_that_was_done() {
    let mut fleet = Fleet::start(Profile::Fleet, 1).await;
    let sale = sale();
    sale.supply(&fleet).await;
    let part = sale.webhooks.len() / 8;
    let mut burst = fleet.burst(sale.webhooks.clone(), CONNECTIONS);
    for more in 1..=3 {
        burst.accepted(more * part).await;
        fleet.start_worker(&[]).await;
    }
    for fewer in 1..=3 {
        burst.accepted((3 + fewer) * part).await;
        let worker = fleet.workers.remove(0);
        assert_eq!(worker.counter("onhand_redelivered_total").await, 0.0);
        worker.stop().await;
    }
    burst.done().await;

    sale.check(&fleet).await;
    assert_eq!(fleet.workers[0].counter("onhand_redelivered_total").await, 0.0);
    fleet.finish().await;
}

#[tokio::test]
async fn an_ingress_that_is_stopped_drops_nothing_that_it_accepted() {
    stop_the_front_under_load(Profile::Fleet).await;
}

#[tokio::test]
async fn an_embedded_process_that_is_stopped_drops_nothing_that_it_accepted() {
    stop_the_front_under_load(Profile::Embedded).await;
}

async fn stop_the_front_under_load(profile: Profile) {
    let mut fleet = Fleet::start(profile, 1).await;
    let sale = sale();
    sale.supply(&fleet).await;
    let mut burst = fleet.burst(sale.webhooks.clone(), CONNECTIONS);
    for stops in 1..=3 {
        burst.accepted(stops * 200).await;
        let refused = fleet.post().answered(503);
        fleet.front.take().expect("it runs").stop().await;
        assert_eq!(fleet.post().answered(503), refused, "what it took it finishes");
        fleet.start_front(&[]).await;
    }
    burst.done().await;
    sale.check(&fleet).await;
    fleet.finish().await;
}

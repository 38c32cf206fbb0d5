//! What is silent is not dead: it holds what it holds, and may go on at any time.

use testkit::chaos::Trigger;

use super::{CONNECTIONS, sale};
use crate::harness::{Fleet, Profile, eventually, get, proxied, under_every_strategy};

under_every_strategy!(
    a_worker_that_freezes_at_its_commit_stops_no_other_and_does_nothing_twice,
    a_database_that_freezes_under_load_loses_nothing,
);

/// It has read, and holds what the strategy has it hold: rows, names, leases.
async fn a_worker_that_freezes_at_its_commit_stops_no_other_and_does_nothing_twice(strategy: &str) {
    let mut fleet = Fleet::start(Profile::Fleet, 0).await;
    fleet.turn_to(strategy).await;
    let sale = sale();
    sale.supply(&fleet).await;
    let (database, setting) = proxied(&fleet, "ONHAND_DATABASE_URL").await;
    database.lose_request(Trigger::Commit);
    fleet.start_worker(&[setting]).await;

    let burst = fleet.burst(sale.webhooks.clone(), CONNECTIONS);
    database.wait_hit().await;
    fleet.workers[0].freeze().await;
    fleet.start_worker(&[]).await;
    eventually("the other does the work", async || {
        (fleet.workers[1].counter("onhand_webhooks_total").await > 0.0).then_some(())
    })
    .await;

    fleet.workers[0].thaw().await;
    database.cut();
    burst.done().await;
    // What it held may have gone to the other one meanwhile; it is there, and stops in good order.
    sale.check(&fleet).await;
    fleet.finish().await;
}

async fn a_database_that_freezes_under_load_loses_nothing(strategy: &str) {
    let mut fleet = Fleet::start(Profile::Fleet, 0).await;
    fleet.turn_to(strategy).await;
    let sale = sale();
    sale.supply(&fleet).await;
    let (database, setting) = proxied(&fleet, "ONHAND_DATABASE_URL").await;
    for _ in 0..2 {
        fleet.start_worker(std::slice::from_ref(&setting)).await;
    }

    let mut burst = fleet.burst(sale.webhooks.clone(), CONNECTIONS);
    burst.accepted(150).await;
    database.stall();
    for worker in &fleet.workers {
        let ops = worker.ops().await;
        eventually("it is noticed", async || {
            let ready = get(ops, "/readyz").await.expect("the ops port answers");
            (ready.status == 503).then_some(())
        })
        .await;
    }
    database.resume();
    burst.done().await;
    sale.check(&fleet).await;
    assert_eq!(fleet.post().answered(200), sale.webhooks.len(), "senders noticed nothing");
    fleet.finish().await;
}

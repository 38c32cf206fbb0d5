//! SIGKILL, at exactly the moments where it could hurt.

use testkit::chaos::{ChaosProxy, Then, Trigger};

use super::{CONNECTIONS, sale};
use crate::harness::{Fleet, Profile, proxied, under_every_strategy};

under_every_strategy!(
    a_worker_killed_before_its_commit_arrives_has_done_nothing,
    a_worker_killed_between_commit_and_reply_has_done_it_once,
    workers_killed_again_and_again_do_everything_once,
);

async fn a_worker_killed_before_its_commit_arrives_has_done_nothing(strategy: &str) {
    let lose = |database: &ChaosProxy, _: &ChaosProxy| database.lose_request(Trigger::Commit);
    let redelivered = kill_worker_at(lose, Some(strategy)).await;
    assert_eq!(redelivered, 0.0, "nothing was decided, so all of it is decided anew");
}

async fn a_worker_killed_between_commit_and_reply_has_done_it_once(strategy: &str) {
    let lose = |database: &ChaosProxy, _: &ChaosProxy| {
        database.drop_replies_after(Trigger::Commit, Then::Silence);
    };
    assert!(kill_worker_at(lose, Some(strategy)).await > 0.0, "what was committed came again");
}

#[tokio::test]
async fn a_worker_killed_between_commit_and_acknowledgement_has_done_it_once() {
    let lose = |_: &ChaosProxy, broker: &ChaosProxy| broker.lose_request(Trigger::Ack);
    assert!(kill_worker_at(lose, None).await > 0.0, "what was committed came again");
}

/// Kills the only worker when the fault that `arm` prepares between it and its servers is hit, and
/// starts another. Gives back how much of what was decided came to that one again.
async fn kill_worker_at(arm: impl Fn(&ChaosProxy, &ChaosProxy), strategy: Option<&str>) -> f64 {
    let mut fleet = Fleet::start(Profile::Fleet, 0).await;
    if let Some(strategy) = strategy {
        fleet.turn_to(strategy).await;
    }
    let sale = sale();
    sale.supply(&fleet).await;
    let (database, database_setting) = proxied(&fleet, "ONHAND_DATABASE_URL").await;
    let (broker, broker_setting) = proxied(&fleet, "ONHAND_BROKER_URL").await;
    arm(&database, &broker);
    let one_lane = ("ONHAND_LANES", "1".to_owned());
    fleet.start_worker(&[database_setting, broker_setting, one_lane]).await;

    let burst = fleet.burst(sale.webhooks.clone(), CONNECTIONS);
    tokio::join!(database.wait_hit(), broker.wait_hit());
    fleet.workers.remove(0).kill9().await;
    assert_eq!(database.hits() + broker.hits(), 1);

    fleet.start_worker(&[]).await;
    burst.done().await;
    sale.check(&fleet).await;
    assert_eq!(fleet.post().answered(200), sale.webhooks.len(), "senders noticed nothing");
    let redelivered = fleet.workers[0].counter("onhand_redelivered_total").await;
    fleet.finish().await;
    redelivered
}

async fn workers_killed_again_and_again_do_everything_once(strategy: &str) {
    let mut fleet = Fleet::prepare(Profile::Fleet).await;
    fleet.turn_to(strategy).await;
    fleet.start_all(2).await;
    let sale = sale();
    sale.supply(&fleet).await;
    let mut burst = fleet.burst(sale.webhooks.clone(), CONNECTIONS);
    for kills in 1..=4 {
        burst.accepted(kills * sale.webhooks.len() / 5).await;
        fleet.workers.remove(0).kill9().await;
        fleet.start_worker(&[]).await;
    }
    burst.done().await;
    sale.check(&fleet).await;
    fleet.finish().await;
}

#[tokio::test]
async fn a_killed_worker_costs_no_more_than_the_batches_that_its_lanes_had_in_hand() {
    const LANES: u16 = 2;
    const BATCH: u16 = 16;
    let mut fleet = Fleet::prepare(Profile::Fleet).await;
    let sale = sale();
    sale.supply(&fleet).await;
    fleet.start_front(&[]).await;
    let small = [("ONHAND_LANES", LANES.to_string()), ("ONHAND_BATCH", BATCH.to_string())];
    fleet.start_worker(&small).await;
    let mut burst = fleet.burst(sale.webhooks.clone(), CONNECTIONS);
    burst.accepted(300).await;
    fleet.workers.remove(0).kill9().await;
    fleet.start_worker(&[]).await;
    burst.done().await;

    sale.check(&fleet).await;
    // A batch is whole parcels, so the last may go beyond it; and its acknowledgements may still have
    // been on their way when the next one was committed.
    let in_hand = 2 * LANES * (BATCH + 63);
    let again = fleet.workers[0].counter("onhand_redelivered_total").await;
    assert!(again <= in_hand.into(), "{again} were decided twice");
    fleet.finish().await;
}

#[tokio::test]
async fn an_ingress_killed_between_confirm_and_answer_has_its_webhook_applied_once() {
    let mut fleet = Fleet::prepare(Profile::Fleet).await;
    let sale = sale();
    sale.supply(&fleet).await;
    let (broker, setting) = proxied(&fleet, "ONHAND_BROKER_URL").await;
    fleet.start_front(&[setting]).await;
    fleet.start_worker(&[]).await;

    let mut burst = fleet.burst(sale.webhooks.clone(), CONNECTIONS);
    burst.accepted(100).await;
    broker.drop_replies_after(Trigger::Publish, Then::Silence);
    broker.wait_hit().await;
    fleet.front.take().expect("it runs").kill9().await;
    fleet.start_front(&[]).await;
    burst.done().await;

    sale.check(&fleet).await;
    let counts = fleet.ok(&["status"]).await["webhooks"].clone();
    let decided: i64 =
        counts.as_object().into_iter().flatten().filter_map(|(_, n)| n.as_i64()).sum();
    let answered = i64::try_from(fleet.post().answered(200)).expect("a small number");
    assert!(decided > answered, "{decided} deliveries are there, {answered} were answered");
    fleet.finish().await;
}

#[tokio::test]
async fn an_embedded_process_killed_again_and_again_loses_and_repeats_nothing() {
    let mut fleet = Fleet::start(Profile::Embedded, 0).await;
    let sale = sale();
    sale.supply(&fleet).await;
    let mut burst = fleet.burst(sale.webhooks.clone(), CONNECTIONS);
    for kills in 1..=5 {
        burst.accepted(kills * sale.webhooks.len() / 6).await;
        fleet.front.take().expect("it runs").kill9().await;
        fleet.start_front(&[]).await;
    }
    burst.done().await;
    sale.check(&fleet).await;
    fleet.finish().await;
}

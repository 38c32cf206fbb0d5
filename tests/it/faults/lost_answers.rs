//! The far side acted, and its answer is lost: the one fault that cannot be told from "it did not".

use testkit::chaos::{Then, Trigger};
use testkit::shopify::ShopifyOrder;

use super::{CONNECTIONS, REFUSED_WITHIN, sale};
use crate::harness::{Fleet, Profile, eventually, proxied, under_every_strategy};

under_every_strategy!(
    a_lost_commit_reply_has_one_effect,
    connections_that_are_cut_again_and_again_lose_and_repeat_nothing,
);

#[tokio::test]
async fn a_lost_publisher_confirm_has_one_effect() {
    let mut fleet = Fleet::prepare(Profile::Fleet).await;
    let sale = sale();
    sale.supply(&fleet).await;
    let (broker, setting) = proxied(&fleet, "ONHAND_BROKER_URL").await;
    fleet.start_front(&[setting]).await;
    fleet.start_worker(&[]).await;

    let mut burst = fleet.burst(sale.webhooks.clone(), CONNECTIONS);
    burst.accepted(100).await;
    broker.drop_replies_after(Trigger::Publish, Then::Cut);
    broker.wait_hit().await;
    burst.done().await;

    assert_eq!(broker.hits(), 1);
    assert!(fleet.post().answered(503) > 0, "who had no confirm was told so");
    sale.check(&fleet).await;
    fleet.finish().await;
}

async fn a_lost_commit_reply_has_one_effect(strategy: &str) {
    let mut fleet = Fleet::start(Profile::Fleet, 0).await;
    fleet.turn_to(strategy).await;
    let sale = sale();
    sale.supply(&fleet).await;
    let (database, setting) = proxied(&fleet, "ONHAND_DATABASE_URL").await;
    fleet.start_worker(&[setting]).await;

    let mut burst = fleet.burst(sale.webhooks.clone(), CONNECTIONS);
    burst.accepted(100).await;
    database.drop_replies_after(Trigger::Commit, Then::Cut);
    database.wait_hit().await;
    burst.done().await;

    assert_eq!(database.hits(), 1);
    sale.check(&fleet).await;
    assert_eq!(fleet.post().answered(200), sale.webhooks.len(), "senders noticed nothing");
    fleet.finish().await;
}

async fn connections_that_are_cut_again_and_again_lose_and_repeat_nothing(strategy: &str) {
    let mut fleet = Fleet::prepare(Profile::Fleet).await;
    fleet.turn_to(strategy).await;
    let sale = sale();
    sale.supply(&fleet).await;
    let (front_broker, setting) = proxied(&fleet, "ONHAND_BROKER_URL").await;
    fleet.start_front(&[setting]).await;
    let (broker, broker_setting) = proxied(&fleet, "ONHAND_BROKER_URL").await;
    let (database, database_setting) = proxied(&fleet, "ONHAND_DATABASE_URL").await;
    fleet.start_worker(&[broker_setting, database_setting]).await;

    let mut burst = fleet.burst(sale.webhooks.clone(), CONNECTIONS);
    for (at, proxy) in [&database, &broker, &front_broker, &database, &broker].iter().enumerate() {
        burst.accepted((at + 1) * 100).await;
        proxy.cut();
    }
    burst.done().await;
    sale.check(&fleet).await;
    fleet.finish().await;
}

#[tokio::test]
async fn a_broker_that_falls_silent_is_told_in_time_and_its_return_is_noticed() {
    let mut fleet = Fleet::prepare(Profile::Fleet).await;
    fleet.stock("CAP", 1000).await;
    let (broker, setting) = proxied(&fleet, "ONHAND_BROKER_URL").await;
    fleet.start_front(&[setting]).await;
    fleet.start_worker(&[]).await;
    let webhook = |id| ShopifyOrder::new(id).line("CAP", 1).webhook("orders/create");
    assert_eq!(fleet.send(&webhook(1)).await, 200);

    broker.stall();
    let (first, second) = (webhook(2), webhook(3));
    let answers = tokio::join!(fleet.send(&first), fleet.send(&second));
    assert_eq!(answers, (503, 503));
    let slowest = fleet.post().slowest;
    assert!(slowest < REFUSED_WITHIN, "one answer took {slowest:?}");

    broker.resume();
    for webhook in [first, second] {
        let again = async || (fleet.send(&webhook).await == 200).then_some(());
        eventually("it accepts again", again).await;
    }
    fleet.settled().await;
    assert_eq!(fleet.stock_of("CAP").await, (1000, 3));
    fleet.finish().await;
}

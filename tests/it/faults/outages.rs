//! Broker and database go away and come back; nobody is told, and nobody has to do anything.

use testkit::services::{Postgres, RabbitMq};
use testkit::shopify::ShopifyOrder;

use super::{CONNECTIONS, REFUSED_WITHIN, sale};
use crate::harness::{Fleet, eventually, under_every_strategy};

under_every_strategy!(a_database_that_is_killed_and_restarted_under_load_loses_nothing);

#[tokio::test]
async fn a_broker_that_is_killed_and_restarted_under_load_loses_nothing() {
    let mut broker = RabbitMq::start().await;
    let mut fleet = Fleet::prepare_on(None, Some(&broker.url())).await;
    let sale = sale();
    sale.supply(&fleet).await;
    fleet.start_front(&[]).await;
    fleet.start_worker(&[]).await;
    fleet.start_worker(&[]).await;

    let mut burst = fleet.burst(sale.webhooks.clone(), CONNECTIONS);
    burst.accepted(150).await;
    broker.kill9();
    broker.start_again().await;
    burst.accepted(400).await;
    broker.stop().await;
    broker.start_again().await;
    burst.done().await;

    sale.check(&fleet).await;
    fleet.finish().await;
}

#[tokio::test]
async fn without_a_broker_every_webhook_is_refused_in_time_and_accepted_again_afterwards() {
    let mut broker = RabbitMq::start().await;
    let mut fleet = Fleet::prepare_on(None, Some(&broker.url())).await;
    fleet.stock("CAP", 1000).await;
    fleet.start_front(&[]).await;
    fleet.start_worker(&[]).await;
    let webhook = |id| ShopifyOrder::new(id).line("CAP", 1).webhook("orders/create");
    assert_eq!(fleet.send(&webhook(1)).await, 200);
    fleet.settled().await; // so both are connected

    broker.stop().await;
    for id in 2..30 {
        let webhook = webhook(id);
        let answer = fleet.deliver(&webhook.headers(), &webhook.body).await;
        assert_eq!(answer.status, 503);
        assert!(answer.retry_after.is_some());
    }
    let slowest = fleet.post().slowest;
    assert!(slowest < REFUSED_WITHIN, "one answer took {slowest:?}");
    assert!(!fleet.is_ready().await, "a load balancer can see it");
    let front = fleet.front.as_ref().expect("it runs");
    let failed = front.metric("onhand_publish_failures_total{reason=\"unavailable\"}").await;
    assert!(failed.is_some_and(|webhooks| webhooks > 0.0), "{failed:?}");

    broker.start_again().await;
    let again = webhook(30);
    eventually("it accepts again", async || (fleet.send(&again).await == 200).then_some(())).await;
    fleet.settled().await;
    let (_, committed) = fleet.stock_of("CAP").await;
    assert_eq!(committed, 2, "the first and the last; what was refused is nowhere");
    for (role, purpose) in [(front, "publish"), (&fleet.workers[0], "consume")] {
        let line = format!("onhand_broker_reconnects_total{{purpose=\"{purpose}\"}}");
        assert_eq!(role.metric(&line).await, Some(1.0), "{role:?}");
    }
    fleet.finish().await;
}

async fn a_database_that_is_killed_and_restarted_under_load_loses_nothing(strategy: &str) {
    let mut database = Postgres::start().await;
    let mut fleet = Fleet::prepare_on(Some(&database.url()), None).await;
    fleet.turn_to(strategy).await;
    let sale = sale();
    sale.supply(&fleet).await;
    fleet.start_front(&[]).await;
    fleet.start_worker(&[]).await;
    fleet.start_worker(&[]).await;

    let mut burst = fleet.burst(sale.webhooks.clone(), CONNECTIONS);
    burst.accepted(150).await;
    database.kill9();
    database.start_again().await;
    burst.accepted(400).await;
    database.restart_fast().await;
    burst.done().await;

    sale.check(&fleet).await;
    let post = fleet.post();
    assert_eq!(post.answered(200), sale.webhooks.len(), "an ingress needs no database");
    for worker in &fleet.workers {
        assert!(worker.counter("onhand_store_outages_total").await > 0.0, "{worker:?}");
    }
    fleet.finish().await;
}

/// As one without a leader is: its members were lost, or the broker was killed while it was made.
#[tokio::test]
async fn a_queue_that_takes_no_consumer_is_named_and_taken_from_once_it_does() {
    let broker = RabbitMq::start().await;
    let mut fleet = Fleet::prepare_on(None, Some(&broker.url())).await;
    fleet.stock("CAP", 10).await;
    fleet.start_front(&[]).await; // which declares it
    let queue = fleet.settings["ONHAND_BROKER_PREFIX"].clone() + ".unrouted";
    broker.freeze_queue(&queue);
    fleet.start_worker(&[]).await;
    let named = format!("queue {queue:?} takes no consumer");
    fleet.workers[0].complains(&named).await;

    let webhook = ShopifyOrder::new(1).line("CAP", 1).webhook("orders/create");
    assert_eq!(fleet.send(&webhook).await, 200);
    broker.thaw_queue(&queue);
    fleet.settled().await;
    assert_eq!(fleet.stock_of("CAP").await, (10, 1));
    fleet.finish().await;
}

//! RabbitMQ under the contract, and what only RabbitMQ promises.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use domain::Envelope;
use lapin::options::{
    BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, ExchangeDeleteOptions,
    QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use queue::rabbitmq::{RabbitConsumer, RabbitMq, RabbitMqConfig, RabbitPublisher};
use queue::{
    Broker, Consumer, Content, PublishError, Publisher, QueueError, QueueStats, Settlement,
};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::depth::{nothing_is_known, recorded, value, what_waits_is_shown};
use crate::harness::{
    TestQueue, batch, counted, done, envelope, nothing_left, number, one, publish_all, soon,
};
use crate::proxy::Proxy;

mod leaderless;
mod partitions;
mod spool;

conformance_suite!(Rabbit);

/// Queues under a prefix that no other test uses.
struct Rabbit {
    broker: RabbitMq,
    config: RabbitMqConfig,
}

impl TestQueue for Rabbit {
    type Publisher = RabbitPublisher;
    type Consumer = RabbitConsumer;

    async fn open() -> Self {
        Self::at(url()).await
    }

    async fn publisher(&self) -> RabbitPublisher {
        self.broker.publisher()
    }

    async fn consumer(&self) -> RabbitConsumer {
        self.broker.consumer(1_000)
    }

    async fn stats(&self) -> QueueStats {
        // Where a connection was just cut, the next one may not be there yet.
        soon("the broker's answer", async {
            loop {
                match self.broker.stats().await {
                    Ok(stats) => return stats,
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        })
        .await
    }

    async fn crash(self, consumer: RabbitConsumer) -> Self {
        // Neither is closed: the connections just end.
        drop(consumer);
        drop(self.broker);
        let broker = RabbitMq::connect(self.config.clone()).await.expect("the broker is there");
        Self { broker, config: self.config }
    }

    async fn smuggle(&self, raw: &[u8]) {
        let channel = admin().await;
        channel.confirm_select(ConfirmSelectOptions::default()).await.expect("confirms");
        let (exchange, key) = (self.config.prefix.as_str().into(), "webhooks".into());
        let options = BasicPublishOptions { mandatory: true, immediate: false };
        let published = channel
            .basic_publish(exchange, key, options, raw, BasicProperties::default())
            .await
            .expect("published");
        assert!(published.await.expect("confirmed").is_ack());
    }

    async fn finish(self) {
        let prefix = self.config.prefix.clone();
        soon("the close", self.broker.close()).await;
        let channel = admin().await;
        let rungs =
            ["1s", "5s", "30s", "120s", "600s", "3600s"].map(|rung| format!("retry.{rung}"));
        let others = ["webhooks", "dead", "unrouted"].map(str::to_owned);
        let count = if self.config.partitions > 1 { self.config.partitions } else { 0 };
        let partitions: Vec<String> = (0..count).map(|n| format!("webhooks.{n}")).collect();
        for name in others.iter().chain(&rungs).chain(&partitions) {
            let queue = format!("{prefix}.{name}");
            let deleted = channel.queue_delete(queue.into(), QueueDeleteOptions::default());
            deleted.await.expect("it can be deleted");
        }
        for exchange in [prefix.clone(), format!("{prefix}.unrouted")] {
            let deleted =
                channel.exchange_delete(exchange.into(), ExchangeDeleteOptions::default());
            deleted.await.expect("it can be deleted");
        }
    }
}

impl Rabbit {
    async fn at(url: String) -> Self {
        let config = config(url);
        let broker = RabbitMq::connect(config.clone()).await.expect("the broker is there");
        Self { broker, config }
    }

    fn name(&self, ending: &str) -> String {
        format!("{}.{ending}", self.config.prefix)
    }
}

fn config(url: String) -> RabbitMqConfig {
    let prefix = format!("test-{}", uuid::Uuid::now_v7());
    RabbitMqConfig { prefix, connection_name: "conformance".to_owned(), ..RabbitMqConfig::new(url) }
}

fn url() -> String {
    let url = std::env::var_os("ONHAND_TEST_AMQP_URL")
        .expect("run scripts/test, or set ONHAND_TEST_AMQP_URL=amqp://user:password@host:port");
    url.into_string().expect("a URL is text")
}

/// The test's own way to the broker.
async fn admin() -> Channel {
    let properties = ConnectionProperties::default();
    let connection = Connection::connect(&url(), properties).await.expect("the broker is there");
    connection.create_channel().await.expect("a channel")
}

/// The broker behind a proxy, and the URL through it.
async fn proxied() -> (Proxy, String) {
    let uri: lapin::uri::AMQPUri = url().parse().expect("a broker's URL");
    let upstream = format!("{}:{}", uri.authority.host, uri.authority.port);
    let proxy = Proxy::start(upstream).await;
    let mut through = uri;
    through.authority.host = proxy.address.ip().to_string();
    through.authority.port = proxy.address.port();
    (proxy, through.to_string())
}

#[tokio::test]
async fn what_has_no_route_is_kept_and_given_up() {
    let queue = Rabbit::open().await;
    unbind(&queue.name("webhooks"), &queue.config.prefix, "webhooks").await;
    publish_all(&queue.publisher().await, vec![envelope(1)]).await;

    let mut consumer = queue.consumer().await;
    let delivery = one(&mut consumer).await;
    match &delivery.content {
        Content::GivenUp { envelope: received, why } => {
            assert_eq!(*received, envelope(1));
            assert!(why.contains("no route"), "{why}");
        }
        other => panic!("{other:?}"),
    }
    done(&mut consumer, [delivery.id]).await;
    nothing_left(queue, consumer).await;
}

#[tokio::test]
async fn a_parcel_carries_its_trace_beside_it_for_other_tools() {
    let queue = Rabbit::open().await;
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
    let traced = Envelope { traceparent: Some(traceparent.to_owned()), ..envelope(1) };
    publish_all(&queue.publisher().await, vec![traced.clone()]).await;

    let channel = admin().await;
    let got = channel.basic_get(queue.name("webhooks").into(), BasicGetOptions::default()).await;
    let message = got.expect("it can be asked").expect("it is there");
    let headers = message.delivery.properties.headers().clone().unwrap_or_default();
    let carried = headers.inner().get("traceparent").cloned();
    assert_eq!(carried, Some(AMQPValue::LongString(traceparent.into())));
    // Closing the channel gives it back.
    channel.close(200, "seen".into()).await.expect("it closes");
    let mut consumer = queue.consumer().await;
    let delivery = one(&mut consumer).await;
    match &delivery.content {
        Content::Envelope(received) => assert_eq!(*received, traced),
        other => panic!("{other:?}"),
    }
    done(&mut consumer, [delivery.id]).await;
    nothing_left(queue, consumer).await;
}

#[tokio::test]
async fn what_no_queue_takes_is_never_read_as_confirmed_and_bindings_come_back() {
    let (metrics, _guard) = recorded();
    let queue = Rabbit::open().await;
    let returned = "onhand_publish_unconfirmed_total{answer=\"returned\"}";
    assert!(metrics.render().contains(&format!("{returned} 0\n")), "there before the first");
    unbind(&queue.name("webhooks"), &queue.config.prefix, "webhooks").await;
    unbind(&queue.name("unrouted"), &queue.name("unrouted"), "").await;
    let publisher = queue.publisher().await;
    let publishes = (0..500).map(|number| publisher.publish(envelope(number)));
    let published = futures_util::future::join_all(publishes).await;
    let refused = published.iter().filter(|one| matches!(one, Err(PublishError::Refused(_))));
    let refused = u32::try_from(refused.count()).expect("500 at most");
    assert!(refused > 0);
    let counted = value(&metrics, "onhand_publish_failures_total{reason=\"refused\"}");
    assert_eq!(counted, Some(f64::from(refused)));
    assert!(!metrics.render().contains(&format!("{returned} 0\n")), "{}", metrics.render());
    let mut confirmed: BTreeSet<u128> =
        (0..500).zip(published).filter(|(_, one)| one.is_ok()).map(|(number, _)| number).collect();

    soon("the bindings", async {
        while publisher.publish(envelope(500)).await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    confirmed.insert(500);
    let mut consumer = queue.consumer().await;
    let mut arrived = BTreeSet::new();
    while !arrived.is_superset(&confirmed) {
        take_some(&mut consumer, &mut arrived).await;
    }
    drain(&queue, &mut consumer).await;
    consumer.close().await;
    queue.finish().await;
}

#[tokio::test]
async fn what_is_settled_after_its_connection_broke_is_expected_again() {
    let (metrics, _guard) = recorded();
    let (proxy, through) = proxied().await;
    let queue = Rabbit::at(through).await;
    publish_all(&queue.publisher().await, vec![envelope(1)]).await;
    assert_eq!(value(&metrics, "onhand_parcel_envelopes_sum"), Some(1.0));
    let mut consumer = queue.consumer().await;
    let delivery = one(&mut consumer).await;
    let consuming = "onhand_broker_reconnects_total{purpose=\"consume\"}";
    let expected = "onhand_redeliveries_expected_total";
    assert_eq!([consuming, expected].map(|line| value(&metrics, line)), [Some(0.0); 2]);

    proxy.cut();
    let again = one(&mut consumer).await;
    done(&mut consumer, [delivery.id]).await;
    assert_eq!([consuming, expected].map(|line| value(&metrics, line)), [Some(1.0); 2]);
    done(&mut consumer, [again.id]).await;
    nothing_left(queue, consumer).await;
}

#[tokio::test]
async fn a_rung_of_the_ladder_that_was_deleted_comes_back() {
    let queue = Rabbit::open().await;
    publish_all(&queue.publisher().await, vec![envelope(1)]).await;
    let mut consumer = queue.consumer().await;
    let delivery = one(&mut consumer).await;
    let rung = queue.name("retry.1s").into();
    let deleted = admin().await.queue_delete(rung, QueueDeleteOptions::default()).await;
    deleted.expect("it can be deleted");

    let wait = Settlement::RetryIn(Duration::from_secs(1));
    soon("the ladder", consumer.settle(vec![(delivery.id, wait)])).await;
    let delivery = one(&mut consumer).await;
    assert_eq!((number(&delivery), delivery.attempts), (1, 1));
    done(&mut consumer, [delivery.id]).await;
    nothing_left(queue, consumer).await;
}

#[tokio::test]
async fn what_waits_is_shown_as_metrics_and_nothing_while_nobody_can_know() {
    let (metrics, _guard) = recorded();
    let (proxy, through) = proxied().await;
    let queue = Rabbit::at(through).await;
    let any = what_waits_is_shown(Broker::RabbitMq(queue.config.clone()), &metrics).await;
    proxy.set_open(false);
    proxy.cut();
    nothing_is_known(&any, &metrics).await;
    proxy.set_open(true);
    any.close().await;
    queue.finish().await;
}

async fn unbind(queue: &str, exchange: &str, key: &str) {
    let (queue, exchange, key) = (queue.into(), exchange.into(), key.into());
    let channel = admin().await;
    channel.queue_unbind(queue, exchange, key, FieldTable::default()).await.expect("unbound");
}

#[tokio::test]
async fn what_is_handed_out_too_often_is_given_up_and_may_still_wait() {
    let queue = Rabbit::open().await;
    publish_all(&queue.publisher().await, vec![envelope(1)]).await;
    let mut redeliveries = 0;
    let (mut consumer, delivery) = loop {
        let mut consumer = queue.consumer().await;
        let delivery = one(&mut consumer).await;
        if matches!(delivery.content, Content::GivenUp { .. }) {
            break (consumer, delivery);
        }
        assert_eq!(delivery.redeliveries, redeliveries);
        redeliveries += 1;
        assert!(redeliveries <= 101, "the broker never gives up");
        drop(consumer);
    };
    assert_eq!(redeliveries, 101);
    let wait = Settlement::RetryIn(Duration::from_secs(1));
    consumer.settle(vec![(delivery.id, wait)]).await;

    let delivery = one(&mut consumer).await;
    assert_eq!(delivery.attempts, 1);
    match &delivery.content {
        Content::GivenUp { envelope: received, why } => {
            assert_eq!(*received, envelope(1));
            assert!(why.contains("more than 100 times"), "{why}");
        }
        other => panic!("{other:?}"),
    }
    done(&mut consumer, [delivery.id]).await;
    nothing_left(queue, consumer).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_connections_under_load_lose_nothing_that_was_confirmed() {
    const CUTS: u64 = 8;
    let (proxy, through) = proxied().await;
    let queue = Rabbit::at(through).await;
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    let publishers: Vec<_> = (0..16)
        .map(|task| {
            let (publisher, stop) = (queue.broker.publisher(), stop.clone());
            tasks.spawn(async move {
                let mut confirmed = BTreeSet::new();
                for number in (task..).step_by(16) {
                    if stop.is_cancelled() {
                        break;
                    }
                    match publisher.publish(envelope(number)).await {
                        Ok(()) => drop(confirmed.insert(number)),
                        // Unknown: it may arrive all the same.
                        Err(PublishError::Unavailable(_)) => tokio::task::yield_now().await,
                        Err(refused) => panic!("{refused}"),
                    }
                }
                confirmed
            })
        })
        .collect();

    let mut consumer = queue.consumer().await;
    let mut arrived = BTreeSet::new();
    for cut in 1..=CUTS {
        // Cut only what works: something must get through in between.
        let enough = arrived.len() + 50;
        while arrived.len() < enough {
            take_some(&mut consumer, &mut arrived).await;
        }
        proxy.cut();
        soon("the cut", async {
            while proxy.times_cut() < cut {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
    stop.cancel();
    let mut confirmed = BTreeSet::new();
    for publisher in publishers {
        confirmed.extend(soon("a publisher", publisher).await.expect("it does not panic"));
    }
    while !arrived.is_superset(&confirmed) {
        take_some(&mut consumer, &mut arrived).await;
    }
    assert!(confirmed.len() > 100);
    drain(&queue, &mut consumer).await;
    consumer.close().await;
    queue.finish().await;
}

async fn take_some(consumer: &mut RabbitConsumer, arrived: &mut BTreeSet<u128>) {
    let deliveries = batch(consumer).await;
    arrived.extend(deliveries.iter().map(number));
    done(consumer, deliveries.iter().map(|delivery| delivery.id)).await;
}

/// Settles until nothing is left.
async fn drain(queue: &Rabbit, consumer: &mut RabbitConsumer) {
    let mut rest = BTreeSet::new();
    tokio::select! {
        () = async { loop { take_some(consumer, &mut rest).await } } => {}
        () = counted(queue, 0, 0) => {}
    }
}

#[tokio::test]
async fn without_a_broker_publishing_fails_fast_and_works_when_it_is_back() {
    let (metrics, _guard) = recorded();
    let (proxy, through) = proxied().await;
    proxy.set_open(false);
    let config = config(through);
    let tried = RabbitMq::connect(config.clone()).await;
    assert!(matches!(tried, Err(QueueError::Unreachable(_))), "{tried:?}");

    let broker = RabbitMq::connect_lazily(config.clone()).expect("it needs no broker");
    let publisher = broker.publisher();
    let since = Instant::now();
    let published = publisher.publish(envelope(1)).await;
    assert!(matches!(published, Err(PublishError::Unavailable(_))), "{published:?}");
    assert!(since.elapsed() < Duration::from_secs(1), "took {:?}", since.elapsed());
    assert!(!publisher.is_ready());
    let unavailable = "onhand_publish_failures_total{reason=\"unavailable\"}";
    assert_eq!(value(&metrics, unavailable), Some(1.0));
    let mut consumer = broker.consumer(10);

    proxy.set_open(true);
    soon("the connection", async {
        while !publisher.is_ready() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    publisher.publish(envelope(2)).await.expect("it is back");
    let delivery = one(&mut consumer).await;
    assert_eq!(number(&delivery), 2);
    done(&mut consumer, [delivery.id]).await;

    let queue = Rabbit { broker, config };
    proxy.set_open(false);
    proxy.cut();
    soon("the loss to be noticed", async {
        while publisher.is_ready() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    proxy.set_open(true);
    // The cut may have swallowed the acknowledgement: then the second comes once more.
    soon("the connection", async {
        while publisher.publish(envelope(3)).await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let mut arrived = BTreeSet::new();
    while !arrived.contains(&3) {
        take_some(&mut consumer, &mut arrived).await;
    }
    let reconnects = value(&metrics, "onhand_broker_reconnects_total{purpose=\"publish\"}");
    assert_eq!(reconnects, Some(1.0), "the first connection is none that was opened again");
    drain(&queue, &mut consumer).await;
    consumer.close().await;
    queue.finish().await;
}

#[tokio::test]
async fn a_queue_with_other_settings_is_named_in_the_error() {
    let config = config(url());
    // The first that is declared, so that nothing else is left behind.
    let name = format!("{}.unrouted", config.prefix);
    let channel = admin().await;
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    let declared = channel.queue_declare(name.as_str().into(), options, FieldTable::default());
    declared.await.expect("a classic queue");

    let tried = RabbitMq::connect(config).await;
    let Err(QueueError::Unusable(why)) = tried else { panic!("{tried:?}") };
    assert!(why.contains(&name) && why.contains("delete"), "{why}");
    let (queue, exchange) = (name.as_str().into(), name.as_str().into());
    channel.queue_delete(queue, QueueDeleteOptions::default()).await.expect("deleted");
    channel.exchange_delete(exchange, ExchangeDeleteOptions::default()).await.expect("deleted");
}

#[tokio::test]
async fn a_wrong_password_is_told_from_an_absent_broker() {
    let mut uri: lapin::uri::AMQPUri = url().parse().expect("a broker's URL");
    uri.authority.userinfo.password = "wrong-hunter2".to_owned();
    let tried = RabbitMq::connect(config(uri.to_string())).await;
    let Err(QueueError::Unusable(why)) = tried else { panic!("{tried:?}") };
    assert!(why.contains("password") && !why.contains("hunter2"), "{why}");
}

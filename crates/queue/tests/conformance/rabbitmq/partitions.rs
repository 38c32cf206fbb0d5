//! Webhooks over several queues: the same contract, and what only partitions promise.

use std::collections::BTreeMap;

use bytes::Bytes;
use domain::Envelope;

use super::*;

const PARTITIONS: u16 = 4;

// All checks but that of two consumers that share at once: here the second waits for its part.
conformance_suite!(Partitioned:
    what_is_published_is_delivered_settled_and_gone,
    all_of_two_thousand_from_many_tasks_arrive_in_shared_parcels,
    duplicates_in_one_parcel_are_settled_one_by_one,
    a_large_body_arrives_whole,
    a_dropped_wait_for_a_batch_loses_nothing,
    a_partly_settled_parcel_comes_back_after_a_crash,
    redeliveries_grow_with_every_crash,
    what_is_settled_twice_or_unknown_is_ignored,
    what_must_wait_comes_back_later_with_one_more_attempt,
    what_must_wait_survives_a_crash,
    closing_gives_back_what_is_held,
    what_waits_is_counted,
    what_cannot_be_read_is_handed_over_raw_and_can_wait,
);

/// The same broker with several partitions.
struct Partitioned(Rabbit);

impl TestQueue for Partitioned {
    type Publisher = RabbitPublisher;
    type Consumer = RabbitConsumer;

    async fn open() -> Self {
        let config = RabbitMqConfig { partitions: PARTITIONS, ..config(url()) };
        let broker = RabbitMq::connect(config.clone()).await.expect("the broker is there");
        Self(Rabbit { broker, config })
    }

    async fn publisher(&self) -> RabbitPublisher {
        self.0.publisher().await
    }

    async fn consumer(&self) -> RabbitConsumer {
        self.0.consumer().await
    }

    async fn stats(&self) -> QueueStats {
        self.0.stats().await
    }

    async fn crash(self, consumer: RabbitConsumer) -> Self {
        Self(self.0.crash(consumer).await)
    }

    async fn smuggle(&self, raw: &[u8]) {
        self.0.smuggle(raw).await;
    }

    async fn finish(self) {
        self.0.finish().await;
    }
}

/// The `number`th webhook, of one of ten orders.
fn of_an_order(number: u128) -> Envelope {
    Envelope { body: Bytes::from(format!(r#"{{"id":{}}}"#, order(number))), ..envelope(number) }
}

fn order(number: u128) -> u128 {
    number % 10
}

#[tokio::test]
async fn what_comes_of_one_order_waits_in_turn_while_orders_go_side_by_side() {
    let queue = Partitioned::open().await;
    let publisher = queue.publisher().await;
    let mut filled = 0;
    for number in 0..50 {
        publisher.publish(of_an_order(number)).await.expect("the queue takes it");
    }
    let channel = admin().await;
    for partition in 0..PARTITIONS {
        let name = queue.0.name(&format!("webhooks.{partition}"));
        let passive = QueueDeclareOptions { passive: true, durable: true, ..Default::default() };
        let asked = channel.queue_declare(name.into(), passive, FieldTable::default()).await;
        filled += u32::from(asked.expect("it is there").message_count() > 0);
    }
    assert!(filled > 1, "all orders went to one queue");

    let mut consumer = queue.consumer().await;
    let (mut latest, mut count) = (BTreeMap::new(), 0);
    while count < 50 {
        for delivery in batch(&mut consumer).await {
            let number = number(&delivery);
            let before = latest.insert(order(number), number);
            assert!(before < Some(number), "{number} came after {before:?}");
            done(&mut consumer, [delivery.id]).await;
            count += 1;
        }
    }
    nothing_left(queue, consumer).await;
}

/// Else what comes of one order would be decided by two lanes at the same time.
#[tokio::test]
async fn a_partition_serves_one_consumer_at_a_time() {
    let queue = Partitioned::open().await;
    let (mut first, mut second) = (queue.consumer().await, queue.consumer().await);
    let channel = admin().await;
    let served = async |name: &str| {
        let passive = QueueDeclareOptions { passive: true, durable: true, ..Default::default() };
        let name = queue.0.name(name).into();
        let asked = channel.queue_declare(name, passive, FieldTable::default()).await;
        asked.expect("it is there").consumer_count()
    };
    let looking = async {
        // A consumer is in line for all partitions before it subscribes to this one.
        while served("webhooks").await < 2 {}
        for partition in 0..PARTITIONS {
            assert_eq!(served(&format!("webhooks.{partition}")).await, 1, "{partition}");
        }
    };
    soon("both in line", async {
        tokio::select! {
            () = looking => {}
            _ = batch(&mut first) => panic!("nothing was published"),
            _ = batch(&mut second) => panic!("nothing was published"),
        }
    })
    .await;
    drop(second);
    nothing_left(queue, first).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_late_gets_a_part_and_who_leaves_leaves_it_to_the_others() {
    let queue = Partitioned::open().await;
    let publisher = queue.publisher().await;
    let mut first = queue.consumer().await;
    publisher.publish(of_an_order(0)).await.expect("the queue takes it");
    let delivery = one(&mut first).await;
    done(&mut first, [delivery.id]).await;

    // Something comes all the time, for whoever has its partition.
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    let stopped = stop.clone();
    let sending = tasks.spawn(async move {
        let mut sent = 0;
        while !stopped.is_cancelled() {
            publisher.publish(of_an_order(sent + 1)).await.expect("the queue takes it");
            sent += 1;
        }
        sent
    });
    let mut second = queue.consumer().await;
    let mut arrived = BTreeSet::from([0]);
    let mut theirs = BTreeSet::new();
    soon("a part for the second", async {
        tokio::select! {
            () = async { while theirs.is_empty() { take_some(&mut second, &mut theirs).await } } => {}
            () = async { loop { take_some(&mut first, &mut arrived).await } } => {}
        }
    })
    .await;
    soon("the first to leave", first.close()).await;
    let mut orders = BTreeSet::new();
    soon("all orders", async {
        while orders.len() < 10 {
            let before = theirs.clone();
            take_some(&mut second, &mut theirs).await;
            orders.extend(theirs.difference(&before).map(|number| order(*number)));
        }
    })
    .await;
    stop.cancel();
    let sent = sending.await.expect("it does not panic");
    soon("all that was sent", async {
        while !(0..=sent).all(|number| arrived.contains(&number) || theirs.contains(&number)) {
            take_some(&mut second, &mut theirs).await;
        }
    })
    .await;
    nothing_left(queue, second).await;
}

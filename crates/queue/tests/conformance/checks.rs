//! The contract of `queue::Publisher` and `queue::Consumer`, check by check.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use domain::Envelope;
use futures_util::FutureExt;
use queue::{Consumer, Content, Publisher, Settlement};
use tokio_util::task::TaskTracker;

use crate::harness::{
    TestQueue, batch, counted, done, envelope, nothing_left, number, numbers, one, publish_all,
    soon, take,
};

mod giving_back;
pub(crate) use giving_back::*;

/// Runs every check on one implementation.
macro_rules! conformance_suite {
    ($queue:ty: $($check:ident,)+) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $check() {
            $crate::checks::$check::<$queue>().await;
        }
    )+};
    ($queue:ty) => {
        conformance_suite!($queue:
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
            what_is_held_comes_back_later_and_nothing_counts,
            what_was_redelivered_before_it_was_held_is_known_for_it_after,
            what_is_held_survives_a_crash_and_stays_together,
            a_pause_gives_back_all_and_counts_nothing_that_was_not_handed_out,
            a_pause_before_anything_came_takes_nothing_with_it,
            a_close_counts_nothing_that_was_not_handed_out,
            closing_gives_back_what_is_held,
            two_consumers_share_the_work,
            what_waits_is_counted,
            what_cannot_be_read_is_handed_over_raw_and_can_wait,
        );
    };
}

pub(crate) async fn what_is_published_is_delivered_settled_and_gone<Q: TestQueue>() {
    let queue = Q::open().await;
    let publisher = queue.publisher().await;
    assert!(publisher.is_ready());
    publish_all(&publisher, vec![envelope(1)]).await;

    let mut consumer = queue.consumer().await;
    let delivery = one(&mut consumer).await;
    assert_eq!((delivery.attempts, delivery.redeliveries), (0, 0));
    match &delivery.content {
        Content::Envelope(received) => assert_eq!(*received, envelope(1)),
        other => panic!("{other:?}"),
    }
    done(&mut consumer, [delivery.id]).await;
    counted(&queue, 0, 0).await;
    nothing_left(queue, consumer).await;
}

pub(crate) async fn all_of_two_thousand_from_many_tasks_arrive_in_shared_parcels<Q: TestQueue>() {
    const TASKS: u128 = 64;
    const ALL: u128 = 2_000;
    let queue = Q::open().await;
    let publisher = queue.publisher().await;
    let tasks = TaskTracker::new();
    for task in 0..TASKS {
        let publisher = publisher.clone();
        tasks.spawn(async move {
            for number in (task..ALL).step_by(64) {
                publisher.publish(envelope(number)).await.expect("the queue takes it");
            }
        });
    }

    let mut consumer = queue.consumer().await;
    let mut arrived = BTreeSet::new();
    let mut parcels = BTreeSet::new();
    while arrived.len() < 2_000 {
        let deliveries = batch(&mut consumer).await;
        for delivery in &deliveries {
            assert!(arrived.insert(number(delivery)), "delivered twice");
            parcels.insert((delivery.id.session, delivery.id.parcel));
        }
        done(&mut consumer, deliveries.iter().map(|delivery| delivery.id)).await;
    }
    assert_eq!(arrived, numbers(0..ALL));
    assert!(parcels.len() < 1_000, "{} parcels hold hardly more than one", parcels.len());
    tasks.close();
    soon("the publishers", tasks.wait()).await;
    nothing_left(queue, consumer).await;
}

pub(crate) async fn duplicates_in_one_parcel_are_settled_one_by_one<Q: TestQueue>() {
    let queue = Q::open().await;
    publish_all(&queue.publisher().await, vec![envelope(1); 100]).await;
    let mut consumer = queue.consumer().await;
    let deliveries = take(&mut consumer, 100).await;
    let ids: BTreeSet<_> = deliveries.iter().map(|delivery| delivery.id).collect();
    assert_eq!(ids.len(), 100, "each has a name of its own");
    done(&mut consumer, ids).await;
    nothing_left(queue, consumer).await;
}

pub(crate) async fn a_large_body_arrives_whole<Q: TestQueue>() {
    let queue = Q::open().await;
    // Bytes that do not compress: a cheap generator, seen through its high bits.
    let noise = std::iter::successors(Some(1_u32), |x| {
        Some(x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223))
    });
    let body: Bytes = noise.map(|x| x.to_be_bytes()[0]).take(5 * 1024 * 1024).collect();
    let large = Envelope { body, ..envelope(2) };
    publish_all(&queue.publisher().await, vec![envelope(1), large.clone(), envelope(3)]).await;

    let mut consumer = queue.consumer().await;
    let deliveries = take(&mut consumer, 3).await;
    let received = deliveries.iter().find(|delivery| number(delivery) == 2).expect("it arrives");
    assert!(matches!(&received.content, Content::Envelope(envelope) if *envelope == large));
    done(&mut consumer, deliveries.iter().map(|delivery| delivery.id)).await;
    nothing_left(queue, consumer).await;
}

pub(crate) async fn a_dropped_wait_for_a_batch_loses_nothing<Q: TestQueue>() {
    let queue = Q::open().await;
    let publisher = queue.publisher().await;
    let mut consumer = queue.consumer().await;
    let mut arrived = BTreeSet::new();
    let publishing = async {
        for number in 0..200 {
            publisher.publish(envelope(number)).await.expect("the queue takes it");
        }
    };
    let consuming = soon("all", async {
        while arrived.len() < 200 {
            // Polled once and dropped, mostly in the middle of waiting.
            if let Some(deliveries) = consumer.next_batch(3).now_or_never() {
                arrived.extend(deliveries.iter().map(number));
                done(&mut consumer, deliveries.iter().map(|delivery| delivery.id)).await;
            }
            tokio::task::yield_now().await;
        }
    });
    tokio::join!(publishing, consuming);
    assert_eq!(arrived, numbers(0..200));
    nothing_left(queue, consumer).await;
}

pub(crate) async fn a_partly_settled_parcel_comes_back_after_a_crash<Q: TestQueue>() {
    let queue = Q::open().await;
    publish_all(&queue.publisher().await, (0..200).map(envelope).collect()).await;
    let mut consumer = queue.consumer().await;
    let mut parcels: BTreeMap<u64, Vec<_>> = BTreeMap::new();
    for delivery in take(&mut consumer, 200).await {
        parcels.entry(delivery.id.parcel).or_default().push(delivery);
    }
    let shared = parcels.values().find(|parcel| parcel.len() > 1).expect("some share a parcel");
    let open = shared.iter().skip(1).map(number).collect::<BTreeSet<_>>();
    let settled = parcels.values().flatten().filter(|one| !open.contains(&number(one)));
    done(&mut consumer, settled.map(|delivery| delivery.id)).await;

    let queue = queue.crash(consumer).await;
    let mut consumer = queue.consumer().await;
    let mut returned = BTreeSet::new();
    while !returned.is_superset(&open) {
        for delivery in batch(&mut consumer).await {
            assert!(delivery.redeliveries > 0, "it is told that it was out before");
            let of_the_parcel = shared.iter().any(|held| number(held) == number(&delivery));
            assert!(of_the_parcel, "its parcel was settled as a whole");
            returned.insert(number(&delivery));
            done(&mut consumer, [delivery.id]).await;
        }
    }
    nothing_left(queue, consumer).await;
}

pub(crate) async fn redeliveries_grow_with_every_crash<Q: TestQueue>() {
    let mut queue = Q::open().await;
    publish_all(&queue.publisher().await, vec![envelope(1)]).await;
    for redeliveries in 0..3 {
        let mut consumer = queue.consumer().await;
        let delivery = one(&mut consumer).await;
        assert_eq!((delivery.redeliveries, delivery.attempts), (redeliveries, 0));
        queue = queue.crash(consumer).await;
    }
    let mut consumer = queue.consumer().await;
    let delivery = one(&mut consumer).await;
    done(&mut consumer, [delivery.id]).await;
    nothing_left(queue, consumer).await;
}

pub(crate) async fn what_is_settled_twice_or_unknown_is_ignored<Q: TestQueue>() {
    let queue = Q::open().await;
    publish_all(&queue.publisher().await, vec![envelope(1), envelope(2)]).await;
    let mut consumer = queue.consumer().await;
    let deliveries = take(&mut consumer, 2).await;
    let id = deliveries[0].id;
    let unknown = queue::DeliveryId { parcel: id.parcel + 100, ..id };
    let stale = queue::DeliveryId { session: id.session + 1, ..id };
    let outside = queue::DeliveryId { index: 64, ..id };
    done(&mut consumer, [id, id, unknown, stale, outside]).await;
    done(&mut consumer, [id]).await;

    let queue = queue.crash(consumer).await;
    let mut consumer = queue.consumer().await;
    let open = number(&deliveries[1]);
    loop {
        let again = batch(&mut consumer).await;
        done(&mut consumer, again.iter().map(|delivery| delivery.id)).await;
        if again.iter().any(|delivery| number(delivery) == open) {
            break;
        }
    }
    nothing_left(queue, consumer).await;
}

pub(crate) async fn what_must_wait_comes_back_later_with_one_more_attempt<Q: TestQueue>() {
    let wait = Duration::from_secs(1);
    let queue = Q::open().await;
    publish_all(&queue.publisher().await, vec![envelope(1), envelope(2), envelope(3)]).await;
    let mut consumer = queue.consumer().await;
    for delivery in take(&mut consumer, 3).await {
        if number(&delivery) != 2 {
            done(&mut consumer, [delivery.id]).await;
            continue;
        }
        let mut waiting = delivery;
        for attempts in 1..=2 {
            let since = Instant::now();
            consumer.settle(vec![(waiting.id, Settlement::RetryIn(wait))]).await;
            waiting = loop {
                // A neighbour of the same parcel may still be in this batch's place.
                let mut returned = batch(&mut consumer).await;
                if let Some(place) = returned.iter().position(|one| number(one) == 2) {
                    break returned.swap_remove(place);
                }
            };
            assert!(since.elapsed() >= wait, "back after {:?}", since.elapsed());
            assert_eq!((waiting.attempts, waiting.redeliveries), (attempts, 0));
        }
        done(&mut consumer, [waiting.id]).await;
    }
    nothing_left(queue, consumer).await;
}

/// What brought processes down does not come back from a pause as if it had not.
pub(crate) async fn what_was_redelivered_before_it_was_held_is_known_for_it_after<Q: TestQueue>() {
    let queue = Q::open().await;
    publish_all(&queue.publisher().await, vec![envelope(1)]).await;
    let mut consumer = queue.consumer().await;
    one(&mut consumer).await;
    let queue = queue.crash(consumer).await;
    let mut consumer = queue.consumer().await;
    let delivery = one(&mut consumer).await;
    assert_eq!(delivery.redeliveries, 1);
    let hold = Settlement::HoldFor(Duration::from_secs(1));
    consumer.settle(vec![(delivery.id, hold)]).await;
    let delivery = one(&mut consumer).await;
    assert_eq!((delivery.attempts, delivery.redeliveries), (0, 1));
    done(&mut consumer, [delivery.id]).await;
    nothing_left(queue, consumer).await;
}

pub(crate) async fn what_must_wait_survives_a_crash<Q: TestQueue>() {
    let queue = Q::open().await;
    publish_all(&queue.publisher().await, vec![envelope(1)]).await;
    let mut consumer = queue.consumer().await;
    let delivery = one(&mut consumer).await;
    let settlement = Settlement::RetryIn(Duration::from_secs(1));
    consumer.settle(vec![(delivery.id, settlement)]).await;

    let queue = queue.crash(consumer).await;
    let mut consumer = queue.consumer().await;
    let delivery = one(&mut consumer).await;
    assert_eq!((number(&delivery), delivery.attempts), (1, 1));
    done(&mut consumer, [delivery.id]).await;
    nothing_left(queue, consumer).await;
}

pub(crate) async fn what_is_held_comes_back_later_and_nothing_counts<Q: TestQueue>() {
    let wait = Duration::from_secs(1);
    let queue = Q::open().await;
    publish_all(&queue.publisher().await, (0..9).map(envelope).collect()).await;
    let mut consumer = queue.consumer().await;
    // More often than it takes to be suspected of something.
    for _ in 0..3 {
        let deliveries = take(&mut consumer, 9).await;
        let counts = deliveries.iter().map(|one| (one.attempts, one.redeliveries));
        assert_eq!(counts.collect::<BTreeSet<_>>(), [(0, 0)].into());
        let since = Instant::now();
        let held = deliveries.iter().map(|one| (one.id, Settlement::HoldFor(wait)));
        consumer.settle(held.collect()).await;
        let back = one_of(&mut consumer).await;
        assert!(since.elapsed() >= wait, "back after {:?}", since.elapsed());
        consumer.settle(back).await;
    }
    let deliveries = take(&mut consumer, 9).await;
    done(&mut consumer, deliveries.iter().map(|delivery| delivery.id)).await;
    nothing_left(queue, consumer).await;
}

/// Waits for a delivery, and has all that came with it come again at once.
async fn one_of<C: Consumer>(consumer: &mut C) -> Vec<(queue::DeliveryId, Settlement)> {
    let hold = |delivery: &queue::Delivery| (delivery.id, Settlement::HoldFor(Duration::ZERO));
    batch(consumer).await.iter().map(hold).collect()
}

pub(crate) async fn what_is_held_survives_a_crash_and_stays_together<Q: TestQueue>() {
    let queue = Q::open().await;
    publish_all(&queue.publisher().await, (0..200).map(envelope).collect()).await;
    let mut consumer = queue.consumer().await;
    let deliveries = take(&mut consumer, 200).await;
    let of = |deliveries: &[queue::Delivery]| {
        deliveries.iter().map(|one| one.id.parcel).collect::<BTreeSet<_>>().len()
    };
    let parcels = of(&deliveries);
    let (held, sound): (Vec<_>, Vec<_>) =
        deliveries.iter().partition(|delivery| number(delivery).is_multiple_of(2));
    done(&mut consumer, sound.iter().map(|delivery| delivery.id)).await;
    let wait = Settlement::HoldFor(Duration::from_secs(1));
    consumer.settle(held.iter().map(|delivery| (delivery.id, wait)).collect()).await;

    let queue = queue.crash(consumer).await;
    let mut consumer = queue.consumer().await;
    let again = take(&mut consumer, 100).await;
    assert!(again.iter().all(|one| (one.attempts, one.redeliveries) == (0, 0)), "{again:?}");
    assert_eq!(again.iter().map(number).collect::<BTreeSet<_>>(), (0..200).step_by(2).collect());
    assert!(of(&again) <= parcels, "{} parcels became {}", parcels, of(&again));
    done(&mut consumer, again.iter().map(|delivery| delivery.id)).await;
    nothing_left(queue, consumer).await;
}

pub(crate) async fn two_consumers_share_the_work<Q: TestQueue>() {
    let queue = Q::open().await;
    let publisher = queue.publisher().await;
    let (mut left, mut right) = (queue.consumer().await, queue.consumer().await);
    let mut shares = [BTreeSet::new(), BTreeSet::new()];
    let mut published = 0;
    while shares.iter().any(BTreeSet::is_empty) {
        publisher.publish(envelope(published)).await.expect("the queue takes it");
        published += 1;
        let (consumer, share, deliveries) = soon("either", async {
            tokio::select! {
                deliveries = left.next_batch(1) => (&mut left, 0, deliveries),
                deliveries = right.next_batch(1) => (&mut right, 1, deliveries),
            }
        })
        .await;
        for delivery in deliveries {
            shares[share].insert(number(&delivery));
            done(consumer, [delivery.id]).await;
        }
        assert!(published < 10_000, "one has it all: {shares:?}");
    }
    let [of_left, of_right] = &shares;
    assert!(of_left.is_disjoint(of_right));
    right.close().await;
    // What the one had been given and not yet handed out goes to the other.
    let mut arrived: BTreeSet<u128> = of_left.union(of_right).copied().collect();
    while arrived != numbers(0..published) {
        for delivery in batch(&mut left).await {
            arrived.insert(number(&delivery));
            done(&mut left, [delivery.id]).await;
        }
    }
    nothing_left(queue, left).await;
}

pub(crate) async fn what_waits_is_counted<Q: TestQueue>() {
    let queue = Q::open().await;
    let publisher = queue.publisher().await;
    for number in 0..3 {
        // One after the other, so that each is a parcel.
        publish_all(&publisher, vec![envelope(number)]).await;
    }
    counted(&queue, 3, 0).await;
    let mut consumer = queue.consumer().await;
    let deliveries = take(&mut consumer, 3).await;
    counted(&queue, 0, 0).await;
    let wait = Settlement::RetryIn(Duration::from_secs(600));
    consumer.settle(vec![(deliveries[0].id, wait)]).await;
    done(&mut consumer, [deliveries[1].id]).await;
    counted(&queue, 0, 1).await;
    consumer.close().await;
    counted(&queue, 1, 1).await;
    queue.finish().await;
}

pub(crate) async fn what_cannot_be_read_is_handed_over_raw_and_can_wait<Q: TestQueue>() {
    let queue = Arc::new(Q::open().await);
    for (raw, later) in [(&b"not a parcel"[..], true), (b"\0zero", false)] {
        queue.smuggle(raw).await;
        let mut consumer = queue.consumer().await;
        let mut delivery = one(&mut consumer).await;
        for attempts in 0..2 {
            match &delivery.content {
                Content::Unreadable { raw: received, newer, why } => {
                    assert_eq!((&received[..], *newer), (raw, later));
                    assert!(!why.is_empty());
                }
                other => panic!("{other:?}"),
            }
            assert_eq!(delivery.attempts, attempts);
            if attempts == 0 {
                let wait = Settlement::RetryIn(Duration::from_secs(1));
                consumer.settle(vec![(delivery.id, wait)]).await;
                delivery = one(&mut consumer).await;
            }
        }
        done(&mut consumer, [delivery.id]).await;
        consumer.close().await;
    }
    let queue = Arc::into_inner(queue).expect("nobody else has it");
    let consumer = queue.consumer().await;
    nothing_left(queue, consumer).await;
}

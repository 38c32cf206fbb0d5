//! What a consumer took and did not settle, when it rests or ends.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::FutureExt;
use queue::Consumer;

use crate::harness::{
    TestQueue, counted, done, envelope, nothing_left, number, numbers, one, publish_all, soon, take,
};

pub(crate) async fn a_pause_gives_back_all_and_counts_nothing_that_was_not_handed_out<
    Q: TestQueue,
>() {
    let queue = Q::open().await;
    let publisher = queue.publisher().await;
    for number in 0..20 {
        // One after the other, so that each is a parcel.
        publish_all(&publisher, vec![envelope(number)]).await;
    }
    let (mut consumer, mut handed_out) = (queue.consumer().await, BTreeMap::new());
    for _ in 0..4 {
        // What comes with the first is in our hands; a consumer may have taken the rest ahead.
        let deliveries = soon("a delivery", consumer.next_batch(1)).await;
        for delivery in &deliveries {
            *handed_out.entry(number(delivery)).or_insert(0) += 1;
        }
        soon("the pause", consumer.pause()).await;
        counted(&queue, 20, 0).await;
    }
    for delivery in take(&mut consumer, 20).await {
        let known = handed_out.get(&number(&delivery)).copied().unwrap_or(0);
        assert!(delivery.redeliveries <= known, "{delivery:?} was handed out {known} times");
        assert_eq!(delivery.attempts, 0);
        done(&mut consumer, [delivery.id]).await;
    }
    nothing_left(queue, consumer).await;
}

/// Workers that are replaced one after the other, while much waits.
pub(crate) async fn a_close_counts_nothing_that_was_not_handed_out<Q: TestQueue>() {
    let queue = Q::open().await;
    let publisher = queue.publisher().await;
    for number in 0..20 {
        publish_all(&publisher, vec![envelope(number)]).await;
    }
    let mut handed_out = BTreeMap::new();
    for _ in 0..3 {
        let mut consumer = queue.consumer().await;
        for delivery in soon("a delivery", consumer.next_batch(1)).await {
            *handed_out.entry(number(&delivery)).or_insert(0) += 1;
        }
        soon("the close", consumer.close()).await;
        counted(&queue, 20, 0).await;
    }
    let mut consumer = queue.consumer().await;
    for delivery in take(&mut consumer, 20).await {
        let known = handed_out.get(&number(&delivery)).copied().unwrap_or(0);
        assert!(delivery.redeliveries <= known, "{delivery:?} was handed out {known} times");
        done(&mut consumer, [delivery.id]).await;
    }
    nothing_left(queue, consumer).await;
}

pub(crate) async fn a_pause_before_anything_came_takes_nothing_with_it<Q: TestQueue>() {
    let queue = Q::open().await;
    let publisher = queue.publisher().await;
    let mut consumer = queue.consumer().await;
    for number in 0..5 {
        // It asks while there is nothing, and is told to rest while the answer is on its way.
        assert!(consumer.next_batch(10).now_or_never().is_none());
        publish_all(&publisher, vec![envelope(number)]).await;
        soon("the pause", consumer.pause()).await;
        counted(&queue, 1, 0).await;
        let delivery = one(&mut consumer).await;
        assert_eq!((delivery.attempts, delivery.redeliveries), (0, 0));
        done(&mut consumer, [delivery.id]).await;
        counted(&queue, 0, 0).await;
    }
    nothing_left(queue, consumer).await;
}

pub(crate) async fn closing_gives_back_what_is_held<Q: TestQueue>() {
    let queue = Q::open().await;
    publish_all(&queue.publisher().await, (0..10).map(envelope).collect()).await;
    let mut consumer = queue.consumer().await;
    assert_eq!(take(&mut consumer, 10).await.len(), 10);
    soon("the close", consumer.close()).await;

    let mut consumer = queue.consumer().await;
    let deliveries = take(&mut consumer, 10).await;
    assert_eq!(deliveries.iter().map(number).collect::<BTreeSet<_>>(), numbers(0..10));
    done(&mut consumer, deliveries.iter().map(|delivery| delivery.id)).await;
    nothing_left(queue, consumer).await;
}

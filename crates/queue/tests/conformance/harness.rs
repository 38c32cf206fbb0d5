//! What a queue under test must offer, and how checks wait: for the thing itself, with a deadline.

use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use domain::{Envelope, EnvelopeId, Platform, ShopId, Timestamp, WebhookId};
use queue::{Consumer, Content, Delivery, DeliveryId, Publisher, QueueStats, Settlement};
use uuid::Uuid;

/// Nothing here takes as long, on however slow a machine; what hangs fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A queue that starts empty and belongs to one test.
pub(crate) trait TestQueue: Sized + Send + Sync {
    type Publisher: Publisher;
    type Consumer: Consumer;

    fn open() -> impl Future<Output = Self> + Send;

    /// One that is ready.
    fn publisher(&self) -> impl Future<Output = Self::Publisher> + Send;

    fn consumer(&self) -> impl Future<Output = Self::Consumer> + Send;

    fn stats(&self) -> impl Future<Output = QueueStats> + Send;

    /// The process dies with this consumer, unsettled deliveries and all, and starts again.
    fn crash(self, consumer: Self::Consumer) -> impl Future<Output = Self> + Send;

    /// Puts a message into the queue that is not ours.
    fn smuggle(&self, raw: &[u8]) -> impl Future<Output = ()> + Send;

    /// Removes whatever the test left behind.
    fn finish(self) -> impl Future<Output = ()> + Send;
}

/// Fails the test where something takes for ever.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(done) => done,
        Err(_) => panic!("waited in vain for {what}"),
    }
}

/// An envelope that is told from others by its number.
pub(crate) fn envelope(number: u128) -> Envelope {
    Envelope {
        provider: None,
        id: EnvelopeId(Uuid::from_u128(number)),
        platform: Platform::Shopify,
        shop: ShopId::new("demo"),
        webhook: WebhookId::new(format!("w-{number}")),
        topic: "orders/create".to_owned(),
        event: None,
        api_version: None,
        triggered_at: None,
        received_at: Timestamp(1),
        signature: None,
        signed_by: None,
        traceparent: None,
        body: Bytes::from(format!(r#"{{"id":{number}}}"#)),
    }
}

pub(crate) fn numbers(range: std::ops::Range<u128>) -> BTreeSet<u128> {
    range.collect()
}

/// The number of the envelope that was published.
pub(crate) fn number(delivery: &Delivery) -> u128 {
    match &delivery.content {
        Content::Envelope(envelope) | Content::GivenUp { envelope, .. } => envelope.id.0.as_u128(),
        Content::Unreadable { why, .. } => panic!("unreadable: {why}"),
    }
}

pub(crate) async fn publish_all<P: Publisher>(publisher: &P, envelopes: Vec<Envelope>) {
    let publishes = envelopes.into_iter().map(|envelope| publisher.publish(envelope));
    for published in futures_util::future::join_all(publishes).await {
        published.expect("the queue takes it");
    }
}

/// The next batch.
pub(crate) async fn batch<C: Consumer>(consumer: &mut C) -> Vec<Delivery> {
    soon("a delivery", consumer.next_batch(500)).await
}

/// Takes exactly so many deliveries, without settling them.
pub(crate) async fn take<C: Consumer>(consumer: &mut C, count: usize) -> Vec<Delivery> {
    let mut taken = Vec::new();
    while taken.len() < count {
        taken.extend(batch(consumer).await);
    }
    assert_eq!(taken.len(), count, "more than was published");
    taken
}

/// The one delivery that there is.
pub(crate) async fn one<C: Consumer>(consumer: &mut C) -> Delivery {
    take(consumer, 1).await.remove(0)
}

pub(crate) async fn done<C: Consumer>(consumer: &mut C, ids: impl IntoIterator<Item = DeliveryId>) {
    consumer.settle(ids.into_iter().map(|id| (id, Settlement::Done)).collect()).await;
}

/// Waits until the queue counts this; what is settled may take a moment to be forgotten.
pub(crate) async fn counted<Q: TestQueue>(queue: &Q, ready: u64, delayed: u64) {
    soon(&format!("{ready} ready and {delayed} delayed"), async {
        loop {
            let stats = queue.stats().await;
            if (stats.ready, stats.delayed) == (ready, delayed) {
                return;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Proves that nothing is left, not even held: a new process finds nothing but a last envelope.
pub(crate) async fn nothing_left<Q: TestQueue>(queue: Q, consumer: Q::Consumer) {
    let queue = queue.crash(consumer).await;
    let last = 999_999_999;
    publish_all(&queue.publisher().await, vec![envelope(last)]).await;
    let mut consumer = queue.consumer().await;
    let delivery = one(&mut consumer).await;
    assert_eq!(number(&delivery), last, "it was settled, and came again");
    done(&mut consumer, [delivery.id]).await;
    counted(&queue, 0, 0).await;
    consumer.close().await;
    queue.finish().await;
}

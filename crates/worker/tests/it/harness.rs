//! Shops, webhooks and a queue that tests hold in their hands.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use domain::{Decided, EnvelopeId, Timestamp, Verdict};
use http::{HeaderMap, HeaderName};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use platforms::Shops;
use queue::{Consumer, Content, Delivery, DeliveryId, Settlement};
use testkit::request::Request;
use testkit::shopify::{ShopifyOrder, SignedWebhook};
use tokio::sync::mpsc;
use worker::{Done, Work};

/// Nothing here takes as long, on however slow a machine; what hangs fails.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(done) => done,
        Err(_) => panic!("waited in vain for {what}"),
    }
}

/// Everything on the one thread of a test's runtime counts here.
pub(crate) fn recorded() -> (PrometheusHandle, impl Sized) {
    let recorder = Box::leak(Box::new(PrometheusBuilder::new().build_recorder()));
    (recorder.handle(), metrics::set_default_local_recorder(recorder))
}

/// Of a metric, named with its labels.
pub(crate) fn value(metrics: &PrometheusHandle, line: &str) -> Option<f64> {
    let rendered = metrics.render();
    let value = rendered.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(' '))?;
    value.parse().ok()
}

/// One Shopify shop, `demo`, with more `rules` in its entry.
pub(crate) fn shops(rules: &str) -> Arc<Shops> {
    let text = format!(
        "[[shop]]\nname = \"demo\"\nplatform = \"shopify\"\ndomain = \"{}\"\n\
         secrets = [\"plain:{}\"]\n{rules}",
        testkit::shopify::DOMAIN,
        testkit::shopify::SECRET
    );
    Arc::new(Shops::parse(&text, |_| Err("no secrets here".to_owned())).expect("a good file"))
}

/// The headers of a request, as an ingress gets them.
pub(crate) fn headers(request: &Request) -> HeaderMap {
    let headers = request.headers.iter().map(|(name, value)| {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
        (name, value.parse().expect("a header's value"))
    });
    headers.collect()
}

/// A new order of so many bowls.
pub(crate) fn placed(id: u64, bowls: i64) -> SignedWebhook {
    ShopifyOrder::new(id).line("BOWL", bowls).webhook("orders/create")
}

/// `webhook` in an envelope of its own.
pub(crate) fn work(webhook: &SignedWebhook) -> Work {
    Work::new(webhook.envelope("demo", Timestamp(1)), 0)
}

pub(crate) fn verdict(done: &Done) -> &Verdict {
    match done {
        Done::Decided(Decided::Verdict(verdict)) => verdict,
        other => panic!("{other:?}"),
    }
}

/// The outcome of each, with its reason where it has one.
pub(crate) fn outcomes(done: &[Done]) -> Vec<&'static str> {
    done.iter()
        .map(|one| match one {
            Done::Decided(Decided::Verdict(verdict)) => {
                verdict.reason.unwrap_or(verdict.outcome.as_str())
            }
            Done::Decided(Decided::Duplicate) => "duplicate",
            Done::Decided(Decided::Redelivered) => "redelivered",
            Done::RetryIn(..) => "retry",
        })
        .collect()
}

/// What a lane did with its consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Settled(u64, Settlement),
    Paused,
    Closed,
}

/// A queue of one consumer: deliveries in, settlements out.
pub(crate) struct TestQueue {
    deliveries: mpsc::UnboundedSender<Vec<Delivery>>,
    told: mpsc::UnboundedReceiver<Told>,
}

pub(crate) struct TestConsumer {
    deliveries: mpsc::UnboundedReceiver<Vec<Delivery>>,
    told: mpsc::UnboundedSender<Told>,
}

pub(crate) fn queue() -> (TestQueue, TestConsumer) {
    let (deliveries, incoming) = mpsc::unbounded_channel();
    let (outgoing, told) = mpsc::unbounded_channel();
    let consumer = TestConsumer { deliveries: incoming, told: outgoing };
    (TestQueue { deliveries, told }, consumer)
}

impl TestQueue {
    /// Hands all of it out as one batch.
    pub(crate) fn deliver(&self, batch: Vec<Delivery>) {
        self.deliveries.send(batch).expect("the lane is there");
    }

    /// The next thing that the lane does; `None`: the consumer was dropped.
    pub(crate) async fn told(&mut self) -> Option<Told> {
        soon("the lane", self.told.recv()).await
    }

    /// The next `count` settlements, by parcel.
    pub(crate) async fn settled(&mut self, count: usize) -> Vec<(u64, Settlement)> {
        let mut settled = Vec::new();
        while settled.len() < count {
            match self.told().await {
                Some(Told::Settled(parcel, settlement)) => settled.push((parcel, settlement)),
                other => panic!("{other:?}"),
            }
        }
        settled.sort_unstable_by_key(|one| one.0);
        settled
    }

    /// What was told and not looked at yet.
    pub(crate) fn told_by_now(&mut self) -> Option<Told> {
        self.told.try_recv().ok()
    }
}

impl Consumer for TestConsumer {
    async fn next_batch(&mut self, _max: usize) -> Vec<Delivery> {
        match self.deliveries.recv().await {
            Some(batch) => batch,
            None => std::future::pending().await,
        }
    }

    async fn settle(&mut self, settled: Vec<(DeliveryId, Settlement)>) {
        for (id, settlement) in settled {
            // A test that looks no more has let go of the other end.
            let _ = self.told.send(Told::Settled(id.parcel, settlement));
        }
    }

    async fn pause(&mut self) {
        let _ = self.told.send(Told::Paused);
    }

    async fn close(self) {
        let _ = self.told.send(Told::Closed);
    }
}

/// A delivery with one envelope, as parcel number `parcel`.
pub(crate) fn delivery(parcel: u64, webhook: &SignedWebhook) -> Delivery {
    of_content(parcel, Content::Envelope(webhook.envelope("demo", Timestamp(1))))
}

pub(crate) fn of_content(parcel: u64, content: Content) -> Delivery {
    let id = DeliveryId { session: 1, parcel, index: 0 };
    Delivery { id, attempts: 0, redeliveries: 0, content }
}

pub(crate) fn envelope_id(delivery: &Delivery) -> EnvelopeId {
    match &delivery.content {
        Content::Envelope(envelope) | Content::GivenUp { envelope, .. } => envelope.id,
        Content::Unreadable { why, .. } => panic!("unreadable: {why}"),
    }
}

//! An ingress, and a queue that does as the test says.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::Envelope;
use ingress::{Ingress, Limits};
use platforms::Shops;
use queue::{PublishError, Publisher};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::peer::{Answer, Peer};
use crate::webhook::{ADYEN_SECRET, PAY_SECRET, SECRET, WOO_SECRET, Webhook};

/// A webhook of this topic makes the queue panic.
pub(crate) const PANIC: &str = "test/panic";

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) stop: CancellationToken,
    pub(crate) shops: watch::Sender<Arc<Shops>>,
    pub(crate) queue_ready: Arc<AtomicBool>,
    arrivals: mpsc::UnboundedReceiver<Arrival>,
    tracker: TaskTracker,
}

/// A webhook that has reached the queue and has no answer yet.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) envelope: Envelope,
    answer: oneshot::Sender<Result<(), PublishError>>,
}

impl Arrival {
    pub(crate) fn answer(self, answer: Result<(), PublishError>) -> Envelope {
        // The ingress may have given up on it: then nobody listens.
        let _ = self.answer.send(answer);
        self.envelope
    }
}

impl Server {
    pub(crate) async fn start(limits: Limits) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (arrived, arrivals) = mpsc::unbounded_channel();
        let queue_ready = Arc::new(AtomicBool::new(true));
        let (shops, receiver) = watch::channel(Arc::new(shops_with(SECRET)));
        let publisher = Queue { arrived, ready: queue_ready.clone() };
        let stop = CancellationToken::new();
        let tracker = TaskTracker::new();
        let ingress = Ingress { publisher, shops: receiver };
        tracker.spawn(ingress::run(listener, ingress, limits, stop.clone()));
        tracker.close();
        Server { address, stop, shops, queue_ready, arrivals, tracker }
    }

    pub(crate) async fn peer(&self) -> Peer {
        Peer::connect(self.address).await
    }

    pub(crate) async fn arrival(&mut self) -> Arrival {
        let arrival = timeout(Duration::from_secs(20), self.arrivals.recv()).await;
        arrival.expect("a webhook reaches the queue in time").expect("the ingress runs")
    }

    pub(crate) fn assert_nothing_queued(&mut self) {
        self.arrivals.try_recv().expect_err("nothing has reached the queue");
    }

    /// Sends a webhook on a new connection and has the queue take it.
    pub(crate) async fn take(&mut self, webhook: &Webhook) -> (Envelope, Answer) {
        let mut peer = self.peer().await;
        peer.send(webhook.request()).await;
        let envelope = self.arrival().await.answer(Ok(()));
        (envelope, peer.answer().await)
    }

    pub(crate) async fn stopped(&self) {
        self.tracker.wait().await;
    }
}

pub(crate) fn shops_with(secret: &str) -> Shops {
    let text = format!(
        r#"
        [[shop]]
        name = "demo"
        platform = "shopify"
        domain = "demo.myshopify.com"
        secrets = ["plain:{secret}"]

        [[shop]]
        name = "woo"
        platform = "woocommerce"
        secrets = ["plain:{WOO_SECRET}"]

        [[shop]]
        name = "pay"
        platform = "payments"
        secrets = ["plain:{PAY_SECRET}"]
        pays_for = "demo"

        [[shop]]
        name = "adyen"
        platform = "payments"
        secrets = ["plain:{ADYEN_SECRET}"]
        pays_for = "demo"
        "#
    );
    let plain = |entry: &str| Ok(entry.trim_start_matches("plain:").to_owned());
    Shops::parse(&text, plain).expect("a good shops file")
}

#[derive(Clone)]
struct Queue {
    arrived: mpsc::UnboundedSender<Arrival>,
    ready: Arc<AtomicBool>,
}

impl Publisher for Queue {
    async fn publish(&self, envelope: Envelope) -> Result<(), PublishError> {
        assert_ne!(envelope.topic, PANIC, "as the test wants");
        let (answer, answered) = oneshot::channel();
        let _ = self.arrived.send(Arrival { envelope, answer });
        match answered.await {
            Ok(answer) => answer,
            Err(_) => pending().await,
        }
    }

    fn is_ready(&self) -> bool {
        self.ready.load(Ordering::SeqCst)
    }
}

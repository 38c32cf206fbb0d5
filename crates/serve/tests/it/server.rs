//! A server with a path for each kind of handler.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::CONNECTION;
use axum::response::Response;
use axum::routing::{get, post};
use futures_util::stream::unfold;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use serve::Limits;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::peer::Peer;

/// As good as never, so that only the timeout under test can end a connection.
pub(crate) const NEVER: Duration = Duration::from_secs(3_600);

/// Long enough to do what a test does within it, short enough to wait for.
pub(crate) const SOON: Duration = Duration::from_millis(500);

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) stop: CancellationToken,
    handlers: Handlers,
    tracker: TaskTracker,
}

#[derive(Clone)]
struct Handlers {
    /// Requests to `/held` that have reached their handler.
    began: Arc<Semaphore>,
    /// Each permit lets one of them go on.
    released: Arc<Semaphore>,
    visits: Arc<AtomicUsize>,
}

pub(crate) fn patient() -> Limits {
    Limits {
        connections_max: 100,
        header_timeout: NEVER,
        idle_timeout: NEVER,
        request_timeout: NEVER,
        drain_timeout: NEVER,
    }
}

/// Everything on the one thread of a test's runtime counts here.
pub(crate) fn recorded() -> (PrometheusHandle, impl Sized) {
    let recorder = Box::leak(Box::new(PrometheusBuilder::new().build_recorder()));
    (recorder.handle(), metrics::set_default_local_recorder(recorder))
}

/// Which of the metrics are not zero.
pub(crate) fn counted(metrics: &PrometheusHandle) -> Vec<String> {
    let rendered = metrics.render();
    let lines = rendered.lines().filter(|line| line.starts_with("onhand_"));
    lines.filter(|line| !line.ends_with(" 0")).map(str::to_owned).collect()
}

impl Server {
    pub(crate) async fn start(limits: Limits) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let stop = CancellationToken::new();
        let handlers = Handlers {
            began: Arc::new(Semaphore::new(0)),
            released: Arc::new(Semaphore::new(0)),
            visits: Arc::new(AtomicUsize::new(0)),
        };
        let tracker = TaskTracker::new();
        tracker.spawn(serve::run(listener, router(handlers.clone()), limits, stop.clone()));
        tracker.close();
        Server { address, stop, handlers, tracker }
    }

    pub(crate) async fn peer(&self) -> Peer {
        Peer::connect(self.address).await
    }

    /// A peer whose request is being handled until [`release`](Self::release).
    pub(crate) async fn held_peer(&self) -> Peer {
        let mut peer = self.peer().await;
        peer.send("GET /held HTTP/1.1\r\nHost: test\r\n\r\n").await;
        self.handlers.began.acquire().await.expect("open").forget();
        peer
    }

    pub(crate) fn release(&self) {
        self.handlers.released.add_permits(1);
    }

    pub(crate) async fn stopped(&self) {
        self.tracker.wait().await;
    }
}

fn router(handlers: Handlers) -> Router {
    let Handlers { began, released, visits } = handlers;
    let held = async move || {
        began.add_permits(1);
        released.acquire().await.expect("open").forget();
        "held"
    };
    Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/echo", post(|body: String| async { body }))
        .route("/held", get(held))
        .route("/visit", get(async move || visits.fetch_add(1, Ordering::SeqCst).to_string()))
        .route("/trickle", get(trickle))
        .route("/panic", get(panics))
        .route("/refuse", post(|| async { (StatusCode::FORBIDDEN, [(CONNECTION, "close")], "no") }))
}

/// An answer that is longer on its way than a connection may idle, and never silent for so long.
async fn trickle() -> Response {
    let ticks = tokio::time::interval(SOON / 4);
    let pieces = unfold((ticks, 0), |(mut ticks, sent)| async move {
        ticks.tick().await;
        (sent < 10).then(|| (Ok::<_, Infallible>(format!("piece {sent}\n")), (ticks, sent + 1)))
    });
    Response::new(Body::from_stream(pieces))
}

async fn panics() -> &'static str {
    panic!("as this test wants")
}

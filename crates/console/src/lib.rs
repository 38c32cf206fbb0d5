//! The ops port of every role: is it alive, is it ready, what does it count; and the console, the
//! pages by which people see and mend, where a role has them.
//!
//! It is for operators and their tools, on an address that the internet does not reach. It has its
//! own listener, so a flood of webhooks cannot keep a probe from being answered.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use operate::verify::Checks;
use platforms::Shops;
use queue::Broker;
use store::AnyStore;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::interval;
use tokio_util::sync::CancellationToken;

mod access;
mod act;
mod bind;
mod headers;
mod pages;
mod process;
mod recorder;
mod refused;
mod rollup;
mod routes;
mod series;
mod view;

pub use access::{Access, BadToken};
pub use bind::bind;
pub use metrics_exporter_prometheus::PrometheusHandle;
pub use recorder::install_metrics;
pub use rollup::{BadMetricsUrl, Counting, Ingresses, MetricsUrl, count};

/// How often histograms are folded into their buckets. Between two folds every sample is kept.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// What the ops port of a role tells.
#[derive(Clone, Debug)]
pub struct Ops<R> {
    /// Says whether the role can do its work, or what keeps it from it. Given up on after
    /// [`READY_TIMEOUT`].
    pub ready: R,
    pub metrics: PrometheusHandle,
    /// Without: the role has no pages.
    pub console: Option<Console>,
}

/// What the pages show, and who may see them.
#[derive(Clone, Debug)]
pub struct Console {
    store: AnyStore,
    broker: Broker,
    shops: watch::Receiver<Arc<Shops>>,
    access: Access,
    knows_acks: bool,
    /// What was refused elsewhere.
    told: Option<watch::Receiver<refused::Told>>,
    seen: pages::Seen,
    health: operate::shop::Latest,
    /// Of this process.
    metrics: Option<PrometheusHandle>,
    /// Of the port: what goes on for long ends with it.
    stop: CancellationToken,
    checks: watch::Receiver<Checks>,
}

impl Console {
    /// `checks`: what was verified by itself.
    pub fn new(
        store: AnyStore,
        broker: Broker,
        shops: watch::Receiver<Arc<Shops>>,
        access: Access,
        checks: watch::Receiver<Checks>,
    ) -> Self {
        Self {
            store,
            broker,
            shops,
            access,
            knows_acks: true,
            told: None,
            seen: pages::Seen::default(),
            health: operate::shop::Latest::default(),
            metrics: None,
            stop: CancellationToken::new(),
            checks,
        }
    }

    /// Webhooks come in elsewhere, and this is who knows how: perhaps nobody.
    #[must_use]
    pub fn of_a_fleet(self, ingresses: &Ingresses) -> Self {
        Self { knows_acks: !ingresses.is_empty(), told: Some(ingresses.told()), ..self }
    }
}

/// How long a readiness check may take before it counts as "no".
pub const READY_TIMEOUT: Duration = Duration::from_secs(2);

/// Serves the ops port on `listener` until `stop`.
pub async fn run<R, F>(listener: TcpListener, mut ops: Ops<R>, stop: CancellationToken)
where
    R: Fn() -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    let metrics = ops.metrics.clone();
    ops.console = ops.console.map(|console| Console { stop: stop.clone(), ..console });
    tokio::select! {
        () = serve::run(listener, routes::routes(ops), limits(), stop) => {}
        never = upkeep(metrics) => match never {},
    }
}

/// A handful of probes, scrapers and people, all quick.
fn limits() -> serve::Limits {
    serve::Limits {
        connections_max: 128,
        request_timeout: Duration::from_secs(10),
        drain_timeout: Duration::from_secs(2),
        ..serve::Limits::default()
    }
}

async fn upkeep(metrics: PrometheusHandle) -> Infallible {
    let mut ticks = interval(UPKEEP_INTERVAL);
    loop {
        ticks.tick().await;
        metrics.run_upkeep();
    }
}

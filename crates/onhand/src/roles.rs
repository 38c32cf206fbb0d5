//! The long-running roles: `serve` (all in one process), `ingress`, `worker` and `console`.
//!
//! Stopping goes with the data: ingress first finishes what it accepted, then lanes finish what
//! they took, then queue and store close. A kill at any point loses nothing; it only skips this.

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use operate::verify::Checks;
use platforms::Shops;
use queue::{AnyPublisher, AnyQueue, Broker};
use store::{AnyStore, Database};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Settings;
use crate::exit::bad_config;
use crate::shops_file;

mod console;
mod ready;
mod spool;
mod strategy;
mod traces;
mod watching;

use ::console::{self as ops, Console, Ingresses};
pub(crate) use console::{ConsoleArgs, console};

use console::AccessArgs;
use ready::Needs;
use spool::SpoolArgs;
use strategy::StrategyArgs;
use traces::TraceArgs;
use watching::{AlertArgs, Every, every};

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    ingress: IngressLimits,
    #[command(flatten)]
    spool: SpoolArgs,
    #[command(flatten)]
    worker: WorkerLimits,
    #[command(flatten)]
    access: AccessArgs,
    #[command(flatten)]
    traces: TraceArgs,
    /// The console, health, readiness and metrics; taken: the next free port
    #[arg(long, env = "ONHAND_OPS_LISTEN", default_value = "127.0.0.1:8081")]
    ops_listen: SocketAddr,
    /// How often every promise is verified over everything in the database, as `onhand verify` does,
    /// such as 6h or 1d, or off. It only reads, and this process never does it twice at the same time
    #[arg(long, env = "ONHAND_VERIFY_EVERY", default_value = "1d", value_parser = every)]
    verify_every: Every,
    #[command(flatten)]
    alerts: AlertArgs,
}

#[derive(Debug, Args)]
pub(crate) struct IngressArgs {
    #[command(flatten)]
    ingress: IngressLimits,
    #[command(flatten)]
    spool: SpoolArgs,
    #[command(flatten)]
    drain: DrainLimit,
    #[command(flatten)]
    traces: TraceArgs,
    /// Health, readiness and metrics; taken: the next free port
    #[arg(long, env = "ONHAND_OPS_LISTEN", default_value = "127.0.0.1:8082")]
    ops_listen: SocketAddr,
}

#[derive(Debug, Args)]
pub(crate) struct WorkerArgs {
    #[command(flatten)]
    worker: WorkerLimits,
    #[command(flatten)]
    traces: TraceArgs,
    /// Health, readiness and metrics; taken: the next free port
    #[arg(long, env = "ONHAND_OPS_LISTEN", default_value = "127.0.0.1:8083")]
    ops_listen: SocketAddr,
}

#[derive(Debug, Args)]
struct IngressLimits {
    /// Where platforms send webhooks
    #[arg(long, env = "ONHAND_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Largest webhook body, in bytes
    #[arg(long, env = "ONHAND_BODY_LIMIT", default_value_t = 8 << 20,
          value_parser = clap::value_parser!(u64).range(1..=8 << 20))]
    body_limit: u64,
    /// Bodies held at the same time over all requests, in bytes
    #[arg(long, env = "ONHAND_BODIES_IN_FLIGHT", default_value_t = 128 << 20,
          value_parser = clap::value_parser!(u64).range(8 << 20..=1 << 36))]
    bodies_in_flight: u64,
}

#[derive(Debug, Args)]
struct WorkerLimits {
    /// Batches that are worked on side by side
    #[arg(long, env = "ONHAND_LANES", default_value_t = 2,
          value_parser = clap::value_parser!(u16).range(1..=64))]
    lanes: u16,
    /// Webhooks that a lane decides at once, at the most
    #[arg(long, env = "ONHAND_BATCH", default_value_t = 1024,
          value_parser = clap::value_parser!(u16).range(1..=4096))]
    batch: u16,
    #[command(flatten)]
    strategy: StrategyArgs,
    #[command(flatten)]
    drain: DrainLimit,
}

#[derive(Debug, Args)]
struct DrainLimit {
    /// After a stop, how long lanes may take to finish what they hold, and the spool to hand what
    /// waits there to a broker that is there, in seconds
    #[arg(long, env = "ONHAND_DRAIN_SECONDS", default_value_t = 25,
          value_parser = clap::value_parser!(u64).range(0..=600))]
    drain_seconds: u64,
}

impl DrainLimit {
    fn deadline(&self) -> Duration {
        Duration::from_secs(self.drain_seconds)
    }
}

/// The exit code of a process that was told twice to stop, as shells count: 128 + SIGINT.
const SECOND_SIGNAL: i32 = 130;

/// The pause between two passes over the short orders of shops with
/// `when_restocked = "commit_short"`.
const SWEEP_EVERY: Duration = Duration::from_secs(2);

/// How long closing connections and files may take.
const CLOSE: Duration = Duration::from_secs(10);

impl IngressLimits {
    fn limits(&self) -> ingress::Limits {
        ingress::Limits {
            body_bytes_max: usize::try_from(self.body_limit).unwrap_or(usize::MAX),
            in_flight_bytes_max: usize::try_from(self.bodies_in_flight).unwrap_or(usize::MAX),
            ..ingress::Limits::default()
        }
    }
}

impl WorkerLimits {
    fn config(&self, strategy: worker::Strategy) -> worker::Config {
        worker::Config {
            batch_max: self.batch.into(),
            drain_deadline: self.drain.deadline(),
            strategy,
            sweep_every: SWEEP_EVERY,
        }
    }

    /// One connection per lane, one for the turn among processes, and some for questions, of which
    /// verifying takes long.
    fn connections(&self) -> usize {
        usize::from(self.lanes) + 4
    }
}

/// What every role has: its shops, its ops port, and the wish to stop.
struct Role {
    shops: watch::Receiver<Arc<Shops>>,
    tasks: TaskTracker,
    /// A signal came.
    stop: CancellationToken,
    /// Everything else has stopped; ops and the watching of files may, too.
    done: CancellationToken,
    metrics: ops::PrometheusHandle,
    /// The latest verification that ran by itself.
    checks: watch::Sender<Checks>,
}

impl Role {
    fn start(settings: &Settings) -> anyhow::Result<Self> {
        let metrics = ops::install_metrics();
        let (tasks, stop, done) =
            (TaskTracker::new(), CancellationToken::new(), CancellationToken::new());
        let shops = shops_file::watch(&settings.shops, &tasks, done.clone())?;
        // Whoever waits for the tasks must not wait for a second signal.
        tasks.spawn(done.clone().run_until_cancelled_owned(stop_on_signal(stop.clone())?));
        Ok(Self { shops, tasks, stop, done, metrics, checks: watch::Sender::default() })
    }

    /// Serves health, readiness and metrics, and the console where there is one.
    async fn ops(
        &self,
        listen: SocketAddr,
        needs: Needs,
        console: Option<Console>,
    ) -> anyhow::Result<()> {
        let ready = move || needs.clone().met();
        let listener = ops::bind(listen).await.with_context(|| format!("ops port {listen}"))?;
        tracing::info!(ops.listen = %listener.local_addr()?, "health, readiness and metrics");
        let ops = ops::Ops { ready, metrics: self.metrics.clone(), console };
        self.tasks.spawn(ops::run(listener, ops, self.done.clone()));
        Ok(())
    }

    /// Takes webhooks until the stop, then finishes what it accepted.
    async fn receive(&self, listener: TcpListener, publisher: AnyPublisher, args: &IngressLimits) {
        let ingress = ingress::Ingress { publisher, shops: self.shops.clone() };
        ingress::run(listener, ingress, args.limits(), self.stop.clone()).await;
    }

    /// Applies webhooks until `stop`, then finishes what lanes hold.
    async fn work(
        &self,
        queue: &AnyQueue,
        store: &AnyStore,
        (args, strategy): (&WorkerLimits, worker::Strategy),
        stop: CancellationToken,
    ) -> Result<(), worker::Died> {
        let consumers = (0..args.lanes).map(|_| queue.consumer()).collect();
        let shops = self.shops.clone();
        let working = worker::run(consumers, store.clone(), shops, args.config(strategy), stop);
        tokio::select! {
            worked = working => worked,
            never = queue.show_depth() => match never {},
            never = store.show_connections() => match never {},
        }
    }

    /// Does `work`; what is counted meanwhile goes into the store's charts.
    async fn counted<T>(
        &self,
        store: &AnyStore,
        role: &'static str,
        ingresses: Ingresses,
        work: impl Future<Output = T>,
    ) -> T {
        let counting =
            ops::Counting { store: store.clone(), role, metrics: self.metrics.clone(), ingresses };
        let stop = CancellationToken::new();
        let counting = self.tasks.spawn(ops::count(counting, stop.clone()));
        let done = work.await;
        stop.cancel();
        // Before the store closes.
        let _ = tokio::time::timeout(CLOSE, counting).await;
        done
    }

    async fn finish(self, worked: Result<(), worker::Died>) -> anyhow::Result<ExitCode> {
        self.done.cancel();
        self.tasks.close();
        let _ = tokio::time::timeout(CLOSE, self.tasks.wait()).await;
        worked?;
        tracing::info!("stopped");
        Ok(ExitCode::SUCCESS)
    }
}

/// SIGTERM and Ctrl-C ask for a graceful stop; a second one ends the process at once.
fn stop_on_signal(stop: CancellationToken) -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: finishing what was accepted");
        stop.cancel();
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::warn!("stopped at once: what was unfinished comes again");
        std::process::exit(SECOND_SIGNAL);
    })
}

/// `onhand serve`.
pub(crate) async fn serve(settings: &Settings, args: ServeArgs) -> anyhow::Result<ExitCode> {
    let role = Role::start(settings)?;
    args.traces.start("onhand", &role)?;
    let _lock = lock(&settings.data_dir)?;
    let broker = settings.broker("serve")?;
    let spool = args.spool.open(&broker).await?;
    let queue = broker.open().await?;
    let store = open_store(settings, &args.worker).await?;
    let strategy = args.worker.strategy.strategy(&settings.broker_prefix).await?;
    let publisher = spool::before(queue.publisher(), spool.as_ref());
    let needs = Needs {
        publisher: Some(publisher.clone()),
        store: Some(store.clone()),
        ..Needs::default()
    };
    let console = args.access.console(&role, args.ops_listen, &store, &broker)?;
    let listener = listen(args.ingress.listen).await?;
    role.look_after(args.verify_every, &args.alerts, &store, &broker)?;
    role.ops(args.ops_listen, needs, Some(console)).await?;
    // Lanes stop only when nothing new can come; ingress does not go on without them.
    let lanes_stop = CancellationToken::new();
    let apply = async {
        let worked = role.work(&queue, &store, (&args.worker, strategy), lanes_stop.clone()).await;
        role.stop.cancel();
        worked
    };
    let receive = async {
        role.receive(listener, publisher, &args.ingress).await;
        // What goes from the spool to the broker from here on is for the next process.
        lanes_stop.cancel();
    };
    let deadline = args.worker.drain.deadline();
    let receive = spool::drain(spool.as_ref(), queue.publisher(), deadline, receive);
    let work = async { tokio::join!(apply, receive) };
    let (worked, ()) = role.counted(&store, "serve", Ingresses::default(), work).await;
    args.spool.tell_what_is_left(spool.as_ref());
    bounded(spool::close(spool)).await;
    bounded(queue.close()).await;
    bounded(store.close()).await;
    role.finish(worked).await
}

/// `onhand ingress`.
pub(crate) async fn ingress(settings: &Settings, args: IngressArgs) -> anyhow::Result<ExitCode> {
    let broker @ Broker::RabbitMq(_) = settings.broker("ingress")? else {
        return Err(bad_config(
            "`onhand ingress` hands webhooks to other processes, so it needs a broker: set \
             ONHAND_BROKER_URL (--broker-url), for example amqp://guest:guest@localhost:5672/%2f; \
             for one process without a broker there is `onhand serve`",
        ));
    };
    let role = Role::start(settings)?;
    args.traces.start("onhand-ingress", &role)?;
    let spool = args.spool.open(&broker).await?;
    let queue = broker.open().await?;
    let publisher = spool::before(queue.publisher(), spool.as_ref());
    let listener = listen(args.ingress.listen).await?;
    let needs = Needs { publisher: Some(publisher.clone()), ..Needs::default() };
    role.ops(args.ops_listen, needs, None).await?;
    let receive = role.receive(listener, publisher, &args.ingress);
    spool::drain(spool.as_ref(), queue.publisher(), args.drain.deadline(), receive).await;
    args.spool.tell_what_is_left(spool.as_ref());
    bounded(spool::close(spool)).await;
    bounded(queue.close()).await;
    role.finish(Ok(())).await
}

/// `onhand worker`.
pub(crate) async fn worker(settings: &Settings, args: WorkerArgs) -> anyhow::Result<ExitCode> {
    let broker = settings.broker("worker")?;
    let database = settings.database(args.worker.connections())?;
    let (Broker::RabbitMq(_), Database::Postgres(_)) = (&broker, &database) else {
        return Err(bad_config(
            "`onhand worker` shares its queue and database with other processes: set \
             ONHAND_BROKER_URL (--broker-url), for example amqp://guest:guest@localhost:5672/%2f, \
             and ONHAND_DATABASE_URL (--database-url), for example \
             postgres://onhand:secret@localhost/onhand; for one process there is `onhand serve`",
        ));
    };
    let role = Role::start(settings)?;
    args.traces.start("onhand-worker", &role)?;
    let store = database.open().await?;
    let strategy = args.worker.strategy.strategy(&settings.broker_prefix).await?;
    let queue = broker.open().await?;
    let needs = Needs { reach: queue.reach(), store: Some(store.clone()), ..Needs::default() };
    role.ops(args.ops_listen, needs, None).await?;
    tracing::info!(lanes = args.worker.lanes, "applying webhooks");
    let work = role.work(&queue, &store, (&args.worker, strategy), role.stop.clone());
    let worked = role.counted(&store, "worker", Ingresses::default(), work).await;
    bounded(queue.close()).await;
    bounded(store.close()).await;
    role.finish(worked).await
}

async fn open_store(settings: &Settings, worker: &WorkerLimits) -> anyhow::Result<AnyStore> {
    let database = settings.database(worker.connections())?;
    if let Database::Sqlite(_) = database {
        // Its own file: nobody else could have migrated it.
        database.migrate().await?;
    }
    Ok(database.open().await?)
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).await.map_err(|error| {
        bad_config(format!(
            "cannot listen on {address} (ONHAND_LISTEN, --listen): {error}; \
             choose another, for example 127.0.0.1:8090"
        ))
    })?;
    tracing::info!(listen = %listener.local_addr()?, "receiving webhooks");
    Ok(listener)
}

/// In the data folder.
const LOCK: &str = "lock";

/// One process at a time serves a data folder; the lock goes with the process, however it ends.
fn lock(data_dir: &Path) -> anyhow::Result<File> {
    let failed = |error: &dyn std::fmt::Display| {
        bad_config(format!(
            "cannot use the data folder {} (ONHAND_DATA_DIR, --data-dir): {error}",
            data_dir.display()
        ))
    };
    std::fs::create_dir_all(data_dir).map_err(|error| failed(&error))?;
    let file = File::create(data_dir.join(LOCK)).map_err(|error| failed(&error))?;
    file.try_lock().map_err(|_| failed(&"another onhand is serving it"))?;
    Ok(file)
}

/// Whether a process holds the data folder now.
pub(crate) fn is_served(data_dir: &Path) -> bool {
    File::open(data_dir.join(LOCK)).is_ok_and(|file| file.try_lock_shared().is_err())
}

async fn bounded(work: impl Future<Output = ()>) {
    if tokio::time::timeout(CLOSE, work).await.is_err() {
        tracing::warn!("closing took too long; what was accepted is durable all the same");
    }
}

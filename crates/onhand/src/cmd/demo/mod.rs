//! `onhand demo`: a flash sale on a fresh instance, with a crash in the middle, and what came of
//! it.
//!
//! The serving process is a real one: this program again, with `serve`, killed with SIGKILL while
//! webhooks come in. All that this process knows it knows as the platform: what it sent and what
//! was answered. Against that it holds the database in the end.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use domain::Sku;
use operate::verify::verify;
use queue::QueueStats;
use queue::embedded::EmbeddedQueue;
use simulate::sale::{Channel, Plan, Sale};
use simulate::sender::{self, Pace, Progress, Sent};
use store::reports::Totals;
use store::{Database, Reports};
use tempfile::TempDir;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::simulate::applied::{self, Applied, PATIENCE};
use super::simulate::losses::{Deliveries, SendersList};
use super::simulate::{bar, opening};
use crate::config::{DATABASE_FILE, QUEUE_FILE, Settings};
use crate::exit::{NOT_FINE, bad_config};
use crate::{output, shops_file};

mod ending;
mod report;
mod server;

use report::{Crash, Facts};
use server::Server;

/// Items of the sale, and how many of them most orders want.
const SKUS: usize = 50;
const HOT_SKUS: usize = 5;

/// Units that are there, of a hundred that are asked for: too few of the hot items, enough of the
/// others.
const HOT_SUPPLY_PERCENT: i64 = 40;
const SUPPLY_PERCENT: i64 = 120;

/// Connections of the simulated platform.
const CONNECTIONS: usize = 32;

/// How long the lanes may take to settle what they have committed.
const SETTLE: Duration = Duration::from_secs(5);

/// How often progress is looked at.
const TICK: Duration = Duration::from_millis(50);

/// A simulated sale with far too few units, over real signed HTTP. Most orders want a few hot
/// items, webhooks come twice, out of order and late, orders are cancelled, and the serving process
/// is killed in the middle. In the end every promise is checked; exit code 1 if one was broken.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    onhand demo\n      in a temporary folder, which is removed in the end\n  \
    onhand demo --stay\n      and keep serving, to look around with the other commands\n  \
    onhand demo --data-dir ./demo --orders 20000 --seed 7\n\n\
    --data-dir must name a new or an empty folder; ONHAND_DATA_DIR is not used here.")]
pub(crate) struct DemoArgs {
    /// Orders in the sale, 1,000 to 50,000
    #[arg(long, default_value_t = 5000,
          value_parser = clap::value_parser!(u32).range(1_000..=50_000))]
    orders: u32,
    /// Keep serving afterwards, until Ctrl-C
    #[arg(long)]
    stay: bool,
    /// Draws the sale; the same seed draws the same one [default: another each time]
    #[arg(long)]
    seed: Option<u64>,
}

pub(crate) async fn run(settings: &Settings, args: DemoArgs) -> anyhow::Result<ExitCode> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let signals = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    tokio::pin!(signals);
    let home = Home::new(settings)?;
    let seed = args.seed.unwrap_or_else(|| rand::random::<u32>().into());
    let mut server = Server::new(&home.path)?;
    // Dropped halfway, the sale takes its server and its folder with it.
    let facts = tokio::select! {
        facts = sell(&home.path, &mut server, &args, seed, settings.json) => facts?,
        () = &mut signals => anyhow::bail!("interrupted"),
    };
    match settings.json {
        true => output::json(&facts.json())?,
        false => facts.print(),
    }
    let fine = facts.is_fine();
    if args.stay {
        home.explain(&server);
        signals.await;
        home.keep();
    } else if !fine {
        eprintln!("onhand: what broke a promise is kept in {}", home.path.display());
        home.keep();
    }
    server.stop().await;
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::from(NOT_FINE) })
}

/// The data folder: a temporary one, unless the command line names one.
struct Home {
    path: PathBuf,
    temporary: Option<TempDir>,
}

impl Home {
    fn new(settings: &Settings) -> anyhow::Result<Self> {
        let named = std::env::args_os().any(|arg| {
            arg == "--data-dir" || arg.to_str().is_some_and(|arg| arg.starts_with("--data-dir="))
        });
        if !named {
            let temporary = tempfile::Builder::new().prefix("onhand-demo-").tempdir()?;
            return Ok(Self { path: temporary.path().to_owned(), temporary: Some(temporary) });
        }
        let path = &settings.data_dir;
        let used = std::fs::read_dir(path).is_ok_and(|mut files| files.next().is_some());
        if used {
            return Err(bad_config(format!(
                "{} is not empty, and a demo does not touch what is there: name a new folder, \
                 or none for a temporary one",
                path.display()
            )));
        }
        std::fs::create_dir_all(path)
            .map_err(|error| bad_config(format!("cannot make {}: {error}", path.display())))?;
        let path = path.canonicalize().context("cannot find the data folder")?;
        Ok(Self { path, temporary: None })
    }

    fn explain(&self, server: &Server) {
        let dir = self.path.display();
        eprintln!(
            "\nStill serving; Ctrl-C ends it, the data stays. \
             To look around, in another terminal:\n  \
             onhand status --data-dir {dir}\n  \
             onhand stock list --data-dir {dir}\n  \
             onhand stock history {} --data-dir {dir}\n  \
             onhand verify --data-dir {dir} --shops {}\n  \
             curl http://{}/metrics",
            Sale::sku(0),
            self.path.join(server::SHOPS_FILE).display(),
            server.ops,
        );
    }

    fn keep(mut self) {
        if let Some(temporary) = self.temporary.take() {
            let kept = temporary.keep();
            debug_assert_eq!(kept, self.path);
        }
    }
}

async fn sell(
    home: &Path,
    server: &mut Server,
    args: &DemoArgs,
    seed: u64,
    json: bool,
) -> anyhow::Result<Facts> {
    let sale = sale(args, seed);
    let plan = Arc::new(sale.plan());
    let opening = opening_stock(&sale, &plan);
    let database = Database::Sqlite(home.join(DATABASE_FILE));
    database.migrate().await?;
    let store = database.open().await?;
    opening::open(&store, opening.clone()).await?;
    // From here to the end nobody but the serving process has the file open: what the kill leaves
    // behind is what a crash leaves behind.
    store.close().await;

    server.start().await?;
    say(json, &format!("{} orders for {SKUS} items; serving on {}", args.orders, server.ingress));
    let began = Instant::now();
    let (sent, crash) = send(server, &plan, json).await?;
    let store = database.open().await?;
    say(json, "all is sent; applying what is still queued");
    let progress = bar(sent.accepted.len(), "applying")?;
    let show = |decided: i64| progress.set_position(decided.unsigned_abs());
    let before = Totals::default();
    let applied = applied::wait(&store, &before, sent.accepted.len(), PATIENCE, show).await?;
    let seconds = began.elapsed().as_secs_f64();
    progress.set_message("checking");
    // The kill leaves webhooks that were stored and never answered. Those count as well, so as many
    // others may still be queued: nothing is checked before they are through.
    let queue = drained(&home.join(QUEUE_FILE)).await?;
    let totals = store.totals().await?;
    let applied = Applied { complete: applied.complete, ..Applied::between(&before, &totals) };

    let none = Deliveries::new();
    let list = SendersList::new(&store, &plan, &sent, &none);
    let losses = list.losses(list.missing().await?, PATIENCE).await?;
    let shops = shops_file::load(&home.join(server::SHOPS_FILE))?;
    let verified = verify(&store, Some(&shops), |_, _| ()).await?;
    let ending = ending::compare(&store, &plan, &opening).await?;
    progress.finish_and_clear();
    store.close().await;
    Ok(Facts {
        seed,
        plan,
        sent,
        crash,
        applied,
        seconds,
        losses,
        verified,
        ending,
        queue,
        dead_letters: totals.dead_letters,
    })
}

fn sale(args: &DemoArgs, seed: u64) -> Sale {
    Sale {
        orders: usize::try_from(args.orders).unwrap_or(simulate::sale::ORDERS_MAX),
        skus: SKUS,
        hot_skus: HOT_SKUS,
        hot_share: 0.6,
        lines_per_order: 2,
        pay_share: 0.5,
        cancel_share: 0.1,
        late_share: 0.3,
        duplicate_share: 0.2,
        same_instant_share: 0.5,
        disorder: 200,
        seed,
        channel: Channel::Shopify { domain: server::DOMAIN.to_owned() },
        life_share: 0.0,
        secret: server::SECRET.to_owned(),
    }
}

/// Units by item.
fn opening_stock(sale: &Sale, plan: &Plan) -> Vec<(Sku, i64)> {
    let ordered = plan.units();
    let stock = sale.all_skus().enumerate().map(|(index, sku)| {
        let percent = if index < HOT_SKUS { HOT_SUPPLY_PERCENT } else { SUPPLY_PERCENT };
        let units = ordered.get(&sku).copied().unwrap_or(0) * percent / 100;
        (Sku::new(sku), units)
    });
    stock.collect()
}

/// Sends the plan; when half of it is accepted, kills the serving process and starts it again.
async fn send(
    server: &mut Server,
    plan: &Arc<Plan>,
    json: bool,
) -> anyhow::Result<(Sent, Option<Crash>)> {
    let progress = Arc::new(Progress::default());
    let bar = bar(plan.sends.len(), "selling")?;
    let pace = Pace { connections: CONNECTIONS, per_second: None };
    let target = format!("http://{}", server.ingress).parse()?;
    let sending = sender::send(
        &target,
        Arc::clone(plan),
        pace,
        Arc::clone(&progress),
        CancellationToken::new(),
    );
    tokio::pin!(sending);
    let mut tick = tokio::time::interval(TICK);
    // The sending goes on while the server is down and comes back.
    let crash = tokio::select! {
        sent = &mut sending => {
            bar.finish_and_clear();
            return Ok((sent, None));
        }
        crash = async {
            while progress.accepted() < plan.sends.len() / 2 {
                tick.tick().await;
                bar.set_position(u64::try_from(progress.ended()).unwrap_or(0));
            }
            let accepted = progress.accepted();
            let killed = Instant::now();
            server.kill().await?;
            bar.suspend(|| say(json, &format!("kill -9 after {accepted} answers; starting again")));
            server.start().await?;
            anyhow::Ok(Crash { accepted, down: killed.elapsed() })
        } => crash?,
    };
    let sent = loop {
        tokio::select! {
            sent = &mut sending => break sent,
            _ = tick.tick() => bar.set_position(u64::try_from(progress.ended()).unwrap_or(0)),
        }
    };
    bar.finish_and_clear();
    Ok((sent, Some(crash)))
}

/// What is in the queue once the lanes have settled what they committed, or after a while.
async fn drained(path: &Path) -> anyhow::Result<QueueStats> {
    let began = Instant::now();
    loop {
        let stats = EmbeddedQueue::peek_stats(path).await?;
        let empty = QueueStats { unacked: stats.unacked.map(|_| 0), ..QueueStats::default() };
        if stats == empty || began.elapsed() > SETTLE {
            return Ok(stats);
        }
        tokio::time::sleep(TICK).await;
    }
}

/// A line of progress, also where no terminal shows bars.
fn say(json: bool, line: &str) {
    if !json {
        eprintln!("{line}");
    }
}

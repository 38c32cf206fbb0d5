//! `onhand simulate`: plays the platforms against any ingress, and holds the store against its own
//! list of what was answered 200.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use domain::Sku;
use indicatif::{ProgressBar, ProgressStyle};
use simulate::sale::{ORDERS_MAX, Plan, Sale};
use simulate::sender::{self, Pace, Progress, Sent, Target};
use store::reports::Totals;
use store::{AnyStore, Reports};
use tokio_util::sync::CancellationToken;

use crate::cmd::verify;
use crate::config::Settings;
use crate::exit::{NOT_FINE, UNREACHABLE, bad_config};
use crate::shops_file;

pub(crate) mod applied;
pub(crate) mod losses;
pub(crate) mod numbers;
pub(crate) mod opening;
mod report;

use applied::Applied;
use report::{Checked, Report};

/// How often progress is drawn.
const TICK: Duration = Duration::from_millis(100);

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    onhand simulate --secret plain:only-for-demos --setup --wait\n      \
    10,000 orders as fast as they are answered, then check that nothing was lost\n  \
    onhand simulate --secret env:DEMO_SECRET --hot-share 1 --orders 20000 --setup --wait\n      \
    every order wants the same item\n  \
    onhand simulate --secret env:DEMO_SECRET --rate 2000 --orders 60000\n      \
    2,000 webhooks each second, whether the ones before have been answered or not\n\n\
    The shops file of the receiving side must name the shop's domain and the secret, and the \
    items must have stock (--setup). The same seed sends the very same webhooks again, which \
    Onhand then takes for duplicates.")]
pub(crate) struct SimulateArgs {
    /// Where the ingress is
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: Target,
    /// The shop that the orders belong to
    #[arg(long, default_value = "demo.myshopify.com")]
    shop_domain: String,
    /// What webhooks are signed with: env:NAME, file:PATH or plain:TEXT
    #[arg(long, env = "ONHAND_SIMULATE_SECRET", hide_env_values = true)]
    secret: String,
    /// Orders, at most 100,000
    #[arg(long, default_value_t = 10_000,
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    orders: u32,
    /// Items
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    skus: u32,
    /// Share of lines that ask for a hot item, 0 to 1
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    hot_share: f64,
    /// How many items are hot
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    hot_skus: u32,
    /// Lines per order
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=100))]
    lines: u32,
    /// Share of orders that are paid, which is a second webhook
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    pay_share: f64,
    /// Share of orders that are cancelled, which is one more
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    cancel_share: f64,
    /// Share of changed orders whose old body comes again after the newer ones
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    late_share: f64,
    /// Share of webhooks that are sent twice, half of them at the same instant
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    duplicates: f64,
    /// How many orders too late a webhook may be sent; 0: in order
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=1_000_000))]
    disorder: u64,
    /// Draws the orders; the same seed draws the same ones [default: another each time]
    #[arg(long)]
    seed: Option<u64>,
    /// Connections, each with one request at a time
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=4096))]
    connections: u32,
    /// Webhooks per second [default: as fast as they are answered]
    #[arg(long, value_parser = rate)]
    rate: Option<f64>,
    /// First make stock for items that have none, in the database
    #[arg(long)]
    setup: bool,
    /// Units of each item that --setup makes
    #[arg(long, default_value_t = 1_000_000,
          value_parser = clap::value_parser!(i64).range(0..=1_000_000_000))]
    units: i64,
    /// Wait until all is applied, then check for losses and run verify, on the database
    #[arg(long)]
    wait: bool,
}

pub(crate) async fn run(settings: &Settings, args: SimulateArgs) -> anyhow::Result<ExitCode> {
    let sale = sale(&args)?;
    if let Err(error) = args.url.probe().await {
        eprintln!("onhand: nobody listens at --url: {error}; is `onhand serve` running there?");
        return Ok(ExitCode::from(UNREACHABLE));
    }
    if args.setup {
        let stock = sale.all_skus().map(|sku| (Sku::new(sku), args.units)).collect();
        let made = opening::open(&settings.open_store().await?, stock).await?;
        eprintln!("onhand: made stock for {made} items, {} units each", args.units);
    }
    let store = match args.wait {
        true => Some(settings.open_store().await?),
        false => None,
    };
    let before = match &store {
        Some(store) => store.totals().await?,
        None => Totals::default(),
    };
    let plan = Arc::new(sale.plan());
    let began = tokio::time::Instant::now();
    let sent = send(&args, &plan).await?;
    let checked = match &store {
        Some(store) => Some(check(settings, store, &before, &plan, &sent, began).await?),
        None => None,
    };
    let report = Report { sale: &sale, plan: &plan, sent: &sent, checked: checked.as_ref() };
    report.print(settings.json)?;
    Ok(if report.is_fine() { ExitCode::SUCCESS } else { ExitCode::from(NOT_FINE) })
}

fn sale(args: &SimulateArgs) -> anyhow::Result<Sale> {
    let count = |number: u32| usize::try_from(number).unwrap_or(ORDERS_MAX);
    let secret = match args.secret.strip_prefix("plain:") {
        Some(plain) => plain.to_owned(),
        None => shops_file::secret(&args.secret)
            .map_err(|error| bad_config(format!("--secret {error}")))?,
    };
    Ok(Sale {
        orders: count(args.orders),
        skus: count(args.skus),
        hot_skus: count(args.hot_skus),
        hot_share: args.hot_share,
        lines_per_order: count(args.lines),
        pay_share: args.pay_share,
        cancel_share: args.cancel_share,
        late_share: args.late_share,
        duplicate_share: args.duplicates,
        same_instant_share: 0.5,
        disorder: args.disorder,
        seed: args.seed.unwrap_or_else(|| rand::random::<u32>().into()),
        domain: args.shop_domain.clone(),
        secret,
    })
}

async fn send(args: &SimulateArgs, plan: &Arc<Plan>) -> anyhow::Result<Sent> {
    let connections = usize::try_from(args.connections).context("connections")?;
    let pace = Pace { connections, per_second: args.rate };
    let progress = Arc::new(Progress::default());
    let bar = bar(plan.sends.len(), "sending")?;
    let sending = sender::send(
        &args.url,
        Arc::clone(plan),
        pace,
        Arc::clone(&progress),
        CancellationToken::new(),
    );
    tokio::pin!(sending);
    let mut tick = tokio::time::interval(TICK);
    let sent = loop {
        tokio::select! {
            sent = &mut sending => break sent,
            _ = tick.tick() => bar.set_position(u64::try_from(progress.ended()).unwrap_or(0)),
        }
    };
    bar.finish_and_clear();
    Ok(sent)
}

async fn check(
    settings: &Settings,
    store: &AnyStore,
    before: &Totals,
    plan: &Plan,
    sent: &Sent,
    began: tokio::time::Instant,
) -> anyhow::Result<Checked> {
    let bar = bar(sent.accepted.len(), "applying")?;
    let show = |decided: i64| bar.set_position(decided.unsigned_abs());
    let applied: Applied = applied::wait(store, before, sent.accepted.len(), show).await?;
    let seconds = began.elapsed().as_secs_f64();
    bar.set_message("checking");
    let losses = losses::find(store, plan, sent).await?;
    let mut verified = store.verify().await?;
    if let Ok(shops) = shops_file::load(&settings.shops) {
        let spinner = ProgressBar::hidden();
        verified.violations.extend(verify::orders::verify(store, &shops, &spinner).await?);
    }
    bar.finish_and_clear();
    Ok(Checked { applied, seconds, losses, verified })
}

/// A bar on stderr; nothing where that is no terminal.
pub(crate) fn bar(length: usize, message: &'static str) -> anyhow::Result<ProgressBar> {
    let template = "{msg:10} {wide_bar} {human_pos}/{human_len}  {per_sec:>14}";
    let length = u64::try_from(length).context("a progress bar's length")?;
    Ok(ProgressBar::new(length)
        .with_style(ProgressStyle::with_template(template)?)
        .with_message(message))
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("a share is a number from 0 to 1, as 0.2".to_owned()),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.1..=1e6).contains(&rate) => Ok(rate),
        _ => Err("a rate is a number of webhooks per second from 0.1 to 1000000".to_owned()),
    }
}

//! `onhand simulate`: plays the platforms against any ingress, and holds the store against its own
//! list of what was answered 200.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use domain::Sku;
use indicatif::{ProgressBar, ProgressStyle};
use operate::verify::verify;
use simulate::sale::{Plan, Sale};
use simulate::sender::{self, Pace, Progress, Sent};
use store::reports::Totals;
use store::{AnyStore, Reports};
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::exit::{NOT_FINE, UNREACHABLE};
use crate::shops_file;

pub(crate) mod applied;
mod args;
mod asked;
mod expected;
pub(crate) mod losses;
pub(crate) mod numbers;
pub(crate) mod opening;
mod report;

use applied::Applied;
pub(crate) use args::SimulateArgs;
use asked::Asked;
use expected::Expected;
use losses::{Deliveries, SendersList};
use report::{Checked, Report};

/// How often progress is drawn.
const TICK: Duration = Duration::from_millis(100);

pub(crate) async fn run(settings: &Settings, args: SimulateArgs) -> anyhow::Result<ExitCode> {
    let sale = args.sale()?;
    if let Err(error) = args.url.probe().await {
        eprintln!("onhand: nobody listens at --url: {error}; is `onhand serve` running there?");
        return Ok(ExitCode::from(UNREACHABLE));
    }
    if args.setup {
        make_stock(settings, &args, &sale).await?;
    }
    let store = match args.wait {
        true => Some(settings.open_store().await?),
        false => None,
    };
    let plan = Arc::new(sale.plan());
    let before = match &store {
        Some(store) => Some(Before::read(store, &args, &sale, &plan).await?),
        None => None,
    };
    let began = tokio::time::Instant::now();
    let sent = send(&args, &plan).await?;
    let checked = match store.as_ref().zip(before.as_ref()) {
        Some((store, before)) => {
            let wait = Wait { store, before, began, patience: args.patience() };
            Some(wait.check(settings, &plan, &sent).await?)
        }
        None => None,
    };
    let asked = Asked::of(&args, &sale);
    let report = Report { asked: &asked, plan: &plan, sent: &sent, checked: checked.as_ref() };
    report.warn();
    report.print(settings.json)?;
    Ok(if report.is_fine() { ExitCode::SUCCESS } else { ExitCode::from(NOT_FINE) })
}

/// What the store shows before anything is sent.
struct Before {
    totals: Totals,
    deliveries: Deliveries,
    expected: Expected,
}

impl Before {
    async fn read(
        store: &AnyStore,
        args: &SimulateArgs,
        sale: &Sale,
        plan: &Plan,
    ) -> anyhow::Result<Self> {
        let deliveries = match args.is_seed_chosen() {
            true => losses::before(store, plan).await?,
            // Drawn just now, ids with it: nobody has sent them.
            false => Deliveries::new(),
        };
        let expected = Expected::of(store, sale, plan).await?;
        Ok(Self { totals: store.totals().await?, deliveries, expected })
    }
}

async fn make_stock(settings: &Settings, args: &SimulateArgs, sale: &Sale) -> anyhow::Result<()> {
    let stock = sale.all_skus().map(|sku| (Sku::new(sku), args.units)).collect();
    let made = opening::open(&settings.open_store().await?, stock).await?;
    eprintln!("onhand: made stock for {made} items, {} units each", args.units);
    Ok(())
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

/// For what was sent to be applied.
struct Wait<'a> {
    store: &'a AnyStore,
    before: &'a Before,
    began: tokio::time::Instant,
    patience: Duration,
}

impl Wait<'_> {
    async fn check(
        &self,
        settings: &Settings,
        plan: &Plan,
        sent: &Sent,
    ) -> anyhow::Result<Checked> {
        let Self { store, before, patience, .. } = *self;
        let bar = bar(sent.accepted.len(), "applying")?;
        let show = |decided: i64| bar.set_position(decided.unsigned_abs());
        let accepted = sent.accepted.len();
        let mut applied = applied::wait(store, &before.totals, accepted, patience, show).await?;
        let mut seconds = self.began.elapsed().as_secs_f64();
        bar.set_message("checking");
        let list = SendersList::new(store, plan, sent, &before.deliveries);
        let mut missing = list.missing().await?;
        if applied.complete && !missing.is_empty() {
            missing = list.losses(missing, patience).await?;
            seconds = self.began.elapsed().as_secs_f64();
            applied.outcomes = Applied::between(&before.totals, &store.totals().await?).outcomes;
        }
        let shops = shops_file::load(&settings.shops).ok();
        let verified = verify(store, shops.as_ref(), |_, _| ()).await?;
        bar.finish_and_clear();
        Ok(Checked { applied, expected: before.expected, seconds, missing, verified })
    }
}

/// A bar on stderr; nothing where that is no terminal.
pub(crate) fn bar(length: usize, message: &'static str) -> anyhow::Result<ProgressBar> {
    let template = "{msg:10} {wide_bar} {human_pos}/{human_len}  {per_sec:>14}";
    let length = u64::try_from(length).context("a progress bar's length")?;
    Ok(ProgressBar::new(length)
        .with_style(ProgressStyle::with_template(template)?)
        .with_message(message))
}

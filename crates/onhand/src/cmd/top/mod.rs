//! `onhand top`: what goes on, as it goes on.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use queue::Broker;
use store::AnyStore;
use tokio::time::{MissedTickBehavior, interval};

use crate::config::Settings;
use crate::exit::bad_config;
use crate::output;

mod live;
mod reading;
mod show;

use reading::Reading;
use show::{Shown, lines};

/// Between two readings.
const EVERY: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    onhand top                  on a terminal; q or Ctrl-C ends it\n  \
    onhand top --once           two readings, a second apart, for the rates\n  \
    onhand top --json | jq .    a line each second")]
pub(crate) struct TopArgs {
    /// Show it once and end
    #[arg(long)]
    once: bool,
}

/// Where readings come from.
struct Source {
    store: AnyStore,
    broker: Broker,
}

pub(crate) async fn run(settings: &Settings, args: TopArgs) -> anyhow::Result<ExitCode> {
    if !args.once && !settings.json && !std::io::stdout().is_terminal() {
        return Err(bad_config(
            "stdout is no terminal: give --once for one look, or --json for a line each second",
        ));
    }
    let source = Source { store: settings.open_store().await?, broker: settings.broker("top")? };
    let first = source.read(None).await?;
    if args.once || settings.json {
        print(settings, &args, &source, first).await?;
    } else {
        live::show(&source, first).await?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn print(
    settings: &Settings,
    args: &TopArgs,
    source: &Source,
    mut before: Reading,
) -> anyhow::Result<()> {
    let mut ticks = interval(EVERY);
    // A tick that comes late moves the next, so there is always a second between two.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let now = source.read(Some(&before)).await?;
        let shown = Shown::new(&before, &now);
        match (settings.json, args.once) {
            (true, true) => output::json(&shown)?,
            (true, false) => outln!("{}", serde_json::to_string(&shown)?),
            (false, _) => lines(&shown).iter().for_each(|line| outln!("{line}")),
        }
        if args.once {
            return Ok(());
        }
        before = now;
    }
}

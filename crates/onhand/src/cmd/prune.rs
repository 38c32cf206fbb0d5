//! `onhand prune`: old bodies removed.

use std::process::ExitCode;

use clap::Args;
use indicatif::ProgressBar;
use operate::audit;
use operate::prune::{Bodied, prune};
use serde::Serialize;

use crate::config::Settings;
use crate::{output, when};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    onhand prune --older-than 90d --dry-run    how many there are\n  \
    onhand prune --older-than 90d")]
pub(crate) struct PruneArgs {
    /// What came, or was closed, longer ago than this, as 90d or 12h
    #[arg(long)]
    older_than: String,
    /// Only count
    #[arg(long)]
    dry_run: bool,
}

#[derive(Serialize)]
struct Pruned {
    before: String,
    removed: bool,
    #[serde(flatten)]
    bodies: Bodied,
}

pub(crate) async fn run(settings: &Settings, args: &PruneArgs) -> anyhow::Result<ExitCode> {
    let before = when::older_than(&args.older_than)?;
    let store = settings.open_store().await?;
    let bar = ProgressBar::new_spinner().with_message("looking");
    let found = prune(&store, before, false, |found| bar.set_position(count(found))).await?;
    bar.finish_and_clear();
    let mut bodies = found;
    if !args.dry_run && found.all() > 0 {
        let what = format!("prune bodies older than {}: {}", args.older_than, found.all());
        audit::note(&store, audit::operation(audit::new_key(), &when::who(), &what)).await?;
        let bar = ProgressBar::new(count(found));
        bodies = prune(&store, before, true, |found| bar.set_position(count(found))).await?;
        bar.finish_and_clear();
    }
    let before = output::moment(before);
    if settings.json {
        output::json(&Pruned { before, removed: !args.dry_run, bodies })?;
        return Ok(ExitCode::SUCCESS);
    }
    let verb = if args.dry_run { "Would remove" } else { "Removed" };
    outln!(
        "{verb} {} bodies of webhooks and {} of closed dead letters, from before {before}. \
         What moved stock, what tells repeats and open dead letters stay.",
        bodies.webhooks,
        bodies.closed_dead_letters
    );
    Ok(ExitCode::SUCCESS)
}

fn count(bodies: Bodied) -> u64 {
    u64::try_from(bodies.all()).unwrap_or_default()
}

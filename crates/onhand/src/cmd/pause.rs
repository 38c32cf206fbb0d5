//! `onhand pause` and `onhand resume`.

use std::process::ExitCode;

use clap::Args;
use domain::ShopId;
use operate::audit;
use operate::pause::{self, Asked, Reason, name, sentence};
use serde::Serialize;
use store::{AnyStore, Pause, Pauses};

use crate::config::Settings;
use crate::{output, shops_file, when};

#[derive(Debug, Args)]
#[command(after_help = "Webhooks are answered 200 and queued all the same: nothing is lost, and \
    nothing is applied. Workers finish the batch that they have in hand within a second or so. A \
    pause outlives every process; `onhand resume` ends it.\n\n\
    Examples:\n  onhand pause --reason 'counting stock'\n  onhand pause --shop demo")]
pub(crate) struct PauseArgs {
    /// Only what comes of this shop of the shops file; payments come of a shop of their own. Without:
    /// everything
    #[arg(long)]
    shop: Option<String>,
    /// Why, for whoever finds it paused
    #[arg(long, default_value = "")]
    reason: Reason,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Workers go on within a second. What came of a paused shop comes back within \
    5 seconds, or 30 after a pause of more than 5 minutes.\n\n\
    Examples:\n  onhand resume\n  onhand resume --shop demo"
)]
pub(crate) struct ResumeArgs {
    /// The shop that goes on. Without: everything; shops that are paused by themselves stay so
    #[arg(long)]
    shop: Option<String>,
}

#[derive(Serialize)]
struct Answer {
    /// Something is otherwise than before.
    changed: bool,
    paused: Vec<PauseJson>,
}

/// What is paused, as JSON shows it.
#[derive(Serialize)]
pub(super) struct PauseJson {
    /// `null`: everything.
    shop: Option<String>,
    since: String,
    by: String,
    reason: Option<String>,
}

impl PauseJson {
    pub(super) fn new(pause: &Pause) -> Self {
        Self {
            shop: pause.shop.as_ref().map(ToString::to_string),
            since: output::moment(pause.since),
            by: pause.by.clone(),
            reason: Some(pause.reason.clone()).filter(|reason| !reason.is_empty()),
        }
    }
}

pub(crate) async fn pause(settings: &Settings, args: PauseArgs) -> anyhow::Result<ExitCode> {
    if let Some(shop) = &args.shop {
        // A name that nobody has would pause nothing.
        shops_file::named(&shops_file::load(&settings.shops)?, shop)?;
    }
    let store = settings.open_store().await?;
    let shop = args.shop.map(ShopId::new);
    let changed = pause::pause(&store, shop.clone(), args.reason, &asked()).await?;
    if !changed {
        eprintln!("onhand: {} was paused already; nothing was changed", name(shop.as_ref()));
    }
    tell(settings, &store, changed).await
}

pub(crate) async fn resume(settings: &Settings, args: ResumeArgs) -> anyhow::Result<ExitCode> {
    let store = settings.open_store().await?;
    let shop = args.shop.as_deref().map(ShopId::new);
    let changed = pause::resume(&store, shop.as_ref(), &asked()).await?;
    if !changed {
        shops_file::check_typo(&settings.shops, args.shop.as_deref())?;
        eprintln!("onhand: {} was not paused; nothing was changed", name(shop.as_ref()));
    }
    tell(settings, &store, changed).await
}

fn asked() -> Asked {
    Asked { by: when::who(), key: audit::new_key(), now: operate::now() }
}

async fn tell(settings: &Settings, store: &AnyStore, changed: bool) -> anyhow::Result<ExitCode> {
    let pauses = store.pauses().await?;
    if settings.json {
        output::json(&Answer { changed, paused: pauses.iter().map(PauseJson::new).collect() })?;
    } else if pauses.is_empty() && changed {
        outln!("Nothing is paused.");
    } else {
        for pause in &pauses {
            outln!("{}", sentence(pause));
        }
    }
    Ok(ExitCode::SUCCESS)
}

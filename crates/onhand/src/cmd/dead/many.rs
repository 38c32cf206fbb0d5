//! `dead replay` and `dead discard`: one letter or many, looked at first if asked, at a bounded rate.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use domain::{EnvelopeId, ShopId};
use indicatif::ProgressBar;
use operate::audit;
use operate::dead::{Replayed, Replayer, Tally};
use operate::pace::{Pace, RATE};
use serde::Serialize;
use store::pages::Letters;
use store::reports::{Closed, DeadFilter, DeadRow};
use store::{AnyStore, Pages, Reports, StoreError};

use super::parse_id;
use crate::config::Settings;
use crate::exit::{NOT_FINE, bad_config};
use crate::{output, shops_file, when};

/// Letters read at once.
const PAGE: i64 = 500;

/// Of so many at the most the outcome of each is shown to people.
const ROWS_SHOWN: usize = 100;

/// Letters of which a preview can be made: what each would leave behind is kept until the last.
const PREVIEW_MAX: u64 = 10_000;

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Every open one that died since: a moment, or how long ago, as 2h or 3d
    #[arg(long, conflicts_with = "id")]
    since: Option<String>,
    /// Every open one of this shop
    #[arg(long, conflicts_with = "id")]
    shop: Option<String>,
    /// Every open one
    #[arg(long, conflicts_with = "id")]
    all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct How {
    /// Only say what would become of them, as of now
    #[arg(long)]
    dry_run: bool,
    /// At most so many in a second
    #[arg(long, default_value_t = RATE, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,
}

/// The letters that a command is about.
pub(super) enum Chosen {
    One(EnvelopeId),
    Open(Letters),
}

impl Which {
    /// `of_reason`: the flag by which a command asks for those of one reason.
    pub(super) fn letters(
        &self,
        id: Option<&str>,
        reason: Option<String>,
        of_reason: &str,
    ) -> anyhow::Result<Chosen> {
        let named = id.is_some() || reason.is_some() || self.since.is_some();
        if !(named || self.shop.is_some() || self.all) {
            return Err(bad_config(format!(
                "which dead letters? One by the ID that `onhand dead list` shows, or every open one \
                 by {of_reason}, --since or --shop (together they narrow), or --all"
            )));
        }
        if let Some(id) = id {
            return Ok(Chosen::One(parse_id(id)?));
        }
        let since = self.since.as_deref().map(when::since).transpose()?;
        let shop = self.shop.as_deref().map(ShopId::new);
        Ok(Chosen::Open(Letters { reason, shop, since }))
    }
}

impl Chosen {
    /// `closed_too`: one that was named is taken also if it is closed, to say why nothing can be done.
    async fn count(&self, store: &AnyStore, closed_too: bool) -> Result<u64, StoreError> {
        let count = match self {
            Self::One(_) => self.page(store, None, closed_too).await?.len() as u64,
            Self::Open(which) => {
                u64::try_from(store.count_open_letters(which, None).await?).unwrap_or_default()
            }
        };
        Ok(count)
    }

    async fn page(
        &self,
        store: &AnyStore,
        after: Option<EnvelopeId>,
        closed_too: bool,
    ) -> Result<Vec<DeadRow>, StoreError> {
        match self {
            Self::One(_) if after.is_some() => Ok(Vec::new()),
            Self::One(id) => {
                let filter = DeadFilter { id: Some(*id), reason: None, closed_too, limit: 1 };
                store.dead_letters(&filter).await
            }
            Self::Open(which) => store.open_letters(which, after, PAGE).await,
        }
    }

    /// For the record.
    fn describe(&self, count: u64) -> String {
        let which = match self {
            Self::One(id) => return format!("dead letter {id}"),
            Self::Open(which) => which,
        };
        let mut words = format!("{count} dead letters");
        if let Some(reason) = &which.reason {
            words += &format!(" of reason {reason}");
        }
        if let Some(shop) = &which.shop {
            words += &format!(" of shop {shop}");
        }
        if let Some(since) = which.since {
            words += &format!(" since {}", output::moment(since));
        }
        words
    }
}

/// What became of one webhook of one letter.
#[derive(Serialize)]
struct Line {
    id: String,
    outcome: &'static str,
    detail: Option<String>,
}

#[derive(Serialize)]
struct Preview {
    letters: u64,
    #[serde(flatten)]
    tally: Tally,
}

pub(super) async fn replay(
    settings: &Settings,
    chosen: Chosen,
    how: &How,
) -> anyhow::Result<ExitCode> {
    let shops = Arc::new(shops_file::load(&settings.shops)?);
    let store = settings.open_store().await?;
    let count = chosen.count(&store, true).await?;
    if count == 0 {
        return none(settings, &chosen, how);
    }
    if !how.dry_run {
        let what = format!("replay {}", chosen.describe(count));
        audit::note(&store, audit::operation(audit::new_key(), &when::who(), &what)).await?;
    }
    let mut replayer = Replayer::new(store.clone(), shops);
    let (mut lines, mut tally, mut seen) = (Vec::new(), Tally::default(), 0);
    let (mut pace, bar) = (Pace::new(how.rate), ProgressBar::new(count));
    let mut after = None;
    'all: loop {
        let rows = chosen.page(&store, after, true).await?;
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            let id = parse_id(&row.id)?;
            after = Some(id);
            // What died after the command began is for the next one.
            if seen == count || (how.dry_run && seen == PREVIEW_MAX) {
                break 'all;
            }
            seen += 1;
            let outcomes = if how.dry_run {
                replayer.preview(row, id).await?
            } else {
                pace.wait().await;
                replayer.replay(row, id).await?
            };
            for Replayed { outcome, detail, .. } in outcomes.iter().inspect(|one| tally.add(one)) {
                let (id, detail) = (row.id.clone(), detail.clone());
                lines.push(Line { id, outcome, detail });
            }
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    match how.dry_run {
        true => show_preview(settings, Preview { letters: seen, tally }, count),
        false => show(settings, &lines, &tally),
    }
}

fn none(settings: &Settings, chosen: &Chosen, how: &How) -> anyhow::Result<ExitCode> {
    if let Chosen::One(_) = chosen {
        eprintln!("onhand: there is no such dead letter; see `onhand dead list`");
        return Ok(ExitCode::from(NOT_FINE));
    }
    if settings.json && how.dry_run {
        output::json(&Preview { letters: 0, tally: Tally::default() })?;
    } else if settings.json {
        output::json(&Vec::<Line>::new())?;
    } else {
        outln!("There is no open dead letter of these.");
    }
    Ok(ExitCode::SUCCESS)
}

fn show_preview(settings: &Settings, preview: Preview, count: u64) -> anyhow::Result<ExitCode> {
    if settings.json {
        output::json(&preview)?;
        return Ok(ExitCode::SUCCESS);
    }
    let cut = match preview.letters < count {
        true => format!(" (of the oldest {} of {count} letters)", preview.letters),
        false => String::new(),
    };
    outln!("As of now a replay {}{cut}. Nothing was changed.", preview.tally.would());
    Ok(ExitCode::SUCCESS)
}

fn show(settings: &Settings, lines: &[Line], tally: &Tally) -> anyhow::Result<ExitCode> {
    if settings.json {
        output::json(&lines)?;
    } else {
        let shown = lines.iter().take(ROWS_SHOWN).map(|line| {
            vec![line.id.clone(), line.outcome.to_owned(), output::or_dash(line.detail.as_ref())]
        });
        output::table(&["id", "outcome", "detail"], shown);
        if lines.len() > ROWS_SHOWN {
            outln!("… and {} more; --json shows all.", lines.len() - ROWS_SHOWN);
        }
        outln!("In all: {}.", tally.did());
    }
    Ok(if tally.still_dead() > 0 { ExitCode::from(NOT_FINE) } else { ExitCode::SUCCESS })
}

pub(super) async fn discard(
    settings: &Settings,
    chosen: Chosen,
    why: &str,
    how: &How,
) -> anyhow::Result<ExitCode> {
    let store = settings.open_store().await?;
    let count = chosen.count(&store, false).await?;
    if let (Chosen::One(id), 0) = (&chosen, count) {
        eprintln!("onhand: there is no open dead letter {id}");
        return Ok(ExitCode::from(NOT_FINE));
    }
    if how.dry_run {
        if settings.json {
            output::json(&serde_json::json!({ "letters": count }))?;
        } else {
            outln!("It would discard {}. Nothing was changed.", chosen.describe(count));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let who = when::who();
    let what = format!("discard {}, {why}", chosen.describe(count));
    audit::note(&store, audit::operation(audit::new_key(), &who, &what)).await?;
    let (mut pace, bar) = (Pace::new(how.rate), ProgressBar::new(count));
    let (mut after, mut seen, mut discarded) = (None, 0, Vec::new());
    while seen < count {
        let rows = chosen.page(&store, after, false).await?;
        if rows.is_empty() {
            break;
        }
        for row in rows.iter().take(usize::try_from(count - seen).unwrap_or(usize::MAX)) {
            let id = parse_id(&row.id)?;
            (after, seen) = (Some(id), seen + 1);
            pace.wait().await;
            if store.close_dead_letter(id, Closed::Discarded, why).await? {
                discarded.push(row.id.clone());
            }
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    show_discarded(settings, &chosen, &discarded)
}

fn show_discarded(
    settings: &Settings,
    chosen: &Chosen,
    discarded: &[String],
) -> anyhow::Result<ExitCode> {
    let removed = "bodies are removed, and nothing of it can be replayed any more";
    match (chosen, discarded) {
        (Chosen::One(id), []) => {
            eprintln!("onhand: there is no open dead letter {id}");
            return Ok(ExitCode::from(NOT_FINE));
        }
        (Chosen::One(id), _) if settings.json => {
            output::json(&serde_json::json!({ "discarded": id.to_string() }))?;
        }
        (Chosen::One(id), _) => {
            outln!("Discarded {id}: its body is removed, and it cannot be replayed any more.");
        }
        (Chosen::Open(_), all) if settings.json => {
            output::json(&serde_json::json!({ "discarded": all }))?;
        }
        (Chosen::Open(_), all) => outln!("Discarded {} dead letters: {removed}.", all.len()),
    }
    Ok(ExitCode::SUCCESS)
}

//! `dead replay`: letters decided again at a bounded rate, or what would come of that.

use std::process::ExitCode;
use std::sync::Arc;

use operate::audit;
use operate::dead::{Replayed, Replayer, Tally};
use operate::pace::Pace;
use serde::Serialize;
use store::reports::DeadRow;

use super::many::{Chosen, How};
use crate::config::Settings;
use crate::exit::NOT_FINE;
use crate::{output, shops_file, when};

/// Of so many at the most the outcome of each is shown to people.
const ROWS_SHOWN: usize = 100;

/// Letters of which a preview can be made: what each would leave behind is kept until the last.
const PREVIEW_MAX: u64 = 10_000;

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

pub(super) async fn run(
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
    let (mut replayer, mut tally) = (Replayer::new(store.clone(), shops), Tally::default());
    if how.dry_run {
        let preview = async |row: &DeadRow, id| {
            replayer.preview(row, id).await?.iter().for_each(|one| tally.add(one));
            Ok(())
        };
        let letters = chosen.each(&store, true, count.min(PREVIEW_MAX), preview).await?;
        return show_preview(settings, &Preview { letters, tally }, count);
    }
    let what = format!("replay {}", chosen.describe(count));
    audit::note(&store, audit::operation(audit::new_key(), &when::who(), &what)).await?;
    let kept = if settings.json { usize::MAX } else { ROWS_SHOWN };
    let (mut pace, mut lines) = (Pace::new(how.rate), Vec::new());
    let replay = async |row: &DeadRow, id| {
        pace.wait().await;
        for one in replayer.replay(row, id).await? {
            tally.add(&one);
            if lines.len() < kept {
                let Replayed { outcome, detail, .. } = one;
                lines.push(Line { id: row.id.clone(), outcome, detail });
            }
        }
        Ok(())
    };
    chosen.each(&store, true, count, replay).await?;
    show(settings, &lines, &tally)
}

fn none(settings: &Settings, chosen: &Chosen, how: &How) -> anyhow::Result<ExitCode> {
    if let Chosen::One(_) = chosen {
        eprintln!("onhand: there is no such dead letter; see `onhand dead list`");
        return Ok(ExitCode::from(NOT_FINE));
    }
    chosen.check_typo(settings)?;
    if settings.json && how.dry_run {
        output::json(&Preview { letters: 0, tally: Tally::default() })?;
    } else if settings.json {
        output::json(&Vec::<Line>::new())?;
    } else {
        outln!("There is no open dead letter of these.");
    }
    Ok(ExitCode::SUCCESS)
}

fn show_preview(settings: &Settings, preview: &Preview, count: u64) -> anyhow::Result<ExitCode> {
    if settings.json {
        output::json(preview)?;
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
        let shown = lines.iter().map(|line| {
            vec![line.id.clone(), line.outcome.to_owned(), output::or_dash(line.detail.as_ref())]
        });
        output::table(&["id", "outcome", "detail"], shown);
        let left = tally.all().saturating_sub(lines.len() as u64);
        if left > 0 {
            outln!("… and {left} more; --json shows all.");
        }
        outln!("In all: {}.", tally.did());
    }
    Ok(if tally.still_dead() > 0 { ExitCode::from(NOT_FINE) } else { ExitCode::SUCCESS })
}

//! `dead discard`: letters closed for good at a bounded rate, their bodies removed.

use std::process::ExitCode;

use operate::audit;
use operate::pace::Pace;
use store::Reports;
use store::reports::{Closed, DeadRow};

use super::many::{Chosen, How};
use crate::config::Settings;
use crate::exit::NOT_FINE;
use crate::{output, when};

pub(super) async fn run(
    settings: &Settings,
    chosen: Chosen,
    why: &str,
    how: &How,
) -> anyhow::Result<ExitCode> {
    let store = settings.open_store().await?;
    let count = chosen.count(&store, false).await?;
    if count == 0 {
        chosen.check_typo(settings)?;
    }
    if how.dry_run && (count > 0 || matches!(chosen, Chosen::Open(_))) {
        if settings.json {
            output::json(&serde_json::json!({ "letters": count }))?;
        } else {
            outln!("It would discard {}. Nothing was changed.", chosen.describe(count));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut discarded = Vec::new();
    if count > 0 {
        let what = format!("discard {}, {why}", chosen.describe(count));
        audit::note(&store, audit::operation(audit::new_key(), &when::who(), &what)).await?;
        let mut pace = Pace::new(how.rate);
        let discard = async |row: &DeadRow, id| {
            pace.wait().await;
            if store.close_dead_letter(id, Closed::Discarded, why).await? {
                discarded.push(row.id.clone());
            }
            Ok(())
        };
        chosen.each(&store, false, count, discard).await?;
    }
    show(settings, &chosen, &discarded)
}

fn show(settings: &Settings, chosen: &Chosen, discarded: &[String]) -> anyhow::Result<ExitCode> {
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
        (Chosen::Open(_), []) => outln!("There is no open dead letter of these."),
        (Chosen::Open(_), all) => outln!("Discarded {} dead letters: {removed}.", all.len()),
    }
    Ok(ExitCode::SUCCESS)
}

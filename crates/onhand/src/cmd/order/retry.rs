//! `order retry`.

use std::process::ExitCode;

use domain::policy::WhenShort;
use domain::{OrderKey, Outcome, Verdict};
use operate::order::retry::retry;
use operate::{Command, Operated};
use serde::Serialize;

use super::not_there;
use crate::config::Settings;
use crate::exit::NOT_FINE;
use crate::{output, shops_file, when};

#[derive(Serialize)]
struct Retried {
    outcome: Outcome,
    detail: Option<String>,
    /// What would help.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    advice: Vec<String>,
}

pub(super) async fn run(
    settings: &Settings,
    key: &OrderKey,
    backorder: bool,
) -> anyhow::Result<ExitCode> {
    let shops = shops_file::load(&settings.shops)?;
    let mut policy = shops_file::named(&shops, key.shop.as_str())?.policy.clone();
    if backorder {
        policy.when_short = WhenShort::Backorder;
    }
    let store = settings.open_store().await?;
    let reason = if backorder { "order retry --backorder" } else { "order retry" };
    let how = if backorder { " as a backorder" } else { "" };
    let command = Command::noted(reason, &when::who(), &format!("retry order {key}{how}"));
    let operated = retry(&store, key, &policy, &command).await?;
    let Operated::Done((Verdict { outcome, detail, .. }, advice)) = operated else {
        return not_there(settings, key, &[]);
    };
    let advice = if outcome == Outcome::Short { advice } else { Vec::new() };
    let fine = !matches!(outcome, Outcome::Short | Outcome::Dead);
    let retried = Retried { outcome, detail, advice };
    if settings.json {
        output::json(&retried)?;
    } else {
        for_people(key, &retried);
    }
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::from(NOT_FINE) })
}

fn for_people(key: &OrderKey, retried: &Retried) {
    let detail = retried.detail.as_deref().unwrap_or_default();
    match retried.outcome {
        Outcome::Short => {
            outln!("Still short: {detail}.");
            if !retried.advice.is_empty() {
                outln!("What would help:");
            }
            for command in &retried.advice {
                outln!("  {command}");
            }
        }
        Outcome::Dead => outln!("Cannot be decided: {detail}."),
        Outcome::Applied => outln!("Order {key} is committed now."),
        _ => outln!("Order {key} asked for nothing more: nothing was changed."),
    }
}

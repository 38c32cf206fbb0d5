//! `order retry`.

use std::process::ExitCode;

use domain::policy::WhenShort;
use domain::{Keys, OrderKey, Outcome, Policy, StockKey, Verdict, Version, View};
use serde::Serialize;

use super::explain::missing;
use super::not_there;
use crate::cmd::operate::{Command, Operated, operate};
use crate::config::Settings;
use crate::exit::NOT_FINE;
use crate::{output, shops_file};

#[derive(Serialize)]
struct Retried {
    outcome: Outcome,
    detail: Option<String>,
    /// What would help.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    advice: Vec<String>,
}

/// No order has this id.
struct NotThere;

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
    let keys = Keys { orders: [key.clone()].into(), ..Keys::default() };
    let reason = if backorder { "order retry --backorder" } else { "order retry" };
    let command = Command::new(reason, None);
    let operated = operate(&store, &keys, &command, |batch| {
        let verdict =
            batch.retry_order(key, &policy, command.correlation, &command.reason, command.now);
        let advice = advice(key, batch.view(), &policy);
        Ok(verdict.map(|verdict| (verdict, advice)).ok_or(NotThere))
    })
    .await?;
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

/// What would let the order in, for each item that it lacks.
fn advice(key: &OrderKey, view: &View, policy: &Policy) -> Vec<String> {
    let Some(order) = view.orders.get(key) else { return Vec::new() };
    let missing = missing(order, &view.stock, policy);
    if policy.when_short != WhenShort::Backorder {
        let more = missing.iter().filter_map(|item| item.more_stock()).collect::<Vec<_>>();
        let backorder = format!("onhand order retry {} {} --backorder", key.shop, key.order);
        return more.into_iter().chain([backorder]).collect();
    }
    // One location has to serve all that is missing of an item: the one where least is lacking.
    let floors = missing.iter().filter_map(|item| {
        let at = |location| {
            let row = StockKey::new(item.sku, location);
            let stock = view.stock.get(&row);
            (row, stock)
        };
        let rows: Vec<_> = policy.locations.iter().map(at).collect();
        if rows.iter().any(|(_, stock)| stock.available() - stock.floor >= item.units) {
            return None;
        }
        let rows = rows.into_iter().filter(|(_, stock)| stock.version != Version::ABSENT);
        let (row, stock) = rows.max_by_key(|(_, stock)| stock.available())?;
        let floor = stock.available() - item.units;
        Some(format!("onhand stock floor {} {floor} --location {}", row.sku, row.location))
    });
    floors.collect()
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

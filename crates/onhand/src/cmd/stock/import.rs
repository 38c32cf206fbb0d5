//! `stock import`: many rows from a CSV file, all or nothing, in one transaction.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use domain::stock::QUANTITY_MAX;
use domain::{Batch, Keys, LocationId, Move, MoveKind, Sku, StockKey, Version};
use indicatif::ProgressBar;
use operate::{Command, Operated, operate};
use serde::{Deserialize, Serialize};
use store::AnyStore;

use crate::cmd::csv_file::{self, Columns};
use crate::config::Settings;
use crate::{output, shops_file, when};

pub(super) const COLUMNS: Columns =
    Columns { all: "sku,location,on_hand", needed: &["sku", "on_hand"] };

#[derive(Deserialize)]
struct CsvRow {
    sku: String,
    location: Option<String>,
    on_hand: String,
}

/// A good line: where it stands, and what it asks for.
struct Wanted {
    line: u64,
    on_hand: i64,
}

#[derive(Serialize)]
struct Imported {
    rows: usize,
    created: usize,
    changed: usize,
    unchanged: usize,
}

pub(super) async fn run(
    settings: &Settings,
    store: &AnyStore,
    file: &Path,
) -> anyhow::Result<ExitCode> {
    let bar = csv_file::progress_bar(file)?;
    let (wanted, errors) = read(file, &bar)?;
    if !errors.is_empty() {
        bar.abandon();
        return Ok(csv_file::refuse(file, &errors));
    }
    bar.set_message("writing");
    let keys = Keys { skus: wanted.keys().map(|key| key.sku.clone()).collect(), ..Keys::default() };
    let what = format!("import of {}", file.display());
    let command = Command::noted(&what, &when::who(), &format!("stock {what}"));
    let operated =
        operate(store, &keys, &command, |batch| Ok(apply(batch, &wanted, &command))).await;
    bar.finish_and_clear();
    match operated? {
        Operated::Refused(errors) => Ok(csv_file::refuse(file, &errors)),
        Operated::DoneBefore(_) => unreachable!("the key is new"),
        Operated::Done(imported) => {
            if settings.json {
                output::json(&imported)?;
            } else {
                outln!(
                    "Imported {} rows: {} new, {} changed, {} as they were.",
                    imported.rows,
                    imported.created,
                    imported.changed,
                    imported.unchanged
                );
            }
            let locations = wanted.keys().map(|key| &key.location);
            shops_file::warn_of_unknown(&settings.shops, locations);
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Every good row by its key, and a message for every bad line.
fn read(
    file: &Path,
    bar: &ProgressBar,
) -> anyhow::Result<(BTreeMap<StockKey, Wanted>, Vec<String>)> {
    let mut wanted: BTreeMap<StockKey, Wanted> = BTreeMap::new();
    let errors = csv_file::read(file, &COLUMNS, bar, |line, row| {
        let (key, on_hand) = check(row)?;
        match wanted.insert(key.clone(), Wanted { line, on_hand }) {
            Some(before) => Err(format!("{key} is on line {} already", before.line)),
            None => Ok(()),
        }
    })?;
    Ok((wanted, errors))
}

fn check(row: CsvRow) -> Result<(StockKey, i64), String> {
    csv_file::check_text("sku", &row.sku)?;
    let location = row.location.filter(|name| !name.is_empty());
    let location = location.as_deref().unwrap_or("main");
    csv_file::check_text("location", location)?;
    let on_hand: i64 = row
        .on_hand
        .parse()
        .map_err(|_| format!("on_hand {:?} is not a whole number", row.on_hand))?;
    if !(0..=QUANTITY_MAX).contains(&on_hand) {
        return Err(format!("on_hand {on_hand} is not between 0 and {QUANTITY_MAX}"));
    }
    Ok((StockKey { sku: Sku::new(&row.sku), location: LocationId::new(location) }, on_hand))
}

/// Moves every row that differs, unless some row cannot: `Err` says which.
fn apply(
    batch: &mut Batch,
    wanted: &BTreeMap<StockKey, Wanted>,
    command: &Command,
) -> Result<Imported, Vec<String>> {
    let mut errors = Vec::new();
    let mut imported = Imported { rows: wanted.len(), created: 0, changed: 0, unchanged: 0 };
    let planned: Vec<_> =
        wanted.iter().map(|(key, row)| (key, row, batch.view().stock.get(key))).collect();
    for (key, row, before) in &planned {
        if row.on_hand < before.on_hand && row.on_hand < before.committed + before.floor {
            errors.push(format!(
                "line {}: {key} has {} units committed, more than {}",
                row.line, before.committed, row.on_hand
            ));
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    for (key, row, before) in planned {
        let absent = before.version == Version::ABSENT;
        let on_hand_delta = row.on_hand - before.on_hand;
        if !absent && on_hand_delta == 0 {
            imported.unchanged += 1;
            continue;
        }
        let kind = if absent { MoveKind::Opening } else { MoveKind::Adjust };
        *(if absent { &mut imported.created } else { &mut imported.changed }) += 1;
        let change = Move { key: key.clone(), kind, on_hand_delta, committed_delta: 0 };
        batch
            .move_stock(change, &command.cause(), command.now)
            .expect("checked against what is committed above");
    }
    Ok(imported)
}

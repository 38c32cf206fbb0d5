//! `stock import`: many rows from a CSV file, all or nothing, in one transaction.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use domain::stock::QUANTITY_MAX;
use domain::{Batch, Keys, LocationId, Move, MoveKind, Sku, StockKey, Version};
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use store::AnyStore;

use crate::cmd::operate::{Command, Operated, operate};
use crate::config::Settings;
use crate::exit::NOT_FINE;
use crate::output;

/// One transaction holds the whole file, so a file has a limit.
const ROWS_MAX: usize = 200_000;

/// So many bad lines are listed.
const ERRORS_SHOWN: usize = 100;

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
    let bar = progress_bar(file)?;
    let (wanted, errors) = read(file, &bar)?;
    if !errors.is_empty() {
        bar.abandon();
        return Ok(refuse(file, &errors));
    }
    bar.set_message("writing");
    let keys = Keys { skus: wanted.keys().map(|key| key.sku.clone()).collect(), ..Keys::default() };
    let command = Command::new(format!("import of {}", file.display()), None);
    let operated =
        operate(store, &keys, &command, |batch| Ok(apply(batch, &wanted, &command))).await;
    bar.finish_and_clear();
    match operated? {
        Operated::Refused(errors) => Ok(refuse(file, &errors)),
        Operated::DoneBefore(_) => unreachable!("an import has no key"),
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
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn progress_bar(file: &Path) -> anyhow::Result<ProgressBar> {
    let bytes =
        std::fs::metadata(file).with_context(|| format!("cannot read {}", file.display()))?.len();
    let style = ProgressStyle::with_template("{msg:8} {wide_bar} {bytes}/{total_bytes}")?;
    Ok(ProgressBar::new(bytes).with_style(style).with_message("reading"))
}

/// Every good row by its key, and a message for every bad line.
fn read(
    file: &Path,
    bar: &ProgressBar,
) -> anyhow::Result<(BTreeMap<StockKey, Wanted>, Vec<String>)> {
    let mut csv = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(file)
        .with_context(|| format!("cannot read {}", file.display()))?;
    let header = csv.headers().context("cannot read the first line")?.clone();
    if !["sku", "on_hand"].iter().all(|name| header.iter().any(|column| column == *name)) {
        let found = header.iter().collect::<Vec<_>>().join(",");
        return Ok((
            BTreeMap::new(),
            vec![format!("line 1: the columns are sku,location,on_hand; found {found}")],
        ));
    }
    let (mut wanted, mut errors) = (BTreeMap::new(), Vec::new());
    let mut record = csv::StringRecord::new();
    loop {
        let line = csv.position().line();
        match csv.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {}
            Err(error) => {
                errors.push(format!("line {line}: {error}"));
                if error.is_io_error() {
                    break;
                }
                continue;
            }
        }
        let line = record.position().map_or(line, csv::Position::line);
        bar.set_position(csv.position().byte());
        match record.deserialize::<CsvRow>(Some(&header)).map_err(|e| e.to_string()).and_then(check)
        {
            Err(error) => errors.push(format!("line {line}: {error}")),
            Ok((key, on_hand)) => {
                let row = Wanted { line, on_hand };
                if let Some(before) = wanted.insert(key.clone(), row) {
                    errors.push(format!("line {line}: {key} is on line {} already", before.line));
                }
            }
        }
        if wanted.len() > ROWS_MAX {
            errors.push(format!("line {line}: more than {ROWS_MAX} rows; split the file"));
            break;
        }
    }
    Ok((wanted, errors))
}

fn check(row: CsvRow) -> Result<(StockKey, i64), String> {
    let text = |name: &str, value: &str| {
        let bad = value.is_empty() || value.len() > 255 || value.chars().any(char::is_control);
        bad.then(|| format!("{name} {value:?} is not 1 to 255 bytes of plain text"))
    };
    let location = row.location.filter(|name| !name.is_empty());
    let location = location.as_deref().unwrap_or("main");
    if let Some(error) = text("sku", &row.sku).or_else(|| text("location", location)) {
        return Err(error);
    }
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

fn refuse(file: &Path, errors: &[String]) -> ExitCode {
    eprintln!("onhand: {} was not imported; nothing was changed:", file.display());
    for error in errors.iter().take(ERRORS_SHOWN) {
        eprintln!("  {error}");
    }
    if errors.len() > ERRORS_SHOWN {
        eprintln!("  … and {} more", errors.len() - ERRORS_SHOWN);
    }
    ExitCode::from(NOT_FINE)
}

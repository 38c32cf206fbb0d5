//! `listing import`: many listings from a CSV file, all or nothing, in one transaction.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use domain::order::LinePart;
use domain::{ListingKey, Variant};
use indicatif::ProgressBar;
use platforms::Shops;
use serde::{Deserialize, Serialize};
use store::{AnyStore, Channels};

use super::{part, selling_named};
use crate::cmd::csv_file::{self, Columns};
use crate::config::Settings;
use crate::output;

const COLUMNS: Columns =
    Columns { all: "shop,variant,sku,units", needed: &["shop", "variant", "sku"] };

#[derive(Deserialize)]
struct CsvRow {
    shop: String,
    variant: String,
    sku: String,
    units: Option<String>,
}

/// The parts of each variant that the file names, each with the line that it stands on.
type Wanted = BTreeMap<ListingKey, Vec<(u64, LinePart)>>;

#[derive(Serialize)]
struct Imported {
    rows: usize,
    listings: usize,
}

pub(super) async fn run(
    settings: &Settings,
    store: &AnyStore,
    shops: &Shops,
    file: &Path,
) -> anyhow::Result<ExitCode> {
    let bar = csv_file::progress_bar(file)?;
    let (wanted, errors) = read(file, shops, &bar)?;
    if !errors.is_empty() {
        bar.abandon();
        return Ok(csv_file::refuse(file, &errors));
    }
    bar.set_message("writing");
    let listings: Vec<(ListingKey, Vec<LinePart>)> = wanted
        .into_iter()
        .map(|(key, parts)| (key, parts.into_iter().map(|(_, part)| part).collect()))
        .collect();
    let written = store.set_listings(&listings).await;
    bar.finish_and_clear();
    written?;
    let rows = listings.iter().map(|(_, parts)| parts.len()).sum();
    let imported = Imported { rows, listings: listings.len() };
    if settings.json {
        output::json(&imported)?;
    } else {
        outln!("Imported {} listings from {} rows.", imported.listings, imported.rows);
        super::say_what_stays();
    }
    super::warn_of_unknown(store, listings.iter().flat_map(|(_, parts)| parts)).await?;
    Ok(ExitCode::SUCCESS)
}

fn read(file: &Path, shops: &Shops, bar: &ProgressBar) -> anyhow::Result<(Wanted, Vec<String>)> {
    let mut wanted = Wanted::new();
    let errors = csv_file::read(file, &COLUMNS, bar, |line, row| {
        let (key, part) = check(row, shops)?;
        let parts = wanted.entry(key.clone()).or_default();
        // Two rows of one item are more likely a mistake than a sum.
        if let Some((before, _)) = parts.iter().find(|(_, known)| known.sku == part.sku) {
            let sku = &part.sku;
            return Err(format!("{sku} of {key} is on line {before} already; sum them in one row"));
        }
        parts.push((line, part));
        Ok(())
    })?;
    Ok((wanted, errors))
}

fn check(row: CsvRow, shops: &Shops) -> Result<(ListingKey, LinePart), String> {
    let shop = selling_named(shops, &row.shop)?;
    csv_file::check_text("variant", &row.variant)?;
    let units = match row.units.as_deref() {
        None | Some("") => 1,
        Some(text) => text.parse().map_err(|_| format!("units {text:?} is not a whole number"))?,
    };
    let part = part::checked(&row.sku, units)?;
    Ok((ListingKey { shop: shop.name.clone(), variant: Variant::new(row.variant) }, part))
}

//! `onhand stock`: count, correct, import and explain stock.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use domain::{LocationId, Sku, Stock, StockKey};
use operate::stock::{What, units};
use operate::why;
use serde::Serialize;
use store::Reports;

use crate::config::Settings;
use crate::exit::NOT_FINE;
use crate::output;

mod change;
mod drift;
mod export;
mod import;

#[derive(Debug, Subcommand)]
pub(crate) enum StockCommand {
    /// Set what lies there, as after a count. Never below what is committed to orders
    #[command(after_help = "Example: onhand stock set TSHIRT-RED-M 120 --location main")]
    Set {
        sku: String,
        /// Units on hand, 0 or more
        #[arg(allow_negative_numbers = true)]
        on_hand: i64,
        /// Where; needed if the item lies at several locations [default: main]
        #[arg(long)]
        location: Option<String>,
        /// How far below zero `available` may go for backorders, as -10
        #[arg(long, allow_negative_numbers = true)]
        floor: Option<i64>,
        /// Written into the ledger
        #[arg(long, default_value = "stock set", value_parser = why)]
        reason: String,
    },
    /// Add or take units, with a reason
    #[command(
        after_help = "Example: onhand stock adjust TSHIRT-RED-M -2 --reason broken --id shelf-7"
    )]
    Adjust {
        sku: String,
        /// Units to add, or with a minus to take
        #[arg(allow_negative_numbers = true, value_parser = units)]
        units: i64,
        /// Written into the ledger
        #[arg(long, value_parser = why)]
        reason: String,
        #[arg(long)]
        location: Option<String>,
        /// The same key twice adjusts once
        #[arg(long)]
        id: Option<String>,
    },
    /// Say how far below zero `available` may go for backorders; moves no units
    #[command(after_help = "Example: onhand stock floor TSHIRT-RED-M -10 --location main")]
    Floor {
        sku: String,
        /// 0 or less
        #[arg(allow_negative_numbers = true)]
        floor: i64,
        /// Where; needed if the item lies at several locations
        #[arg(long)]
        location: Option<String>,
        /// Written into the ledger
        #[arg(long, default_value = "stock floor", value_parser = why)]
        reason: String,
    },
    /// Set many rows from a CSV file with the columns sku,location,on_hand: all or nothing
    ///
    /// At most 200,000 rows: split a longer file.
    #[command(after_help = "Example: onhand stock import stock.csv\n\n  \
        sku,location,on_hand\n  TSHIRT-RED-M,main,120\n  MUG,main,7")]
    Import { file: PathBuf },
    /// Write all stock rows as the CSV that `stock import` reads
    ///
    /// What is on hand, with what is committed to orders in it. Imported elsewhere it opens the same
    /// rows; imported here it sets what was on hand then. Floors are not in it.
    #[command(
        after_help = "Examples:\n  onhand stock export stock.csv\n  onhand stock export | head"
    )]
    Export {
        /// Where to; without: stdout
        file: Option<PathBuf>,
    },
    /// List stock rows
    #[command(after_help = "Example: onhand stock list --sku TSHIRT-RED-M --sku MUG")]
    List {
        /// Only this item; may be given several times
        #[arg(long)]
        sku: Vec<String>,
    },
    /// The platforms' own quantities beside ours, the largest difference of each shop first
    ///
    /// Ours is what is available at the shop's locations now. Theirs is what the platform showed
    /// last: summed over its locations that are ours where it counts by location, else over all.
    /// Only items that both know are listed, and no kits. While orders are on their way the two
    /// differ, so a difference is news and no error (the exit code is 0); one that stays means that
    /// the platform would sell more, or less, than there is. Nothing is moved: correct ours with
    /// `onhand stock set`, theirs at the platform.
    #[command(after_help = "Example: onhand stock drift --shop demo")]
    Drift {
        /// Only of this shop
        #[arg(long)]
        shop: Option<String>,
    },
    /// The moves of an item, newest first
    #[command(after_help = "Example: onhand stock history TSHIRT-RED-M --limit 10")]
    History {
        sku: String,
        /// At most so many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=100_000))]
        limit: i64,
    },
}

/// One stock row, as `stock list --json` shows it.
#[derive(Serialize)]
pub(super) struct StockJson {
    sku: Sku,
    location: LocationId,
    on_hand: i64,
    committed: i64,
    available: i64,
    floor: i64,
    version: i64,
}

impl StockJson {
    pub(super) fn new(key: &StockKey, stock: &Stock) -> Self {
        Self {
            sku: key.sku.clone(),
            location: key.location.clone(),
            on_hand: stock.on_hand,
            committed: stock.committed,
            available: stock.available(),
            floor: stock.floor,
            version: stock.version.0,
        }
    }
}

pub(crate) async fn run(settings: &Settings, command: StockCommand) -> anyhow::Result<ExitCode> {
    match command {
        StockCommand::Set { sku, on_hand, location, floor, reason } => {
            let what = What::Set { on_hand, floor };
            let request = change::Request { sku, location, what, reason, id: None };
            change::run(settings, &settings.open_store().await?, request).await
        }
        StockCommand::Adjust { sku, units, reason, location, id } => {
            let what = What::Adjust { units };
            let request = change::Request { sku, location, what, reason, id };
            change::run(settings, &settings.open_store().await?, request).await
        }
        StockCommand::Floor { sku, floor, location, reason } => {
            let what = What::Floor { floor };
            let request = change::Request { sku, location, what, reason, id: None };
            change::run(settings, &settings.open_store().await?, request).await
        }
        StockCommand::Drift { shop } => drift::run(settings, shop.as_deref()).await,
        StockCommand::Import { file } => {
            import::run(settings, &settings.open_store().await?, &file).await
        }
        StockCommand::Export { file } => {
            export::run(settings, &settings.open_store().await?, file.as_deref()).await
        }
        StockCommand::List { sku } => {
            let skus: Vec<Sku> = sku.iter().map(Sku::new).collect();
            let rows = settings.open_store().await?.stock(&skus).await?;
            list(settings, &skus, &rows)
        }
        StockCommand::History { sku, limit } => history(settings, &Sku::new(sku), limit).await,
    }
}

fn list(
    settings: &Settings,
    asked: &[Sku],
    rows: &[(StockKey, Stock)],
) -> anyhow::Result<ExitCode> {
    let found: Vec<StockJson> =
        rows.iter().map(|(key, stock)| StockJson::new(key, stock)).collect();
    if settings.json {
        output::json(&found)?;
    } else {
        output::table(
            &["sku", "location", ">on hand", ">committed", ">available", ">floor", ">version"],
            found.iter().map(|row| {
                vec![
                    row.sku.to_string(),
                    row.location.to_string(),
                    row.on_hand.to_string(),
                    row.committed.to_string(),
                    row.available.to_string(),
                    row.floor.to_string(),
                    row.version.to_string(),
                ]
            }),
        );
    }
    let unknown: Vec<&Sku> =
        asked.iter().filter(|sku| rows.iter().all(|(key, _)| key.sku != **sku)).collect();
    for sku in &unknown {
        eprintln!("onhand: {sku} has no stock row");
    }
    Ok(if unknown.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(NOT_FINE) })
}

async fn history(settings: &Settings, sku: &Sku, limit: i64) -> anyhow::Result<ExitCode> {
    let rows = settings.open_store().await?.history(sku, limit).await?;
    if rows.is_empty() {
        eprintln!("onhand: {sku} has no moves");
    }
    if settings.json {
        output::json(&rows.iter().map(super::order::MoveJson::from).collect::<Vec<_>>())?;
    } else if !rows.is_empty() {
        output::table(
            &[
                "at",
                "location",
                ">version",
                "kind",
                ">on hand",
                ">committed",
                "after",
                "order",
                "webhook",
                "reason",
            ],
            rows.iter().map(|row| {
                vec![
                    output::moment(row.at),
                    row.key.location.to_string(),
                    row.version.to_string(),
                    row.kind.clone(),
                    format!("{:+}", row.on_hand_delta),
                    format!("{:+}", row.committed_delta),
                    output::or_dash(row.after.map(|(on_hand, held)| format!("{on_hand}/{held}"))),
                    output::or_dash(row.order.as_ref()),
                    output::or_dash(row.webhook.as_ref()),
                    row.reason.clone(),
                ]
            }),
        );
    }
    Ok(if rows.is_empty() { ExitCode::from(NOT_FINE) } else { ExitCode::SUCCESS })
}

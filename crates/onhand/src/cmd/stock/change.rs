//! `stock set`, `stock adjust` and `stock floor`: one row.

use std::process::ExitCode;

use domain::stock::QUANTITY_MAX;
use domain::{LocationId, Sku, Stock, StockKey};
use operate::stock::{Refused, What, change};
use operate::{Command, Operated};
use store::{AnyStore, Pages, Reports};

use super::StockJson;
use crate::config::Settings;
use crate::exit::{NOT_FINE, bad_config};
use crate::{output, shops_file, when};

/// How many orders are named when a count is below what they are owed.
const HOLDERS_NAMED: i64 = 10;

pub(super) struct Request {
    pub(super) sku: String,
    pub(super) location: Option<String>,
    pub(super) what: What,
    pub(super) reason: String,
    pub(super) id: Option<String>,
}

pub(super) async fn run(
    settings: &Settings,
    store: &AnyStore,
    request: Request,
) -> anyhow::Result<ExitCode> {
    check(&request)?;
    let sku = Sku::new(&request.sku);
    let key = StockKey::new(&sku, &location(store, &sku, request.location.as_deref()).await?);
    let (reason, what) = (&request.reason, request.what.describe(&key));
    let command = match request.id.clone() {
        // Whoever repeats it must say the same, so nobody's name is in it.
        Some(id) => Command { what, ..Command::new(reason, Some(id)) },
        None => Command::noted(reason, &when::who(), &format!("{what}, {reason}")),
    };
    let operated = change(store, &key, request.what, &command).await?;
    match operated {
        Operated::Refused(why) => return refuse(store, &key, why).await,
        Operated::Done(stock) => {
            show(settings, &key, &stock)?;
            shops_file::warn_of_unknown(&settings.shops, [&key.location]);
        }
        Operated::DoneBefore(what) if what != command.what => {
            return Err(bad_config(format!(
                "--id {} was used before, for another change ({what}): nothing was changed now; \
                 each change has an id of its own",
                request.id.as_deref().unwrap_or_default()
            )));
        }
        Operated::DoneBefore(_) => {
            let rows = store.stock(std::slice::from_ref(&sku)).await?;
            let stock = rows.into_iter().find(|(row, _)| *row == key).map(|(_, stock)| stock);
            eprintln!(
                "onhand: --id {} was used before: nothing was changed now",
                request.id.as_deref().unwrap_or_default()
            );
            show(settings, &key, &stock.unwrap_or_default())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn check(request: &Request) -> anyhow::Result<()> {
    let sku = &request.sku;
    if sku.is_empty() || sku.len() > 255 || sku.chars().any(char::is_control) {
        return Err(bad_config("a SKU has 1 to 255 bytes and no control characters"));
    }
    let (units, floor) = match request.what {
        What::Set { on_hand, floor } if on_hand >= 0 => (on_hand, floor.unwrap_or(0)),
        What::Set { .. } => {
            return Err(bad_config(
                "units on hand cannot be negative; to take units away use `onhand stock adjust`",
            ));
        }
        // Checked where it was read (`operate::stock::units`).
        What::Adjust { .. } => (0, 0),
        What::Floor { floor } => (0, floor),
    };
    let believed = -QUANTITY_MAX..=QUANTITY_MAX;
    if !believed.contains(&units) || !believed.contains(&floor) {
        return Err(bad_config(format!("more than {QUANTITY_MAX} units are not believed")));
    }
    if floor > 0 {
        return Err(bad_config("a floor is 0 or less: how far `available` may go below zero"));
    }
    Ok(())
}

/// The only location an item has, or `main` for a new one; with several it must be named.
async fn location(store: &AnyStore, sku: &Sku, named: Option<&str>) -> anyhow::Result<LocationId> {
    if let Some(name) = named {
        return Ok(LocationId::new(name));
    }
    let rows = store.stock(std::slice::from_ref(sku)).await?;
    match &rows[..] {
        [] => Ok(LocationId::new("main")),
        [(key, _)] => Ok(key.location.clone()),
        several => {
            let names: Vec<&str> = several.iter().map(|(key, _)| key.location.as_str()).collect();
            Err(bad_config(format!(
                "{sku} lies at {}; say which with --location",
                names.join(", ")
            )))
        }
    }
}

async fn refuse(store: &AnyStore, key: &StockKey, refused: Refused) -> anyhow::Result<ExitCode> {
    match refused {
        Refused::Unknown => {
            eprintln!(
                "onhand: {key} has no stock row; \
                 `onhand stock set {} N --location {}` makes one",
                key.sku, key.location
            );
        }
        Refused::BelowCommitted { on_hand, stock } if stock.committed == 0 => {
            eprintln!(
                "onhand: {key} has {} on hand, and cannot have {on_hand}; nothing was changed",
                stock.on_hand
            );
        }
        Refused::BelowCommitted { on_hand, stock } => {
            eprintln!(
                "onhand: {key} would have {on_hand} on hand, but {} units are committed{}; \
                 nothing was changed. Of the orders that moved it last, those that hold most:",
                stock.committed,
                if stock.floor < 0 { format!(" (floor {})", stock.floor) } else { String::new() }
            );
            for (order, units) in store.holders_lately(key, HOLDERS_NAMED).await? {
                eprintln!("  {order}: {units}");
            }
            eprintln!(
                "onhand: cancel as many of them as it takes, or let the row go below zero: \
                 `onhand stock set {} {} --location {} --floor -N`",
                key.sku,
                on_hand.max(0),
                key.location
            );
        }
    }
    Ok(ExitCode::from(NOT_FINE))
}

fn show(settings: &Settings, key: &StockKey, stock: &Stock) -> anyhow::Result<()> {
    let row = StockJson::new(key, stock);
    if settings.json {
        return output::json(&row);
    }
    outln!(
        "{key}: {} on hand, {} committed, {} available, floor {}",
        row.on_hand,
        row.committed,
        row.available,
        row.floor
    );
    Ok(())
}

//! Whether there is the stock that orders and platforms ask for.

use domain::{StockKey, Timestamp};
use store::pages::{MissingItem, SHORT_MAX, Shortage};

use super::{NotKnown, counted};
use crate::output::{ago, grouped};
use crate::verify::Verified;

pub(super) fn short(shortage: &Shortage) -> Option<String> {
    let Shortage { orders, missing } = shortage;
    let (count, ask) = match *orders {
        ..=0 => return None,
        1 => ("1 order is short: it asks".to_owned(), "it"),
        SHORT_MAX.. => (format!("{} orders or more are short: they ask", grouped(*orders)), "them"),
        several => (format!("{} orders are short: they ask", grouped(several)), "them"),
    };
    let item = |item: &MissingItem| {
        let available = match item.available {
            0 => "none available".to_owned(),
            below => format!("{} available", grouped(below)),
        };
        format!("{} ({}, {available})", item.sku, counted(item.orders, "order"))
    };
    let missing: Vec<String> = missing.iter().map(item).collect();
    Some(match &missing[..] {
        [] => format!(
            "{count} for more than there was. Some of it may be there by now: try {ask} again \
             (`onhand order retry`)."
        ),
        _ => format!(
            "{count} for more than there is of {}. Bring stock in, then try {ask} again (`onhand \
             order retry`), or cancel at the platform.",
            missing.join(", ")
        ),
    })
}

/// Shops whose platforms would sell what is not there.
pub(super) fn drift(
    verified: Option<&Verified>,
    now: Timestamp,
) -> Result<Option<String>, NotKnown> {
    let Some(Verified { at, over: Some(over), .. }) = verified else { return Err(NotKnown) };
    let over = over.iter().filter(|(_, items)| **items > 0);
    let shops = over.clone().count();
    let Some((shop, items)) = over.max_by_key(|(_, items)| **items) else { return Ok(None) };
    let others = match shops {
        1 => String::new(),
        2 => " (that of 1 more shop, too)".to_owned(),
        several => format!(" (those of {} more shops, too)", several - 1),
    };
    Ok(Some(format!(
        "The platform of shop {shop} would sell what is not there: {} it said {} that it can sell \
         more than there are{others}. See which with `onhand stock drift --shop {shop}`, and correct \
         its number, or ours after a count.",
        match items {
            1 => "of 1 item".to_owned(),
            several => format!("of {} items", grouped(*several as i128)),
        },
        ago(now, *at)
    )))
}

/// Items of which more is committed than is there, as backorders may.
pub(super) fn below_zero(
    verified: Option<&Verified>,
    now: Timestamp,
) -> Result<Option<String>, NotKnown> {
    let Some(Verified { at, below_zero: Some(below), .. }) = verified else { return Err(NotKnown) };
    if below.items == 0 {
        return Ok(None);
    }
    let item = |(key, available): &(StockKey, i64)| {
        format!("{} at {} ({})", key.sku, key.location, grouped(*available))
    };
    let lowest: Vec<String> = below.lowest.iter().map(item).collect();
    let (were, lowest) = match below.items {
        1 => ("1 item was".to_owned(), lowest.join(", ")),
        several => {
            (format!("{} items were", grouped(several)), format!("lowest {}", lowest.join(", ")))
        }
    };
    Ok(Some(format!(
        "{were} sold below zero {}, as their floors allow: {lowest}. Bring stock in for these \
         backorders, or end more of them with `onhand stock floor`.",
        ago(now, *at)
    )))
}

#[cfg(test)]
mod tests;

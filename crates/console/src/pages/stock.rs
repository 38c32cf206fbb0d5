//! Stock: what moves most, found by how SKUs begin, and one item with its ledger.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::Extension;
use axum::extract::State;
use domain::{LocationId, Sku, Stock, StockKey, Timestamp, Version};
use serde::Deserialize;
use store::pages::HotRow;
use store::reports::HistoryRow;
use store::{Pages, Reports, StoreError};

use super::levels::levels_of;
use super::{Answer, Asked, Asker, Frame, ROWS, Trouble, asked, render};
use crate::Console;
use crate::view::{self, Moment, grouped, link, signed};

/// Available units at which an item is about to run out.
const LOW_UNITS: i64 = 5;

/// Rows that move most, above all others.
const HOT: i64 = 10;

/// How far back a move makes an item hot.
const HOT_TIME: i64 = 60 * 60 * 1_000_000;

/// Orders that are named beside a row.
const HOLDERS: i64 = 10;

#[derive(Deserialize)]
pub(super) struct Search {
    #[serde(default)]
    q: String,
    /// The last row of the page before.
    #[serde(default)]
    after: String,
    #[serde(default)]
    at: String,
}

#[derive(Template)]
#[template(path = "stock.html")]
struct StockPage {
    frame: Frame,
    q: String,
    /// With their moves and units, in words.
    hot: Vec<(Row, String, String)>,
    rows: Vec<Row>,
    next: Option<String>,
}

/// A stock row, in words.
struct Row {
    sku: String,
    location: String,
    link: String,
    on_hand: String,
    committed: String,
    available: String,
    flags: Vec<String>,
}

impl Row {
    fn new((key, stock): &(StockKey, Stock), wanted: &BTreeMap<Sku, i64>) -> Self {
        Self {
            sku: key.sku.to_string(),
            location: key.location.to_string(),
            link: view::row(key),
            on_hand: grouped(stock.on_hand),
            committed: grouped(stock.committed),
            available: grouped(stock.available()),
            flags: flags(stock, wanted.get(&key.sku).copied().unwrap_or_default()),
        }
    }
}

/// What a person should see at a glance. `wanted`: by so many short orders.
fn flags(stock: &Stock, wanted: i64) -> Vec<String> {
    let level = match stock.available() {
        ..0 => Some("below zero"),
        0 => Some("none left"),
        1..=LOW_UNITS => Some("low"),
        _ => None,
    };
    let may_go_below = stock.floor < 0 && stock.available() <= LOW_UNITS;
    let below = may_go_below.then(|| format!("may go to {}", grouped(stock.floor)));
    let wanted = match wanted {
        0 => None,
        1 => Some("in 1 short order".to_owned()),
        orders => Some(format!("in {} short orders", grouped(orders))),
    };
    level.map(str::to_owned).into_iter().chain(below).chain(wanted).collect()
}

/// Rows in words, with what short orders want of them.
async fn in_words(console: &Console, rows: &[(StockKey, Stock)]) -> Result<Vec<Row>, StoreError> {
    let skus: BTreeSet<Sku> = rows.iter().map(|(key, _)| key.sku.clone()).collect();
    let skus: Vec<Sku> = skus.into_iter().collect();
    let wanted = console.store.wanted(&skus).await?.into_iter().collect();
    Ok(rows.iter().map(|row| Row::new(row, &wanted)).collect())
}

/// What orders moved most in the last hour.
async fn hot(console: &Console) -> Result<Vec<(Row, String, String)>, StoreError> {
    let since = Timestamp(operate::now().0 - HOT_TIME);
    let hot = console.store.hot_stock(since, HOT).await?;
    let stock: Vec<_> = hot.iter().map(|hot| (hot.key.clone(), hot.stock)).collect();
    let rows = in_words(console, &stock).await?.into_iter().zip(hot);
    let row = |(mut row, hot): (Row, HotRow)| {
        // As many again, and nothing is left.
        if (1..=hot.units).contains(&hot.stock.available()) {
            row.flags.push("runs out soon".to_owned());
        }
        (row, grouped(hot.moves), grouped(hot.units))
    };
    Ok(rows.map(row).collect())
}

pub(super) async fn list(
    State(console): State<Console>,
    Extension(session): Asker,
    Asked(search): Asked<Search>,
) -> Answer {
    let q = asked(&search.q).unwrap_or_default();
    let after =
        asked(&search.after).map(|sku| StockKey::new(&Sku::new(sku), &LocationId::new(&search.at)));
    let rows = console.store.stock_page(&q, after.as_ref(), ROWS).await?;
    let last = rows.last().filter(|_| i64::try_from(rows.len()).is_ok_and(|len| len == ROWS));
    let next = last.map(|(key, _)| {
        let at = [("q", q.as_str()), ("after", key.sku.as_str()), ("at", key.location.as_str())];
        link("/console/stock", &at)
    });
    let frame = Frame::new(&console, &session, "stock", "Stock");
    let rows = in_words(&console, &rows).await?;
    let hot = match q.is_empty() && after.is_none() {
        true => hot(&console).await?,
        false => Vec::new(),
    };
    Ok(render(&StockPage { frame, q, hot, rows, next }))
}

#[derive(Deserialize)]
pub(super) struct Item {
    sku: String,
    #[serde(default)]
    location: String,
    /// A version: the page goes on below it.
    before: Option<i64>,
    /// What was just done.
    #[serde(default)]
    done: String,
}

#[derive(Template)]
#[template(path = "item.html")]
struct ItemPage {
    frame: Frame,
    sku: String,
    location: String,
    rows: Vec<Row>,
    /// Where the chart's numbers are.
    levels: String,
    floor: String,
    holders: Vec<(String, String, String)>,
    moves: Vec<Move>,
    /// The newest page, where each move shows the row as it was after it.
    is_newest: bool,
    next: Option<String>,
    was_adjusted: bool,
}

/// A line of a ledger, in words.
pub(super) struct Move {
    pub(super) version: i64,
    pub(super) kind: String,
    pub(super) sku: String,
    pub(super) row_link: String,
    pub(super) location: String,
    pub(super) on_hand: String,
    pub(super) committed: String,
    pub(super) after: Option<(String, String)>,
    pub(super) order: Option<(String, String)>,
    /// Its id, the beginning of it, and the link.
    pub(super) webhook: Option<(String, String, String)>,
    pub(super) reason: String,
    pub(super) at: Moment,
}

impl Move {
    pub(super) fn new(row: &HistoryRow) -> Self {
        let order = row.shop.as_ref().zip(row.order.as_ref()).map(|(shop, order)| {
            let key = domain::OrderKey { shop: shop.clone(), order: order.clone() };
            (key.to_string(), view::order(&key))
        });
        let webhook = row.webhook.as_ref().map(|webhook| {
            let shop = row.shop.as_ref().map_or("", |shop| shop.as_str());
            let short = view::shortened(webhook.as_str());
            let page = view::webhook(shop, webhook.as_str(), row.order.as_ref(), &row.correlation);
            (webhook.to_string(), short, page)
        });
        Self {
            version: row.version.0,
            kind: row.kind.clone(),
            sku: row.key.sku.to_string(),
            row_link: view::row(&row.key),
            location: row.key.location.to_string(),
            on_hand: signed(row.on_hand_delta),
            committed: signed(row.committed_delta),
            after: row.after.map(|(on_hand, committed)| (grouped(on_hand), grouped(committed))),
            order,
            webhook,
            reason: row.reason.clone(),
            at: Moment::new(row.at),
        }
    }
}

pub(super) async fn item(
    State(console): State<Console>,
    Extension(session): Asker,
    Asked(item): Asked<Item>,
) -> Answer {
    let store = &console.store;
    let sku = Sku::new(asked(&item.sku).unwrap_or_default());
    let rows = store.stock(std::slice::from_ref(&sku)).await?;
    let chosen = asked(&item.location).map(LocationId::new);
    let found = match &chosen {
        Some(location) => rows.iter().find(|(key, _)| key.location == *location),
        None => rows.first(),
    };
    let Some((key, stock)) = found else {
        return Err(Trouble::not_found(format!(
            "There is no stock of {sku} here. `onhand stock set` makes the first."
        )));
    };
    let mut moves = store.ledger_page(key, item.before.map(Version), ROWS).await?;
    let is_newest = item.before.is_none();
    if is_newest {
        add_after(&mut moves, stock);
    }
    let next = moves.last().filter(|oldest| oldest.version.0 > 1).map(|oldest| {
        let before = oldest.version.to_string();
        let at = [
            ("sku", sku.as_str()),
            ("location", key.location.as_str()),
            ("before", before.as_str()),
        ];
        link("/console/stock/item", &at)
    });
    let holder = |(order, units): &(domain::OrderKey, i64)| {
        (order.to_string(), view::order(order), grouped(*units))
    };
    let holders = store.holders_lately(key, HOLDERS).await?;
    Ok(render(&ItemPage {
        frame: Frame::new(&console, &session, "stock", sku.as_str()),
        location: key.location.to_string(),
        levels: levels_of(key),
        floor: grouped(stock.floor),
        holders: holders.iter().map(holder).collect(),
        moves: moves.iter().map(Move::new).collect(),
        is_newest,
        next,
        rows: in_words(&console, &rows).await?,
        sku: sku.to_string(),
        was_adjusted: item.done == "adjusted",
    }))
}

/// The row as it was after each of its newest moves, counted back from how it is. The row may have
/// been read a moment before its moves: then the newest of them are not in it, and show nothing.
pub(super) fn add_after(moves: &mut [HistoryRow], stock: &Stock) {
    let (mut on_hand, mut committed) = (stock.on_hand, stock.committed);
    for row in moves.iter_mut().filter(|row| row.version <= stock.version) {
        row.after = Some((on_hand, committed));
        on_hand -= row.on_hand_delta;
        committed -= row.committed_delta;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(on_hand: i64, committed: i64, floor: i64, wanted: i64, expected: &[&str]) {
        let stock = Stock { on_hand, committed, floor, version: Version(1) };
        assert_eq!(flags(&stock, wanted), expected, "{stock:?}, wanted by {wanted}");
    }

    #[test]
    fn a_row_is_flagged_for_what_a_person_should_see() {
        check(9, 3, 0, 0, &[]);
        check(8, 3, 0, 0, &["low"]);
        check(3, 3, 0, 0, &["none left"]);
        check(0, 0, 0, 1, &["none left", "in 1 short order"]);
        check(9, 0, 0, 1_200, &["in 1,200 short orders"]);
    }

    #[test]
    fn a_row_that_may_go_below_zero_says_how_far_once_it_is_near() {
        check(9, 3, -10, 0, &[]);
        check(8, 3, -10, 0, &["low", "may go to −10"]);
        check(3, 3, -10, 0, &["none left", "may go to −10"]);
        check(3, 5, -1_000, 2, &["below zero", "may go to −1,000", "in 2 short orders"]);
        // The floor was raised since.
        check(3, 5, 0, 0, &["below zero"]);
    }
}

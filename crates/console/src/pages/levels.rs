//! A stock row over time: what the chart of an item shows.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use domain::{LocationId, Sku, Stock, StockKey, Timestamp};
use serde::Deserialize;
use store::reports::HistoryRow;
use store::{Pages, Reports};

use super::chart::{Chart, Charts, Line};
use super::stock::add_after;
use super::{Answer, Asked, Trouble, asked};
use crate::Console;
use crate::view::link;

pub(super) const PATH: &str = "/console/stock/item/levels.json";

/// Moves that are drawn, the newest.
const MOVES: i64 = 500;

#[derive(Deserialize)]
pub(super) struct Which {
    sku: String,
    location: String,
}

pub(super) fn levels_of(key: &StockKey) -> String {
    link(PATH, &[("sku", key.sku.as_str()), ("location", key.location.as_str())])
}

pub(super) async fn json(State(console): State<Console>, Asked(which): Asked<Which>) -> Answer {
    let sku = Sku::new(asked(&which.sku).unwrap_or_default());
    let location = LocationId::new(asked(&which.location).unwrap_or_default());
    let key = StockKey::new(&sku, &location);
    let rows = console.store.stock(std::slice::from_ref(&sku)).await?;
    let Some((_, stock)) = rows.into_iter().find(|(row, _)| *row == key) else {
        return Err(Trouble::not_found(format!("There is no stock of {sku} at {location}.")));
    };
    let mut moves = console.store.ledger_page(&key, None, MOVES).await?;
    add_after(&mut moves, &stock);
    Ok(Json(drawn(&moves, &stock, operate::now())).into_response())
}

/// `moves`: newest first, with the row after each. The line goes on until now.
fn drawn(moves: &[HistoryRow], stock: &Stock, now: Timestamp) -> Charts {
    let after = moves.iter().rev().filter_map(|row| Some((row.at, row.after?)));
    let mut points: Vec<(i64, (i64, i64))> = Vec::new();
    for (at, levels) in after.chain([(now, (stock.on_hand, stock.committed))]) {
        // Clocks differ: a line never goes back in time. Of one second there is what came last.
        let at = points.last().map_or(i64::MIN, |(last, _)| *last).max(at.0 / 1_000_000);
        match points.last_mut().filter(|(last, _)| *last == at) {
            Some(last) => last.1 = levels,
            None => points.push((at, levels)),
        }
    }
    let line = |name, level: fn(i64, i64) -> i64| Line {
        name,
        values: points
            .iter()
            .map(|(_, (on_hand, committed))| exact(level(*on_hand, *committed)))
            .collect(),
    };
    let lines = vec![
        line("on hand", |on_hand, _| on_hand),
        line("committed", |_, committed| committed),
        line("available", |on_hand, committed| on_hand - committed),
    ];
    Charts {
        at: points.iter().map(|(at, _)| *at).collect(),
        charts: vec![Chart { id: "levels", unit: "units", is_stepped: true, lines }],
    }
}

/// Beyond two thousand million units there is no line.
fn exact(units: i64) -> Option<f64> {
    i32::try_from(units).ok().map(f64::from)
}

#[cfg(test)]
mod tests {
    use domain::Version;

    use super::*;

    fn row(version: i64, at: i64, after: (i64, i64)) -> HistoryRow {
        HistoryRow {
            key: StockKey::new(&Sku::new("BOWL"), &LocationId::new("main")),
            version: Version(version),
            kind: "commit".to_owned(),
            on_hand_delta: 0,
            committed_delta: 0,
            after: Some(after),
            shop: None,
            order: None,
            webhook: None,
            correlation: String::new(),
            reason: String::new(),
            at: Timestamp(at * 1_000_000),
        }
    }

    #[test]
    fn a_line_goes_forward_in_time_until_now() {
        let moves =
            [row(4, 30, (9, 4)), row(3, 19, (10, 4)), row(2, 20, (10, 3)), row(1, 20, (10, 0))];
        let stock = Stock { on_hand: 9, committed: 4, floor: 0, version: Version(4) };
        let drawn = drawn(&moves, &stock, Timestamp(40_000_000));
        assert_eq!(drawn.at, [20, 30, 40]);
        let values =
            |at: usize| drawn.charts[0].lines[at].values.iter().flatten().copied().collect();
        let [on_hand, committed, available]: [Vec<f64>; 3] = [0, 1, 2].map(values);
        assert_eq!((on_hand, committed), (vec![10.0, 9.0, 9.0], vec![4.0, 4.0, 4.0]));
        assert_eq!(available, [6.0, 5.0, 5.0]);
    }
}

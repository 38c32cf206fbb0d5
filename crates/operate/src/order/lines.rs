//! An order per item.

use std::collections::BTreeMap;

use domain::Sku;
use domain::order::Order;

/// What was ordered of an item, and what the ledger shows, over all lines and locations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub sku: Sku,
    pub ordered: i64,
    pub committed: i64,
    pub shipped: i64,
    pub returned: i64,
    pub uncovered: i64,
}

pub fn lines(order: &Order) -> Vec<Line> {
    let mut lines: BTreeMap<Sku, Line> = BTreeMap::new();
    let mut line = |sku: &Sku, add: &dyn Fn(&mut Line)| {
        let empty = || Line {
            sku: sku.clone(),
            ordered: 0,
            committed: 0,
            shipped: 0,
            returned: 0,
            uncovered: 0,
        };
        add(lines.entry(sku.clone()).or_insert_with(empty));
    };
    for (id, resolved) in &order.lines {
        let snapshot = order.known.snapshot.as_ref();
        let ordered = snapshot.and_then(|s| s.lines.get(id)).map_or(0, |line| line.quantity);
        for part in &resolved.parts {
            line(&part.sku, &|line| line.ordered += ordered * part.units);
        }
    }
    for (key, held) in &order.holdings {
        line(&key.sku, &|line| {
            line.committed += held.committed;
            line.shipped += held.shipped;
            line.returned += held.returned;
            line.uncovered += held.uncovered;
        });
    }
    lines.into_values().collect()
}

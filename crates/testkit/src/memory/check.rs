//! What must hold of the contents at any moment: promises P2, P3, P6 and P7.

use std::collections::BTreeMap;
use std::fmt;

use domain::{ChangeSet, OrderKey, Outcome, Stock, StockKey, Version};

use super::MemoryStore;
use super::contents::Contents;

/// A promise that is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub promise: &'static str,
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.promise, self.detail)
    }
}

impl MemoryStore {
    /// Everything that is wrong with the contents.
    pub fn check(&self) -> Vec<Violation> {
        let contents = self.contents();
        let mut found = Vec::new();
        contents.check_stock(&mut found);
        contents.check_holdings(&mut found);
        contents.check_webhooks(&mut found);
        found
    }

    /// Panics, and says why, if anything is wrong.
    pub fn assert_sound(&self) {
        let found = self.check();
        let list: Vec<String> = found.iter().map(Violation::to_string).collect();
        assert!(found.is_empty(), "broken promises:\n{}", list.join("\n"));
    }
}

/// What the databases refuse by themselves.
pub(super) fn constraints(changes: &ChangeSet) -> Result<(), String> {
    for (key, change) in changes.stock.iter().filter(|(_, change)| change.is_write()) {
        if let Some(why) = forbidden(&change.stock) {
            return Err(format!("{key}: {why}"));
        }
    }
    for (order, change) in &changes.orders {
        for (key, held) in &change.order.holdings {
            if held.committed < 0 || held.shipped < 0 || held.uncovered < 0 {
                return Err(format!("order {order} holds {held:?} of {key}"));
            }
        }
    }
    Ok(())
}

fn forbidden(row: &Stock) -> Option<&'static str> {
    match () {
        () if row.on_hand < 0 => Some("on_hand is negative"),
        () if row.committed < 0 => Some("committed is negative"),
        () if row.floor > 0 => Some("the floor is positive"),
        () if row.available() < row.floor => Some("oversold"),
        () => None,
    }
}

impl Contents {
    /// Replays the ledger: every step is allowed, and the last one is the row as it stands.
    fn check_stock(&self, found: &mut Vec<Violation>) {
        let mut replayed: BTreeMap<&StockKey, Stock> = BTreeMap::new();
        for row in &self.ledger {
            let key = &row.change.key;
            let stock = replayed.entry(key).or_default();
            stock.on_hand += row.change.on_hand_delta;
            stock.committed += row.change.committed_delta;
            if row.version != stock.version.next() {
                let detail = format!("{key} goes from {} to {}", stock.version, row.version);
                found.push(Violation { promise: "P7", detail });
            }
            stock.version = row.version;
            stock.floor = self.stock.get(key).map_or(0, |row| row.floor);
            if let Some(why) = forbidden(stock) {
                let detail = format!("{key} version {}: {why}", row.version);
                found.push(Violation { promise: "P3", detail });
            }
        }
        for (key, row) in &self.stock {
            let sum = replayed.remove(key).unwrap_or_default();
            if *row != (Stock { floor: row.floor, ..sum }) {
                let detail = format!("{key} is {row:?}, its ledger says {sum:?}");
                found.push(Violation { promise: "P7", detail });
            }
        }
        for key in replayed.into_keys() {
            let detail = format!("the ledger moves {key}, which has no stock row");
            found.push(Violation { promise: "P7", detail });
        }
    }

    fn check_holdings(&self, found: &mut Vec<Violation>) {
        let mut moved: BTreeMap<(OrderKey, &StockKey), (i64, i64)> = BTreeMap::new();
        for row in &self.ledger {
            let (Some(shop), Some(order)) = (&row.cause.shop, &row.cause.order) else { continue };
            let key = OrderKey { shop: shop.clone(), order: order.clone() };
            let sums = moved.entry((key, &row.change.key)).or_default();
            sums.0 += row.change.committed_delta;
            sums.1 += row.change.on_hand_delta;
        }
        let mut held: BTreeMap<&StockKey, i64> = BTreeMap::new();
        for (order, row) in &self.orders {
            for (key, holding) in &row.order.holdings {
                *held.entry(key).or_default() += holding.committed;
                let sums = moved.remove(&(order.clone(), key)).unwrap_or_default();
                if sums != (holding.committed, holding.returned - holding.shipped) {
                    let detail = format!("order {order}, {key}: {holding:?}, ledger {sums:?}");
                    found.push(Violation { promise: "P2", detail });
                }
            }
        }
        for ((order, key), sums) in moved.into_iter().filter(|(_, sums)| *sums != (0, 0)) {
            let detail = format!("the ledger moves {key} for order {order} by {sums:?}");
            found.push(Violation { promise: "P2", detail });
        }
        for (key, row) in &self.stock {
            let held = held.get(key).copied().unwrap_or(0);
            if held != row.committed {
                let detail = format!("{key}: {} committed, orders hold {held}", row.committed);
                found.push(Violation { promise: "P7", detail });
            }
        }
    }

    fn check_webhooks(&self, found: &mut Vec<Violation>) {
        let mut counted: BTreeMap<Outcome, i64> = BTreeMap::new();
        for (key, row) in &self.webhooks {
            let outcome = row.record.verdict.outcome;
            *counted.entry(outcome).or_default() += 1;
            *counted.entry(Outcome::Duplicate).or_default() += row.deliveries - 1;
            let letter = self.dead.values().any(|letter| letter.webhook.as_ref() == Some(key));
            if outcome == Outcome::Duplicate || (outcome == Outcome::Dead) != letter {
                let detail = format!("{key:?} is {outcome}; has a dead letter: {letter}");
                found.push(Violation { promise: "P6", detail });
            }
        }
        for outcome in Outcome::ALL {
            let there = counted.get(&outcome).copied().unwrap_or(0);
            let says = self.counters.get(&outcome).copied().unwrap_or(0);
            if there != says {
                let detail = format!("the counter of {outcome} says {says}, there are {there}");
                found.push(Violation { promise: "P6", detail });
            }
        }
        for row in &self.ledger {
            let Some(webhook) = &row.cause.webhook else { continue };
            // The row names the order's shop, the inbox whoever sent: a payments shop is another.
            let known = self.webhooks.keys().any(|key| key.webhook == *webhook);
            if !known || row.version == Version::ABSENT {
                let detail = format!("{row:?} names a webhook that is not in the inbox");
                found.push(Violation { promise: "P7", detail });
            }
        }
    }
}

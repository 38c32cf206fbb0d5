//! An order: what is known of it, what its lines are, and what it holds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{LineId, LocationId, Sku, StockKey, Version};
use crate::policy::Policy;

mod audit;
mod cancelled;
mod cut_over;
mod known;
mod line_moves;
mod not_restocked;
mod state;
mod targets;

pub use known::{
    Fulfilment, FulfilmentStatus, Joined, Known, Rank, RefundLine, Restock, Snapshot, SnapshotJoin,
    SnapshotLine,
};
pub use state::{OrderFlag, OrderState};
pub use targets::{Targets, UnknownLocation, is_live, is_reached};

/// One order as we keep it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// How often it was written; not part of the stored document, a column of its own.
    #[serde(skip)]
    pub version: Version,
    pub known: Known,
    /// Every line ever seen, with the items it was resolved to at first sight.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lines: BTreeMap<LineId, OrderLine>,
    /// What the ledger shows for this order; kept in rows of its own, not in the document.
    #[serde(skip)]
    pub holdings: BTreeMap<StockKey, Holding>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short: Option<Short>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken_elsewhere: Vec<TakenElsewhere>,
}

/// One line, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    /// What the platform called it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<Sku>,
    /// The items of one unit; none: not a stock matter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<LinePart>,
}

/// So many units of an item in each unit of a line (more than one part: a kit).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinePart {
    pub sku: Sku,
    pub units: i64,
}

/// What an order holds, or did, of one stock row. `shipped` excludes `uncovered`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    pub committed: i64,
    pub shipped: i64,
    pub returned: i64,
    /// Shipped by the platform when we had no units to take; never taken later.
    pub uncovered: i64,
}

impl Holding {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The latch of an order that could not be committed: not tried again while the demand stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Short {
    pub demand: BTreeMap<Sku, i64>,
}

/// Units that the platform shipped from where all that is there is meant for other orders. They were
/// taken from where this order had its own or, if it had none, from where some were free: else those
/// would be sold once more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenElsewhere {
    pub sku: Sku,
    pub shipped_from: LocationId,
    pub taken_from: LocationId,
    pub units: i64,
}

impl TakenElsewhere {
    /// The row that the platform shipped from.
    pub fn said(&self) -> StockKey {
        StockKey::new(&self.sku, &self.shipped_from)
    }

    /// The row that has fewer.
    pub fn taken(&self) -> StockKey {
        StockKey::new(&self.sku, &self.taken_from)
    }
}

impl Order {
    /// Units committed per item, wherever they lie.
    pub fn committed(&self, sku: &Sku) -> i64 {
        self.holdings
            .iter()
            .filter(|(key, _)| key.sku == *sku)
            .map(|(_, holding)| holding.committed)
            .sum()
    }

    /// The locations where this order holds units of `sku`, in the shop's order.
    pub fn committed_at(&self, sku: &Sku, policy: &Policy) -> Vec<(LocationId, i64)> {
        let mut held: Vec<(LocationId, i64)> = self
            .holdings
            .iter()
            .filter(|(key, holding)| key.sku == *sku && holding.committed > 0)
            .map(|(key, holding)| (key.location.clone(), holding.committed))
            .collect();
        held.sort_by_key(|(location, _)| {
            policy.locations.iter().position(|known| known == location).unwrap_or(usize::MAX)
        });
        held
    }

    /// Whether any line of it is a stock matter.
    pub fn has_stock_lines(&self) -> bool {
        self.lines.values().any(|line| !line.parts.is_empty())
    }
}

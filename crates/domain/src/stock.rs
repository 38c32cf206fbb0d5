//! Stock: one item at one location, and the moves that change it.

use serde::{Deserialize, Serialize};

use crate::ids::{EnvelopeId, OrderId, ShopId, StockKey, Version, WebhookId};
use crate::time::Timestamp;

/// The largest quantity that is believed anywhere: sums of many stay far inside `i64`.
pub const QUANTITY_MAX: i64 = 1_000_000_000;

/// What lies at one location of one item, and how much of it is owed to orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stock {
    /// Units physically there. Never negative.
    pub on_hand: i64,
    /// Units owed to orders. Never negative.
    pub committed: i64,
    /// `available` never goes below this: 0, or less where backorders are allowed.
    pub floor: i64,
    /// How many moves made this row; equals the number of its ledger rows.
    pub version: Version,
}

impl Stock {
    pub fn available(&self) -> i64 {
        self.on_hand - self.committed
    }

    /// The row after `change`, or the rule that the change would break.
    pub fn after(&self, change: &Move) -> Result<Stock, Forbidden> {
        let next = Stock {
            on_hand: self.on_hand + change.on_hand_delta,
            committed: self.committed + change.committed_delta,
            floor: self.floor,
            version: self.version.next(),
        };
        if next.on_hand < 0 {
            return Err(Forbidden::NegativeOnHand);
        }
        if next.committed < 0 {
            return Err(Forbidden::NegativeCommitted);
        }
        // A row may stand below a floor that was raised later; moves may only not make it worse.
        if next.available() < next.floor && next.available() < self.available() {
            return Err(Forbidden::Oversold);
        }
        Ok(next)
    }
}

/// A move that would break promise P3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    #[error("on_hand would go below zero")]
    NegativeOnHand,
    #[error("committed would go below zero")]
    NegativeCommitted,
    #[error("available would go below the floor")]
    Oversold,
    #[error("the floor is above zero")]
    PositiveFloor,
}

/// One step of one stock row: one ledger row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    pub key: StockKey,
    pub kind: MoveKind,
    pub on_hand_delta: i64,
    pub committed_delta: i64,
}

/// Why units moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoveKind {
    /// First sight of the row: `stock set` or an import.
    Opening,
    /// An operator counted or corrected.
    Adjust,
    /// Units are owed to an order from now on.
    Commit,
    /// Units are no longer owed.
    Release,
    /// Units left.
    Ship,
    /// A shipment was taken back by the platform.
    ShipReversed,
    /// Units came back.
    Return,
    /// A return was taken back by the platform.
    ReturnReversed,
}

impl MoveKind {
    pub fn as_str(self) -> &'static str {
        match self {
            MoveKind::Opening => "opening",
            MoveKind::Adjust => "adjust",
            MoveKind::Commit => "commit",
            MoveKind::Release => "release",
            MoveKind::Ship => "ship",
            MoveKind::ShipReversed => "ship_reversed",
            MoveKind::Return => "return",
            MoveKind::ReturnReversed => "return_reversed",
        }
    }
}

/// One append-only line of the ledger, keyed by (stock, version).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// The version the row has after this move; the first is 1.
    pub version: Version,
    pub change: Move,
    pub cause: Cause,
    pub at: Timestamp,
}

/// Who asked for a move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    pub shop: Option<ShopId>,
    pub order: Option<OrderId>,
    pub webhook: Option<WebhookId>,
    /// The envelope, or the operator's command: follows the work through logs.
    pub correlation: EnvelopeId,
    /// The webhook's topic, or what the operator wrote.
    pub reason: String,
}

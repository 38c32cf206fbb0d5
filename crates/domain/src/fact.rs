//! What one webhook says, platform-neutral.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{LineId, OrderId, Sku, Variant};
use crate::order::Known;
use crate::payment::PaymentFact;
use crate::privacy::PrivacyRequest;
use crate::sighting::Sighting;
use crate::webhook::DeadReason;

/// What a body means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    Order(Box<OrderFact>),
    Payment(Box<PaymentFact>),
    /// What the platform's own catalogue and stock look like. Moves nothing.
    Sightings(Vec<Sighting>),
    Privacy(PrivacyRequest),
}

/// Something about one order: a piece of knowledge of the same shape as all that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OrderFact {
    pub order: OrderId,
    /// A test order: recorded, never stock.
    pub test: bool,
    /// What the lines are; resolved to items at first sight.
    pub lines: BTreeMap<LineId, LineRef>,
    pub known: Known,
}

/// A line's identity, as the platform tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineRef {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sku: Option<Sku>,
    /// The platform's variant or product id, for people and listings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<Variant>,
    pub class: LineClass,
}

/// Whether the platform keeps stock of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineClass {
    Tracked,
    /// The platform keeps no stock of it; we do where we know its SKU.
    Untracked,
    /// A tip, a gift card, or a custom line.
    NotStock,
}

/// A webhook's body, understood as far as it can be without looking at anything else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    Fact(Fact),
    /// Not a stock matter; the code says why.
    Ignored(&'static str),
    /// Can never be applied as it is.
    Dead {
        reason: DeadReason,
        detail: String,
    },
}

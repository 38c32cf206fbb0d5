//! How one shop wants its orders decided.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{LocationId, PlatformLocation};
use crate::time::Timestamp;

/// The rules of one shop, as its entry in the shops file states them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub commit_on: CommitOn,
    pub when_short: WhenShort,
    pub unknown_sku: UnknownSku,
    /// Where the shop's orders may be committed, first choice first. Never empty.
    pub locations: Vec<LocationId>,
    /// The platform's location ids. Empty with one location: every id means that one.
    pub location_ids: BTreeMap<PlatformLocation, LocationId>,
    /// Commit only while this many units stay available afterwards.
    pub safety_stock: i64,
    /// Fulfilments and refunds dated before this moment never touch on_hand.
    pub live_from: Option<Timestamp>,
}

/// The moment from which an order's units are owed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommitOn {
    #[default]
    Placed,
    Paid,
}

/// What is done when an order asks for more than there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenShort {
    /// Commit nothing more.
    #[default]
    Reject,
    /// Commit what fits.
    Hold,
    /// Commit below zero, down to the stock row's floor.
    Backorder,
}

/// What is done with a line whose SKU has no stock row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownSku {
    #[default]
    DeadLetter,
    Ignore,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            commit_on: CommitOn::default(),
            when_short: WhenShort::default(),
            unknown_sku: UnknownSku::default(),
            locations: vec![LocationId::new("main")],
            location_ids: BTreeMap::new(),
            safety_stock: 0,
            live_from: None,
        }
    }
}

impl Policy {
    /// Our location for the platform's one; where the platform names none, the shop's first.
    /// `None`: the shop does not map this id.
    pub fn location(&self, platform: Option<&PlatformLocation>) -> Option<&LocationId> {
        match platform {
            None => self.locations.first(),
            Some(_) if self.location_ids.is_empty() && self.locations.len() == 1 => {
                self.locations.first()
            }
            Some(id) => self.location_ids.get(id),
        }
    }

    /// Whether what happened at `at` is before the cut-over, and so already in the counted stock.
    pub fn before_cut_over(&self, at: Timestamp) -> bool {
        self.live_from.is_some_and(|live_from| at < live_from)
    }
}

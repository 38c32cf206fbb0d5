//! Whether every promise holds over everything in the database, while it is in use.

use std::collections::BTreeMap;

use domain::{ShopId, Timestamp};
use platforms::Shops;
use store::reports::{Verification, Violation};
use store::{AnyStore, Reports, StoreError};

use crate::below_zero::BelowZero;

mod orders;

/// A verification that ran to its end by itself, and what was looked at after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    pub at: Timestamp,
    pub violations: Vec<Violation>,
    /// Items of which a shop's platform says that it can sell more than there are. `None`: they
    /// were not compared yet.
    pub over: Option<BTreeMap<ShopId, usize>>,
    /// `None`: they were not counted yet.
    pub below_zero: Option<BelowZero>,
}

/// What a schedule of verifications has found so far; nothing, where there is none.
#[derive(Clone, Debug, Default)]
pub struct Checks {
    pub last: Option<Verified>,
    /// None has come to its end since.
    pub failing: Option<Failing>,
}

impl From<Verified> for Checks {
    fn from(last: Verified) -> Self {
        Self { last: Some(last), failing: None }
    }
}

/// Since when verifications fail, and why the latest did.
#[derive(Clone, Debug)]
pub struct Failing {
    pub since: Timestamp,
    pub error: String,
}

/// Checks the database as a whole, and then each order against its targets, for which the rules of
/// `shops` are needed: without them that is left out. `progress` hears (orders done, of how many).
pub async fn verify(
    store: &AnyStore,
    shops: Option<&Shops>,
    progress: impl Fn(u64, u64),
) -> Result<Verification, StoreError> {
    let mut found = store.verify().await?;
    if let Some(shops) = shops {
        let of = found.orders.unsigned_abs();
        found.violations.extend(orders::verify(store, shops, |done| progress(done, of)).await?);
    }
    Ok(found)
}

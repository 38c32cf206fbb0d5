//! Whether every promise holds over everything in the database, while it is in use.

use domain::Timestamp;
use platforms::Shops;
use store::reports::{Verification, Violation};
use store::{AnyStore, Reports, StoreError};

mod orders;

/// A verification that ran to its end by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    pub at: Timestamp,
    pub violations: Vec<Violation>,
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

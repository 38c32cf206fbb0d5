//! What operators paused: everything, or a shop. Kept here, so that it outlives every process and
//! all of them see it.

use std::future::Future;

use domain::{Operation, ShopId, Timestamp};

use crate::StoreError;
use crate::reports::Fields;

/// The side of a store that knows what is paused.
pub trait Pauses: Clone + Send + Sync + 'static {
    /// All there are, that of everything first.
    fn pauses(&self) -> impl Future<Output = Result<Vec<Pause>, StoreError>> + Send;

    /// Pauses, and notes the operation with it. `false`: nothing was changed, because it is paused
    /// already or the operation has happened before.
    fn pause(
        &self,
        pause: &Pause,
        operation: &Operation,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Ends the pause of a shop, or that of everything (shops that are paused stay so), and notes the
    /// operation with it. `false`: nothing was changed, because it is not paused or the operation has
    /// happened before.
    fn resume(
        &self,
        shop: Option<&ShopId>,
        operation: &Operation,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

/// Webhooks are taken and wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// `None`: of everything.
    pub shop: Option<ShopId>,
    pub since: Timestamp,
    pub by: String,
    /// May be empty.
    pub reason: String,
}

impl Pause {
    pub(crate) fn key(shop: Option<&ShopId>) -> &str {
        shop.map_or("", ShopId::as_str)
    }
}

pub(crate) fn pause_row(row: &impl Fields) -> Pause {
    Pause {
        shop: Some(row.text(0)).filter(|shop| !shop.is_empty()).map(ShopId::new),
        since: Timestamp(row.int(1)),
        by: row.text(2),
        reason: row.text(3),
    }
}

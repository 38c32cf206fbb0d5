//! What Onhand's own alerts have told and is not over. Kept here, so that it outlives the process that
//! told it.

use std::future::Future;

use domain::Timestamp;

use crate::StoreError;
use crate::reports::Fields;

/// The side of a store that knows what was told.
pub trait Alerts: Clone + Send + Sync + 'static {
    /// All there are, by matter.
    fn alerts(&self) -> impl Future<Output = Result<Vec<Alert>, StoreError>> + Send;

    /// Keeps what was told, in the place of what was told of the same matters before, and forgets what
    /// is over. No matter is both.
    fn keep_alerts(
        &self,
        told: &[Alert],
        over: &[String],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// A matter that somebody was told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    pub matter: String,
    pub began: Timestamp,
    /// Last.
    pub told_at: Timestamp,
}

pub(crate) fn alert_row(row: &impl Fields) -> Alert {
    Alert { matter: row.text(0), began: Timestamp(row.int(1)), told_at: Timestamp(row.int(2)) }
}

//! What operators did, in rows of `operations`: by whom, when, what.
//!
//! Stock and orders change in the same transaction as the row. What takes many transactions is noted
//! before it begins: when the process dies in between, the row says what was begun.

use domain::{Batch, Operation, View};
use store::{AnyStore, Commit, Store, StoreError};
use uuid::Uuid;

/// What the keys of these rows start with, whichever way the operator came. They sort by time.
pub const AUDIT: &str = "console/";

/// The key of an action that is about to happen.
pub fn new_key() -> String {
    format!("{AUDIT}{}", Uuid::now_v7())
}

/// `who` does `what`, now.
pub fn operation(key: String, who: &str, what: &str) -> Operation {
    Operation { key, what: format!("{who}: {what}"), at: crate::now() }
}

/// Writes the row alone. `false`: it is there already.
pub async fn note(store: &AnyStore, operation: Operation) -> Result<bool, StoreError> {
    let mut batch = Batch::new(View::default());
    batch.operation(operation);
    Ok(store.commit(&batch.into_changes()).await? == Commit::Applied)
}

//! A batch that takes its locks before it reads: for rows so hot that reading first would conflict.

use std::fmt;

use domain::{ChangeSet, Keys, View};

use super::columns::Columns;
use super::commit::{self, Inbox};
use super::flight::{Step, all, fly};
use super::load::{KeyRows, view};
use super::pool::Connection;
use crate::{Commit, StoreError};

/// An open transaction that holds the locks of a batch, in the fixed order. Dropped without commit,
/// its connection is closed and PostgreSQL lets go.
pub struct Claim {
    connection: Connection,
    keys: Keys,
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim").field("keys", &self.keys).finish_non_exhaustive()
    }
}

/// Locks webhooks, payments, orders and stock in key order, then reads them, in one flight.
pub(super) async fn claim(
    connection: Connection,
    keys: &Keys,
) -> Result<(Claim, View), StoreError> {
    let rows = KeyRows::new(keys);
    let mut steps = vec![
        Step::Plain("BEGIN"),
        Step::Prepared(include_str!("sql/claim_webhooks.sql"), rows.webhooks()),
        Step::Prepared(include_str!("sql/lock_webhooks.sql"), rows.webhooks()),
        Step::Prepared(include_str!("sql/claim_payments.sql"), rows.payments(Columns::default())),
        Step::Prepared(include_str!("sql/claim_orders.sql"), rows.orders()),
        rows.read_listings(),
        Step::Prepared(include_str!("sql/claim_stock.sql"), rows.items()),
    ];
    steps.extend(rows.reads());
    let answers = all(fly(&connection, &steps).await?)?;
    let [_, _, _, _, _, listings, stock, reads @ ..] = &answers[..] else {
        unreachable!("one answer per statement")
    };
    let view = view(listings, reads, stock)?;
    Ok((Claim { connection, keys: keys.clone() }, view))
}

impl Claim {
    pub(super) async fn commit(self, changes: &ChangeSet) -> Result<Commit, StoreError> {
        let rows = KeyRows::new(&self.keys);
        let columns = rows.webhooks().order_keys(&rows.orders, |key| key);
        let unused =
            Step::Prepared(include_str!("sql/drop_unused_claims.sql"), rows.payments(columns));
        commit::run(self.connection, changes, Inbox::Claimed(unused)).await
    }
}

//! A batch that takes its locks before it reads: for rows so hot that reading first would conflict.

use std::fmt;

use domain::{ChangeSet, Keys, View};

use super::commit::{self, Begin};
use super::flight::{Step, all, fly, roll_back};
use super::load::{KeyRows, complete, known_view, read_holdings};
use super::pool::Connection;
use crate::{Commit, StoreError};

/// An open transaction that holds the locks of a batch. Dropped without commit, its connection is closed
/// and PostgreSQL lets go.
pub struct Claim {
    connection: Connection,
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim").finish_non_exhaustive()
    }
}

/// How items are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Items {
    /// By locks on their rows.
    Rows,
    /// By advisory locks on their names, which only those heed who take them, too.
    Names,
}

const STOCK: &str = include_str!("sql/stock_of_batch.sql");
const LOCKED_STOCK: &str =
    concat!(include_str!("sql/stock_of_batch.sql"), "\nFOR NO KEY UPDATE OF s");

/// Locks the items, in key order, then reads everything, in one flight. Items are what lanes fight for,
/// and orders change with them; who is second at an order or a webhook all the same finds out when it
/// commits.
pub(super) async fn claim(
    connection: Connection,
    keys: &Keys,
    items: Items,
) -> Result<(Claim, View), StoreError> {
    let rows = KeyRows::new(keys);
    let mut steps = vec![Step::Plain("BEGIN")];
    // A statement of its own: those after it see what was committed before the lock was had.
    let (first, stock) = match items {
        Items::Rows => (None, LOCKED_STOCK),
        Items::Names => (Some((include_str!("sql/claim_names.sql"), rows.names())), STOCK),
    };
    let skip = usize::from(first.is_some());
    steps.extend(first.map(|(sql, columns)| Step::Prepared(sql, columns)));
    steps.extend([rows.read_listings(), Step::Prepared(stock, rows.items())]);
    steps.extend(rows.read_known());
    steps.push(read_holdings(&rows.orders));
    let answers = all(fly(&connection, &steps).await?)?;
    let [_, listings, stock, payments, webhooks, orders, holdings] = &answers[skip..] else {
        unreachable!("one answer per statement")
    };
    let mut view = known_view(listings, [payments, webhooks, orders])?;
    complete(&mut view, holdings, stock);
    // Each statement sees its own moment. What is locked does not change any more; but an order that
    // came, or grew an item, after that was looked for may hold what is not locked.
    if view.is_torn() {
        roll_back(connection).await?;
        return Err(StoreError::TryAgain("an order changed while it was claimed".into()));
    }
    Ok((Claim { connection }, view))
}

impl Claim {
    pub(super) async fn commit(self, changes: &ChangeSet) -> Result<Commit, StoreError> {
        commit::run(self.connection, changes, Begin::Claimed).await
    }
}

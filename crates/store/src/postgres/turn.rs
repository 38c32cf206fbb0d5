//! The turn among processes: a lock of an open transaction, which ends with its connection whatever
//! happens.
//!
//! It is a table's lock because that is waited for without a snapshot, as the transaction goes on
//! without one. An advisory lock is asked for by a query, whose snapshot would keep the dead versions
//! of every stock row for as long as it waits: pages fill with them, and updates leave them (no HOT).

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::runtime::Handle;

use super::columns::Columns;
use super::first;
use super::flight::{Step, all, fly, roll_back};
use super::pool::Connection;
use crate::{ProcessTurn, StoreError};

/// The turns that this process has: one, or two while it lets go of one and waits for the next.
#[derive(Clone, Debug, Default)]
pub(super) struct Own(Arc<AtomicU32>);

/// The turn's transaction.
struct Held {
    connection: Option<Connection>,
    own: Own,
}

pub(super) async fn take(connection: Connection, own: &Own) -> Result<ProcessTurn, StoreError> {
    let before = own.0.load(Ordering::Acquire);
    let steps = [
        // Before the transaction: in it, its catalog snapshot would be there while LOCK waits.
        Step::Prepared(include_str!("sql/count_process_turns.sql"), Columns::default()),
        Step::Plain("BEGIN"),
        Step::Plain("LOCK TABLE process_turn IN EXCLUSIVE MODE"),
    ];
    let answers = all(fly(&connection, &steps).await?)?;
    let all = u32::try_from(first::<i64>(&answers[0])).unwrap_or(u32::MAX);
    own.0.fetch_add(1, Ordering::AcqRel);
    let held = Held { connection: Some(connection), own: own.clone() };
    Ok(ProcessTurn::new(all.saturating_sub(before), held))
}

impl Drop for Held {
    fn drop(&mut self) {
        // Whoever drops it does not wait for this: where nothing runs any more the connection is closed,
        // which ends the turn as well.
        let own = self.own.clone();
        if let (Some(connection), Ok(runtime)) = (self.connection.take(), Handle::try_current()) {
            runtime.spawn(async move {
                if let Err(error) = roll_back(connection).await {
                    tracing::debug!(error = %error, "a turn ended with its connection");
                }
                own.0.fetch_sub(1, Ordering::AcqRel);
            });
        }
    }
}

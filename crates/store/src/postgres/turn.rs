//! The turn among processes: a lock of an open transaction, which ends with its connection whatever
//! happens, also behind a pooler that hands out connections by the transaction.
//!
//! It is a table's lock because that is waited for without a snapshot, as the transaction goes on
//! without one. An advisory lock is asked for by a query, whose snapshot would keep the dead versions
//! of every stock row for as long as it waits: pages fill with them, and updates leave them (no HOT).

use tokio::runtime::Handle;

use super::columns::Columns;
use super::first;
use super::flight::{Step, all, fly};
use super::pool::Connection;
use crate::{ProcessTurn, StoreError};

/// The turn's transaction.
struct Held(Option<Connection>);

pub(super) async fn take(connection: Connection) -> Result<ProcessTurn, StoreError> {
    let steps = [
        // Before the transaction: in it, its catalog snapshot would be there while LOCK waits.
        Step::Prepared(include_str!("sql/count_process_turns.sql"), Columns::default()),
        Step::Plain("BEGIN"),
        Step::Plain("LOCK TABLE process_turn IN EXCLUSIVE MODE"),
    ];
    let answers = all(fly(&connection, &steps).await?)?;
    let others = u32::try_from(first::<i64>(&answers[0])).unwrap_or(u32::MAX);
    Ok(ProcessTurn::new(others, Held(Some(connection))))
}

impl Drop for Held {
    fn drop(&mut self) {
        // Nobody has to wait for this: where nothing runs any more the connection is closed, which ends
        // the turn as well.
        if let (Some(connection), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(async move {
                let answers = fly(&connection, &[Step::Plain("ROLLBACK")]).await;
                if answers.and_then(all).is_ok() {
                    connection.done();
                }
            });
        }
    }
}

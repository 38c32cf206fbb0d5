//! Several statements in one round trip: all are sent before the first answer is awaited.

use std::future::{Future, ready};
use std::pin::Pin;

use futures_util::future::{join_all, try_join_all};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::columns::Columns;
use super::error::from_postgres;
use super::pool::Connection;
use crate::StoreError;

/// One statement of a flight.
pub(super) enum Step<'a> {
    /// Text without parameters: BEGIN, COMMIT.
    Plain(&'static str),
    /// Not sent if all of its columns are empty: its answer is no rows.
    Prepared(&'static str, Columns<'a>),
}

impl Step<'_> {
    fn is_idle(&self) -> bool {
        matches!(self, Self::Prepared(_, columns) if columns.are_empty())
    }
}

/// The answers to a flight's statements, in their order.
pub(super) type Answers = Vec<Result<Vec<Row>, tokio_postgres::Error>>;

type Answer<'a> =
    Pin<Box<dyn Future<Output = Result<Vec<Row>, tokio_postgres::Error>> + Send + 'a>>;

/// Sends `steps` in one go and reads every answer. `Err` is about the connection or the preparing;
/// a failed statement is in its answer, as are those that an aborted transaction skipped.
pub(super) async fn fly(
    connection: &Connection,
    steps: &[Step<'_>],
) -> Result<Answers, StoreError> {
    connection.bounded(fly_unbounded(connection, steps)).await
}

/// As [`fly`], for as long as it takes.
pub(super) async fn fly_unbounded(
    connection: &Connection,
    steps: &[Step<'_>],
) -> Result<Answers, StoreError> {
    let client = connection.client();
    // Prepared once per connection, in a flight of their own; from then on this asks nobody.
    let statements = try_join_all(steps.iter().map(async |step| match step {
        Step::Prepared(sql, _) if !step.is_idle() => connection.prepare(sql).await.map(Some),
        _ => Ok(None),
    }));
    let statements = statements.await?;
    let params: Vec<Vec<&(dyn ToSql + Sync)>> = steps
        .iter()
        .map(|step| match step {
            Step::Plain(_) => Vec::new(),
            Step::Prepared(_, columns) => columns.params(),
        })
        .collect();
    // A tokio-postgres future sends its statement when it is first polled; join_all polls
    // in order, so the statements go out in order, back to back.
    let answers = steps.iter().zip(&statements).zip(&params).map(
        |((step, statement), params)| -> Answer<'_> {
            match (step, statement) {
                (Step::Prepared(..), Some(statement)) => Box::pin(client.query(statement, params)),
                (Step::Plain(sql), _) => {
                    Box::pin(async move { client.batch_execute(sql).await.map(|()| Vec::new()) })
                }
                (Step::Prepared(..), None) => Box::pin(ready(Ok(Vec::new()))),
            }
        },
    );
    // Of more, join_all polls those first that wake first.
    debug_assert!(steps.len() <= 30, "too many statements for one flight");
    Ok(join_all(answers).await)
}

/// Ends a transaction in which nothing is to happen any more. If that fails, with its connection.
pub(super) async fn roll_back(connection: Connection) -> Result<(), StoreError> {
    if all(fly(&connection, &[Step::Plain("ROLLBACK")]).await?).is_ok() {
        connection.done();
    }
    Ok(())
}

/// All answers, or the first failure.
pub(super) fn all(answers: Answers) -> Result<Vec<Vec<Row>>, StoreError> {
    answers.into_iter().collect::<Result<_, _>>().map_err(from_postgres)
}

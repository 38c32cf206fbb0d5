//! Writing a change set: the whole transaction in one flight.
//!
//! The order of the statements is the order of the locks, the same in every mode: ① stock,
//! ② webhooks, ③ payments, ④ orders, ⑤ the rest. Within each, what is new goes before what is there,
//! and rows by key.
//!
//! Stock first, because that is what lanes fight for: who is too late learns it before it has
//! written anything, and a locking batch needs no other lock to be alone.

use domain::{
    ChangeSet, Operation, OrderKey, PaymentKey, StockChange, StockKey, WebhookKey, WebhookRecord,
};
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Json;

use super::columns::{Columns, moment};
use super::error::{CONFLICT, from_postgres};
use super::flight::{Step, fly};
use super::pool::Connection;
use super::rows::{
    Inserts, Rows, holding_columns, order_columns, payment_columns, stock_values, webhook_columns,
};
use crate::{Commit, ConflictKey, StoreError};

/// Where a commit begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    /// A transaction of its own.
    Here,
    /// The transaction that claimed the rows.
    Claimed,
}

/// One transaction from BEGIN to COMMIT.
pub(super) async fn commit(
    connection: Connection,
    changes: &ChangeSet,
) -> Result<Commit, StoreError> {
    run(connection, changes, Begin::Here).await
}

/// A statement, and what each row that it reports as changed is called.
struct Checked<'a> {
    sql: &'static str,
    columns: Columns<'a>,
    keys: Vec<ConflictKey>,
}

impl<'a> Checked<'a> {
    /// One that reports nothing.
    fn plain((sql, columns): (&'static str, Columns<'a>)) -> Self {
        Self { sql, columns, keys: vec![] }
    }
}

/// Commits, or names the rows that are not as they were read. As if each were so at first: should one
/// that is new be there already, once more by statements that look.
pub(super) async fn run(
    connection: Connection,
    changes: &ChangeSet,
    begin: Begin,
) -> Result<Commit, StoreError> {
    let mut tried = once(&connection, changes, begin, Inserts::Plain).await?;
    if matches!(&tried, Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION)) {
        tried = once(&connection, changes, Begin::Here, Inserts::Checked).await?;
    }
    match tried {
        Ok(commit) => {
            connection.done();
            Ok(commit)
        }
        Err(error) => {
            let error = from_postgres(error);
            // Refused data leaves a connection in order; after anything else it is not trusted.
            if matches!(error, StoreError::Rejected(_) | StoreError::TryAgain(_)) {
                connection.done();
            }
            Err(error)
        }
    }
}

async fn once(
    connection: &Connection,
    changes: &ChangeSet,
    begin: Begin,
    inserts: Inserts,
) -> Result<Result<Commit, tokio_postgres::Error>, StoreError> {
    let rows = Rows::new(changes, inserts);
    let (steps, keys) = plan(changes, &rows, begin, inserts);
    let answers = fly(connection, &steps).await?;

    let mut conflicts = Vec::new();
    let mut failure = None;
    for (answer, keys) in answers.into_iter().zip(keys) {
        match answer {
            Ok(_) if keys.is_empty() => {}
            Ok(rows) => conflicts.extend(rows.iter().map(|row| keys[place(row)].clone())),
            // The first failure is the cause; the others only say that the transaction is over.
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    Ok(match failure {
        None => Ok(Commit::Applied),
        Some(error) if error.code().is_some_and(|state| state.code() == CONFLICT) => {
            conflicts.sort_unstable();
            conflicts.dedup();
            Ok(Commit::Conflict(conflicts))
        }
        Some(error) => Err(error),
    })
}

/// The place in its input that a conflict row names, counted from 0.
fn place(row: &Row) -> usize {
    let from_one: i64 = row.get(0);
    usize::try_from(from_one - 1).expect("places count from 1")
}

/// Ends a transaction that was marked. Before what rests on the rows that were compared: it could
/// break a constraint, which would hide why.
const REFUSE: &str = "SELECT FROM onhand_refuse_conflicts()";

/// All statements in the order of their locks, and for each the names of its rows.
fn plan<'a>(
    changes: &'a ChangeSet,
    rows: &'a Rows<'a>,
    begin: Begin,
    inserts: Inserts,
) -> (Vec<Step<'a>>, Vec<Vec<ConflictKey>>) {
    let mut steps = Vec::with_capacity(30);
    let mut keys = Vec::with_capacity(30);
    if begin == Begin::Here {
        steps.push(Step::Plain("BEGIN"));
        keys.push(vec![]);
    }
    let mut add = |checked: Vec<Checked<'a>>| {
        for one in checked {
            steps.push(Step::Prepared(one.sql, one.columns));
            keys.push(one.keys);
        }
    };
    let refuse = || Checked::plain((REFUSE, Columns::default()));
    add(operation(changes));
    add(stock(rows));
    add(vec![refuse()]);
    add(webhooks(rows, inserts));
    add(payments_and_orders(rows));
    add(vec![refuse()]);
    add(unchecked(changes, rows).into_iter().map(Checked::plain).collect());
    #[cfg(feature = "next")]
    add(vec![Checked::plain(decided_by(rows))]);
    steps.push(Step::Plain("COMMIT"));
    keys.push(vec![]);
    (steps, keys)
}

/// A command that was carried out before is a conflict.
fn operation(changes: &ChangeSet) -> Vec<Checked<'_>> {
    let checked = |operation: &'_ Operation| Checked {
        sql: include_str!("sql/insert_operation.sql"),
        columns: Columns::default()
            .value(operation.key.clone())
            .value(operation.what.clone())
            .value(moment(operation.at)),
        keys: vec![ConflictKey::Operation(operation.key.clone())],
    };
    changes.operation.iter().map(checked).collect()
}

/// ①
fn stock<'a>(rows: &'a Rows<'a>) -> Vec<Checked<'a>> {
    let name = |(key, _): &(&StockKey, _)| ConflictKey::Stock((*key).clone());
    let versions = |rows: &'a [(&'a StockKey, &'a StockChange)]| {
        Columns::default().stock_keys(rows, |row| row.0).with(rows, |row| row.1.expected.0)
    };
    vec![
        Checked {
            sql: include_str!("sql/lock_stock.sql"),
            columns: versions(&rows.stock),
            keys: rows.stock.iter().map(name).collect(),
        },
        Checked {
            sql: include_str!("sql/update_stock.sql"),
            columns: stock_values(versions(&rows.updated), &rows.updated),
            keys: rows.updated.iter().map(name).collect(),
        },
        Checked {
            sql: include_str!("sql/insert_stock.sql"),
            columns: stock_values(
                Columns::default().stock_keys(&rows.inserted, |row| row.0),
                &rows.inserted,
            ),
            keys: rows.inserted.iter().map(name).collect(),
        },
    ]
}

/// ②
fn webhooks<'a>(rows: &'a Rows<'a>, inserts: Inserts) -> Vec<Checked<'a>> {
    let record = |record: &&WebhookRecord| ConflictKey::Webhook(record.key.clone());
    let known = |(key, _): &(&WebhookKey, _)| ConflictKey::Webhook((*key).clone());
    vec![
        Checked {
            sql: match inserts {
                Inserts::Plain => include_str!("sql/insert_webhooks.sql"),
                Inserts::Checked => include_str!("sql/insert_webhooks_checked.sql"),
            },
            columns: webhook_columns(&rows.fresh),
            keys: rows.fresh.iter().map(record).collect(),
        },
        Checked {
            sql: include_str!("sql/lock_replayed.sql"),
            columns: Columns::default()
                .webhook_keys(&rows.replayed, |record| &record.key)
                .scopes(&rows.replayed, |record| &record.key),
            keys: vec![],
        },
        Checked {
            sql: include_str!("sql/replace_dead.sql"),
            columns: webhook_columns(&rows.replayed),
            keys: rows.replayed.iter().map(record).collect(),
        },
        Checked {
            sql: include_str!("sql/count_repeats.sql"),
            columns: Columns::default()
                .webhook_keys(&rows.repeats, |repeat| repeat.0)
                .with(&rows.repeats, |repeat| repeat.1.0)
                .scopes(&rows.repeats, |repeat| repeat.0),
            keys: rows.repeats.iter().map(known).collect(),
        },
    ]
}

/// ③ and ④
fn payments_and_orders<'a>(rows: &'a Rows<'a>) -> Vec<Checked<'a>> {
    let payment = |(key, _): &(&PaymentKey, _)| ConflictKey::Payment((*key).clone());
    let order = |(key, _): &(&OrderKey, _)| ConflictKey::Order((*key).clone());
    vec![
        Checked {
            sql: include_str!("sql/write_payments.sql"),
            columns: payment_columns(&rows.payments),
            keys: rows.payments.iter().map(payment).collect(),
        },
        Checked::plain((include_str!("sql/insert_orders.sql"), order_columns(&rows.new_orders))),
        Checked {
            sql: include_str!("sql/write_orders.sql"),
            columns: order_columns(&rows.orders),
            keys: rows.orders.iter().map(order).collect(),
        },
    ]
}

/// ⑤: rows that nobody else writes at the same time, or that are only added up.
fn unchecked<'a>(changes: &'a ChangeSet, rows: &'a Rows<'a>) -> Vec<(&'static str, Columns<'a>)> {
    vec![
        (include_str!("sql/insert_order_stock.sql"), holding_columns(&rows.new_holdings)),
        (include_str!("sql/write_order_stock.sql"), holding_columns(&rows.holdings)),
        (
            include_str!("sql/insert_ledger.sql"),
            Columns::default()
                .stock_keys(&changes.ledger, |row| &row.change.key)
                .with(&changes.ledger, |row| row.version.0)
                .with(&changes.ledger, |row| row.change.kind.as_str())
                .with(&changes.ledger, |row| row.change.on_hand_delta)
                .with(&changes.ledger, |row| row.change.committed_delta)
                .with(&changes.ledger, |row| row.cause.shop.as_ref().map(|id| id.as_str()))
                .with(&changes.ledger, |row| row.cause.order.as_ref().map(|id| id.as_str()))
                .with(&changes.ledger, |row| row.cause.webhook.as_ref().map(|id| id.as_str()))
                .with(&changes.ledger, |row| row.cause.correlation.0)
                .with(&changes.ledger, |row| row.cause.reason.as_str())
                .with(&changes.ledger, |row| moment(row.at)),
        ),
        (
            include_str!("sql/write_dead_letters.sql"),
            Columns::default()
                .with(&changes.dead, |dead| dead.envelope.0)
                .with(&changes.dead, |dead| dead.shop.as_ref().map(|id| id.as_str()))
                .with(&changes.dead, |dead| dead.webhook.as_ref().map(|key| key.webhook.as_str()))
                .with(&changes.dead, |dead| dead.webhook.as_ref().map(|key| &key.body.0[..]))
                .with(&changes.dead, |dead| dead.topic.as_str())
                .with(&changes.dead, |dead| dead.reason.as_str())
                .with(&changes.dead, |dead| dead.detail.as_str())
                .with(&changes.dead, |dead| i64::from(dead.attempts))
                .with(&changes.dead, |dead| moment(dead.received_at))
                .with(&changes.dead, |dead| moment(dead.died_at))
                .with(&changes.dead, |dead| dead.raw.as_slice())
                .with(&changes.dead, |dead| {
                    let scope = dead.webhook.as_ref().and_then(|key| key.scope.as_ref());
                    scope.map_or("", |order| order.as_str())
                }),
        ),
        (
            include_str!("sql/insert_bodies.sql"),
            Columns::default()
                .with(&changes.kept, |kept| kept.shop.as_str())
                .with(&changes.kept, |kept| kept.envelope.0)
                .with(&changes.kept, |kept| moment(kept.until))
                .with(&changes.kept, |kept| kept.raw.as_slice()),
        ),
        (
            include_str!("sql/close_dead_letters.sql"),
            Columns::default()
                .webhook_keys(&rows.closing, |record| &record.key)
                .with(&rows.closing, |record| record.verdict.outcome.as_str()),
        ),
        (
            include_str!("sql/write_sightings.sql"),
            Columns::default()
                .with(&changes.sightings, |seen| seen.shop.as_str())
                .with(&changes.sightings, |seen| seen.sighting.thing.key().0)
                .with(&changes.sightings, |seen| seen.sighting.thing.key().1)
                .with(&changes.sightings, |seen| seen.sighting.thing.key().2)
                .with(&changes.sightings, |seen| moment(seen.sighting.seen_at))
                .with(&changes.sightings, |seen| seen.sighting.gone)
                .with(&changes.sightings, |seen| Json(&seen.sighting.thing)),
        ),
        (
            include_str!("sql/write_privacy_requests.sql"),
            Columns::default()
                .with(&changes.requests, |kept| kept.id.0)
                .with(&changes.requests, |kept| kept.shop.as_str())
                .with(&changes.requests, |kept| kept.request.kind.as_str())
                .with(&changes.requests, |kept| kept.request.customer.as_deref())
                .with(&changes.requests, |kept| kept.request.orders_text())
                .with(&changes.requests, |kept| moment(kept.received_at))
                .with(&changes.requests, |kept| moment(kept.due_at))
                .with(&changes.requests, |kept| kept.done),
        ),
        (
            include_str!("sql/insert_outbox.sql"),
            Columns::default()
                .with(&changes.effects, |effect| effect.kind.as_str())
                .order_keys(&changes.effects, |effect| &effect.order)
                .with(&changes.effects, |effect| effect.correlation.0),
        ),
        (
            include_str!("sql/clear_suspects.sql"),
            Columns::default().with(&changes.cleared, |envelope| envelope.0),
        ),
        (
            include_str!("sql/add_counters.sql"),
            Columns::default()
                .with(&rows.counts, |count| count.0.as_str())
                .with(&rows.counts, |count| count.1),
        ),
    ]
}

/// What the release after this one writes more.
#[cfg(feature = "next")]
fn decided_by<'a>(rows: &'a Rows<'a>) -> (&'static str, Columns<'a>) {
    let columns = Columns::default()
        .webhook_keys(&rows.fresh, |record| &record.key)
        .scopes(&rows.fresh, |record| &record.key);
    (include_str!("sql/next_decided_by.sql"), columns)
}

//! Writing a change set: the whole transaction in one flight.
//!
//! The order of the statements is the order of the locks, the same in every mode: ① webhooks,
//! ② payments, ③ orders, ④ stock, ⑤ the rest. Within a statement rows go by key.

use domain::{ChangeSet, StockKey, WebhookRecord};
use tokio_postgres::Row;
use tokio_postgres::types::Json;

use super::columns::{Columns, moment};
use super::error::{CONFLICT, from_postgres};
use super::flight::{Step, fly};
use super::pool::Connection;
use super::rows::{Rows, order_columns, payment_columns, stock_values, webhook_columns};
use crate::{Commit, ConflictKey, StoreError};

/// How the inbox rows come to be.
pub(super) enum Inbox<'a> {
    /// Inserted by this transaction, which begins here.
    New,
    /// Claimed earlier in this transaction; the step removes what was claimed in vain.
    Claimed(Step<'a>),
}

/// One transaction from BEGIN to COMMIT.
pub(super) async fn commit(
    connection: Connection,
    changes: &ChangeSet,
) -> Result<Commit, StoreError> {
    run(connection, changes, Inbox::New).await
}

/// A step, and what each row that it reports as changed is called.
struct Checked<'a> {
    step: Step<'a>,
    keys: Vec<ConflictKey>,
}

pub(super) async fn run(
    connection: Connection,
    changes: &ChangeSet,
    inbox: Inbox<'_>,
) -> Result<Commit, StoreError> {
    let rows = Rows::new(changes);
    let (steps, keys) = plan(changes, &rows, inbox);
    let answers = fly(&connection, &steps).await?;

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
    match failure {
        None => {
            connection.done();
            Ok(Commit::Applied)
        }
        Some(error) if error.code().is_some_and(|state| state.code() == CONFLICT) => {
            connection.done();
            conflicts.sort_unstable();
            conflicts.dedup();
            Ok(Commit::Conflict(conflicts))
        }
        Some(error) => {
            let error = from_postgres(error);
            // Refused data leaves a connection in order; after anything else it is not trusted.
            if matches!(error, StoreError::Rejected(_) | StoreError::TryAgain(_)) {
                connection.done();
            }
            Err(error)
        }
    }
}

/// The place in its input that a conflict row names, counted from 0.
fn place(row: &Row) -> usize {
    let from_one: i64 = row.get(0);
    usize::try_from(from_one - 1).expect("WITH ORDINALITY counts from 1")
}

/// All statements in the order of their locks, and for each the names of its rows.
fn plan<'a>(
    changes: &'a ChangeSet,
    rows: &'a Rows<'a>,
    inbox: Inbox<'a>,
) -> (Vec<Step<'a>>, Vec<Vec<ConflictKey>>) {
    let mut plan: Vec<Checked<'a>> = Vec::with_capacity(16);
    let mut add = |wanted: bool, sql, columns: Columns<'a>, keys: Vec<ConflictKey>| {
        if wanted {
            plan.push(Checked { step: Step::Prepared(sql, columns), keys });
        }
    };

    if let Some(operation) = &changes.operation {
        let columns = Columns::default()
            .value(&operation.key)
            .value(&operation.what)
            .value(moment(operation.at));
        let key = ConflictKey::Operation(operation.key.clone());
        add(true, include_str!("sql/insert_operation.sql"), columns, vec![key]);
    }
    let webhook = |record: &&WebhookRecord| ConflictKey::Webhook(record.key.clone());
    let sql = match inbox {
        Inbox::New => include_str!("sql/insert_webhooks.sql"),
        Inbox::Claimed(_) => include_str!("sql/fill_webhooks.sql"),
    };
    let fresh = rows.fresh.iter().map(webhook).collect();
    add(!rows.fresh.is_empty(), sql, webhook_columns(&rows.fresh), fresh);
    let known = rows.known.iter().map(|(key, _)| ConflictKey::Webhook((*key).clone())).collect();
    let columns = Columns::default()
        .webhook_keys(&rows.known, |row| row.0)
        .with(&rows.known, |row| row.1.map(|envelope| envelope.0));
    add(!rows.known.is_empty(), include_str!("sql/check_repeats.sql"), columns, known);
    let replayed = rows.replayed.iter().map(webhook).collect();
    add(
        !rows.replayed.is_empty(),
        include_str!("sql/replace_dead.sql"),
        webhook_columns(&rows.replayed),
        replayed,
    );

    let keys = rows.payments.iter().map(|(key, _)| ConflictKey::Payment((*key).clone())).collect();
    let columns = payment_columns(&rows.payments);
    add(!rows.payments.is_empty(), include_str!("sql/write_payments.sql"), columns, keys);

    let keys = rows.orders.iter().map(|(key, _)| ConflictKey::Order((*key).clone())).collect();
    let columns = order_columns(&rows.orders);
    add(!rows.orders.is_empty(), include_str!("sql/write_orders.sql"), columns, keys);

    let stock = |(key, _): &(&StockKey, _)| ConflictKey::Stock((*key).clone());
    let columns = Columns::default()
        .stock_keys(&rows.stock, |row| row.0)
        .with(&rows.stock, |row| row.1.expected.0);
    let keys = rows.stock.iter().map(stock).collect();
    add(!rows.stock.is_empty(), include_str!("sql/lock_stock.sql"), columns, keys);
    let columns = stock_values(
        Columns::default()
            .stock_keys(&rows.updated, |row| row.0)
            .with(&rows.updated, |row| row.1.expected.0),
        &rows.updated,
    );
    let keys = rows.updated.iter().map(stock).collect();
    add(!rows.updated.is_empty(), include_str!("sql/update_stock.sql"), columns, keys);
    let columns =
        stock_values(Columns::default().stock_keys(&rows.inserted, |row| row.0), &rows.inserted);
    let keys = rows.inserted.iter().map(stock).collect();
    add(!rows.inserted.is_empty(), include_str!("sql/insert_stock.sql"), columns, keys);

    // Before ⑤: what follows from stale rows could break a constraint, which would hide why.
    add(true, "SELECT FROM onhand_refuse_conflicts()", Columns::default(), vec![]);
    for (wanted, sql, columns) in unchecked(changes, rows) {
        add(wanted, sql, columns, vec![]);
    }

    let (mut steps, mut keys): (Vec<_>, Vec<_>) =
        plan.into_iter().map(|checked| (checked.step, checked.keys)).unzip();
    match inbox {
        Inbox::New => {
            steps.insert(0, Step::Plain("BEGIN"));
            keys.insert(0, vec![]);
        }
        Inbox::Claimed(drop_unused) => {
            steps.push(drop_unused);
            keys.push(vec![]);
        }
    }
    steps.push(Step::Plain("COMMIT"));
    keys.push(vec![]);
    (steps, keys)
}

/// ⑤: rows that nobody else writes at the same time, or that are only added up.
fn unchecked<'a>(
    changes: &'a ChangeSet,
    rows: &'a Rows<'a>,
) -> Vec<(bool, &'static str, Columns<'a>)> {
    let closed = &rows.replayed;
    vec![
        (
            !rows.repeats.is_empty(),
            include_str!("sql/count_repeats.sql"),
            Columns::default()
                .webhook_keys(&rows.repeats, |repeat| repeat.0)
                .with(&rows.repeats, |repeat| repeat.1.0),
        ),
        (
            !rows.holdings.is_empty(),
            include_str!("sql/write_order_stock.sql"),
            Columns::default()
                .order_keys(&rows.holdings, |row| row.0)
                .stock_keys(&rows.holdings, |row| row.1)
                .with(&rows.holdings, |row| row.2.committed)
                .with(&rows.holdings, |row| row.2.shipped)
                .with(&rows.holdings, |row| row.2.returned)
                .with(&rows.holdings, |row| row.2.uncovered),
        ),
        (
            !changes.ledger.is_empty(),
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
            !changes.dead.is_empty(),
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
                .with(&changes.dead, |dead| dead.raw.as_slice()),
        ),
        (
            closed.iter().any(|record| record.verdict.outcome != domain::Outcome::Dead),
            include_str!("sql/close_dead_letters.sql"),
            Columns::default()
                .webhook_keys(closed, |record| &record.key)
                .with(closed, |record| record.verdict.outcome.as_str()),
        ),
        (
            !changes.sightings.is_empty(),
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
            !changes.requests.is_empty(),
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
            !changes.effects.is_empty(),
            include_str!("sql/insert_outbox.sql"),
            Columns::default()
                .with(&changes.effects, |effect| effect.kind.as_str())
                .order_keys(&changes.effects, |effect| &effect.order)
                .with(&changes.effects, |effect| effect.correlation.0),
        ),
        (
            !changes.cleared.is_empty(),
            include_str!("sql/clear_suspects.sql"),
            Columns::default().with(&changes.cleared, |envelope| envelope.0),
        ),
        (
            !rows.counts.is_empty(),
            include_str!("sql/add_counters.sql"),
            Columns::default()
                .with(&rows.counts, |count| count.0.as_str())
                .with(&rows.counts, |count| count.1),
        ),
    ]
}

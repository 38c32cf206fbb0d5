//! Writing a change set: one transaction, the same order as on PostgreSQL.
//!
//! SQLite has one writer at a time, so what a check sees is still true when the write follows.
//! A check returns the places of the rows that are not as they were read.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::{
    ChangeSet, EnvelopeId, Outcome, PaymentKey, StockChange, StockKey, WebhookKey, WebhookRecord,
};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, Transaction};

use super::error::from_sqlx;
use super::json;
use crate::{Commit, ConflictKey, StoreError};

pub(super) async fn commit(
    mut transaction: Transaction<'static, Sqlite>,
    changes: &ChangeSet,
) -> Result<Commit, StoreError> {
    let mut conflicts = conflicts(&mut transaction, changes).await?;
    if conflicts.is_empty() {
        write_webhooks(&mut transaction, changes).await?;
        write_payments(&mut transaction, changes).await?;
        write_orders(&mut transaction, changes).await?;
        write_stock(&mut transaction, changes).await?;
        write_rest(&mut transaction, changes).await?;
        transaction.commit().await.map_err(from_sqlx)?;
        return Ok(Commit::Applied);
    }
    transaction.rollback().await.map_err(from_sqlx)?;
    conflicts.sort_unstable();
    conflicts.dedup();
    Ok(Commit::Conflict(conflicts))
}

type Tx = Transaction<'static, Sqlite>;

async fn run(tx: &mut Tx, sql: &'static str, rows: &str) -> Result<Vec<SqliteRow>, StoreError> {
    sqlx::query(sql).bind(rows).fetch_all(&mut **tx).await.map_err(from_sqlx)
}

/// The rows among `keys` whose places a check returns.
async fn check<'a, K>(
    tx: &mut Tx,
    sql: &'static str,
    rows: &str,
    keys: &[&'a K],
    name: fn(&'a K) -> ConflictKey,
) -> Result<Vec<ConflictKey>, StoreError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let places = run(tx, sql, rows).await?;
    Ok(places
        .iter()
        .filter_map(|row| usize::try_from(row.get::<i64, _>(0)).ok())
        .map(|place| name(keys[place]))
        .collect())
}

async fn conflicts(tx: &mut Tx, changes: &ChangeSet) -> Result<Vec<ConflictKey>, StoreError> {
    let mut found = Vec::new();
    if let Some(operation) = &changes.operation {
        let sql = "SELECT 1 FROM operations WHERE key = ?1";
        if !run(tx, sql, &operation.key).await?.is_empty() {
            found.push(ConflictKey::Operation(operation.key.clone()));
        }
    }

    let records: Vec<&WebhookRecord> = changes.webhooks.iter().collect();
    let rows = json::rows(&records, |record| {
        let key = &record.key;
        (key.webhook.as_str(), key.shop.as_str(), key.body.to_string(), record.replaces_dead)
    })?;
    let name = |record: &WebhookRecord| ConflictKey::Webhook(record.key.clone());
    found.extend(check(tx, include_str!("sql/check_webhooks.sql"), &rows, &records, name).await?);

    let repeats = changes.repeats.iter();
    let repeats: Vec<(&WebhookKey, &EnvelopeId)> = repeats
        .flat_map(|repeat| repeat.envelopes.iter().map(|envelope| (&repeat.key, envelope)))
        .collect();
    let rows = json::rows(&repeats, |(key, envelope)| {
        (key.webhook.as_str(), key.shop.as_str(), key.body.to_string(), *envelope)
    })?;
    let repeats: Vec<&WebhookKey> = repeats.into_iter().map(|(key, _)| key).collect();
    let name = |key: &WebhookKey| ConflictKey::Webhook(key.clone());
    found.extend(check(tx, include_str!("sql/check_repeats.sql"), &rows, &repeats, name).await?);

    let rows = json::rows(&changes.payments, |(key, change)| {
        (key.shop.as_str(), key.payment.as_str(), change.expected)
    })?;
    let payments: Vec<_> = changes.payments.keys().collect();
    let name = |key: &PaymentKey| ConflictKey::Payment(key.clone());
    found.extend(check(tx, include_str!("sql/check_payments.sql"), &rows, &payments, name).await?);

    let orders: Vec<_> = changes.orders.iter().collect();
    let rows = json::rows(&orders, |(key, change)| {
        (key.shop.as_str(), key.order.as_str(), change.expected)
    })?;
    let orders: Vec<_> = changes.orders.keys().collect();
    let name = |key: &domain::OrderKey| ConflictKey::Order(key.clone());
    found.extend(check(tx, include_str!("sql/check_orders.sql"), &rows, &orders, name).await?);

    let rows = json::rows(&changes.stock, |(key, change)| {
        (key.sku.as_str(), key.location.as_str(), change.expected)
    })?;
    let stock: Vec<_> = changes.stock.keys().collect();
    let name = |key: &StockKey| ConflictKey::Stock(key.clone());
    found.extend(check(tx, include_str!("sql/check_stock.sql"), &rows, &stock, name).await?);
    Ok(found)
}

async fn write_webhooks(tx: &mut Tx, changes: &ChangeSet) -> Result<(), StoreError> {
    if !changes.webhooks.is_empty() {
        let rows = json::rows(&changes.webhooks, |record| {
            let (key, verdict) = (&record.key, &record.verdict);
            (
                (key.webhook.as_str(), key.shop.as_str(), key.body.to_string()),
                record.envelope,
                record.topic.as_str(),
                record.order.as_ref(),
                verdict.outcome,
                verdict.reason,
                verdict.detail.as_deref(),
                record.received_at,
                record.decided_at,
                record.attempts,
            )
        })?;
        run(tx, include_str!("sql/write_webhooks.sql"), &rows).await?;
    }
    for repeat in &changes.repeats {
        let times = i64::try_from(repeat.envelopes.len()).unwrap_or(i64::MAX);
        let newest_first: Vec<_> = repeat.envelopes.iter().rev().collect();
        sqlx::query(include_str!("sql/count_repeats.sql"))
            .bind(repeat.key.webhook.as_str())
            .bind(repeat.key.shop.as_str())
            .bind(repeat.key.body.to_string())
            .bind(times)
            .bind(json::rows(newest_first, |envelope| envelope)?)
            .execute(&mut **tx)
            .await
            .map_err(from_sqlx)?;
    }
    Ok(())
}

async fn write_payments(tx: &mut Tx, changes: &ChangeSet) -> Result<(), StoreError> {
    if changes.payments.is_empty() {
        return Ok(());
    }
    let mut rows = Vec::with_capacity(changes.payments.len());
    for (key, change) in &changes.payments {
        let order = change.order.as_ref();
        rows.push((
            key.shop.as_str(),
            key.payment.as_str(),
            change.payment.version,
            change.payment.known.state().as_str(),
            order.map(|order| order.shop.as_str()),
            order.map(|order| order.order.as_str()),
            document(&change.payment)?,
        ));
    }
    let rows = json::rows(rows, |row| row)?;
    run(tx, include_str!("sql/write_payments.sql"), &rows).await.map(drop)
}

fn document(of: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(of).map_err(|error| StoreError::Rejected(error.into()))
}

async fn write_orders(tx: &mut Tx, changes: &ChangeSet) -> Result<(), StoreError> {
    if changes.orders.is_empty() {
        return Ok(());
    }
    let mut rows = Vec::with_capacity(changes.orders.len());
    for (key, change) in &changes.orders {
        let document = document(&change.order)?;
        let snapshot = change.order.known.snapshot.as_ref();
        rows.push((
            key.shop.as_str(),
            key.order.as_str(),
            change.order.version,
            change.state.as_str(),
            change.order.short.is_some(),
            snapshot.and_then(|snapshot| snapshot.name.as_deref()),
            snapshot.and_then(|snapshot| snapshot.financial_status.as_deref()),
            snapshot.and_then(|snapshot| snapshot.fulfillment_status.as_deref()),
            document,
        ));
    }
    let rows = json::rows(rows, |row| row)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
    sqlx::query(include_str!("sql/write_orders.sql"))
        .bind(rows)
        .bind(i64::try_from(now).unwrap_or(i64::MAX))
        .execute(&mut **tx)
        .await
        .map_err(from_sqlx)?;

    let holdings = changes.orders.iter().flat_map(|(key, change)| {
        change.order.holdings.iter().map(move |(stock, held)| (key, stock, held))
    });
    let rows = json::rows(holdings, |(key, stock, held)| {
        (
            (key.shop.as_str(), key.order.as_str()),
            (stock.sku.as_str(), stock.location.as_str()),
            held.committed,
            held.shipped,
            held.returned,
            held.uncovered,
        )
    })?;
    run(tx, include_str!("sql/write_order_stock.sql"), &rows).await.map(drop)
}

async fn write_stock(tx: &mut Tx, changes: &ChangeSet) -> Result<(), StoreError> {
    let written = |(_, change): &(&StockKey, &StockChange)| change.is_write();
    let rows = json::rows(changes.stock.iter().filter(written), |(key, change)| {
        let stock = change.stock;
        (
            (key.sku.as_str(), key.location.as_str()),
            stock.on_hand,
            stock.committed,
            stock.floor,
            stock.version,
        )
    })?;
    run(tx, include_str!("sql/write_stock.sql"), &rows).await.map(drop)
}

async fn write_rest(tx: &mut Tx, changes: &ChangeSet) -> Result<(), StoreError> {
    if !changes.ledger.is_empty() {
        let rows = json::rows(&changes.ledger, |row| {
            let (key, cause) = (&row.change.key, &row.cause);
            (
                (key.sku.as_str(), key.location.as_str(), row.version),
                (row.change.kind, row.change.on_hand_delta, row.change.committed_delta),
                (cause.shop.as_ref(), cause.order.as_ref(), cause.webhook.as_ref()),
                (cause.correlation, cause.reason.as_str(), row.at),
            )
        })?;
        run(tx, include_str!("sql/insert_ledger.sql"), &rows).await?;
    }
    write_sightings(tx, changes).await?;
    write_bodies(tx, changes).await?;
    if !changes.effects.is_empty() {
        let rows = json::rows(&changes.effects, |effect| {
            let order = &effect.order;
            (effect.kind.as_str(), order.shop.as_str(), order.order.as_str(), effect.correlation)
        })?;
        run(tx, include_str!("sql/insert_outbox.sql"), &rows).await?;
    }
    if let Some(operation) = &changes.operation {
        let rows =
            json::rows([operation], |done| (done.key.as_str(), done.what.as_str(), done.at))?;
        run(tx, include_str!("sql/insert_operation.sql"), &rows).await?;
    }
    if !changes.cleared.is_empty() {
        let rows = json::rows(&changes.cleared, |envelope| envelope)?;
        run(tx, include_str!("sql/clear_suspects.sql"), &rows).await?;
    }
    let counts = json::rows(changes.outcome_counts(), |(outcome, count)| (outcome, count))?;
    run(tx, include_str!("sql/add_counters.sql"), &counts).await.map(drop)
}

/// What moves nothing: the platforms' own numbers, and what customers ask.
async fn write_sightings(tx: &mut Tx, changes: &ChangeSet) -> Result<(), StoreError> {
    if !changes.sightings.is_empty() {
        let mut rows = Vec::with_capacity(changes.sightings.len());
        for seen in &changes.sightings {
            let sighting = &seen.sighting;
            let (kind, id, place) = sighting.thing.key();
            let document = document(&sighting.thing)?;
            let (seen_at, gone) = (sighting.seen_at, sighting.gone);
            rows.push((seen.shop.as_str(), kind, id, place, seen_at, gone, document));
        }
        let rows = json::rows(rows, |row| row)?;
        run(tx, include_str!("sql/write_sightings.sql"), &rows).await?;
    }
    if !changes.requests.is_empty() {
        let rows = json::rows(&changes.requests, |kept| {
            (
                kept.id,
                kept.shop.as_str(),
                kept.request.kind.as_str(),
                kept.request.customer.as_deref(),
                kept.request.orders_text(),
                kept.received_at,
                kept.due_at,
                kept.done,
            )
        })?;
        run(tx, include_str!("sql/write_privacy_requests.sql"), &rows).await?;
    }
    Ok(())
}

/// Dead letters, and the bodies that are kept of others.
async fn write_bodies(tx: &mut Tx, changes: &ChangeSet) -> Result<(), StoreError> {
    // One by one, because a body is bytes, which JSON is not; there are few of them.
    for dead in &changes.dead {
        sqlx::query(include_str!("sql/write_dead_letter.sql"))
            .bind(dead.envelope.to_string())
            .bind(dead.shop.as_ref().map(|id| id.as_str()))
            .bind(dead.webhook.as_ref().map(|key| key.webhook.as_str()))
            .bind(dead.webhook.as_ref().map(|key| key.body.to_string()))
            .bind(&dead.topic)
            .bind(dead.reason.as_str())
            .bind(&dead.detail)
            .bind(i64::from(dead.attempts))
            .bind(dead.received_at.0)
            .bind(dead.died_at.0)
            .bind(&dead.raw)
            .execute(&mut **tx)
            .await
            .map_err(from_sqlx)?;
    }
    for kept in &changes.kept {
        sqlx::query(include_str!("sql/insert_body.sql"))
            .bind(kept.shop.as_str())
            .bind(kept.envelope.to_string())
            .bind(kept.until.0)
            .bind(&kept.raw)
            .execute(&mut **tx)
            .await
            .map_err(from_sqlx)?;
    }
    let closed = changes
        .webhooks
        .iter()
        .filter(|record| record.replaces_dead && record.verdict.outcome != Outcome::Dead);
    for record in closed {
        sqlx::query(include_str!("sql/close_dead_letter.sql"))
            .bind(record.key.webhook.as_str())
            .bind(record.key.shop.as_str())
            .bind(record.key.body.to_string())
            .bind(record.verdict.outcome.as_str())
            .bind(record.decided_at.0)
            .execute(&mut **tx)
            .await
            .map_err(from_sqlx)?;
    }
    Ok(())
}

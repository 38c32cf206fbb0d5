//! A change set as rows, and rows as the columns of statements.

use domain::{
    ChangeSet, EnvelopeId, OrderChange, OrderKey, PaymentChange, PaymentKey, StockChange, StockKey,
    WebhookKey, WebhookRecord,
};
use tokio_postgres::types::Json;

use super::columns::{Columns, moment};

/// The change set as slices, for `unnest`.
pub(super) struct Rows<'a> {
    pub(super) fresh: Vec<&'a WebhookRecord>,
    pub(super) replayed: Vec<&'a WebhookRecord>,
    pub(super) repeats: Vec<(&'a WebhookKey, EnvelopeId)>,
    /// The inbox rows that exist already, with the envelope that each must not know yet.
    pub(super) known: Vec<(&'a WebhookKey, Option<EnvelopeId>)>,
    pub(super) payments: Vec<(&'a PaymentKey, &'a PaymentChange)>,
    pub(super) orders: Vec<(&'a OrderKey, &'a OrderChange)>,
    pub(super) holdings: Vec<(&'a OrderKey, &'a StockKey, &'a domain::order::Holding)>,
    pub(super) stock: Vec<(&'a StockKey, &'a StockChange)>,
    pub(super) updated: Vec<(&'a StockKey, &'a StockChange)>,
    pub(super) inserted: Vec<(&'a StockKey, &'a StockChange)>,
    pub(super) counts: Vec<(domain::Outcome, i64)>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(changes: &'a ChangeSet) -> Self {
        let (replayed, fresh): (Vec<_>, _) =
            changes.webhooks.iter().partition(|record| record.replaces_dead);
        let repeats: Vec<_> = changes
            .repeats
            .iter()
            .flat_map(|repeat| repeat.envelopes.iter().map(|envelope| (&repeat.key, *envelope)))
            .collect();
        let repeated = repeats.iter().map(|(key, envelope)| (*key, Some(*envelope)));
        let known = repeated.chain(replayed.iter().map(|record| (&record.key, None))).collect();
        let (inserted, updated) = changes
            .stock
            .iter()
            .filter(|(_, change)| change.is_write())
            .partition(|(_, change)| change.expected == domain::Version::ABSENT);
        Self {
            fresh,
            replayed,
            repeats,
            known,
            payments: changes.payments.iter().collect(),
            orders: changes.orders.iter().collect(),
            holdings: changes
                .orders
                .iter()
                .flat_map(|(key, change)| {
                    change.order.holdings.iter().map(move |(stock, held)| (key, stock, held))
                })
                .collect(),
            stock: changes.stock.iter().collect(),
            updated,
            inserted,
            counts: changes.outcome_counts().into_iter().collect(),
        }
    }
}

pub(super) fn webhook_columns<'a>(rows: &'a [&'a WebhookRecord]) -> Columns<'a> {
    Columns::default()
        .webhook_keys(rows, |record| &record.key)
        .with(rows, |record| record.envelope.0)
        .with(rows, |record| record.topic.as_str())
        .with(rows, |record| record.order.as_ref().map(|id| id.as_str()))
        .with(rows, |record| record.verdict.outcome.as_str())
        .with(rows, |record| record.verdict.reason)
        .with(rows, |record| record.verdict.detail.as_deref())
        .with(rows, |record| moment(record.received_at))
        .with(rows, |record| moment(record.decided_at))
        .scopes(rows, |record| &record.key)
}

pub(super) fn payment_columns<'a>(rows: &'a [(&'a PaymentKey, &'a PaymentChange)]) -> Columns<'a> {
    let order = |row: &'a (&'a PaymentKey, &'a PaymentChange)| row.1.order.as_ref();
    Columns::default()
        .with(rows, |row| row.0.shop.as_str())
        .with(rows, |row| row.0.payment.as_str())
        .with(rows, |row| row.1.payment.version.0)
        .with(rows, |row| row.1.payment.known.state().as_str())
        .with(rows, move |row| order(row).map(|order| order.shop.as_str()))
        .with(rows, move |row| order(row).map(|order| order.order.as_str()))
        .with(rows, |row| Json(&row.1.payment))
}

pub(super) fn order_columns<'a>(rows: &'a [(&'a OrderKey, &'a OrderChange)]) -> Columns<'a> {
    let snapshot = |row: &'a (&'a OrderKey, &'a OrderChange)| row.1.order.known.snapshot.as_ref();
    Columns::default()
        .order_keys(rows, |row| row.0)
        .with(rows, |row| row.1.order.version.0)
        .with(rows, |row| row.1.state.as_str())
        .with(rows, |row| row.1.order.short.is_some())
        .with(rows, move |row| snapshot(row).and_then(|s| s.name.as_deref()))
        .with(rows, move |row| snapshot(row).and_then(|s| s.financial_status.as_deref()))
        .with(rows, move |row| snapshot(row).and_then(|s| s.fulfillment_status.as_deref()))
        .with(rows, |row| Json(&row.1.order))
}

pub(super) fn stock_values<'a>(
    columns: Columns<'a>,
    rows: &'a [(&'a StockKey, &'a StockChange)],
) -> Columns<'a> {
    columns
        .with(rows, |row| row.1.stock.on_hand)
        .with(rows, |row| row.1.stock.committed)
        .with(rows, |row| row.1.stock.floor)
        .with(rows, |row| row.1.stock.version.0)
}

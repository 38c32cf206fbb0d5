//! A change set as rows, and rows as the columns of statements.

use domain::order::Holding;
use domain::{
    ChangeSet, EnvelopeId, OrderChange, OrderKey, Outcome, PaymentChange, PaymentKey, StockChange,
    StockKey, Version, WebhookKey, WebhookRecord,
};
use tokio_postgres::types::Json;

use super::columns::{Columns, moment};

pub(super) type OrderRow<'a> = (&'a OrderKey, &'a OrderChange);
pub(super) type HoldingRow<'a> = (&'a OrderKey, &'a StockKey, &'a Holding);

/// Whether what is new is inserted as such.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inserts {
    /// A row that is there already fails the statement, which does not say which rows are. Nearly
    /// always none is, and to look first would cost a fifth of a commit.
    Plain,
    /// Each row is looked for first.
    Checked,
}

/// The change set as slices, for `unnest`.
pub(super) struct Rows<'a> {
    pub(super) fresh: Vec<&'a WebhookRecord>,
    pub(super) replayed: Vec<&'a WebhookRecord>,
    pub(super) repeats: Vec<(&'a WebhookKey, EnvelopeId)>,
    /// Those of `replayed` that are not dead any more.
    pub(super) closing: Vec<&'a WebhookRecord>,
    pub(super) payments: Vec<(&'a PaymentKey, &'a PaymentChange)>,
    /// None where each row is looked for first: then all are in `orders`.
    pub(super) new_orders: Vec<OrderRow<'a>>,
    pub(super) orders: Vec<OrderRow<'a>>,
    /// What the new orders hold, and what the others do.
    pub(super) new_holdings: Vec<HoldingRow<'a>>,
    pub(super) holdings: Vec<HoldingRow<'a>>,
    pub(super) stock: Vec<(&'a StockKey, &'a StockChange)>,
    pub(super) updated: Vec<(&'a StockKey, &'a StockChange)>,
    pub(super) inserted: Vec<(&'a StockKey, &'a StockChange)>,
    pub(super) counts: Vec<(Outcome, i64)>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(changes: &'a ChangeSet, inserts: Inserts) -> Self {
        let (replayed, mut fresh): (Vec<_>, Vec<_>) =
            changes.webhooks.iter().partition(|record| record.replaces_dead);
        fresh.sort_unstable_by_key(|record| inbox_key(&record.key));
        let is_new =
            |row: &OrderRow<'_>| inserts == Inserts::Plain && row.1.expected == Version::ABSENT;
        let (new_orders, mut orders): (Vec<_>, Vec<_>) = changes.orders.iter().partition(is_new);
        // The same order of locks either way.
        orders.sort_by_key(|row| row.1.expected != Version::ABSENT);
        let repeats: Vec<_> = changes
            .repeats
            .iter()
            .flat_map(|repeat| repeat.envelopes.iter().map(|envelope| (&repeat.key, *envelope)))
            .collect();
        let is_alive = |record: &&&WebhookRecord| record.verdict.outcome != Outcome::Dead;
        let closing = replayed.iter().filter(is_alive).copied().collect();
        let (inserted, updated) = changes
            .stock
            .iter()
            .filter(|(_, change)| change.is_write())
            .partition(|(_, change)| change.expected == Version::ABSENT);
        Self {
            fresh,
            replayed,
            repeats,
            closing,
            payments: changes.payments.iter().collect(),
            new_holdings: holdings(&new_orders),
            new_orders,
            holdings: holdings(&orders),
            orders,
            stock: changes.stock.iter().collect(),
            updated,
            inserted,
            counts: changes.outcome_counts().into_iter().collect(),
        }
    }
}

fn holdings<'a>(orders: &[OrderRow<'a>]) -> Vec<HoldingRow<'a>> {
    let held = |(key, change): &OrderRow<'a>| {
        let (key, holdings) = (*key, &change.order.holdings);
        holdings.iter().map(move |(stock, held)| (key, stock, held))
    };
    orders.iter().flat_map(held).collect()
}

/// As the inbox's key sorts: by order, and orders come in the order of their ids.
fn inbox_key(key: &WebhookKey) -> impl Ord {
    let scope = key.scope.as_ref().map(|order| order.as_str());
    (key.shop.as_str(), scope, key.webhook.as_str(), &key.body.0)
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
        .with(rows, |record| i16::try_from(record.attempts).unwrap_or(i16::MAX))
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

pub(super) fn holding_columns<'a>(rows: &'a [HoldingRow<'a>]) -> Columns<'a> {
    Columns::default()
        .order_keys(rows, |row| row.0)
        .stock_keys(rows, |row| row.1)
        .with(rows, |row| row.2.committed)
        .with(rows, |row| row.2.shipped)
        .with(rows, |row| row.2.returned)
        .with(rows, |row| row.2.uncovered)
}

pub(super) fn order_columns<'a>(rows: &'a [OrderRow<'a>]) -> Columns<'a> {
    let snapshot = |row: &'a OrderRow<'a>| row.1.order.known.snapshot.as_ref();
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

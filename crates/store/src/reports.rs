//! What people ask a store: lists, histories and the proof that the promises hold.

use std::collections::BTreeMap;
use std::future::Future;

use domain::{
    EnvelopeId, LocationId, OrderId, OrderKey, Outcome, ShopId, Sku, Stock, StockKey, Timestamp,
    Version, WebhookId,
};

use crate::StoreError;

/// The reading side of a store, for the command line and the console.
pub trait Reports {
    /// Stock rows by item and location; of all items where none is named.
    fn stock(
        &self,
        skus: &[Sku],
    ) -> impl Future<Output = Result<Vec<(StockKey, Stock)>, StoreError>> + Send;

    /// The latest moves of an item, newest first, with the row as it was after each.
    fn history(
        &self,
        sku: &Sku,
        limit: i64,
    ) -> impl Future<Output = Result<Vec<HistoryRow>, StoreError>> + Send;

    /// The latest moves of an order, newest first.
    fn order_history(
        &self,
        order: &OrderKey,
        limit: i64,
    ) -> impl Future<Output = Result<Vec<HistoryRow>, StoreError>> + Send;

    /// Webhooks, newest first.
    fn webhooks(
        &self,
        filter: &WebhookFilter,
    ) -> impl Future<Output = Result<Vec<WebhookRow>, StoreError>> + Send;

    /// How often each of these webhooks was delivered, by id alone; those that never were are left
    /// out. However many are asked for, it reads the inbox once, and takes as long as that takes.
    fn deliveries(
        &self,
        webhooks: &[WebhookId],
    ) -> impl Future<Output = Result<Vec<(WebhookId, i64)>, StoreError>> + Send;

    /// Dead letters without their bodies, newest first.
    fn dead_letters(
        &self,
        filter: &DeadFilter,
    ) -> impl Future<Output = Result<Vec<DeadRow>, StoreError>> + Send;

    /// The envelope of a dead letter, as it travelled.
    fn dead_letter_raw(
        &self,
        id: EnvelopeId,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, StoreError>> + Send;

    /// Closes an open dead letter for good. `false`: it is not open.
    fn close_dead_letter(
        &self,
        id: EnvelopeId,
        how: Closed,
        note: &str,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// What an operator's command under this key did; `None`: it has not happened.
    fn operation(
        &self,
        key: &str,
    ) -> impl Future<Output = Result<Option<String>, StoreError>> + Send;

    fn totals(&self) -> impl Future<Output = Result<Totals, StoreError>> + Send;

    /// What time it is by the database's own clock; `None`: it goes by this machine's.
    fn clock(&self) -> impl Future<Output = Result<Option<Timestamp>, StoreError>> + Send;

    /// Checks the promises over everything, at one moment, while the fleet goes on working.
    fn verify(&self) -> impl Future<Output = Result<Verification, StoreError>> + Send;

    /// Orders in pages by key: up to `limit` after `after`.
    fn order_keys(
        &self,
        after: Option<&OrderKey>,
        limit: i64,
    ) -> impl Future<Output = Result<Vec<OrderKey>, StoreError>> + Send;
}

/// One line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    pub key: StockKey,
    pub version: Version,
    pub kind: String,
    pub on_hand_delta: i64,
    pub committed_delta: i64,
    /// The row after this move; only in an item's history.
    pub after: Option<(i64, i64)>,
    pub shop: Option<ShopId>,
    pub order: Option<OrderId>,
    pub webhook: Option<WebhookId>,
    pub correlation: String,
    pub reason: String,
    pub at: Timestamp,
}

/// Which webhooks to list. Empty: all.
#[derive(Clone, Debug, Default)]
pub struct WebhookFilter {
    pub shop: Option<ShopId>,
    pub webhook: Option<WebhookId>,
    pub order: Option<OrderId>,
    /// That brought it first; a dead letter's id is one.
    pub envelope: Option<EnvelopeId>,
    pub outcome: Option<Outcome>,
    pub limit: i64,
}

/// One webhook and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookRow {
    pub webhook: WebhookId,
    pub shop: ShopId,
    pub body_hash: String,
    pub envelope: String,
    pub topic: String,
    pub order: Option<OrderId>,
    pub outcome: String,
    pub reason: Option<String>,
    pub detail: Option<String>,
    pub deliveries: i64,
    pub received_at: Timestamp,
    pub decided_at: Timestamp,
    /// How often it waited on the retry ladder.
    pub attempts: i64,
}

/// Which dead letters to list.
#[derive(Clone, Debug, Default)]
pub struct DeadFilter {
    pub id: Option<EnvelopeId>,
    pub reason: Option<String>,
    pub shop: Option<ShopId>,
    /// Also those that were replayed or discarded.
    pub closed_too: bool,
    pub limit: i64,
}

/// One dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadRow {
    pub id: String,
    pub shop: Option<ShopId>,
    pub webhook: Option<WebhookId>,
    pub topic: String,
    pub reason: String,
    pub detail: String,
    pub attempts: i64,
    pub deaths: i64,
    pub state: String,
    pub closed_note: Option<String>,
    pub received_at: Timestamp,
    pub died_at: Timestamp,
}

/// How a dead letter ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    Replayed,
    Discarded,
}

impl Closed {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Replayed => "replayed",
            Self::Discarded => "discarded",
        }
    }
}

/// How many of what. What waits is counted up to [`crate::pages::LETTERS_MAX`] of a kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub webhooks: BTreeMap<Outcome, i64>,
    /// Open ones.
    pub dead_letters: i64,
    pub outbox_pending: i64,
    /// Not answered yet.
    pub privacy_requests: i64,
}

/// What `verify` found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    pub orders: i64,
    pub stock: i64,
    pub ledger: i64,
    pub webhooks: i64,
    pub violations: Vec<Violation>,
}

/// A promise that does not hold, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// `P2` … `P7`.
    pub promise: String,
    pub detail: String,
}

/// At most so many violations of one kind are listed: the first few tell the story.
pub(crate) const VIOLATIONS_MAX: i64 = 20;

/// The checks, in SQL that both databases understand: each returns (promise, detail) per violation.
pub(crate) const CHECKS: [&str; 11] = [
    include_str!("verify/p2_holdings_match_ledger.sql"),
    include_str!("verify/p2_moves_are_held.sql"),
    include_str!("verify/p2_holdings_have_their_order.sql"),
    include_str!("verify/p3_never_oversold.sql"),
    include_str!("verify/p6_every_webhook_has_an_outcome.sql"),
    include_str!("verify/p6_every_dead_webhook_has_a_letter.sql"),
    include_str!("verify/p6_counters_match.sql"),
    include_str!("verify/p7_stock_is_the_sum_of_its_ledger.sql"),
    include_str!("verify/p7_ledger_has_stock.sql"),
    include_str!("verify/p7_committed_is_held_by_orders.sql"),
    include_str!("verify/p7_moves_name_their_webhook.sql"),
];

/// (orders, stock, ledger, webhooks)
pub(crate) const COUNTS: &str = include_str!("verify/counts.sql");

/// A row of either driver, read by position.
pub(crate) trait Fields {
    fn text(&self, at: usize) -> String;
    fn text_opt(&self, at: usize) -> Option<String>;
    fn int(&self, at: usize) -> i64;
    fn int_opt(&self, at: usize) -> Option<i64>;

    fn stock_key(&self, at: usize) -> StockKey {
        StockKey { sku: Sku::new(self.text(at)), location: LocationId::new(self.text(at + 1)) }
    }

    fn order_key(&self, at: usize) -> OrderKey {
        OrderKey { shop: ShopId::new(self.text(at)), order: OrderId::new(self.text(at + 1)) }
    }
}

pub(crate) fn stock_row(row: &impl Fields) -> (StockKey, Stock) {
    let stock = Stock {
        on_hand: row.int(2),
        committed: row.int(3),
        floor: row.int(4),
        version: Version(row.int(5)),
    };
    (row.stock_key(0), stock)
}

pub(crate) fn history_row(row: &impl Fields) -> HistoryRow {
    HistoryRow {
        key: row.stock_key(0),
        version: Version(row.int(2)),
        kind: row.text(3),
        on_hand_delta: row.int(4),
        committed_delta: row.int(5),
        after: row.int_opt(6).zip(row.int_opt(7)),
        shop: row.text_opt(8).map(ShopId::new),
        order: row.text_opt(9).map(OrderId::new),
        webhook: row.text_opt(10).map(WebhookId::new),
        correlation: row.text(11),
        reason: row.text(12),
        at: Timestamp(row.int(13)),
    }
}

pub(crate) fn webhook_row(row: &impl Fields) -> WebhookRow {
    WebhookRow {
        webhook: WebhookId::new(row.text(0)),
        shop: ShopId::new(row.text(1)),
        body_hash: row.text(2),
        envelope: row.text(3),
        topic: row.text(4),
        order: row.text_opt(5).map(OrderId::new),
        outcome: row.text(6),
        reason: row.text_opt(7),
        detail: row.text_opt(8),
        deliveries: row.int(9),
        received_at: Timestamp(row.int(10)),
        decided_at: Timestamp(row.int(11)),
        attempts: row.int(12),
    }
}

pub(crate) fn dead_row(row: &impl Fields) -> DeadRow {
    DeadRow {
        id: row.text(0),
        shop: row.text_opt(1).map(ShopId::new),
        webhook: row.text_opt(2).map(WebhookId::new),
        topic: row.text(3),
        reason: row.text(4),
        detail: row.text(5),
        attempts: row.int(6),
        deaths: row.int(7),
        state: row.text(8),
        closed_note: row.text_opt(9),
        received_at: Timestamp(row.int(10)),
        died_at: Timestamp(row.int(11)),
    }
}

pub(crate) fn delivered(row: &impl Fields) -> (WebhookId, i64) {
    (WebhookId::new(row.text(0)), row.int(1))
}

pub(crate) fn violation(row: &impl Fields) -> Violation {
    Violation { promise: row.text(0), detail: row.text(1) }
}

/// From (name, value) rows: names that no outcome has are left out.
/// And from (open dead letters, waiting effects, open privacy requests).
pub(crate) fn totals(counters: &[impl Fields], pending: &impl Fields) -> Totals {
    let mut webhooks: BTreeMap<Outcome, i64> =
        Outcome::ALL.into_iter().map(|outcome| (outcome, 0)).collect();
    for row in counters {
        if let Ok(outcome) = row.text(0).parse() {
            webhooks.insert(outcome, row.int(1));
        }
    }
    Totals {
        webhooks,
        dead_letters: pending.int(0),
        outbox_pending: pending.int(1),
        privacy_requests: pending.int(2),
    }
}

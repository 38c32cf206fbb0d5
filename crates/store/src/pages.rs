//! What the console shows in pages: each is read by key, so the thousandth costs what the first
//! does, and none reads more than a bounded number of rows.
//!
//! Where no index serves what is asked (a topic, an outcome, a state), a page looks through the
//! next [`SCAN_MAX`] rows only, and says where it stopped.

use std::future::Future;

use domain::{
    EnvelopeId, OrderId, OrderKey, Outcome, ShopId, Sku, Stock, StockKey, Timestamp, Version,
};

use uuid::Uuid;

use crate::StoreError;
use crate::reports::{DeadRow, Fields, HistoryRow, WebhookRow, stock_row};

/// Rows that are looked through for one page.
pub const SCAN_MAX: i64 = 20_000;

/// Open dead letters of one reason, and all together, that are counted.
pub const LETTERS_MAX: i64 = 10_000;

/// Short orders that are looked through for what they want.
pub const SHORT_MAX: i64 = 2_000;

/// Moves of a stock row that are looked through for the orders that made them.
pub const MOVES_MAX: i64 = 2_000;

/// Webhooks whose orders tell what moves most.
pub const HOT_WEBHOOKS: i64 = 500;

/// Newest moves of a stock row that are looked through for the orders that hold units of it.
pub const HOLDING_MOVES: i64 = 500;

/// Moves of one order that are looked at for what moves most.
pub(crate) const HOT_MOVES: i64 = 100;

/// Short orders that are looked through for what there is none of: this is asked all the time.
pub(crate) const SHORTAGE_MAX: i64 = 500;

/// Sorts after every text that is a key.
pub(crate) const LAST: &str = "\u{10ffff}";

/// The paged side of a store.
pub trait Pages {
    /// Stock rows whose SKU starts with `prefix`, by item and location.
    fn stock_page(
        &self,
        prefix: &str,
        after: Option<&StockKey>,
        limit: i64,
    ) -> impl Future<Output = Result<Vec<(StockKey, Stock)>, StoreError>> + Send;

    /// The stock rows that orders moved most since then, most first, as far as the latest
    /// [`HOT_WEBHOOKS`] webhooks tell.
    fn hot_stock(
        &self,
        since: Timestamp,
        limit: i64,
    ) -> impl Future<Output = Result<Vec<HotRow>, StoreError>> + Send;

    /// Of these items those that short orders ask for, and how many orders: of [`SHORT_MAX`] orders
    /// at the most.
    fn wanted(
        &self,
        skus: &[Sku],
    ) -> impl Future<Output = Result<Vec<(Sku, i64)>, StoreError>> + Send;

    /// Of the orders that its newest [`HOLDING_MOVES`] moves were for, those that hold committed units
    /// of a stock row, most units first.
    fn holders_lately(
        &self,
        key: &StockKey,
        limit: i64,
    ) -> impl Future<Output = Result<Vec<(OrderKey, i64)>, StoreError>> + Send;

    /// How many orders are short, and what they miss most: the first `limit` items.
    fn shortage(&self, limit: i64) -> impl Future<Output = Result<Shortage, StoreError>> + Send;

    /// The moves of a stock row, newest first.
    fn ledger_page(
        &self,
        key: &StockKey,
        before: Option<Version>,
        limit: i64,
    ) -> impl Future<Output = Result<Vec<HistoryRow>, StoreError>> + Send;

    /// Orders, the highest keys first: ids mostly grow.
    fn order_page(
        &self,
        page: &OrderPage,
    ) -> impl Future<Output = Result<Page<OrderRow, OrderKey>, StoreError>> + Send;

    /// Orders of any shop that people call so, and of these shops with this id.
    fn orders_called(
        &self,
        text: &str,
        shops: &[ShopId],
        limit: i64,
    ) -> impl Future<Output = Result<Vec<OrderRow>, StoreError>> + Send;

    /// Orders that moved units of this very item lately (among the last [`MOVES_MAX`] moves of each of
    /// its rows), and of [`SHORT_MAX`] short ones those that ask for it; the latest first.
    fn orders_of(
        &self,
        sku: &Sku,
        limit: i64,
    ) -> impl Future<Output = Result<Vec<OrderRow>, StoreError>> + Send;

    /// Webhooks, newest first.
    fn webhook_page(
        &self,
        page: &WebhookPage,
    ) -> impl Future<Output = Result<Page<WebhookRow, EnvelopeId>, StoreError>> + Send;

    /// Per shop, what came among the latest [`SCAN_MAX`] webhooks.
    fn shop_activity(&self) -> impl Future<Output = Result<Vec<ActivityRow>, StoreError>> + Send;

    /// Dead letters without their bodies, newest first.
    fn dead_page(
        &self,
        page: &DeadPage,
    ) -> impl Future<Output = Result<Vec<DeadRow>, StoreError>> + Send;

    /// Open dead letters without their bodies, oldest first: up to `limit` after `after`.
    fn open_letters(
        &self,
        which: &Letters,
        after: Option<EnvelopeId>,
        limit: i64,
    ) -> impl Future<Output = Result<Vec<DeadRow>, StoreError>> + Send;

    /// How many those are after `after`, counted up to `limit`.
    fn count_open_letters(
        &self,
        which: &Letters,
        after: Option<EnvelopeId>,
        limit: i64,
    ) -> impl Future<Output = Result<i64, StoreError>> + Send;

    /// Open dead letters by reason, most first.
    fn dead_reasons(&self) -> impl Future<Output = Result<Vec<ReasonRow>, StoreError>> + Send;

    /// Operators' commands whose keys start with `prefix`, the highest keys first.
    fn operation_page(
        &self,
        prefix: &str,
        before: Option<&str>,
        limit: i64,
    ) -> impl Future<Output = Result<Vec<OperationRow>, StoreError>> + Send;
}

/// A stock row that moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HotRow {
    pub key: StockKey,
    pub stock: Stock,
    pub moves: i64,
    /// Newly owed to orders.
    pub units: i64,
}

/// Orders that ask for more than there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shortage {
    /// Not counted beyond [`SHORT_MAX`].
    pub orders: i64,
    /// What some of them ask for and there is none of, most asked first.
    pub missing: Vec<MissingItem>,
}

/// An item of which nothing is available anywhere, while short orders ask for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingItem {
    pub sku: Sku,
    pub orders: i64,
    /// Zero or, with backorders, less.
    pub available: i64,
}

/// Rows, and where to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T, K> {
    pub rows: Vec<T>,
    /// `None`: there are no more.
    pub next: Option<K>,
}

/// Which orders. Empty: all.
#[derive(Clone, Debug, Default)]
pub struct OrderPage {
    pub shop: Option<ShopId>,
    pub state: Option<String>,
    pub before: Option<OrderKey>,
    pub limit: i64,
}

impl OrderPage {
    /// The key below which the page lies, and the lowest that it may show.
    pub(crate) fn bounds(&self) -> (OrderKey, OrderKey) {
        let key = |shop: &str, order: &str| OrderKey {
            shop: ShopId::new(shop),
            order: OrderId::new(order),
        };
        let shop = self.shop.as_ref().map(ShopId::as_str);
        let below = match (&self.before, shop) {
            (Some(before), _) => before.clone(),
            (None, Some(shop)) => key(shop, LAST),
            (None, None) => key(LAST, ""),
        };
        (below, key(shop.unwrap_or_default(), ""))
    }

    /// Short orders have an index of their own.
    pub(crate) fn only_short(&self) -> bool {
        self.state.as_deref() == Some("short")
    }
}

/// An order, as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRow {
    pub key: OrderKey,
    pub name: Option<String>,
    pub state: String,
    pub financial_status: Option<String>,
    pub fulfillment_status: Option<String>,
    pub first_seen_at: Timestamp,
}

/// Which webhooks. Empty: all.
#[derive(Clone, Debug, Default)]
pub struct WebhookPage {
    pub shop: Option<ShopId>,
    pub topic: Option<String>,
    pub outcome: Option<Outcome>,
    pub before: Option<EnvelopeId>,
    pub limit: i64,
}

/// What came of a shop lately.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivityRow {
    pub shop: ShopId,
    pub last: Timestamp,
    pub webhooks: i64,
    pub dead: i64,
}

/// Which dead letters.
#[derive(Clone, Debug, Default)]
pub struct DeadPage {
    pub reason: Option<String>,
    /// Also those that were replayed or discarded.
    pub closed_too: bool,
    pub before: Option<EnvelopeId>,
    pub limit: i64,
}

impl DeadPage {
    /// Each has its own part of the index.
    pub(crate) fn states(&self) -> &'static [&'static str] {
        if self.closed_too { &["open", "replayed", "discarded"] } else { &["open"] }
    }
}

/// Which open dead letters are meant by one command. Empty: all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Letters {
    pub reason: Option<String>,
    pub shop: Option<ShopId>,
    /// Those that died then or later.
    pub since: Option<Timestamp>,
}

/// Open dead letters of one reason: how many, counted up to [`LETTERS_MAX`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReasonRow {
    pub reason: String,
    pub count: i64,
    /// When the oldest of these died.
    pub oldest: Timestamp,
}

/// What an operator did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationRow {
    pub key: String,
    pub what: String,
    pub at: Timestamp,
}

/// Where a page goes on that is full: after its last row. Only one that is not may have stopped
/// looking before it was.
pub(crate) fn full<T, K>(rows: &[T], limit: i64, key: impl Fn(&T) -> Option<K>) -> Option<K> {
    rows.last().filter(|_| i64::try_from(rows.len()).is_ok_and(|len| len >= limit)).and_then(key)
}

/// The newest of what several lists have.
pub(crate) fn newest(mut rows: Vec<DeadRow>, limit: i64) -> Vec<DeadRow> {
    rows.sort_by(|one, other| other.id.cmp(&one.id));
    rows.truncate(usize::try_from(limit).unwrap_or_default());
    rows
}

pub(crate) fn hot_row(row: &impl Fields) -> HotRow {
    let (key, stock) = stock_row(row);
    HotRow { key, stock, moves: row.int(6), units: row.int(7) }
}

pub(crate) fn order_row(row: &impl Fields) -> OrderRow {
    OrderRow {
        key: row.order_key(0),
        name: row.text_opt(2),
        state: row.text(3),
        financial_status: row.text_opt(4),
        fulfillment_status: row.text_opt(5),
        first_seen_at: Timestamp(row.int(6)),
    }
}

pub(crate) fn activity_row(row: &impl Fields) -> ActivityRow {
    ActivityRow {
        shop: ShopId::new(row.text(0)),
        last: Timestamp(row.int(1)),
        webhooks: row.int(2),
        dead: row.int(3),
    }
}

pub(crate) fn reason_row(row: &impl Fields) -> ReasonRow {
    ReasonRow { reason: row.text(0), count: row.int(1), oldest: Timestamp(row.int(2)) }
}

pub(crate) fn missing_row(row: &impl Fields) -> MissingItem {
    MissingItem { sku: Sku::new(row.text(0)), orders: row.int(1), available: row.int(2) }
}

pub(crate) fn operation_row(row: &impl Fields) -> OperationRow {
    OperationRow { key: row.text(0), what: row.text(1), at: Timestamp(row.int(2)) }
}

/// An envelope's id, as columns hold it.
pub(crate) fn envelope(text: &str) -> Option<EnvelopeId> {
    text.parse().ok().map(EnvelopeId)
}

pub(crate) fn below(before: Option<EnvelopeId>) -> EnvelopeId {
    before.unwrap_or_else(|| EnvelopeId(Uuid::max()))
}

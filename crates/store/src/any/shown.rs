//! What commands and pages show, of whichever store it is.

use super::*;

impl Channels for AnyStore {
    async fn payments(&self, filter: &PaymentFilter) -> Result<Vec<PaymentRow>, StoreError> {
        whichever!(self, store => store.payments(filter))
    }

    async fn listings(
        &self,
        shop: Option<&ShopId>,
    ) -> Result<Vec<(ListingKey, LinePart)>, StoreError> {
        whichever!(self, store => store.listings(shop))
    }

    async fn set_listings(
        &self,
        listings: &[(ListingKey, Vec<LinePart>)],
    ) -> Result<(), StoreError> {
        whichever!(self, store => store.set_listings(listings))
    }

    async fn sightings(
        &self,
        shop: &ShopId,
        after: Option<&SightingRow>,
        limit: i64,
    ) -> Result<Vec<SightingRow>, StoreError> {
        whichever!(self, store => store.sightings(shop, after, limit))
    }

    async fn last_webhook(
        &self,
        shop: &ShopId,
        since: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        whichever!(self, store => store.last_webhook(shop, since))
    }

    async fn privacy_requests(
        &self,
        closed_too: bool,
        limit: i64,
    ) -> Result<Vec<PrivacyRow>, StoreError> {
        whichever!(self, store => store.privacy_requests(closed_too, limit))
    }

    async fn close_privacy_request(&self, id: EnvelopeId, note: &str) -> Result<bool, StoreError> {
        whichever!(self, store => store.close_privacy_request(id, note))
    }
}

impl Pages for AnyStore {
    async fn stock_page(
        &self,
        prefix: &str,
        after: Option<&StockKey>,
        limit: i64,
    ) -> Result<Vec<(StockKey, Stock)>, StoreError> {
        whichever!(self, store => store.stock_page(prefix, after, limit))
    }

    async fn hot_stock(&self, since: Timestamp, limit: i64) -> Result<Vec<HotRow>, StoreError> {
        whichever!(self, store => store.hot_stock(since, limit))
    }

    async fn wanted(&self, skus: &[Sku]) -> Result<Vec<(Sku, i64)>, StoreError> {
        whichever!(self, store => store.wanted(skus))
    }

    async fn holders_lately(
        &self,
        key: &StockKey,
        limit: i64,
    ) -> Result<Vec<(OrderKey, i64)>, StoreError> {
        whichever!(self, store => store.holders_lately(key, limit))
    }

    async fn shortage(&self, limit: i64) -> Result<Shortage, StoreError> {
        whichever!(self, store => store.shortage(limit))
    }

    async fn ledger_page(
        &self,
        key: &StockKey,
        before: Option<Version>,
        limit: i64,
    ) -> Result<Vec<HistoryRow>, StoreError> {
        whichever!(self, store => store.ledger_page(key, before, limit))
    }

    async fn order_page(&self, page: &OrderPage) -> Result<Page<OrderRow, OrderKey>, StoreError> {
        whichever!(self, store => store.order_page(page))
    }

    async fn orders_called(
        &self,
        text: &str,
        shops: &[ShopId],
        limit: i64,
    ) -> Result<Vec<OrderRow>, StoreError> {
        whichever!(self, store => store.orders_called(text, shops, limit))
    }

    async fn orders_of(&self, sku: &Sku, limit: i64) -> Result<Vec<OrderRow>, StoreError> {
        whichever!(self, store => store.orders_of(sku, limit))
    }

    async fn webhook_page(
        &self,
        page: &WebhookPage,
    ) -> Result<Page<WebhookRow, EnvelopeId>, StoreError> {
        whichever!(self, store => store.webhook_page(page))
    }

    async fn shop_activity(&self) -> Result<Vec<ActivityRow>, StoreError> {
        whichever!(self, store => store.shop_activity())
    }

    async fn dead_page(&self, page: &DeadPage) -> Result<Vec<DeadRow>, StoreError> {
        whichever!(self, store => store.dead_page(page))
    }

    async fn open_letters(
        &self,
        which: &Letters,
        after: Option<EnvelopeId>,
        limit: i64,
    ) -> Result<Vec<DeadRow>, StoreError> {
        whichever!(self, store => store.open_letters(which, after, limit))
    }

    async fn count_open_letters(
        &self,
        which: &Letters,
        after: Option<EnvelopeId>,
        limit: i64,
    ) -> Result<i64, StoreError> {
        whichever!(self, store => store.count_open_letters(which, after, limit))
    }

    async fn dead_reasons(&self) -> Result<Vec<ReasonRow>, StoreError> {
        whichever!(self, store => store.dead_reasons())
    }

    async fn operation_page(
        &self,
        prefix: &str,
        before: Option<&str>,
        limit: i64,
    ) -> Result<Vec<OperationRow>, StoreError> {
        whichever!(self, store => store.operation_page(prefix, before, limit))
    }
}

impl Rollups for AnyStore {
    async fn add_rollup(
        &self,
        process: Process,
        at: Timestamp,
        counts: &Counts,
    ) -> Result<(), StoreError> {
        whichever!(self, store => store.add_rollup(process, at, counts))
    }

    async fn rollups(&self, span: Span, until: Timestamp) -> Result<Vec<Rollup>, StoreError> {
        whichever!(self, store => store.rollups(span, until))
    }

    async fn processes(&self, within: Duration) -> Result<BTreeMap<String, i64>, StoreError> {
        whichever!(self, store => store.processes(within))
    }
}

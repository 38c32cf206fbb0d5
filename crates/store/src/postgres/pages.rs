//! The pages, on PostgreSQL.

use domain::{EnvelopeId, OrderKey, Outcome, ShopId, Sku, Stock, StockKey, Timestamp, Version};
use tokio_postgres::types::ToSql;

use super::Postgres;
use super::columns::moment;
use super::redactions::bound;
use crate::StoreError;
use crate::pages::{
    ActivityRow, DeadPage, HOLDING_MOVES, HOT_MOVES, HOT_WEBHOOKS, HotRow, LAST, LETTERS_MAX,
    Letters, MOVES_MAX, OperationRow, OrderPage, OrderRow, Page, Pages, ReasonRow, SCAN_MAX,
    SHORT_MAX, SHORTAGE_MAX, Shortage, WebhookPage, activity_row, below, envelope, full, hot_row,
    missing_row, newest, operation_row, order_row, reason_row,
};
use crate::reports::{
    DeadRow, Fields, HistoryRow, WebhookRow, dead_row, history_row, stock_row, webhook_row,
};

/// As parameters.
fn letters(which: &Letters) -> (Option<&str>, Option<&str>, Option<jiff::Timestamp>) {
    (which.reason.as_deref(), which.shop.as_ref().map(ShopId::as_str), which.since.map(moment))
}

impl Pages for Postgres {
    async fn stock_page(
        &self,
        prefix: &str,
        after: Option<&StockKey>,
        limit: i64,
    ) -> Result<Vec<(StockKey, Stock)>, StoreError> {
        let (sku, location) =
            after.map_or((prefix, ""), |key| (key.sku.as_str(), key.location.as_str()));
        let end = format!("{prefix}{LAST}");
        let params: [&(dyn ToSql + Sync); 4] = [&sku, &location, &end, &limit];
        self.rows(include_str!("sql/page_stock.sql"), &params, stock_row).await
    }

    async fn hot_stock(&self, since: Timestamp, limit: i64) -> Result<Vec<HotRow>, StoreError> {
        let params: [&(dyn ToSql + Sync); 4] = [&HOT_WEBHOOKS, &HOT_MOVES, &moment(since), &limit];
        self.rows(include_str!("sql/page_hot.sql"), &params, hot_row).await
    }

    async fn wanted(&self, skus: &[Sku]) -> Result<Vec<(Sku, i64)>, StoreError> {
        let skus: Vec<&str> = skus.iter().map(Sku::as_str).collect();
        let params: [&(dyn ToSql + Sync); 2] = [&skus, &SHORT_MAX];
        let sql = include_str!("sql/page_wanted.sql");
        self.rows(sql, &params, |row| (Sku::new(row.text(0)), row.int(1))).await
    }

    async fn holders_lately(
        &self,
        key: &StockKey,
        limit: i64,
    ) -> Result<Vec<(OrderKey, i64)>, StoreError> {
        let params: [&(dyn ToSql + Sync); 4] =
            [&key.sku.as_str(), &key.location.as_str(), &HOLDING_MOVES, &limit];
        let sql = include_str!("sql/page_holders.sql");
        self.rows(sql, &params, |row| (row.order_key(0), row.int(2))).await
    }

    async fn shortage(&self, limit: i64) -> Result<Shortage, StoreError> {
        let orders =
            self.rows(include_str!("sql/count_short_orders.sql"), &[&SHORT_MAX], |row| row.int(0));
        let orders = orders.await?.pop().unwrap_or_default();
        let params: [&(dyn ToSql + Sync); 2] = [&SHORTAGE_MAX, &limit];
        let missing = match orders {
            0 => Vec::new(),
            _ => self.rows(include_str!("sql/page_shortage.sql"), &params, missing_row).await?,
        };
        Ok(Shortage { orders, missing })
    }

    async fn ledger_page(
        &self,
        key: &StockKey,
        before: Option<Version>,
        limit: i64,
    ) -> Result<Vec<HistoryRow>, StoreError> {
        let before = before.map_or(i64::MAX, |version| version.0);
        let params: [&(dyn ToSql + Sync); 4] =
            [&key.sku.as_str(), &key.location.as_str(), &before, &limit];
        self.rows(include_str!("sql/page_ledger.sql"), &params, history_row).await
    }

    async fn order_page(&self, asked: &OrderPage) -> Result<Page<OrderRow, OrderKey>, StoreError> {
        let (below, lowest) = asked.bounds();
        let (below_shop, below_order) = (below.shop.as_str(), below.order.as_str());
        let (lowest_shop, lowest_order) = (lowest.shop.as_str(), lowest.order.as_str());
        let state = asked.state.as_deref();
        let params: [&(dyn ToSql + Sync); 7] = [
            &below_shop,
            &below_order,
            &lowest_shop,
            &lowest_order,
            &SCAN_MAX,
            &state,
            &asked.limit,
        ];
        let key = |row: &OrderRow| Some(row.key.clone());
        if asked.only_short() {
            let params: [&(dyn ToSql + Sync); 5] =
                [&below_shop, &below_order, &lowest_shop, &lowest_order, &asked.limit];
            let sql = include_str!("sql/page_orders_short.sql");
            let rows = self.rows(sql, &params, order_row).await?;
            return Ok(Page { next: full(&rows, asked.limit, key), rows });
        }
        let rows = self.rows(include_str!("sql/page_orders.sql"), &params, order_row).await?;
        let sql = include_str!("sql/scan_orders.sql");
        let next = match full(&rows, asked.limit, key) {
            None => self.rows(sql, &params[..5], |row| row.order_key(0)).await?.pop(),
            next => next,
        };
        Ok(Page { rows, next })
    }

    async fn orders_called(
        &self,
        text: &str,
        shops: &[ShopId],
        limit: i64,
    ) -> Result<Vec<OrderRow>, StoreError> {
        let shops: Vec<&str> = shops.iter().map(ShopId::as_str).collect();
        let params: [&(dyn ToSql + Sync); 3] = [&text, &shops, &limit];
        self.rows(include_str!("sql/page_orders_called.sql"), &params, order_row).await
    }

    async fn orders_of(&self, sku: &Sku, limit: i64) -> Result<Vec<OrderRow>, StoreError> {
        let params: [&(dyn ToSql + Sync); 4] = [&sku.as_str(), &MOVES_MAX, &SHORT_MAX, &limit];
        self.rows(include_str!("sql/page_orders_of_sku.sql"), &params, order_row).await
    }

    async fn webhook_page(
        &self,
        asked: &WebhookPage,
    ) -> Result<Page<WebhookRow, EnvelopeId>, StoreError> {
        let below = below(asked.before).0;
        let params: [&(dyn ToSql + Sync); 6] = [
            &below,
            &SCAN_MAX,
            &asked.shop.as_ref().map(|id| id.as_str()),
            &asked.topic.as_deref(),
            &asked.outcome.map(Outcome::as_str),
            &asked.limit,
        ];
        let rows = self.rows(include_str!("sql/page_webhooks.sql"), &params, webhook_row).await?;
        let sql = include_str!("sql/scan_webhooks.sql");
        let next = match full(&rows, asked.limit, |row| envelope(&row.envelope)) {
            None => {
                self.rows(sql, &params[..2], |row| envelope(&row.text(0))).await?.pop().flatten()
            }
            next => next,
        };
        Ok(Page { rows, next })
    }

    async fn shop_activity(&self) -> Result<Vec<ActivityRow>, StoreError> {
        self.rows(include_str!("sql/page_activity.sql"), &[&SCAN_MAX], activity_row).await
    }

    async fn dead_page(&self, asked: &DeadPage) -> Result<Vec<DeadRow>, StoreError> {
        let below = below(asked.before).0;
        let Some(reason) = &asked.reason else {
            let sql = match asked.closed_too {
                true => include_str!("sql/page_dead_all.sql"),
                false => include_str!("sql/page_dead_open.sql"),
            };
            return self.rows(sql, &[&below, &asked.limit], dead_row).await;
        };
        let mut rows = Vec::new();
        for state in asked.states() {
            let params: [&(dyn ToSql + Sync); 4] = [&below, &asked.limit, state, reason];
            let sql = include_str!("sql/page_dead_of_reason.sql");
            rows.extend(self.rows(sql, &params, dead_row).await?);
        }
        Ok(newest(rows, asked.limit))
    }

    async fn open_letters(
        &self,
        which: &Letters,
        after: Option<EnvelopeId>,
        limit: i64,
    ) -> Result<Vec<DeadRow>, StoreError> {
        let (reason, shop, since) = letters(which);
        let after = bound(after);
        let params: [&(dyn ToSql + Sync); 5] = [&after, &reason, &shop, &since, &limit];
        let sql = match &which.reason {
            Some(_) => include_str!("sql/open_letters_of_reason.sql"),
            None => include_str!("sql/open_letters.sql"),
        };
        self.rows(sql, &params, dead_row).await
    }

    async fn count_open_letters(
        &self,
        which: &Letters,
        after: Option<EnvelopeId>,
        limit: i64,
    ) -> Result<i64, StoreError> {
        let (reason, shop, since) = letters(which);
        let after = bound(after);
        let params: [&(dyn ToSql + Sync); 5] = [&after, &reason, &shop, &since, &limit];
        let sql = match &which.reason {
            Some(_) => include_str!("sql/count_open_letters_of_reason.sql"),
            None => include_str!("sql/count_open_letters.sql"),
        };
        Ok(self.rows(sql, &params, |row| row.int(0)).await?.pop().unwrap_or_default())
    }

    async fn dead_reasons(&self) -> Result<Vec<ReasonRow>, StoreError> {
        self.rows(include_str!("sql/page_dead_reasons.sql"), &[&LETTERS_MAX], reason_row).await
    }

    async fn operation_page(
        &self,
        prefix: &str,
        before: Option<&str>,
        limit: i64,
    ) -> Result<Vec<OperationRow>, StoreError> {
        let last = format!("{prefix}{LAST}");
        let params: [&(dyn ToSql + Sync); 3] = [&before.unwrap_or(&last), &prefix, &limit];
        self.rows(include_str!("sql/page_operations.sql"), &params, operation_row).await
    }
}

//! The pages, on SQLite.

use domain::{EnvelopeId, OrderKey, Outcome, ShopId, Sku, Stock, StockKey, Timestamp, Version};

use super::redactions::bound;
use super::{Sqlite, json};
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

impl Pages for Sqlite {
    async fn stock_page(
        &self,
        prefix: &str,
        after: Option<&StockKey>,
        limit: i64,
    ) -> Result<Vec<(StockKey, Stock)>, StoreError> {
        let (sku, location) =
            after.map_or((prefix, ""), |key| (key.sku.as_str(), key.location.as_str()));
        let query = sqlx::query(include_str!("sql/page_stock.sql"))
            .bind(sku)
            .bind(location)
            .bind(format!("{prefix}{LAST}"))
            .bind(limit);
        self.rows(query, stock_row).await
    }

    async fn hot_stock(&self, since: Timestamp, limit: i64) -> Result<Vec<HotRow>, StoreError> {
        let query = sqlx::query(include_str!("sql/page_hot.sql"))
            .bind(HOT_WEBHOOKS)
            .bind(HOT_MOVES)
            .bind(since.0)
            .bind(limit);
        self.rows(query, hot_row).await
    }

    async fn wanted(&self, skus: &[Sku]) -> Result<Vec<(Sku, i64)>, StoreError> {
        let query = sqlx::query(include_str!("sql/page_wanted.sql"))
            .bind(json::rows(skus, |sku| sku)?)
            .bind(SHORT_MAX);
        self.rows(query, |row| (Sku::new(row.text(0)), row.int(1))).await
    }

    async fn holders_lately(
        &self,
        key: &StockKey,
        limit: i64,
    ) -> Result<Vec<(OrderKey, i64)>, StoreError> {
        let query = sqlx::query(include_str!("sql/page_holders.sql"))
            .bind(key.sku.as_str())
            .bind(key.location.as_str())
            .bind(HOLDING_MOVES)
            .bind(limit);
        self.rows(query, |row| (row.order_key(0), row.int(2))).await
    }

    async fn shortage(&self, limit: i64) -> Result<Shortage, StoreError> {
        let query = sqlx::query(include_str!("sql/count_short_orders.sql")).bind(SHORT_MAX);
        let orders = self.rows(query, |row| row.int(0)).await?.pop().unwrap_or_default();
        let query =
            sqlx::query(include_str!("sql/page_shortage.sql")).bind(SHORTAGE_MAX).bind(limit);
        let missing = match orders {
            0 => Vec::new(),
            _ => self.rows(query, missing_row).await?,
        };
        Ok(Shortage { orders, missing })
    }

    async fn ledger_page(
        &self,
        key: &StockKey,
        before: Option<Version>,
        limit: i64,
    ) -> Result<Vec<HistoryRow>, StoreError> {
        let query = sqlx::query(include_str!("sql/page_ledger.sql"))
            .bind(key.sku.as_str())
            .bind(key.location.as_str())
            .bind(before.map_or(i64::MAX, |version| version.0))
            .bind(limit);
        self.rows(query, history_row).await
    }

    async fn order_page(&self, asked: &OrderPage) -> Result<Page<OrderRow, OrderKey>, StoreError> {
        let (below, lowest) = asked.bounds();
        let bounded = |sql| {
            sqlx::query(sql)
                .bind(below.shop.as_str())
                .bind(below.order.as_str())
                .bind(lowest.shop.as_str())
                .bind(lowest.order.as_str())
        };
        let key = |row: &OrderRow| Some(row.key.clone());
        if asked.only_short() {
            let query = bounded(include_str!("sql/page_orders_short.sql")).bind(asked.limit);
            let rows = self.rows(query, order_row).await?;
            return Ok(Page { next: full(&rows, asked.limit, key), rows });
        }
        let query = bounded(include_str!("sql/page_orders.sql"))
            .bind(SCAN_MAX)
            .bind(asked.state.as_deref())
            .bind(asked.limit);
        let rows = self.rows(query, order_row).await?;
        let query = bounded(include_str!("sql/scan_orders.sql")).bind(SCAN_MAX);
        let next = match full(&rows, asked.limit, key) {
            None => self.rows(query, |row| row.order_key(0)).await?.pop(),
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
        let query = sqlx::query(include_str!("sql/page_orders_called.sql"))
            .bind(text)
            .bind(json::rows(shops, |shop| shop)?)
            .bind(limit);
        self.rows(query, order_row).await
    }

    async fn orders_of(&self, sku: &Sku, limit: i64) -> Result<Vec<OrderRow>, StoreError> {
        let query = sqlx::query(include_str!("sql/page_orders_of_sku.sql"))
            .bind(sku.as_str())
            .bind(MOVES_MAX)
            .bind(SHORT_MAX)
            .bind(limit);
        self.rows(query, order_row).await
    }

    async fn webhook_page(
        &self,
        asked: &WebhookPage,
    ) -> Result<Page<WebhookRow, EnvelopeId>, StoreError> {
        let below = below(asked.before).to_string();
        let query = sqlx::query(include_str!("sql/page_webhooks.sql"))
            .bind(&below)
            .bind(SCAN_MAX)
            .bind(asked.shop.as_ref().map(|id| id.as_str()))
            .bind(asked.topic.as_deref())
            .bind(asked.outcome.map(Outcome::as_str))
            .bind(asked.limit);
        let rows = self.rows(query, webhook_row).await?;
        let query = sqlx::query(include_str!("sql/scan_webhooks.sql")).bind(&below).bind(SCAN_MAX);
        let next = match full(&rows, asked.limit, |row| envelope(&row.envelope)) {
            None => self.rows(query, |row| envelope(&row.text(0))).await?.pop().flatten(),
            next => next,
        };
        Ok(Page { rows, next })
    }

    async fn shop_activity(&self) -> Result<Vec<ActivityRow>, StoreError> {
        let query = sqlx::query(include_str!("sql/page_activity.sql")).bind(SCAN_MAX);
        self.rows(query, activity_row).await
    }

    async fn dead_page(&self, asked: &DeadPage) -> Result<Vec<DeadRow>, StoreError> {
        let below = below(asked.before).to_string();
        let query = |sql| sqlx::query(sql).bind(&below).bind(asked.limit);
        let Some(reason) = &asked.reason else {
            let sql = match asked.closed_too {
                true => include_str!("sql/page_dead_all.sql"),
                false => include_str!("sql/page_dead_open.sql"),
            };
            return self.rows(query(sql), dead_row).await;
        };
        let mut rows = Vec::new();
        for state in asked.states() {
            let query = query(include_str!("sql/page_dead_of_reason.sql"));
            rows.extend(self.rows(query.bind(state).bind(reason), dead_row).await?);
        }
        Ok(newest(rows, asked.limit))
    }

    async fn open_letters(
        &self,
        which: &Letters,
        after: Option<EnvelopeId>,
        limit: i64,
    ) -> Result<Vec<DeadRow>, StoreError> {
        let sql = match &which.reason {
            Some(_) => include_str!("sql/open_letters_of_reason.sql"),
            None => include_str!("sql/open_letters.sql"),
        };
        let query = sqlx::query(sql)
            .bind(bound(after))
            .bind(which.reason.as_deref())
            .bind(which.shop.as_ref().map(ShopId::as_str))
            .bind(which.since.map(|at| at.0))
            .bind(limit);
        self.rows(query, dead_row).await
    }

    async fn count_open_letters(
        &self,
        which: &Letters,
        after: Option<EnvelopeId>,
        limit: i64,
    ) -> Result<i64, StoreError> {
        let sql = match &which.reason {
            Some(_) => include_str!("sql/count_open_letters_of_reason.sql"),
            None => include_str!("sql/count_open_letters.sql"),
        };
        let query = sqlx::query(sql)
            .bind(bound(after))
            .bind(which.reason.as_deref())
            .bind(which.shop.as_ref().map(ShopId::as_str))
            .bind(which.since.map(|at| at.0))
            .bind(limit);
        Ok(self.rows(query, |row| row.int(0)).await?.pop().unwrap_or_default())
    }

    async fn dead_reasons(&self) -> Result<Vec<ReasonRow>, StoreError> {
        let query = sqlx::query(include_str!("sql/page_dead_reasons.sql")).bind(LETTERS_MAX);
        self.rows(query, reason_row).await
    }

    async fn operation_page(
        &self,
        prefix: &str,
        before: Option<&str>,
        limit: i64,
    ) -> Result<Vec<OperationRow>, StoreError> {
        let last = format!("{prefix}{LAST}");
        let query = sqlx::query(include_str!("sql/page_operations.sql"))
            .bind(before.unwrap_or(&last))
            .bind(prefix)
            .bind(limit);
        self.rows(query, operation_row).await
    }
}

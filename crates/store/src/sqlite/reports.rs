//! The reading side, on SQLite.

use domain::{EnvelopeId, OrderKey, ShopId, Sku, Stock, StockKey, Timestamp, WebhookId};
use sqlx::Row;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};

use super::error::from_sqlx;
use super::{Sqlite, json};
use crate::StoreError;
use crate::pages::LETTERS_MAX;
use crate::reports::{
    CHECKS, COUNTS, Closed, DeadFilter, DeadRow, Fields, HistoryRow, Reports, Totals,
    VIOLATIONS_MAX, Verification, WebhookFilter, WebhookRow, dead_row, delivered, history_row,
    stock_row, totals, violation, webhook_row,
};

impl Fields for SqliteRow {
    fn text(&self, at: usize) -> String {
        self.get(at)
    }
    fn text_opt(&self, at: usize) -> Option<String> {
        self.get(at)
    }
    fn int(&self, at: usize) -> i64 {
        self.get(at)
    }
    fn int_opt(&self, at: usize) -> Option<i64> {
        self.get(at)
    }
}

impl Sqlite {
    pub(super) async fn rows<T>(
        &self,
        query: Query<'_, sqlx::Sqlite, SqliteArguments>,
        read: impl Fn(&SqliteRow) -> T,
    ) -> Result<Vec<T>, StoreError> {
        let rows = query.fetch_all(&self.readers).await.map_err(from_sqlx)?;
        Ok(rows.iter().map(read).collect())
    }
}

impl Reports for Sqlite {
    async fn stock(&self, skus: &[Sku]) -> Result<Vec<(StockKey, Stock)>, StoreError> {
        let skus = json::rows(skus, |sku| sku)?;
        self.rows(sqlx::query(include_str!("sql/report_stock.sql")).bind(skus), stock_row).await
    }

    async fn history(&self, sku: &Sku, limit: i64) -> Result<Vec<HistoryRow>, StoreError> {
        let query = sqlx::query(include_str!("sql/report_history.sql"));
        self.rows(query.bind(sku.as_str()).bind(limit), history_row).await
    }

    async fn order_history(
        &self,
        order: &OrderKey,
        limit: i64,
    ) -> Result<Vec<HistoryRow>, StoreError> {
        let query = sqlx::query(include_str!("sql/report_order_history.sql"));
        let query = query.bind(order.shop.as_str()).bind(order.order.as_str()).bind(limit);
        self.rows(query, history_row).await
    }

    async fn webhooks(&self, filter: &WebhookFilter) -> Result<Vec<WebhookRow>, StoreError> {
        let sql = match filter {
            WebhookFilter { envelope: Some(_), .. } => {
                include_str!("sql/report_webhooks_by_envelope.sql")
            }
            WebhookFilter { shop: Some(_), order: Some(_), .. } => {
                include_str!("sql/report_webhooks_by_order.sql")
            }
            WebhookFilter { webhook: Some(_), .. } => include_str!("sql/report_webhooks_by_id.sql"),
            WebhookFilter { order: Some(_), .. } => {
                include_str!("sql/report_webhooks_of_order.sql")
            }
            _ => include_str!("sql/report_webhooks.sql"),
        };
        let query = sqlx::query(sql)
            .bind(filter.shop.as_ref().map(|id| id.as_str()))
            .bind(filter.webhook.as_ref().map(|id| id.as_str()))
            .bind(filter.order.as_ref().map(|id| id.as_str()))
            .bind(filter.outcome.map(domain::Outcome::as_str))
            .bind(filter.limit)
            .bind(filter.envelope.map(|id| id.to_string()));
        self.rows(query, webhook_row).await
    }

    async fn deliveries(
        &self,
        webhooks: &[WebhookId],
    ) -> Result<Vec<(WebhookId, i64)>, StoreError> {
        let ids = json::rows(webhooks, WebhookId::as_str)?;
        self.rows(sqlx::query(include_str!("sql/report_deliveries.sql")).bind(ids), delivered).await
    }

    async fn dead_letters(&self, filter: &DeadFilter) -> Result<Vec<DeadRow>, StoreError> {
        let query = sqlx::query(include_str!("sql/report_dead_letters.sql"))
            .bind(filter.id.map(|id| id.to_string()))
            .bind(filter.reason.as_deref())
            .bind(filter.closed_too)
            .bind(filter.shop.as_ref().map(ShopId::as_str))
            .bind(filter.limit);
        self.rows(query, dead_row).await
    }

    async fn dead_letter_raw(&self, id: EnvelopeId) -> Result<Option<Vec<u8>>, StoreError> {
        let query = sqlx::query(include_str!("sql/report_dead_letter_raw.sql"));
        Ok(self.rows(query.bind(id.to_string()), |row| row.get(0)).await?.pop())
    }

    async fn operation(&self, key: &str) -> Result<Option<String>, StoreError> {
        let query = sqlx::query("SELECT what FROM operations WHERE key = ?1").bind(key);
        Ok(self.rows(query, |row| row.get(0)).await?.pop())
    }

    async fn close_dead_letter(
        &self,
        id: EnvelopeId,
        how: Closed,
        note: &str,
    ) -> Result<bool, StoreError> {
        let query = sqlx::query(include_str!("sql/close_dead_letter_by_id.sql"))
            .bind(id.to_string())
            .bind(how.as_str())
            .bind(note);
        let closed = query.fetch_optional(&self.writer).await.map_err(from_sqlx)?;
        Ok(closed.is_some())
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        let counters = sqlx::query(include_str!("sql/report_counters.sql"))
            .fetch_all(&self.readers)
            .await
            .map_err(from_sqlx)?;
        let pending = sqlx::query(include_str!("sql/report_pending.sql"))
            .bind(LETTERS_MAX)
            .fetch_one(&self.readers)
            .await
            .map_err(from_sqlx)?;
        Ok(totals(&counters, &pending))
    }

    async fn clock(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(None)
    }

    async fn verify(&self) -> Result<Verification, StoreError> {
        // One snapshot for all checks.
        let mut transaction = self.readers.begin().await.map_err(from_sqlx)?;
        let counts = sqlx::query(COUNTS).fetch_one(&mut *transaction).await.map_err(from_sqlx)?;
        let mut violations = Vec::new();
        for check in CHECKS {
            let query = sqlx::query(check).bind(VIOLATIONS_MAX);
            let rows = query.fetch_all(&mut *transaction).await.map_err(from_sqlx)?;
            violations.extend(rows.iter().map(violation));
        }
        transaction.rollback().await.map_err(from_sqlx)?;
        Ok(Verification {
            orders: counts.int(0),
            stock: counts.int(1),
            ledger: counts.int(2),
            webhooks: counts.int(3),
            violations,
        })
    }

    async fn order_keys(
        &self,
        after: Option<&OrderKey>,
        limit: i64,
    ) -> Result<Vec<OrderKey>, StoreError> {
        let (shop, order) = after.map_or(("", ""), |key| (key.shop.as_str(), key.order.as_str()));
        let query = sqlx::query(include_str!("sql/report_order_keys.sql"));
        self.rows(query.bind(shop).bind(order).bind(limit), |row| row.order_key(0)).await
    }
}

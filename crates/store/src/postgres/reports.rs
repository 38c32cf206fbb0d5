//! The reading side, on PostgreSQL.

use domain::{EnvelopeId, OrderKey, ShopId, Sku, Stock, StockKey, Timestamp, WebhookId};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::Postgres;
use super::columns::Columns;
use super::flight::{Step, all, fly, fly_unbounded};
use crate::StoreError;
use crate::pages::LETTERS_MAX;
use crate::reports::{
    CHECKS, COUNTS, Closed, DeadFilter, DeadRow, Fields, HistoryRow, Reports, Totals,
    VIOLATIONS_MAX, Verification, WebhookFilter, WebhookRow, dead_row, delivered, history_row,
    stock_row, totals, violation, webhook_row,
};

/// For what reads whole tables.
const READ_IT_ALL: &str = include_str!("sql/read_it_all.sql");

impl Fields for Row {
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

impl Postgres {
    pub(super) async fn rows<T>(
        &self,
        sql: &'static str,
        params: &[&(dyn ToSql + Sync)],
        read: impl Fn(&Row) -> T,
    ) -> Result<Vec<T>, StoreError> {
        let rows = self.pool.get().await?.query(sql, params).await?;
        Ok(rows.iter().map(read).collect())
    }
}

impl Reports for Postgres {
    async fn stock(&self, skus: &[Sku]) -> Result<Vec<(StockKey, Stock)>, StoreError> {
        let skus: Vec<&str> = skus.iter().map(Sku::as_str).collect();
        self.rows(include_str!("sql/report_stock.sql"), &[&skus], stock_row).await
    }

    async fn history(&self, sku: &Sku, limit: i64) -> Result<Vec<HistoryRow>, StoreError> {
        let sql = include_str!("sql/report_history.sql");
        self.rows(sql, &[&sku.as_str(), &limit], history_row).await
    }

    async fn order_history(
        &self,
        order: &OrderKey,
        limit: i64,
    ) -> Result<Vec<HistoryRow>, StoreError> {
        let sql = include_str!("sql/report_order_history.sql");
        self.rows(sql, &[&order.shop.as_str(), &order.order.as_str(), &limit], history_row).await
    }

    async fn webhooks(&self, filter: &WebhookFilter) -> Result<Vec<WebhookRow>, StoreError> {
        let shop = &filter.shop.as_ref().map(|id| id.as_str());
        let webhook = &filter.webhook.as_ref().map(|id| id.as_str());
        let order = &filter.order.as_ref().map(|id| id.as_str());
        let (outcome, limit) = (&filter.outcome.map(domain::Outcome::as_str), &filter.limit);
        let (envelope, of_order): (_, [&(dyn ToSql + Sync); 3]) =
            (&filter.envelope.map(|id| id.0), [order, outcome, limit]);
        let by: [&(dyn ToSql + Sync); 6] = [shop, webhook, order, outcome, limit, envelope];
        let (sql, params) = match filter {
            WebhookFilter { envelope: Some(_), .. } => {
                (include_str!("sql/report_webhooks_by_envelope.sql"), &by[..])
            }
            WebhookFilter { shop: Some(_), order: Some(_), .. } => {
                (include_str!("sql/report_webhooks_by_order.sql"), &by[..5])
            }
            WebhookFilter { webhook: Some(_), .. } => {
                (include_str!("sql/report_webhooks_by_id.sql"), &by[..5])
            }
            WebhookFilter { order: Some(_), .. } => {
                (include_str!("sql/report_webhooks_of_order.sql"), &of_order[..])
            }
            _ => (include_str!("sql/report_webhooks.sql"), &by[..5]),
        };
        self.rows(sql, params, webhook_row).await
    }

    async fn deliveries(
        &self,
        webhooks: &[WebhookId],
    ) -> Result<Vec<(WebhookId, i64)>, StoreError> {
        let connection = self.pool.get().await?;
        let ids = Columns::default().with(webhooks, WebhookId::as_str);
        let steps = [
            Step::Plain("BEGIN READ ONLY"),
            Step::Plain(READ_IT_ALL),
            Step::Prepared(include_str!("sql/report_deliveries.sql"), ids),
            Step::Plain("COMMIT"),
        ];
        let answers = all(fly_unbounded(&connection, &steps).await?)?;
        connection.done();
        Ok(answers[2].iter().map(delivered).collect())
    }

    async fn dead_letters(&self, filter: &DeadFilter) -> Result<Vec<DeadRow>, StoreError> {
        let params: [&(dyn ToSql + Sync); 5] = [
            &filter.id.map(|id| id.0),
            &filter.reason.as_deref(),
            &filter.closed_too,
            &filter.shop.as_ref().map(ShopId::as_str),
            &filter.limit,
        ];
        self.rows(include_str!("sql/report_dead_letters.sql"), &params, dead_row).await
    }

    async fn dead_letter_raw(&self, id: EnvelopeId) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = include_str!("sql/report_dead_letter_raw.sql");
        Ok(self.rows(sql, &[&id.0], |row| row.get(0)).await?.pop())
    }

    async fn close_dead_letter(
        &self,
        id: EnvelopeId,
        how: Closed,
        note: &str,
    ) -> Result<bool, StoreError> {
        let sql = include_str!("sql/close_dead_letter_by_id.sql");
        Ok(!self.rows(sql, &[&id.0, &how.as_str(), &note], |_| ()).await?.is_empty())
    }

    async fn operation(&self, key: &str) -> Result<Option<String>, StoreError> {
        let sql = "SELECT what FROM operations WHERE key = $1";
        Ok(self.rows(sql, &[&key], |row| row.get(0)).await?.pop())
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        let connection = self.pool.get().await?;
        let steps = [
            Step::Prepared(include_str!("sql/report_counters.sql"), Columns::default()),
            Step::Prepared(
                include_str!("sql/report_pending.sql"),
                Columns::default().value(LETTERS_MAX),
            ),
        ];
        let answers = all(fly(&connection, &steps).await?)?;
        connection.done();
        let pending = &answers[1][0];
        Ok(totals(&answers[0], pending))
    }

    async fn clock(&self) -> Result<Option<Timestamp>, StoreError> {
        let sql = include_str!("sql/report_clock.sql");
        Ok(self.rows(sql, &[], |row| Timestamp(row.int(0))).await?.pop())
    }

    async fn verify(&self) -> Result<Verification, StoreError> {
        let connection = self.pool.get().await?;
        // One snapshot for all checks.
        let mut steps = vec![
            Step::Plain("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"),
            Step::Plain(READ_IT_ALL),
            Step::Prepared(COUNTS, Columns::default()),
        ];
        steps.extend(
            CHECKS.map(|sql| Step::Prepared(sql, Columns::default().value(VIOLATIONS_MAX))),
        );
        steps.push(Step::Plain("COMMIT"));
        let answers = all(fly_unbounded(&connection, &steps).await?)?;
        connection.done();
        let counts = &answers[2][0];
        Ok(Verification {
            orders: counts.int(0),
            stock: counts.int(1),
            ledger: counts.int(2),
            webhooks: counts.int(3),
            violations: answers[3..].iter().flatten().map(violation).collect(),
        })
    }

    async fn order_keys(
        &self,
        after: Option<&OrderKey>,
        limit: i64,
    ) -> Result<Vec<OrderKey>, StoreError> {
        let (shop, order) = after.map_or(("", ""), |key| (key.shop.as_str(), key.order.as_str()));
        let sql = include_str!("sql/report_order_keys.sql");
        self.rows(sql, &[&shop, &order, &limit], |row| row.order_key(0)).await
    }
}

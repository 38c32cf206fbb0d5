//! What was told, on SQLite.

use super::error::from_sqlx;
use super::{Sqlite, json};
use crate::StoreError;
use crate::alerts::{Alert, Alerts, alert_row};

impl Alerts for Sqlite {
    async fn alerts(&self) -> Result<Vec<Alert>, StoreError> {
        let sql = "SELECT matter, began, told_at FROM alerts ORDER BY matter";
        self.rows(sqlx::query(sql), alert_row).await
    }

    async fn keep_alerts(&self, told: &[Alert], over: &[String]) -> Result<(), StoreError> {
        let told = json::rows(told, |alert| (alert.matter.as_str(), alert.began, alert.told_at))?;
        let over = json::rows(over, |matter| matter)?;
        let mut transaction = self.begin().await?;
        for (sql, rows) in [
            (include_str!("sql/write_alerts.sql"), told),
            ("DELETE FROM alerts WHERE matter IN (SELECT value FROM json_each(?1))", over),
        ] {
            sqlx::query(sql).bind(rows).execute(&mut *transaction).await.map_err(from_sqlx)?;
        }
        transaction.commit().await.map_err(from_sqlx)
    }
}

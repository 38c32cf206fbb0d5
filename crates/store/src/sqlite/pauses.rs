//! What is paused, on SQLite.

use domain::{Operation, ShopId};
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;

use super::Sqlite;
use super::error::from_sqlx;
use crate::StoreError;
use crate::pauses::{Pause, Pauses, pause_row};

impl Pauses for Sqlite {
    async fn pauses(&self) -> Result<Vec<Pause>, StoreError> {
        let sql = "SELECT shop, since, who, reason FROM pauses ORDER BY shop";
        self.rows(sqlx::query(sql), pause_row).await
    }

    async fn pause(&self, pause: &Pause, operation: &Operation) -> Result<bool, StoreError> {
        let sql = "INSERT INTO pauses (shop, since, who, reason)
                   SELECT ?1, ?2, ?3, ?4
                   WHERE NOT EXISTS (SELECT 1 FROM operations WHERE key = ?5)
                   ON CONFLICT DO NOTHING";
        let query = sqlx::query(sql)
            .bind(Pause::key(pause.shop.as_ref()))
            .bind(pause.since.0)
            .bind(&pause.by)
            .bind(&pause.reason)
            .bind(&operation.key);
        self.switch(query, operation).await
    }

    async fn resume(
        &self,
        shop: Option<&ShopId>,
        operation: &Operation,
    ) -> Result<bool, StoreError> {
        let sql = "DELETE FROM pauses
                   WHERE shop = ?1 AND NOT EXISTS (SELECT 1 FROM operations WHERE key = ?2)";
        let query = sqlx::query(sql).bind(Pause::key(shop)).bind(&operation.key);
        self.switch(query, operation).await
    }
}

impl Sqlite {
    /// Does it, and notes the operation if it changed anything.
    async fn switch(
        &self,
        query: Query<'_, sqlx::Sqlite, SqliteArguments>,
        operation: &Operation,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let done = query.execute(&mut *transaction).await.map_err(from_sqlx)?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query("INSERT INTO operations (key, what, at) VALUES (?1, ?2, ?3)")
            .bind(&operation.key)
            .bind(&operation.what)
            .bind(operation.at.0)
            .execute(&mut *transaction)
            .await
            .map_err(from_sqlx)?;
        transaction.commit().await.map_err(from_sqlx)?;
        Ok(true)
    }
}

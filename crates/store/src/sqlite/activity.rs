//! How shops are doing, on SQLite.

use super::error::from_sqlx;
use super::{Sqlite, json};
use crate::StoreError;
use crate::activity::{
    Activity, ActivityNotes, Hour, ShopHour, ShopSigner, shop_hour, shop_signer,
};

impl Activity for Sqlite {
    async fn note_activity(&self, notes: &ActivityNotes) -> Result<(), StoreError> {
        let hours = json::rows(&notes.hours, |row| (row.shop.as_str(), row.hour.0, row.webhooks))?;
        let signers =
            json::rows(&notes.signers, |row| (row.shop.as_str(), &row.secret, row.last_at.0))?;
        let mut transaction = self.begin().await?;
        for (sql, rows) in [
            (include_str!("sql/note_shop_hours.sql"), hours),
            (include_str!("sql/note_shop_signers.sql"), signers),
        ] {
            sqlx::query(sql).bind(rows).execute(&mut *transaction).await.map_err(from_sqlx)?;
        }
        transaction.commit().await.map_err(from_sqlx)
    }

    async fn forget_activity(&self, now: Hour, hours_kept: i64) -> Result<(), StoreError> {
        let query = sqlx::query(include_str!("sql/forget_shop_hours.sql"));
        let query = query.bind(now.0).bind(hours_kept);
        query.execute(&self.writer).await.map_err(from_sqlx).map(drop)
    }

    async fn shop_hours(&self) -> Result<Vec<ShopHour>, StoreError> {
        let sql = "SELECT shop, hour, webhooks FROM shop_hours ORDER BY shop, hour";
        self.rows(sqlx::query(sql), shop_hour).await
    }

    async fn shop_signers(&self) -> Result<Vec<ShopSigner>, StoreError> {
        let sql = "SELECT shop, secret, last_at FROM shop_signers ORDER BY shop, secret";
        self.rows(sqlx::query(sql), shop_signer).await
    }
}

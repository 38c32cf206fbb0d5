//! How shops are doing, on PostgreSQL.

use super::Postgres;
use super::columns::{Columns, moment};
use super::flight::{Step, all, fly};
use crate::StoreError;
use crate::activity::{
    Activity, ActivityNotes, Hour, ShopHour, ShopSigner, shop_hour, shop_signer,
};

impl Activity for Postgres {
    async fn note_activity(&self, notes: &ActivityNotes) -> Result<(), StoreError> {
        let ActivityNotes { hours, signers } = notes;
        let hours = Columns::default()
            .with(hours, |row| row.shop.as_str())
            .with(hours, |row| row.hour.0)
            .with(hours, |row| row.webhooks);
        let signers = Columns::default()
            .with(signers, |row| row.shop.as_str())
            .with(signers, |row| row.secret.as_str())
            .with(signers, |row| moment(row.last_at));
        let steps = [
            Step::Plain("BEGIN"),
            Step::Prepared(include_str!("sql/note_shop_hours.sql"), hours),
            Step::Prepared(include_str!("sql/note_shop_signers.sql"), signers),
            Step::Plain("COMMIT"),
        ];
        let connection = self.pool.get().await?;
        all(fly(&connection, &steps).await?)?;
        connection.done();
        Ok(())
    }

    async fn forget_activity(&self, now: Hour, hours_kept: i64) -> Result<(), StoreError> {
        let sql = include_str!("sql/forget_shop_hours.sql");
        self.rows(sql, &[&now.0, &hours_kept], |_| ()).await.map(drop)
    }

    async fn shop_hours(&self) -> Result<Vec<ShopHour>, StoreError> {
        let sql = "SELECT shop, hour, webhooks FROM shop_hours ORDER BY shop, hour";
        self.rows(sql, &[], shop_hour).await
    }

    async fn shop_signers(&self) -> Result<Vec<ShopSigner>, StoreError> {
        let sql = "SELECT shop, secret, (extract(epoch FROM last_at) * 1000000)::bigint
                   FROM shop_signers ORDER BY shop, secret";
        self.rows(sql, &[], shop_signer).await
    }
}

//! The channels' side, on SQLite.

use domain::order::LinePart;
use domain::{EnvelopeId, ListingKey, ShopId, Timestamp};
use sqlx::Row;

use super::error::from_sqlx;
use super::{Sqlite, json};
use crate::StoreError;
use crate::channels::{
    Channels, PaymentFilter, PaymentRow, PrivacyRow, SightingRow, listing_row, parts, payment_row,
    privacy_row, sighting_row,
};

impl Channels for Sqlite {
    async fn payments(&self, filter: &PaymentFilter) -> Result<Vec<PaymentRow>, StoreError> {
        let order = filter.order.as_ref();
        let query = sqlx::query(include_str!("sql/report_payments.sql"))
            .bind(filter.shop.as_ref().map(|id| id.as_str()))
            .bind(order.map(|key| key.shop.as_str()))
            .bind(order.map(|key| key.order.as_str()))
            .bind(filter.unlinked_before.map(|at| at.0))
            .bind(filter.limit)
            .bind(filter.payment.as_ref().map(|id| id.as_str()));
        self.rows(query, payment_row).await?.into_iter().collect()
    }

    async fn listings(
        &self,
        shop: Option<&ShopId>,
    ) -> Result<Vec<(ListingKey, LinePart)>, StoreError> {
        let sql = "SELECT shop, variant, sku, units FROM listings
                   WHERE ?1 IS NULL OR shop = ?1 ORDER BY shop, variant, sku";
        self.rows(sqlx::query(sql).bind(shop.map(ShopId::as_str)), listing_row).await
    }

    async fn set_listings(
        &self,
        listings: &[(ListingKey, Vec<LinePart>)],
    ) -> Result<(), StoreError> {
        let keys = json::rows(listings, |(key, _)| (key.shop.as_str(), key.variant.as_str()))?;
        let parts = json::rows(parts(listings), |(key, part)| {
            (key.shop.as_str(), key.variant.as_str(), part.sku.as_str(), part.units)
        })?;
        let mut transaction = self.begin().await?;
        for (sql, rows) in [
            (include_str!("sql/forget_listings.sql"), keys),
            (include_str!("sql/insert_listings.sql"), parts),
        ] {
            sqlx::query(sql).bind(rows).execute(&mut *transaction).await.map_err(from_sqlx)?;
        }
        transaction.commit().await.map_err(from_sqlx)
    }

    async fn sightings(
        &self,
        shop: &ShopId,
        after: Option<&SightingRow>,
        limit: i64,
    ) -> Result<Vec<SightingRow>, StoreError> {
        let (kind, id, place) =
            after.map_or(("", "", ""), |row| (row.kind.as_str(), row.id.as_str(), &row.place));
        let query = sqlx::query(include_str!("sql/report_sightings.sql"))
            .bind(shop.as_str())
            .bind(kind)
            .bind(id)
            .bind(place)
            .bind(limit);
        self.rows(query, sighting_row).await
    }

    async fn last_webhook(
        &self,
        shop: &ShopId,
        since: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let query = sqlx::query(include_str!("sql/report_last_webhook.sql"))
            .bind(shop.as_str())
            .bind(EnvelopeId::before_all_of(since).to_string());
        Ok(self.rows(query, |row| Timestamp(row.get(0))).await?.pop())
    }

    async fn privacy_requests(
        &self,
        closed_too: bool,
        limit: i64,
    ) -> Result<Vec<PrivacyRow>, StoreError> {
        let query = sqlx::query(include_str!("sql/report_privacy_requests.sql"));
        self.rows(query.bind(closed_too).bind(limit), privacy_row).await
    }

    async fn close_privacy_request(&self, id: EnvelopeId, note: &str) -> Result<bool, StoreError> {
        let sql = "UPDATE privacy_requests
                   SET closed_at = CAST(unixepoch('subsec') * 1000000 AS integer), closed_note = ?2
                   WHERE id = ?1 AND closed_at IS NULL AND kind = 'data_request'
                   RETURNING 1";
        let query = sqlx::query(sql).bind(id.to_string()).bind(note);
        let closed = query.fetch_optional(&self.writer).await.map_err(from_sqlx)?;
        Ok(closed.is_some())
    }
}

//! The channels' side, on PostgreSQL.

use domain::order::LinePart;
use domain::{EnvelopeId, ListingKey, ShopId, Timestamp};
use tokio_postgres::types::ToSql;

use super::Postgres;
use super::columns::{Columns, moment};
use super::flight::{Step, all, fly};
use crate::StoreError;
use crate::channels::{
    Channels, PaymentFilter, PaymentRow, PrivacyRow, SightingRow, listing_row, parts, payment_row,
    privacy_row, sighting_row,
};

impl Channels for Postgres {
    async fn payments(&self, filter: &PaymentFilter) -> Result<Vec<PaymentRow>, StoreError> {
        let order = filter.order.as_ref();
        let params: [&(dyn ToSql + Sync); 6] = [
            &filter.shop.as_ref().map(|id| id.as_str()),
            &order.map(|key| key.shop.as_str()),
            &order.map(|key| key.order.as_str()),
            &filter.unlinked_before.map(moment),
            &filter.limit,
            &filter.payment.as_ref().map(|id| id.as_str()),
        ];
        let rows = self.rows(include_str!("sql/report_payments.sql"), &params, payment_row).await?;
        rows.into_iter().collect()
    }

    async fn listings(
        &self,
        shop: Option<&ShopId>,
    ) -> Result<Vec<(ListingKey, LinePart)>, StoreError> {
        let sql = "SELECT shop, variant, sku, units FROM listings
                   WHERE $1::text IS NULL OR shop = $1 ORDER BY shop, variant, sku";
        self.rows(sql, &[&shop.map(ShopId::as_str)], listing_row).await
    }

    async fn set_listings(
        &self,
        listings: &[(ListingKey, Vec<LinePart>)],
    ) -> Result<(), StoreError> {
        let parts = parts(listings);
        let forget = Columns::default()
            .with(listings, |(key, _)| key.shop.as_str())
            .with(listings, |(key, _)| key.variant.as_str());
        let insert = Columns::default()
            .with(&parts, |(key, _)| key.shop.as_str())
            .with(&parts, |(key, _)| key.variant.as_str())
            .with(&parts, |(_, part)| part.sku.as_str())
            .with(&parts, |(_, part)| part.units);
        let steps = [
            Step::Plain("BEGIN"),
            // Two that set one variant at once would make a kit of both. Readers do not wait.
            Step::Plain("LOCK TABLE listings IN SHARE ROW EXCLUSIVE MODE"),
            Step::Prepared(include_str!("sql/forget_listings.sql"), forget),
            Step::Prepared(include_str!("sql/insert_listings.sql"), insert),
            Step::Plain("COMMIT"),
        ];
        let connection = self.pool.get().await?;
        all(fly(&connection, &steps).await?)?;
        connection.done();
        Ok(())
    }

    async fn sightings(
        &self,
        shop: &ShopId,
        after: Option<&SightingRow>,
        limit: i64,
    ) -> Result<Vec<SightingRow>, StoreError> {
        let (kind, id, place) =
            after.map_or(("", "", ""), |row| (row.kind.as_str(), row.id.as_str(), &row.place));
        let params: [&(dyn ToSql + Sync); 5] = [&shop.as_str(), &kind, &id, &place, &limit];
        self.rows(include_str!("sql/report_sightings.sql"), &params, sighting_row).await
    }

    async fn last_webhook(
        &self,
        shop: &ShopId,
        since: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let sql = include_str!("sql/report_last_webhook.sql");
        let since = EnvelopeId::before_all_of(since).0;
        Ok(self.rows(sql, &[&shop.as_str(), &since], |row| Timestamp(row.get(0))).await?.pop())
    }

    async fn privacy_requests(
        &self,
        closed_too: bool,
        limit: i64,
    ) -> Result<Vec<PrivacyRow>, StoreError> {
        let sql = include_str!("sql/report_privacy_requests.sql");
        self.rows(sql, &[&closed_too, &limit], privacy_row).await
    }

    async fn close_privacy_request(&self, id: EnvelopeId, note: &str) -> Result<bool, StoreError> {
        let sql = "UPDATE privacy_requests SET closed_at = now(), closed_note = $2
                   WHERE id = $1 AND closed_at IS NULL AND kind = 'data_request'
                   RETURNING 1::bigint";
        Ok(!self.rows(sql, &[&id.0, &note], |_| ()).await?.is_empty())
    }
}

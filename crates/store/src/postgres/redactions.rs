//! Removing personal data, on PostgreSQL.

use domain::{EnvelopeId, ShopId, Timestamp};
use uuid::Uuid;

use super::Postgres;
use super::columns::{Columns, moment};
use super::flight::{Step, all, fly};
use crate::StoreError;
use crate::redactions::{DeadBody, Redaction, Redactions, note, redaction};

/// What comes after is everything: no id is less.
pub(super) fn bound(after: Option<EnvelopeId>) -> Uuid {
    after.map_or(Uuid::nil(), |id| id.0)
}

impl Redactions for Postgres {
    async fn redactions(&self) -> Result<Vec<Redaction>, StoreError> {
        let rows = self.rows(include_str!("sql/open_redactions.sql"), &[], redaction).await?;
        Ok(rows.into_iter().flatten().collect())
    }

    async fn redaction_carried_out(
        &self,
        id: EnvelopeId,
        again_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let sql = include_str!("sql/redaction_carried_out.sql");
        let (note, is_over) = (note(again_at), again_at.is_none());
        self.rows(sql, &[&id.0, &note, &is_over], |_| ()).await.map(drop)
    }

    async fn dead_ids(
        &self,
        shop: &ShopId,
        after: Option<EnvelopeId>,
        limit: i64,
    ) -> Result<Vec<EnvelopeId>, StoreError> {
        let sql = include_str!("sql/dead_ids.sql");
        let after = bound(after);
        self.rows(sql, &[&shop.as_str(), &after, &limit], |row| EnvelopeId(row.get(0))).await
    }

    async fn dead_bodies(
        &self,
        shop: &ShopId,
        after: Option<EnvelopeId>,
        limit: i64,
        bytes_max: i64,
    ) -> Result<Vec<DeadBody>, StoreError> {
        let sql = include_str!("sql/dead_bodies.sql");
        let after = bound(after);
        let read = |row: &tokio_postgres::Row| DeadBody {
            id: EnvelopeId(row.get(0)),
            raw: row.get(1),
            detail: row.get(2),
        };
        self.rows(sql, &[&shop.as_str(), &after, &limit, &bytes_max], read).await
    }

    async fn redact(&self, letters: &[EnvelopeId]) -> Result<(), StoreError> {
        let ids = || Columns::default().with(letters, |id| id.0);
        let steps = [
            Step::Plain("BEGIN"),
            // In the order of every commit, or a replay of one of these letters meets it halfway.
            Step::Prepared(include_str!("sql/redact_lock_webhooks.sql"), ids()),
            Step::Prepared(include_str!("sql/redact_webhooks.sql"), ids()),
            Step::Prepared(include_str!("sql/redact_letters.sql"), ids()),
            Step::Plain("COMMIT"),
        ];
        let connection = self.pool.get().await?;
        all(fly(&connection, &steps).await?)?;
        connection.done();
        Ok(())
    }

    async fn kept_bodies(
        &self,
        shop: &ShopId,
        after: Option<EnvelopeId>,
        limit: i64,
        bytes_max: i64,
    ) -> Result<Vec<(EnvelopeId, Vec<u8>)>, StoreError> {
        let sql = include_str!("sql/kept_bodies.sql");
        let after = bound(after);
        let read = |row: &tokio_postgres::Row| (EnvelopeId(row.get(0)), row.get(1));
        self.rows(sql, &[&shop.as_str(), &after, &limit, &bytes_max], read).await
    }

    async fn remove_bodies(
        &self,
        shop: &ShopId,
        envelopes: &[EnvelopeId],
    ) -> Result<(), StoreError> {
        let sql = include_str!("sql/remove_bodies.sql");
        let envelopes: Vec<Uuid> = envelopes.iter().map(|id| id.0).collect();
        self.rows(sql, &[&shop.as_str(), &envelopes], |_| ()).await.map(drop)
    }

    async fn remove_expired_bodies(&self, now: Timestamp, limit: i64) -> Result<u64, StoreError> {
        let sql = include_str!("sql/remove_expired_bodies.sql");
        let removed = self.rows(sql, &[&moment(now), &limit], |_| ()).await?;
        Ok(u64::try_from(removed.len()).unwrap_or(u64::MAX))
    }
}

//! Removing personal data, on SQLite.

use domain::{EnvelopeId, ShopId, Timestamp};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::error::from_sqlx;
use super::{Sqlite, json};
use crate::StoreError;
use crate::redactions::{DeadBody, Redaction, Redactions, note, redaction};

/// What comes after is everything: no id is less.
pub(super) fn bound(after: Option<EnvelopeId>) -> String {
    after.map(|id| id.to_string()).unwrap_or_default()
}

fn id(row: &SqliteRow) -> EnvelopeId {
    EnvelopeId(uuid::Uuid::parse_str(row.get(0)).unwrap_or_default())
}

impl Redactions for Sqlite {
    async fn redactions(&self) -> Result<Vec<Redaction>, StoreError> {
        let query = sqlx::query(include_str!("sql/open_redactions.sql"));
        Ok(self.rows(query, redaction).await?.into_iter().flatten().collect())
    }

    async fn redaction_carried_out(
        &self,
        id: EnvelopeId,
        again_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let query = sqlx::query(include_str!("sql/redaction_carried_out.sql"))
            .bind(id.to_string())
            .bind(note(again_at))
            .bind(again_at.is_none());
        query.execute(&self.writer).await.map_err(from_sqlx).map(drop)
    }

    async fn dead_ids(
        &self,
        shop: &ShopId,
        after: Option<EnvelopeId>,
        limit: i64,
    ) -> Result<Vec<EnvelopeId>, StoreError> {
        let query = sqlx::query(include_str!("sql/dead_ids.sql"));
        self.rows(query.bind(shop.as_str()).bind(bound(after)).bind(limit), id).await
    }

    async fn dead_bodies(
        &self,
        shop: &ShopId,
        after: Option<EnvelopeId>,
        limit: i64,
        bytes_max: i64,
    ) -> Result<Vec<DeadBody>, StoreError> {
        let query = sqlx::query(include_str!("sql/dead_bodies.sql"));
        let query = query.bind(shop.as_str()).bind(bound(after)).bind(limit).bind(bytes_max);
        let read = |row: &SqliteRow| DeadBody { id: id(row), raw: row.get(1), detail: row.get(2) };
        self.rows(query, read).await
    }

    async fn redact(&self, letters: &[EnvelopeId]) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        for id in letters {
            for sql in
                [include_str!("sql/redact_webhook.sql"), include_str!("sql/redact_letter.sql")]
            {
                let query = sqlx::query(sql).bind(id.to_string());
                query.execute(&mut *transaction).await.map_err(from_sqlx)?;
            }
        }
        transaction.commit().await.map_err(from_sqlx)
    }

    async fn kept_bodies(
        &self,
        shop: &ShopId,
        after: Option<EnvelopeId>,
        limit: i64,
        bytes_max: i64,
    ) -> Result<Vec<(EnvelopeId, Vec<u8>)>, StoreError> {
        let query = sqlx::query(include_str!("sql/kept_bodies.sql"));
        let query = query.bind(shop.as_str()).bind(bound(after)).bind(limit).bind(bytes_max);
        self.rows(query, |row| (id(row), row.get(1))).await
    }

    async fn remove_bodies(
        &self,
        shop: &ShopId,
        envelopes: &[EnvelopeId],
    ) -> Result<(), StoreError> {
        let query = sqlx::query(include_str!("sql/remove_bodies.sql"))
            .bind(shop.as_str())
            .bind(json::rows(envelopes, |id| id)?);
        query.execute(&self.writer).await.map_err(from_sqlx).map(drop)
    }

    async fn remove_expired_bodies(&self, now: Timestamp, limit: i64) -> Result<u64, StoreError> {
        let query = sqlx::query(include_str!("sql/remove_expired_bodies.sql"));
        let done = query.bind(now.0).bind(limit).execute(&self.writer).await;
        Ok(done.map_err(from_sqlx)?.rows_affected())
    }
}

//! The rollups, on SQLite.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::Timestamp;

use super::Sqlite;
use super::error::from_sqlx;
use crate::StoreError;
use crate::reports::Fields;
use crate::rollups::{
    Counts, FORGOTTEN_AFTER, Process, Rollup, Rollups, Span, micros, rollup_row, to_json,
};

impl Rollups for Sqlite {
    async fn add_rollup(
        &self,
        process: Process,
        at: Timestamp,
        counts: &Counts,
    ) -> Result<(), StoreError> {
        let counts = to_json(counts)?;
        let mut transaction = self.begin().await?;
        let seen = sqlx::query(include_str!("sql/see_process.sql"))
            .bind(process.id.to_string())
            .bind(process.role);
        seen.execute(&mut *transaction).await.map_err(from_sqlx)?;
        let forget = sqlx::query(include_str!("sql/forget_processes.sql"));
        let forget = forget.bind(micros(FORGOTTEN_AFTER));
        forget.execute(&mut *transaction).await.map_err(from_sqlx)?;
        for span in Span::ALL {
            let add = sqlx::query(include_str!("sql/add_rollup.sql"))
                .bind(span.step_seconds())
                .bind(span.start(at).0)
                .bind(&counts);
            add.execute(&mut *transaction).await.map_err(from_sqlx)?;
            let remove = sqlx::query("DELETE FROM rollups WHERE step = ?1 AND at < ?2")
                .bind(span.step_seconds())
                .bind(span.kept_since(at).0);
            remove.execute(&mut *transaction).await.map_err(from_sqlx)?;
        }
        transaction.commit().await.map_err(from_sqlx)
    }

    async fn rollups(&self, span: Span, until: Timestamp) -> Result<Vec<Rollup>, StoreError> {
        let query = sqlx::query(include_str!("sql/list_rollups.sql"))
            .bind(span.step_seconds())
            .bind(span.since(until).0)
            .bind(until.0);
        self.rows(query, rollup_row).await
    }

    async fn processes(&self, within: Duration) -> Result<BTreeMap<String, i64>, StoreError> {
        let query = sqlx::query(include_str!("sql/count_processes.sql")).bind(micros(within));
        let rows = self.rows(query, |row| (row.text(0), row.int(1))).await?;
        Ok(rows.into_iter().collect())
    }
}

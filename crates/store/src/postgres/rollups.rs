//! The rollups, on PostgreSQL.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::Timestamp;
use tokio_postgres::types::ToSql;

use super::Postgres;
use super::columns::moment;
use crate::StoreError;
use crate::reports::Fields;
use crate::rollups::{
    Counts, FORGOTTEN_AFTER, Process, Rollup, Rollups, Span, micros, rollup_row, to_json,
};

impl Rollups for Postgres {
    async fn add_rollup(
        &self,
        process: Process,
        at: Timestamp,
        counts: &Counts,
    ) -> Result<(), StoreError> {
        let steps = Span::ALL.map(Span::step_seconds).to_vec();
        let starts = Span::ALL.map(|span| moment(span.start(at))).to_vec();
        let kept = Span::ALL.map(|span| moment(span.kept_since(at))).to_vec();
        let counts = to_json(counts)?;
        let forgotten = micros(FORGOTTEN_AFTER);
        let params: [&(dyn ToSql + Sync); 7] =
            [&steps, &starts, &counts, &kept, &process.id, &process.role, &forgotten];
        self.rows(include_str!("sql/add_rollup.sql"), &params, |_| ()).await.map(drop)
    }

    async fn rollups(&self, span: Span, until: Timestamp) -> Result<Vec<Rollup>, StoreError> {
        let params: [&(dyn ToSql + Sync); 3] =
            [&span.step_seconds(), &moment(span.since(until)), &moment(until)];
        self.rows(include_str!("sql/list_rollups.sql"), &params, rollup_row).await
    }

    async fn processes(&self, within: Duration) -> Result<BTreeMap<String, i64>, StoreError> {
        let sql = include_str!("sql/count_processes.sql");
        let rows = self.rows(sql, &[&micros(within)], |row| (row.text(0), row.int(1))).await?;
        Ok(rows.into_iter().collect())
    }
}

//! What is paused, on PostgreSQL.

use domain::{Operation, ShopId};
use tokio_postgres::types::ToSql;

use super::Postgres;
use super::columns::moment;
use crate::StoreError;
use crate::pauses::{Pause, Pauses, pause_row};

impl Pauses for Postgres {
    async fn pauses(&self) -> Result<Vec<Pause>, StoreError> {
        self.rows(include_str!("sql/pauses.sql"), &[], pause_row).await
    }

    async fn pause(&self, pause: &Pause, operation: &Operation) -> Result<bool, StoreError> {
        let params: [&(dyn ToSql + Sync); 7] = [
            &Pause::key(pause.shop.as_ref()),
            &moment(pause.since),
            &pause.by,
            &pause.reason,
            &operation.key,
            &operation.what,
            &moment(operation.at),
        ];
        Ok(!self.rows(include_str!("sql/pause.sql"), &params, |_| ()).await?.is_empty())
    }

    async fn resume(
        &self,
        shop: Option<&ShopId>,
        operation: &Operation,
    ) -> Result<bool, StoreError> {
        let params: [&(dyn ToSql + Sync); 4] =
            [&Pause::key(shop), &operation.key, &operation.what, &moment(operation.at)];
        Ok(!self.rows(include_str!("sql/resume.sql"), &params, |_| ()).await?.is_empty())
    }
}

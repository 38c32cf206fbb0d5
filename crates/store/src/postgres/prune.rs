//! Bodies kept for people, on PostgreSQL.

use domain::{EnvelopeId, ShopId, Timestamp};
use tokio_postgres::types::ToSql;

use super::Postgres;
use super::columns::moment;
use super::redactions::bound;
use crate::StoreError;
use crate::prune::{Bodies, BodyKey, PAGE, Pruned};
use crate::reports::Fields;

impl Bodies for Postgres {
    async fn kept_body(&self, (shop, envelope): &BodyKey) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = include_str!("sql/kept_body.sql");
        Ok(self.rows(sql, &[&shop.as_str(), &envelope.0], |row| row.get(0)).await?.pop())
    }

    async fn prune_bodies(
        &self,
        before: Timestamp,
        after: Option<&BodyKey>,
        remove: bool,
    ) -> Result<Pruned<BodyKey>, StoreError> {
        let (shop, envelope) = after.map_or(("", None), |(shop, id)| (shop.as_str(), Some(*id)));
        let envelope = bound(envelope);
        let before = EnvelopeId::before_all_of(before).0;
        let params: [&(dyn ToSql + Sync); 5] = [&shop, &envelope, &before, &PAGE, &remove];
        let read = |row: &tokio_postgres::Row| {
            (row.int(0), (ShopId::new(row.text(1)), EnvelopeId(row.get(2))))
        };
        let sql = include_str!("sql/prune_bodies.sql");
        Ok(Pruned::new(self.rows(sql, &params, read).await?.pop()))
    }

    async fn prune_letters(
        &self,
        before: Timestamp,
        after: Option<EnvelopeId>,
        remove: bool,
    ) -> Result<Pruned<EnvelopeId>, StoreError> {
        let after = bound(after);
        let params: [&(dyn ToSql + Sync); 4] = [&moment(before), &after, &PAGE, &remove];
        let sql = include_str!("sql/prune_letters.sql");
        let read = |row: &tokio_postgres::Row| (row.int(0), EnvelopeId(row.get(1)));
        Ok(Pruned::new(self.rows(sql, &params, read).await?.pop()))
    }
}

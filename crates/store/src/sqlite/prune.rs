//! Bodies kept for people, on SQLite.

use domain::{EnvelopeId, ShopId, Timestamp};

use super::Sqlite;
use super::error::from_sqlx;
use super::redactions::bound;
use crate::StoreError;
use crate::pages::envelope;
use crate::prune::{Bodies, BodyKey, PAGE, Pruned};
use crate::reports::Fields;

impl Bodies for Sqlite {
    async fn kept_body(&self, (shop, id): &BodyKey) -> Result<Option<Vec<u8>>, StoreError> {
        let query = sqlx::query(include_str!("sql/kept_body.sql"));
        let query = query.bind(shop.as_str()).bind(id.to_string());
        Ok(self.rows(query, |row| sqlx::Row::get(row, 0)).await?.pop())
    }

    async fn prune_bodies(
        &self,
        before: Timestamp,
        after: Option<&BodyKey>,
        remove: bool,
    ) -> Result<Pruned<BodyKey>, StoreError> {
        let (shop, id) = after.map_or(("", None), |(shop, id)| (shop.as_str(), Some(*id)));
        let id = bound(id);
        let before = EnvelopeId::before_all_of(before).to_string();
        let query = sqlx::query(include_str!("sql/prune_page_bodies.sql"));
        let query = query.bind(shop).bind(&id).bind(&before).bind(PAGE);
        let read = |row: &sqlx::sqlite::SqliteRow| {
            Some((row.int(0), (ShopId::new(row.text(1)), envelope(&row.text(2))?)))
        };
        let page = Pruned::new(self.rows(query, read).await?.pop().flatten());
        if let (true, 1.., Some((last_shop, last_id))) = (remove, page.count, &page.last) {
            let query = sqlx::query(include_str!("sql/prune_bodies.sql"))
                .bind(shop)
                .bind(&id)
                .bind(last_shop.as_str())
                .bind(last_id.to_string())
                .bind(&before);
            query.execute(&self.writer).await.map_err(from_sqlx)?;
        }
        Ok(page)
    }

    async fn prune_letters(
        &self,
        before: Timestamp,
        after: Option<EnvelopeId>,
        remove: bool,
    ) -> Result<Pruned<EnvelopeId>, StoreError> {
        let after = bound(after);
        let query = sqlx::query(include_str!("sql/prune_page_letters.sql"));
        let query = query.bind(before.0).bind(&after).bind(PAGE);
        let read = |row: &sqlx::sqlite::SqliteRow| Some((row.int(0), envelope(&row.text(1))?));
        let page = Pruned::new(self.rows(query, read).await?.pop().flatten());
        if let (true, 1.., Some(last)) = (remove, page.count, &page.last) {
            let query = sqlx::query(include_str!("sql/prune_letters.sql"));
            let query = query.bind(&after).bind(last.to_string()).bind(before.0);
            query.execute(&self.writer).await.map_err(from_sqlx)?;
        }
        Ok(page)
    }
}

//! The store on PostgreSQL (14 or later).
//!
//! A commit is one flight: BEGIN, all statements and COMMIT are sent before the first answer is
//! read, so rows are locked for one round trip and one fsync. Each statement that depends on a
//! version marks the transaction when a row is off and names it; a marked transaction ends before it
//! writes what rests on those rows. If the process or the connection dies in between, PostgreSQL
//! rolls back or has committed; loading again tells which.

use sqlx::Connection as _;

use domain::{ChangeSet, EnvelopeId, Keys, OrderId, ShopId, Timestamp, View};
use tokio_postgres::Row;

use self::columns::moment;
use crate::measure::Connections;
use crate::migrations::{self, SchemaVersions};
use crate::pages::LETTERS_MAX;
use crate::{Commit, Pages, ProcessTurn, SHORT_COUNT_MAX, ShortOrder, Store, StoreError, Waiting};

mod activity;
mod alerts;
mod channels;
mod claim;
mod columns;
mod commit;
mod error;
mod flight;
mod load;
mod pages;
mod pauses;
mod pool;
mod prune;
mod redactions;
mod reports;
mod rollups;
mod rows;
mod turn;

pub use claim::Claim;
pub use pool::PostgresConfig;

/// A store in a PostgreSQL database. Clones share one pool.
#[derive(Clone, Debug)]
pub struct Postgres {
    pool: pool::Pool,
    turns: turn::Own,
}

impl Postgres {
    /// Makes the pool; connects when first used.
    pub fn new(config: &PostgresConfig) -> Result<Self, StoreError> {
        Ok(Self { pool: pool::Pool::new(config)?, turns: turn::Own::default() })
    }

    /// Applies the migrations that are missing; returns the versions before.
    pub async fn migrate(config: &PostgresConfig) -> Result<SchemaVersions, StoreError> {
        let before = Self::new(config)?.schema_versions().await?;
        let mut alone = sqlx::PgConnection::connect(&config.url).await.map_err(error::from_sqlx)?;
        migrations::be_alone(&mut alone).await.map_err(error::from_sqlx)?;
        let pool = sqlx::postgres::PgPoolOptions::new()
            .max_connections(1)
            .connect(&config.url)
            .await
            .map_err(error::from_sqlx)?;
        migrations::postgres().run(&pool).await.map_err(error::from_migrate)?;
        pool.close().await;
        // Lets go of the lock.
        alone.close().await.map_err(error::from_sqlx)?;
        Ok(before)
    }

    /// The schema's version here and in this program.
    pub async fn schema_versions(&self) -> Result<SchemaVersions, StoreError> {
        let connection = self.pool.get().await?;
        let rows = connection.query(include_str!("sql/schema_version.sql"), &[]).await;
        match rows {
            Ok(rows) => {
                let version = rows.first().and_then(|row| row.get(0));
                Ok(SchemaVersions::new(version, &migrations::postgres()))
            }
            Err(StoreError::Schema(_)) => Ok(SchemaVersions::new(None, &migrations::postgres())),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn connections(&self) -> [Connections; 1] {
        [self.pool.connections()]
    }

    /// Closes idle connections; used ones when they come back.
    pub fn close(&self) {
        self.pool.close();
    }
}

impl Store for Postgres {
    type Claim = Claim;

    async fn load(&self, keys: &Keys) -> Result<View, StoreError> {
        let connection = self.pool.get().await?;
        load::load(connection, keys).await
    }

    async fn claim(&self, keys: &Keys) -> Result<(Claim, View), StoreError> {
        let connection = self.pool.get().await?;
        claim::claim(connection, keys, claim::Items::Rows).await
    }

    async fn claim_by_name(&self, keys: &Keys) -> Result<(Claim, View), StoreError> {
        let connection = self.pool.get().await?;
        claim::claim(connection, keys, claim::Items::Names).await
    }

    async fn process_turn(&self) -> Result<ProcessTurn, StoreError> {
        turn::take(self.pool.get().await?, &self.turns).await
    }

    async fn commit(&self, changes: &ChangeSet) -> Result<Commit, StoreError> {
        if changes.is_empty() {
            return Ok(Commit::Applied);
        }
        let connection = self.pool.get().await?;
        commit::commit(connection, changes).await
    }

    async fn commit_claim(&self, claim: Claim, changes: &ChangeSet) -> Result<Commit, StoreError> {
        claim.commit(changes).await
    }

    async fn suspect(&self, envelope: EnvelopeId) -> Result<u32, StoreError> {
        let connection = self.pool.get().await?;
        let rows = connection.query(include_str!("sql/suspect.sql"), &[&envelope.0]).await?;
        let tries: i64 = first(&rows);
        Ok(u32::try_from(tries).unwrap_or(u32::MAX))
    }

    async fn short_orders(
        &self,
        shop: &ShopId,
        after: Option<&ShortOrder>,
        limit: i64,
    ) -> Result<Vec<ShortOrder>, StoreError> {
        let (at, order) =
            after.map_or((Timestamp(0), ""), |last| (last.first_seen_at, last.order.as_str()));
        let connection = self.pool.get().await?;
        let sql = include_str!("sql/short_orders.sql");
        let rows = connection.query(sql, &[&shop.as_str(), &moment(at), &order, &limit]).await?;
        Ok(rows.iter().map(short_order).collect())
    }

    async fn unlinked_payments(&self, before: Timestamp) -> Result<i64, StoreError> {
        let connection = self.pool.get().await?;
        let sql = include_str!("sql/count_unlinked_payments.sql");
        Ok(first(&connection.query(sql, &[&moment(before), &LETTERS_MAX]).await?))
    }

    async fn waiting(&self) -> Result<Waiting, StoreError> {
        let dead = self.dead_reasons().await?;
        let connection = self.pool.get().await?;
        let sql = include_str!("sql/count_short_orders.sql");
        let short = first(&connection.query(sql, &[&SHORT_COUNT_MAX]).await?);
        Ok(Waiting { dead, short })
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let connection = self.pool.get().await?;
        let sql = "INSERT INTO probe (id, at) VALUES (1, now())
                   ON CONFLICT (id) DO UPDATE SET at = excluded.at";
        connection.query(sql, &[]).await.map(drop)
    }
}

fn short_order(row: &Row) -> ShortOrder {
    ShortOrder {
        first_seen_at: Timestamp(row.get(0)),
        order: OrderId::new(row.get::<_, String>(1)),
    }
}

/// The only column of the only row.
fn first<'a, T: tokio_postgres::types::FromSql<'a>>(rows: &'a [Row]) -> T {
    rows.first().expect("the statement returns one row").get(0)
}

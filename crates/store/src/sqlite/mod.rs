//! The store on SQLite: one file, no services.
//!
//! WAL with synchronous = FULL: a commit that was answered survives a power cut. One connection
//! writes, several read; other processes (the command line beside `onhand serve`) may do both, and
//! wait for each other. A batch is one transaction of a few statements, each over all its rows (as
//! JSON). If the process dies in the middle, SQLite rolls back when the file is next opened.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use domain::{ChangeSet, EnvelopeId, Keys, OrderId, ShopId, Timestamp, View};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Connection as _, Row};

use crate::measure::{self, Connections};
use crate::migrations::{self, SchemaVersions};
use crate::pages::LETTERS_MAX;
use crate::{Commit, Pages, SHORT_COUNT_MAX, ShortOrder, Store, StoreError, Waiting};

mod activity;
mod alerts;
mod channels;
mod commit;
mod error;
mod json;
mod load;
mod pages;
mod pauses;
mod prune;
mod redactions;
mod reports;
mod rollups;

use error::from_sqlx;

/// For metrics.
const WRITER: &str = "sqlite_writer";

/// Connections that only read.
const READERS: u32 = 4;

/// How long a writer waits for another process's transaction.
const BUSY_SECONDS: u64 = 5;

/// A store in a SQLite file. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Sqlite {
    writer: SqlitePool,
    readers: SqlitePool,
}

/// Connections that are given out only when they are in no transaction.
///
/// On a full disk SQLite ends a transaction by itself. sqlx then cannot roll it back, believes for ever
/// that it goes on, and begins no other on that connection: it is closed, and another one opened.
fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new().max_connections(connections).before_acquire(|connection, _| {
        let is_free = !connection.is_in_transaction();
        Box::pin(async move { Ok(is_free) })
    })
}

/// An open write transaction. Dropped without commit, it is rolled back.
#[derive(Debug)]
pub struct Claim {
    transaction: sqlx::Transaction<'static, sqlx::Sqlite>,
}

impl Sqlite {
    /// Opens the file, which must exist unless `create`.
    pub async fn open(path: &Path, create: bool) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(create)
            // Readers never wait for the writer, nor it for them.
            .journal_mode(SqliteJournalMode::Wal)
            // P1, P8: every commit is fsynced.
            .synchronous(SqliteSynchronous::Full)
            // What is redacted is gone from the file, too, not only from its rows.
            .pragma("secure_delete", "ON")
            .busy_timeout(Duration::from_secs(BUSY_SECONDS))
            // The plan of each statement is kept on the connection.
            .statement_cache_capacity(128);
        let writer = pool(1).connect_with(options.clone()).await.map_err(from_sqlx)?;
        let readers = pool(READERS).connect_with(options).await.map_err(from_sqlx)?;
        Ok(Self { writer, readers })
    }

    /// Opens the file that a `sqlite://` URL names.
    pub async fn open_url(url: &str, create: bool) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::from_str(url).map_err(from_sqlx)?;
        Self::open(options.get_filename(), create).await
    }

    /// Applies the migrations that are missing; returns the versions before.
    pub async fn migrate(&self) -> Result<SchemaVersions, StoreError> {
        let before = self.schema_versions().await?;
        migrations::sqlite().run(&self.writer).await.map_err(error::from_migrate)?;
        Ok(before)
    }

    /// The schema's version here and in this program.
    pub async fn schema_versions(&self) -> Result<SchemaVersions, StoreError> {
        let sql = "SELECT max(version) FROM _sqlx_migrations WHERE success";
        let version = match sqlx::query(sql).fetch_one(&self.readers).await.map_err(from_sqlx) {
            Ok(row) => row.get(0),
            Err(StoreError::Schema(_)) => None,
            Err(error) => return Err(error),
        };
        Ok(SchemaVersions::new(version, &migrations::sqlite()))
    }

    pub(crate) fn connections(&self) -> [Connections; 2] {
        let (writer, readers) = (&self.writer, &self.readers);
        [(WRITER, writer), ("sqlite_readers", readers)].map(|(name, pool)| Connections {
            pool: name,
            open: usize::try_from(pool.size()).unwrap_or(usize::MAX),
            idle: pool.num_idle(),
            max: usize::try_from(pool.options().get_max_connections()).unwrap_or(usize::MAX),
        })
    }

    /// Finishes what is running and closes the file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// The write lock is taken at the start: two writers never meet in the middle.
    async fn begin(&self) -> Result<sqlx::Transaction<'static, sqlx::Sqlite>, StoreError> {
        let begin = self.writer.begin_with("BEGIN IMMEDIATE");
        measure::timed(WRITER, begin).await.map_err(from_sqlx)
    }
}

impl Store for Sqlite {
    type Claim = Claim;

    async fn load(&self, keys: &Keys) -> Result<View, StoreError> {
        let mut transaction = self.readers.begin().await.map_err(from_sqlx)?;
        let view = load::load(&mut transaction, keys).await?;
        transaction.rollback().await.map_err(from_sqlx)?;
        Ok(view)
    }

    async fn claim(&self, keys: &Keys) -> Result<(Claim, View), StoreError> {
        let mut transaction = self.begin().await?;
        let view = load::load(&mut transaction, keys).await?;
        Ok((Claim { transaction }, view))
    }

    async fn commit(&self, changes: &ChangeSet) -> Result<Commit, StoreError> {
        if changes.is_empty() {
            return Ok(Commit::Applied);
        }
        let transaction = self.begin().await?;
        commit::commit(transaction, changes).await
    }

    async fn commit_claim(&self, claim: Claim, changes: &ChangeSet) -> Result<Commit, StoreError> {
        commit::commit(claim.transaction, changes).await
    }

    async fn suspect(&self, envelope: EnvelopeId) -> Result<u32, StoreError> {
        let sql = "INSERT INTO suspects (envelope_id, tries) VALUES (?1, 1)
                   ON CONFLICT (envelope_id) DO UPDATE SET tries = tries + 1
                   RETURNING tries";
        let row = sqlx::query(sql)
            .bind(envelope.to_string())
            .fetch_one(&self.writer)
            .await
            .map_err(from_sqlx)?;
        Ok(u32::try_from(row.get::<i64, _>(0)).unwrap_or(u32::MAX))
    }

    async fn short_orders(
        &self,
        shop: &ShopId,
        after: Option<&ShortOrder>,
        limit: i64,
    ) -> Result<Vec<ShortOrder>, StoreError> {
        let (at, order) =
            after.map_or((i64::MIN, ""), |last| (last.first_seen_at.0, last.order.as_str()));
        let query = sqlx::query(include_str!("sql/short_orders.sql"));
        let query = query.bind(shop.as_str()).bind(at).bind(order).bind(limit);
        let rows = query.fetch_all(&self.readers).await.map_err(from_sqlx)?;
        let short_order = |row: &sqlx::sqlite::SqliteRow| ShortOrder {
            first_seen_at: Timestamp(row.get(0)),
            order: OrderId::new(row.get::<String, _>(1)),
        };
        Ok(rows.iter().map(short_order).collect())
    }

    async fn unlinked_payments(&self, before: Timestamp) -> Result<i64, StoreError> {
        let query = sqlx::query(include_str!("sql/count_unlinked_payments.sql"));
        let query = query.bind(before.0).bind(LETTERS_MAX);
        let row = query.fetch_one(&self.readers).await.map_err(from_sqlx)?;
        Ok(row.get(0))
    }

    async fn waiting(&self) -> Result<Waiting, StoreError> {
        let dead = self.dead_reasons().await?;
        let query = sqlx::query(include_str!("sql/count_short_orders.sql")).bind(SHORT_COUNT_MAX);
        let row = query.fetch_one(&self.readers).await.map_err(from_sqlx)?;
        Ok(Waiting { dead, short: row.get(0) })
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let sql = "INSERT INTO probe (id, at) VALUES (1, unixepoch())
                   ON CONFLICT (id) DO UPDATE SET at = excluded.at";
        sqlx::query(sql).execute(&self.writer).await.map_err(from_sqlx).map(drop)
    }
}

//! The schema's versions: built into the binary, applied by `onhand migrate`.

use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::{Executor, PgConnection};

use crate::StoreError;

pub(crate) fn postgres() -> Migrator {
    let mut migrator = tolerant(sqlx::migrate!("../../migrations/postgres"));
    #[cfg(feature = "next")]
    add(&mut migrator, sqlx::migrate!("../../migrations/next/postgres"));
    // Instead there is [`be_alone`].
    migrator.set_locking(false);
    migrator
}

/// Waits until nobody else migrates this database, for as long as the connection lives, and removes
/// indexes that a migration which was killed has left half built: it builds them anew.
///
/// Not by sqlx's own lock: who waits for that waits inside a statement, and an index that is built
/// concurrently waits for all statements that began before it: the two would wait for each other.
pub(crate) async fn be_alone(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    loop {
        let locked = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(MIGRATING);
        if locked.fetch_one(&mut *connection).await? {
            break;
        }
        tokio::time::sleep(LOOK).await;
    }
    let half_built = sqlx::query_scalar(
        "SELECT format('DROP INDEX CONCURRENTLY %s', indexrelid::regclass) FROM pg_index
         WHERE NOT indisvalid
           AND indrelid IN (to_regclass('webhooks'), to_regclass('orders'), to_regclass('dead_letters'))",
    );
    let drops: Vec<String> = half_built.fetch_all(&mut *connection).await?;
    for drop in drops {
        // The names are the database's own, quoted by it.
        connection.execute(sqlx::AssertSqlSafe(drop)).await?;
    }
    Ok(())
}

/// The advisory lock of whoever migrates: `onhand` in ASCII.
const MIGRATING: i64 = 0x6f6e_6861_6e64;

/// How often a migrator that waits for another looks.
const LOOK: Duration = Duration::from_millis(200);

pub(crate) fn sqlite() -> Migrator {
    #[cfg_attr(not(feature = "next"), expect(unused_mut, reason = "only that release has more"))]
    let mut migrator = tolerant(sqlx::migrate!("../../migrations/sqlite"));
    #[cfg(feature = "next")]
    add(&mut migrator, sqlx::migrate!("../../migrations/next/sqlite"));
    migrator
}

/// What the release after this one brings.
#[cfg(feature = "next")]
fn add(migrator: &mut Migrator, more: Migrator) {
    migrator.migrations.to_mut().extend(more.migrations.into_owned());
}

/// During an upgrade an older program may be told to migrate a newer database: nothing to do.
fn tolerant(mut migrator: Migrator) -> Migrator {
    migrator.set_ignore_missing(true);
    migrator
}

/// What a database has, and what this program has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchemaVersions {
    /// 0: none at all.
    pub database: i64,
    pub program: i64,
}

impl SchemaVersions {
    pub(crate) fn new(database: Option<i64>, migrator: &Migrator) -> Self {
        let program = migrator.iter().map(|migration| migration.version).max().unwrap_or(0);
        Self { database: database.unwrap_or(0), program }
    }

    /// A newer schema is fine (expand, then contract); an older one is not.
    pub fn check(self) -> Result<(), StoreError> {
        if self.database >= self.program {
            return Ok(());
        }
        let Self { database, program } = self;
        Err(StoreError::Schema(if database == 0 {
            format!(
                "the database has no Onhand schema yet (this program needs version {program}); run `onhand migrate`"
            )
        } else {
            format!(
                "the database schema is at version {database}, this program needs version {program}; run `onhand migrate`"
            )
        }))
    }
}

//! The schema's versions: built into the binary, applied by `onhand migrate`.

use sqlx::migrate::Migrator;

use crate::StoreError;

pub(crate) fn postgres() -> Migrator {
    tolerant(sqlx::migrate!("../../migrations/postgres"))
}

pub(crate) fn sqlite() -> Migrator {
    tolerant(sqlx::migrate!("../../migrations/sqlite"))
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

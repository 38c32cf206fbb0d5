//! Which kind of failure a SQLite error is.

use crate::StoreError;

/// Primary result codes, from <https://www.sqlite.org/rescode.html>.
const ERROR: i32 = 1;
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const TOOBIG: i32 = 18;
const CONSTRAINT: i32 = 19;
const MISMATCH: i32 = 20;

pub(super) fn from_sqlx(error: sqlx::Error) -> StoreError {
    let code = error
        .as_database_error()
        .and_then(|database| database.code())
        .and_then(|code| code.parse::<i32>().ok());
    // The lower byte of an extended code is the primary one.
    match code.map(|code| code & 0xff) {
        Some(BUSY | LOCKED) => StoreError::TryAgain(error.into()),
        Some(CONSTRAINT | MISMATCH | TOOBIG) => StoreError::Rejected(error.into()),
        Some(ERROR) if error.to_string().contains("no such") => StoreError::Schema(format!(
            "the database schema does not fit this program ({error}); run `onhand migrate`"
        )),
        Some(ERROR) => StoreError::Rejected(error.into()),
        // A full disk, an I/O error, a missing folder: may be mended from outside.
        _ => StoreError::Unavailable(error.into()),
    }
}

pub(super) fn from_migrate(error: sqlx::migrate::MigrateError) -> StoreError {
    StoreError::Schema(format!("cannot migrate the database: {error}"))
}

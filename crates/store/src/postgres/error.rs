//! Which kind of failure a database error is.

use tokio_postgres::error::SqlState;

use crate::StoreError;

/// What `onhand_refuse_conflicts` raises.
pub(super) const CONFLICT: &str = "OH409";

/// Sorts an error by its SQLSTATE; without one the connection is at fault.
pub(super) fn from_postgres(error: tokio_postgres::Error) -> StoreError {
    let Some(state) = error.code().cloned() else {
        return StoreError::Unavailable(error.into());
    };
    match state {
        SqlState::T_R_SERIALIZATION_FAILURE
        | SqlState::T_R_DEADLOCK_DETECTED
        | SqlState::LOCK_NOT_AVAILABLE
        | SqlState::QUERY_CANCELED => StoreError::TryAgain(error.into()),
        SqlState::UNDEFINED_TABLE | SqlState::UNDEFINED_COLUMN | SqlState::UNDEFINED_FUNCTION => {
            StoreError::Schema(format!(
                "the database schema does not fit this program ({}); run `onhand migrate`",
                error.as_db_error().map_or("unknown object", |db| db.message())
            ))
        }
        // A standby after a failover: the primary is elsewhere, or soon here.
        SqlState::READ_ONLY_SQL_TRANSACTION => StoreError::Unavailable(error.into()),
        _ => match &state.code()[..2] {
            // Data, constraints, cardinality, limits: the same again would fail the same.
            "21" | "22" | "23" | "54" => StoreError::Rejected(error.into()),
            _ => StoreError::Unavailable(error.into()),
        },
    }
}

pub(super) fn from_sqlx(error: sqlx::Error) -> StoreError {
    StoreError::Unavailable(error.into())
}

pub(super) fn from_migrate(error: sqlx::migrate::MigrateError) -> StoreError {
    StoreError::Schema(format!("cannot migrate the database: {error}"))
}

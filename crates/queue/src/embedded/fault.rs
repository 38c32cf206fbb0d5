//! What keeps the file from being used.

use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use crate::{PublishError, QueueError};

/// How long to leave a file alone that could not be written. Short, because a full disk that has
/// room again should take webhooks again.
const MEND_EVERY: Duration = Duration::from_millis(500);

/// SQLite's primary result codes for a disk that fails and for one that is full.
const IOERR: i32 = 10;
const FULL: i32 = 13;

/// For a file whose pages contradict each other, and for one that never was a database or whose
/// header is gone.
const CORRUPT: i32 = 11;
const NOTADB: i32 = 26;

/// For a row that its table has no place for. Nothing that is written here can break a constraint
/// of a sound file: such a row stands where there should be none.
const CONSTRAINT: i32 = 19;

/// The file cannot be written.
#[derive(Debug)]
pub(super) struct Fault {
    why: String,
    pub(super) mend_at: Instant,
}

impl Fault {
    pub(super) fn new(why: String) -> Self {
        Self { why, mend_at: Instant::now() + MEND_EVERY }
    }

    pub(super) fn refusal(&self) -> PublishError {
        PublishError::Unavailable(self.why.clone())
    }
}

/// What a failure says about the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// It is the disk's doing, and may pass: neither the name nor the content is wrong.
    Disk,
    /// The content is damaged. It stays so, however often the file is opened again.
    Damage,
    /// The name, a right, a lock, or a file that is somebody else's.
    Other,
}

impl Cause {
    pub(super) fn of(error: &sqlx::Error) -> Self {
        if matches!(error, sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)) {
            // A value that nobody wrote.
            return Self::Damage;
        }
        let code = error.as_database_error().and_then(|error| error.code());
        let code: Option<i32> = code.and_then(|code| code.parse().ok());
        // The lowest byte is the primary code.
        match code.map(|code| code & 0xff) {
            Some(IOERR | FULL) => Self::Disk,
            Some(CORRUPT | NOTADB | CONSTRAINT) => Self::Damage,
            Some(_) | None => Self::Other,
        }
    }
}

/// The file did not open.
#[derive(Debug)]
pub(super) struct Unopened {
    pub(super) error: QueueError,
    pub(super) cause: Cause,
}

impl Unopened {
    pub(super) fn new(path: &Path, error: &sqlx::Error) -> Self {
        Self { error: unusable(path, error), cause: Cause::of(error) }
    }
}

impl From<QueueError> for Unopened {
    fn from(error: QueueError) -> Self {
        Self { error, cause: Cause::Other }
    }
}

pub(super) fn unusable(path: &Path, error: &sqlx::Error) -> QueueError {
    QueueError::Unusable(format!("cannot use the queue file {}: {error}", path.display()))
}

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

/// The file did not open.
#[derive(Debug)]
pub(super) struct Unopened {
    pub(super) error: QueueError,
    /// It is the disk's doing, and may pass: neither the name nor the content is wrong.
    pub(super) by_the_disk: bool,
}

impl Unopened {
    pub(super) fn new(path: &Path, error: &sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|error| error.code());
        let code: Option<i32> = code.and_then(|code| code.parse().ok());
        // The lowest byte is the primary code.
        let by_the_disk = code.is_some_and(|code| matches!(code & 0xff, IOERR | FULL));
        Self { error: unusable(path, error), by_the_disk }
    }
}

impl From<QueueError> for Unopened {
    fn from(error: QueueError) -> Self {
        Self { error, by_the_disk: false }
    }
}

pub(super) fn unusable(path: &Path, error: &sqlx::Error) -> QueueError {
    QueueError::Unusable(format!("cannot use the queue file {}: {error}", path.display()))
}

//! Exit codes: 0 fine, 1 the thing asked about is not fine, 2 bad usage or configuration, 3 the
//! database or the broker cannot be reached.

use std::process::ExitCode;

use queue::QueueError;
use store::StoreError;

pub(crate) const NOT_FINE: u8 = 1;
pub(crate) const BAD_CONFIG: u8 = 2;
pub(crate) const UNREACHABLE: u8 = 3;

/// Something in the flags, the environment or a file is wrong.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct BadConfig(pub(crate) String);

/// Shorthand for an error with exit code 2.
pub(crate) fn bad_config(message: impl Into<String>) -> anyhow::Error {
    BadConfig(message.into()).into()
}

/// Says what went wrong, with all causes, and gives the code for it.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    eprintln!("onhand: {error:#}");
    ExitCode::from(code(error))
}

pub(crate) fn code(error: &anyhow::Error) -> u8 {
    for cause in error.chain() {
        if cause.is::<BadConfig>() {
            return BAD_CONFIG;
        }
        match cause.downcast_ref::<StoreError>() {
            Some(StoreError::Schema(_)) => return BAD_CONFIG,
            Some(StoreError::Unavailable(_) | StoreError::TryAgain(_)) => return UNREACHABLE,
            Some(StoreError::Rejected(_)) | None => {}
        }
        match cause.downcast_ref::<QueueError>() {
            Some(QueueError::Unreachable(_)) => return UNREACHABLE,
            Some(QueueError::Unusable(_)) => return BAD_CONFIG,
            None => {}
        }
    }
    NOT_FINE
}

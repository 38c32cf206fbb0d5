//! Kept bodies go when their time is over.

use std::time::Duration;

use store::{Redactions, StoreError};

use crate::clock;

/// How often is looked for some.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Bodies removed in one transaction.
const PAGE: i64 = 500;

/// Removes them for ever. Dropping it loses nothing.
pub(crate) async fn run<S: Redactions>(store: S) {
    loop {
        match store.remove_expired_bodies(clock::now(), PAGE).await {
            Ok(removed) => {
                if removed > 0 {
                    tracing::debug!(removed, "kept bodies removed: their time is over");
                }
                if i64::try_from(removed).is_ok_and(|removed| removed >= PAGE) {
                    continue;
                }
            }
            Err(error) => {
                let passes = matches!(error, StoreError::Unavailable(_) | StoreError::TryAgain(_));
                let error = crate::error_chain(&error);
                if passes {
                    tracing::debug!(error, "kept bodies stay until the store answers");
                } else {
                    tracing::warn!(error, "kept bodies stay beyond their time");
                }
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

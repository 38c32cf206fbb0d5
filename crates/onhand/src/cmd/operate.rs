//! An operator's change: the same optimistic commit as a worker's, once only by its key.

use std::time::Duration;

use domain::stock::Cause;
use domain::{Batch, EnvelopeId, Keys, Operation, Timestamp};
use store::{AnyStore, Commit, ConflictKey, Store, StoreError};

/// Tries before a command gives up against a busy fleet.
const TRIES_MAX: u32 = 50;

/// What the store answered to an operator's change.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Operated<T> {
    Done(T),
    /// The same key was used before: nothing happened now.
    DoneBefore,
}

/// Who asks, and when.
pub(crate) struct Command {
    pub(crate) correlation: EnvelopeId,
    pub(crate) now: Timestamp,
    /// Under this key it happens once only.
    pub(crate) key: Option<String>,
    pub(crate) reason: String,
}

impl Command {
    pub(crate) fn new(reason: impl Into<String>, key: Option<String>) -> Self {
        Self {
            correlation: EnvelopeId(uuid::Uuid::now_v7()),
            now: worker::clock::now(),
            key,
            reason: reason.into(),
        }
    }

    pub(crate) fn cause(&self) -> Cause {
        Cause {
            shop: None,
            order: None,
            webhook: None,
            correlation: self.correlation,
            reason: self.reason.clone(),
        }
    }
}

/// Loads `keys`, lets `change` work on them, and commits; again if somebody was faster.
pub(crate) async fn operate<T>(
    store: &AnyStore,
    keys: &Keys,
    command: &Command,
    mut change: impl FnMut(&mut Batch) -> anyhow::Result<T>,
) -> anyhow::Result<Operated<T>> {
    for _ in 0..TRIES_MAX {
        let mut batch = Batch::new(store.load(keys).await?);
        let answer = change(&mut batch)?;
        if let Some(key) = &command.key {
            let (key, what) = (key.clone(), command.reason.clone());
            batch.operation(Operation { key, what, at: command.now });
        }
        match store.commit(&batch.into_changes()).await {
            Ok(Commit::Applied) => return Ok(Operated::Done(answer)),
            Ok(Commit::Conflict(conflicts)) => {
                if conflicts.iter().any(|key| matches!(key, ConflictKey::Operation(_))) {
                    return Ok(Operated::DoneBefore);
                }
            }
            Err(StoreError::TryAgain(_)) => {}
            Err(error) => return Err(error.into()),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    anyhow::bail!("the rows are too busy; nothing was changed, try again")
}

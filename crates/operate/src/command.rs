//! An operator's change: the same commit as a worker's, once only by its key.

use domain::stock::Cause;
use domain::{Batch, EnvelopeId, Keys, Operation, Timestamp};
use store::{AnyStore, Commit, ConflictKey, Reports, Store, StoreError};
use worker::ConflictBackoff;

use crate::audit;

/// Tries before a command gives up against a busy fleet.
const TRIES_MAX: u32 = 30;

/// Conflicts after which it locks before it reads: on a hot row somebody is always faster.
const OPTIMISTIC_TRIES: u32 = 3;

/// Why somebody does it: what is kept for those who come later cannot be empty.
pub fn why(text: &str) -> Result<String, &'static str> {
    Some(text.trim().to_owned()).filter(|why| !why.is_empty()).ok_or("a reason is needed")
}

/// What the store answered to an operator's change.
#[derive(Debug, PartialEq, Eq)]
pub enum Operated<T, R> {
    Done(T),
    /// As things are it cannot be done: nothing happened, and the key is not used up.
    Refused(R),
    /// The same key was used before, for this: nothing happened now.
    DoneBefore(String),
}

/// Who asks, and when.
#[derive(Clone, Debug)]
pub struct Command {
    pub correlation: EnvelopeId,
    pub now: Timestamp,
    /// Under this key it happens once only.
    pub key: Option<String>,
    /// What is changed, to tell another use of the key from a repeat.
    pub what: String,
    pub reason: String,
}

impl Command {
    pub fn new(reason: impl Into<String>, key: Option<String>) -> Self {
        Self {
            correlation: EnvelopeId(uuid::Uuid::now_v7()),
            now: worker::clock::now(),
            key,
            what: String::new(),
            reason: reason.into(),
        }
    }

    /// One without a key of its own, that is noted as what `who` did.
    pub fn noted(reason: impl Into<String>, who: &str, what: &str) -> Self {
        let command = Self::new(reason, Some(audit::new_key()));
        Self { what: format!("{who}: {what}"), ..command }
    }

    async fn done_before(&self, store: &AnyStore) -> Result<Option<String>, StoreError> {
        match &self.key {
            Some(key) => store.operation(key).await,
            None => Ok(None),
        }
    }

    pub fn cause(&self) -> Cause {
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
pub async fn operate<T, R>(
    store: &AnyStore,
    keys: &Keys,
    command: &Command,
    mut change: impl FnMut(&mut Batch) -> anyhow::Result<Result<T, R>>,
) -> anyhow::Result<Operated<T, R>> {
    let mut backoff = ConflictBackoff::default();
    for tries in 0..TRIES_MAX {
        let (claim, view) = match tries < OPTIMISTIC_TRIES {
            true => (None, store.load(keys).await?),
            false => match store.claim(keys).await {
                Ok((claim, view)) => (Some(claim), view),
                Err(StoreError::TryAgain(_)) => {
                    tokio::time::sleep(backoff.next_wait()).await;
                    continue;
                }
                Err(error) => return Err(error.into()),
            },
        };
        let mut batch = Batch::new(view);
        let answer = match change(&mut batch)? {
            Ok(answer) => answer,
            Err(refused) => {
                drop(claim);
                return Ok(match command.done_before(store).await? {
                    Some(what) => Operated::DoneBefore(what),
                    None => Operated::Refused(refused),
                });
            }
        };
        if let Some(key) = &command.key {
            let (key, what) = (key.clone(), command.what.clone());
            batch.operation(Operation { key, what, at: command.now });
        }
        let changes = batch.into_changes();
        let committed = match claim {
            None => store.commit(&changes).await,
            Some(claim) => store.commit_claim(claim, &changes).await,
        };
        match committed {
            Ok(Commit::Applied) => return Ok(Operated::Done(answer)),
            Ok(Commit::Conflict(conflicts)) => {
                if conflicts.iter().any(|key| matches!(key, ConflictKey::Operation(_))) {
                    let what = command.done_before(store).await?.unwrap_or_default();
                    return Ok(Operated::DoneBefore(what));
                }
            }
            Err(StoreError::TryAgain(_)) => {}
            Err(error) => return Err(error.into()),
        }
        tokio::time::sleep(backoff.next_wait()).await;
    }
    anyhow::bail!("the rows are too busy; nothing was changed, try again")
}

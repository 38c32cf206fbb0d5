//! Old bodies removed because an operator asks for it, page by page.
//!
//! Never the ledger, the inbox that tells repeats, or an open dead letter. A process that dies in the
//! middle has removed a part; the same command removes the rest.

use domain::Timestamp;
use serde::Serialize;
use store::prune::Pruned;
use store::{AnyStore, Bodies, StoreError};
use worker::ConflictBackoff;

/// How many bodies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Bodied {
    /// Of webhooks that were decided.
    pub webhooks: i64,
    /// Of dead letters that are closed.
    pub closed_dead_letters: i64,
}

impl Bodied {
    pub fn all(self) -> i64 {
        self.webhooks + self.closed_dead_letters
    }
}

/// Counts what is older than `before`, and removes it if `remove`; `found` is told after each page.
pub async fn prune(
    store: &AnyStore,
    before: Timestamp,
    remove: bool,
    mut found: impl FnMut(Bodied),
) -> Result<Bodied, StoreError> {
    let mut bodied = Bodied::default();
    let mut after = None;
    loop {
        let page = page(|| store.prune_bodies(before, after.as_ref(), remove)).await?;
        bodied.webhooks += page.count;
        found(bodied);
        let Some(last) = page.last else { break };
        after = Some(last);
    }
    let mut after = None;
    loop {
        let page = page(|| store.prune_letters(before, after, remove)).await?;
        bodied.closed_dead_letters += page.count;
        found(bodied);
        let Some(last) = page.last else { return Ok(bodied) };
        after = Some(last);
    }
}

/// Tries of a page that meets locks.
const TRIES_MAX: u32 = 12;

async fn page<K, F: Future<Output = Result<Pruned<K>, StoreError>>>(
    mut look: impl FnMut() -> F,
) -> Result<Pruned<K>, StoreError> {
    let mut backoff = ConflictBackoff::default();
    for _ in 1..TRIES_MAX {
        match look().await {
            Err(StoreError::TryAgain(_)) => tokio::time::sleep(backoff.next_wait()).await,
            done => return done,
        }
    }
    look().await
}

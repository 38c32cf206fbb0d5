//! Writes down the order in which change sets become facts.

use std::sync::Arc;

use domain::{ChangeSet, EnvelopeId, Keys, ShopId, Timestamp, View, WebhookKey};
use store::{Commit, ProcessTurn, ShortOrder, Store, StoreError, Waiting};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// One commit at a time; loads and decisions of others go on meanwhile, and end in conflicts.
#[derive(Clone, Debug)]
pub(crate) struct Logged<S> {
    inner: S,
    log: Arc<Mutex<Vec<WebhookKey>>>,
}

impl<S> Logged<S> {
    pub(crate) fn new(inner: S) -> Self {
        Self { inner, log: Arc::default() }
    }

    /// Every webhook that was decided, in the order of commits.
    pub(crate) async fn log(&self) -> Vec<WebhookKey> {
        self.log.lock().await.clone()
    }
}

fn write(log: &mut Vec<WebhookKey>, changes: &ChangeSet, answer: &Result<Commit, StoreError>) {
    if matches!(answer, Ok(Commit::Applied)) {
        log.extend(changes.webhooks.iter().map(|record| record.key.clone()));
    }
}

impl<S: Store> Store for Logged<S> {
    // Whoever waits for the rows of a claim must not hold what its commit needs.
    type Claim = (OwnedMutexGuard<Vec<WebhookKey>>, S::Claim);

    async fn load(&self, keys: &Keys) -> Result<View, StoreError> {
        self.inner.load(keys).await
    }

    async fn claim(&self, keys: &Keys) -> Result<(Self::Claim, View), StoreError> {
        let log = Arc::clone(&self.log).lock_owned().await;
        let (claim, view) = self.inner.claim(keys).await?;
        Ok(((log, claim), view))
    }

    async fn claim_by_name(&self, keys: &Keys) -> Result<(Self::Claim, View), StoreError> {
        let log = Arc::clone(&self.log).lock_owned().await;
        let (claim, view) = self.inner.claim_by_name(keys).await?;
        Ok(((log, claim), view))
    }

    async fn process_turn(&self) -> Result<ProcessTurn, StoreError> {
        self.inner.process_turn().await
    }

    async fn commit(&self, changes: &ChangeSet) -> Result<Commit, StoreError> {
        let mut log = self.log.lock().await;
        let answer = self.inner.commit(changes).await;
        write(&mut log, changes, &answer);
        answer
    }

    async fn commit_claim(
        &self,
        (mut log, claim): Self::Claim,
        changes: &ChangeSet,
    ) -> Result<Commit, StoreError> {
        let answer = self.inner.commit_claim(claim, changes).await;
        write(&mut log, changes, &answer);
        answer
    }

    async fn suspect(&self, envelope: EnvelopeId) -> Result<u32, StoreError> {
        self.inner.suspect(envelope).await
    }

    async fn short_orders(
        &self,
        shop: &ShopId,
        after: Option<&ShortOrder>,
        limit: i64,
    ) -> Result<Vec<ShortOrder>, StoreError> {
        self.inner.short_orders(shop, after, limit).await
    }

    async fn unlinked_payments(&self, before: Timestamp) -> Result<i64, StoreError> {
        self.inner.unlinked_payments(before).await
    }

    async fn waiting(&self) -> Result<Waiting, StoreError> {
        self.inner.waiting().await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.inner.ping().await
    }
}

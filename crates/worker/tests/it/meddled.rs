//! A store where another lane gets between what a batch reads and what it does then.

use std::sync::{Arc, Mutex};

use domain::{ChangeSet, EnvelopeId, Keys, ShopId, Timestamp, View};
use platforms::Shops;
use store::{Commit, ShortOrder, Store, StoreError, Waiting};
use testkit::memory::MemoryStore;
use worker::{Processor, Strategy, Work};

/// Clones share everything.
#[derive(Clone, Debug)]
pub(crate) struct Meddled {
    pub(crate) inner: MemoryStore,
    shops: Arc<Shops>,
    /// What the other lane decides after each of the coming reads.
    after_reads: Arc<Mutex<Vec<Vec<Work>>>>,
}

impl Meddled {
    pub(crate) fn new(inner: MemoryStore, shops: Arc<Shops>, after_reads: Vec<Vec<Work>>) -> Self {
        Self { inner, shops, after_reads: Arc::new(Mutex::new(after_reads)) }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.after_reads.lock().expect("not poisoned").is_empty()
    }

    async fn meddle(&self) {
        let work = {
            let mut coming = self.after_reads.lock().expect("not poisoned");
            if coming.is_empty() {
                return;
            }
            coming.remove(0)
        };
        let mut other = Processor::new(self.inner.clone(), Strategy::Optimistic);
        other.process(work, &self.shops, true).await.expect("the store is there");
    }
}

impl Store for Meddled {
    type Claim = <MemoryStore as Store>::Claim;

    async fn load(&self, keys: &Keys) -> Result<View, StoreError> {
        let view = self.inner.load(keys).await;
        self.meddle().await;
        view
    }

    async fn claim(&self, keys: &Keys) -> Result<(Self::Claim, View), StoreError> {
        self.inner.claim(keys).await
    }

    async fn commit(&self, changes: &ChangeSet) -> Result<Commit, StoreError> {
        self.inner.commit(changes).await
    }

    async fn commit_claim(
        &self,
        claim: Self::Claim,
        changes: &ChangeSet,
    ) -> Result<Commit, StoreError> {
        self.inner.commit_claim(claim, changes).await
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

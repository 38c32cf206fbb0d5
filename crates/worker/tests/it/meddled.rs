//! A store that lets a test get between what a batch reads and what it does then.

use domain::{ChangeSet, EnvelopeId, Keys, ShopId, Timestamp, View};
use store::{Commit, ShortOrder, Store, StoreError, Waiting};
use tokio::sync::{mpsc, oneshot};

/// Clones share everything.
#[derive(Clone, Debug)]
pub(crate) struct Meddled<S> {
    inner: S,
    reads: mpsc::UnboundedSender<Reader>,
}

/// Somebody has read, and goes on when this is dropped.
pub(crate) type Reader = oneshot::Sender<()>;

impl<S> Meddled<S> {
    /// The store, and those that read there; when nobody hears of them any more, they do not wait.
    pub(crate) fn new(inner: S) -> (Self, mpsc::UnboundedReceiver<Reader>) {
        let (reads, readers) = mpsc::unbounded_channel();
        (Self { inner, reads }, readers)
    }

    async fn wait(&self) {
        let (reader, dropped) = oneshot::channel();
        if self.reads.send(reader).is_ok() {
            let _ = dropped.await;
        }
    }
}

impl<S: Store> Store for Meddled<S> {
    type Claim = S::Claim;

    async fn load(&self, keys: &Keys) -> Result<View, StoreError> {
        let view = self.inner.load(keys).await;
        self.wait().await;
        view
    }

    async fn claim(&self, keys: &Keys) -> Result<(Self::Claim, View), StoreError> {
        let claimed = self.inner.claim(keys).await;
        self.wait().await;
        claimed
    }

    async fn claim_by_name(&self, keys: &Keys) -> Result<(Self::Claim, View), StoreError> {
        let claimed = self.inner.claim_by_name(keys).await;
        self.wait().await;
        claimed
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

//! One try of a batch, as its strategy has it: read, decide, commit.

use domain::{Decided, Keys, View};
use store::{Commit, Store, StoreError};

use super::{Processor, decide};
use crate::prepare::Prepared;
use crate::strategy::Strategy;
use crate::traced;

impl<S: Store> Processor<S> {
    /// Everything that asks the store, so that whatever it is that has to be tried again, is.
    pub(super) async fn attempt(
        &self,
        batch: &mut [Prepared],
        tries: u32,
    ) -> Result<(Commit, Vec<Decided>), StoreError> {
        let keys = self.keys(batch).await?;
        match &self.strategy {
            Strategy::Adaptive => self.adaptive(batch, keys, tries).await,
            Strategy::Optimistic => self.optimistic(batch, &keys).await,
            Strategy::Locking => self.claimed(batch, self.store.claim(&keys).await?).await,
            Strategy::Advisory => self.claimed(batch, self.store.claim_by_name(&keys).await?).await,
            #[cfg(feature = "redis")]
            Strategy::Redis(leases) => self.leased(leases, batch, &keys).await,
        }
    }

    pub(super) async fn claimed(
        &self,
        batch: &mut [Prepared],
        (claim, view): (S::Claim, View),
    ) -> Result<(Commit, Vec<Decided>), StoreError> {
        let (changes, decided) = decide(batch, view);
        let changes = changes.into_changes();
        let commit = self.store.commit_claim(claim, &changes);
        Ok((traced::commit(batch, commit).await?, decided))
    }

    async fn optimistic(
        &self,
        batch: &mut [Prepared],
        keys: &Keys,
    ) -> Result<(Commit, Vec<Decided>), StoreError> {
        self.over(batch, self.store.load(keys).await?).await
    }

    /// Decides over what was read without a lock.
    pub(super) async fn over(
        &self,
        batch: &mut [Prepared],
        view: View,
    ) -> Result<(Commit, Vec<Decided>), StoreError> {
        let (changes, decided) = decide(batch, view);
        let changes = changes.into_changes();
        Ok((traced::commit(batch, self.store.commit(&changes)).await?, decided))
    }

    /// Without a lease it goes on all the same: versions keep the promises, a lease only saves tries.
    #[cfg(feature = "redis")]
    async fn leased(
        &self,
        leases: &lease::Leases,
        batch: &mut [Prepared],
        keys: &Keys,
    ) -> Result<(Commit, Vec<Decided>), StoreError> {
        match leases.take(keys.skus.iter().map(|sku| sku.as_str())).await {
            Ok(lease) => {
                let answer = lease.during(self.optimistic(batch, keys)).await;
                lease.give_back().await;
                answer
            }
            Err(error) => {
                let error = crate::error_chain(&error);
                tracing::debug!(error, "no lease; going on without one");
                metrics::counter!("onhand_leases_missed_total").increment(1);
                self.optimistic(batch, keys).await
            }
        }
    }
}

//! One try of a batch, as its strategy has it: read, decide, commit.

use domain::{Decided, Keys, View};
use store::{Commit, Store, StoreError};

use super::{Processor, ahead, decide};
use crate::heat::Temperature;
use crate::prepare::Prepared;
use crate::strategy::Strategy;
use crate::traced;

/// Tries after which an adaptive batch locks before it reads, whatever its items' heat.
const OPTIMISTIC_TRIES: u32 = 3;

impl<S: Store> Processor<S> {
    /// Everything that asks the store, so that whatever it is that has to be tried again, is.
    pub(super) async fn attempt(
        &self,
        batch: &mut [Prepared],
        tries: u32,
    ) -> Result<(Commit, Vec<Decided>), StoreError> {
        let keys = &self.keys(batch).await?;
        match &self.strategy {
            Strategy::Adaptive => self.adaptive(batch, keys, tries).await,
            Strategy::Optimistic => self.optimistic(batch, keys).await,
            Strategy::Locking => self.claimed(batch, self.store.claim(keys).await?).await,
            Strategy::Advisory => self.claimed(batch, self.store.claim_by_name(keys).await?).await,
            #[cfg(feature = "redis")]
            Strategy::Redis(leases) => self.leased(leases, batch, keys).await,
        }
    }

    async fn adaptive(
        &self,
        batch: &mut [Prepared],
        keys: &Keys,
        tries: u32,
    ) -> Result<(Commit, Vec<Decided>), StoreError> {
        if !self.turn.is_taken() {
            return self.in_turn_with_others(batch, keys, tries).await;
        }
        let inbox = self.store.load(&ahead::inbox(keys)).await?;
        let fresh = ahead::fresh(batch, &inbox);
        if fresh.is_empty() {
            // Nothing that two lanes could both want.
            return self.over(batch, inbox).await;
        }
        let known = self.store.load(&ahead::known(&fresh)).await?;
        let left = ahead::left(&fresh, &inbox, &known);
        self.in_turn_with_others(batch, &left, tries).await
    }

    async fn in_turn_with_others(
        &self,
        batch: &mut [Prepared],
        keys: &Keys,
        tries: u32,
    ) -> Result<(Commit, Vec<Decided>), StoreError> {
        let Some(mut heat) = self.turn.take().await else {
            // Somebody holds it for long: versions keep the promises without it, too.
            return self.claimed(batch, self.store.claim(keys).await?).await;
        };
        let answer = match heat.of(keys) {
            Temperature::Crowded => {
                self.claimed(batch, self.store.claim_in_turn(keys).await?).await
            }
            Temperature::Calm if tries < OPTIMISTIC_TRIES => self.optimistic(batch, keys).await,
            Temperature::Calm | Temperature::Hot => {
                self.claimed(batch, self.store.claim(keys).await?).await
            }
        };
        match &answer {
            Ok((Commit::Applied, _)) => heat.calm(keys),
            Ok((Commit::Conflict(conflicts), _)) => heat.conflict(conflicts),
            Err(_) => {}
        }
        answer
    }

    async fn claimed(
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
    async fn over(
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

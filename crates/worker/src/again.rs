//! What was decided before, decided once more because an operator asks; and what would come of it.
//!
//! A dead letter goes the way of all webhooks ([`Processor::process`], with `replay`). Any other
//! keeps the outcome it has in the inbox: what its body says joins what is known, and stock follows,
//! mostly by nothing, as all of it was known before.

use domain::{Batch, Decided, Operation, Verdict, View};
use platforms::Shops;
use store::{Commit, ConflictKey, Store, StoreError};

use crate::backoff::ConflictBackoff;
use crate::batch::{Processor, TRIES_MAX, decide};
use crate::clock;
use crate::prepare::{Prepared, Work};

/// How a webhook that was decided before came out this time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Again {
    Decided(Verdict),
    /// Under this key it was done before: nothing happened now.
    DoneBefore,
}

impl<S: Store> Processor<S> {
    /// What would become of `work`, one after another, over what is stored now and what the work before
    /// would have left in `carried`. Nothing is written.
    pub async fn preview(
        &self,
        work: Vec<Work>,
        shops: &Shops,
        mut carried: View,
    ) -> Result<(Vec<Decided>, View), StoreError> {
        let mut batch: Vec<_> = work.into_iter().map(|work| Prepared::new(work, shops)).collect();
        let stored = self.store().load(&self.keys(&batch).await?).await?;
        carried.add(stored.clone());
        // Somebody has committed since what is carried was read.
        let view = if carried.is_torn() { stored } else { carried };
        let (changes, decided) = decide(&mut batch, view);
        Ok((decided, changes.into_view()))
    }

    /// Decides what is in the inbox already, together with the operator's command that asks for it.
    /// What cannot be applied changes nothing.
    pub async fn again(
        &self,
        work: Work,
        shops: &Shops,
        operation: &Operation,
    ) -> Result<Again, StoreError> {
        let batch = [Prepared::new(work, shops)];
        let [one] = &batch;
        let mut backoff = ConflictBackoff::default();
        for _ in 0..TRIES_MAX {
            let (claim, view) = match self.claim(&batch).await {
                Ok(claimed) => claimed,
                Err(StoreError::TryAgain(_)) => {
                    tokio::time::sleep(backoff.next_wait()).await;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let mut changes = Batch::new(view);
            let verdict = changes.again(&one.incoming, &one.meaning, &one.policy, clock::now());
            changes.operation(operation.clone());
            match self.store().commit_claim(claim, &changes.into_changes()).await {
                Ok(Commit::Applied) => return Ok(Again::Decided(verdict)),
                Ok(Commit::Conflict(rows)) => {
                    if rows.iter().any(|row| matches!(row, ConflictKey::Operation(_))) {
                        return Ok(Again::DoneBefore);
                    }
                }
                Err(StoreError::TryAgain(_)) => {}
                Err(error) => return Err(error),
            }
            tokio::time::sleep(backoff.next_wait()).await;
        }
        Err(StoreError::TryAgain("the rows are too busy; nothing was changed".into()))
    }

    async fn claim(&self, batch: &[Prepared]) -> Result<(S::Claim, View), StoreError> {
        self.store().claim(&self.keys(batch).await?).await
    }
}

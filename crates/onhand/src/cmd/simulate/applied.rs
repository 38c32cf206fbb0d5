//! Waiting until the store shows what the sender sent.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::Outcome;
use store::reports::Totals;
use store::{AnyStore, Reports, StoreError};
use tokio::time::Instant;

/// How often the store is asked.
const LOOK: Duration = Duration::from_millis(50);

/// Without any progress for so long, the rest is not waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What the store shows.
#[derive(Clone, Debug)]
pub(crate) struct Applied {
    /// As many deliveries have been decided as were answered 200, repeats included.
    pub(crate) complete: bool,
    /// Outcomes since the beginning, whoever sent what. A repeat counts as `duplicate`.
    pub(crate) outcomes: BTreeMap<Outcome, i64>,
}

impl Applied {
    pub(crate) fn between(before: &Totals, now: &Totals) -> Self {
        let at = |totals: &Totals, outcome| totals.webhooks.get(&outcome).copied().unwrap_or(0);
        let outcomes = Outcome::ALL
            .into_iter()
            .map(|outcome| (outcome, at(now, outcome) - at(before, outcome)))
            .collect();
        Self { complete: false, outcomes }
    }

    pub(crate) fn decided(&self) -> i64 {
        self.outcomes.values().sum()
    }

    pub(crate) fn of(&self, outcome: Outcome) -> i64 {
        self.outcomes.get(&outcome).copied().unwrap_or(0)
    }
}

/// Waits until as many deliveries are decided as were answered 200, or none is for as long as
/// `patience`. There may be more: those whose answer the sender never saw, and another sender's.
pub(crate) async fn wait(
    store: &AnyStore,
    before: &Totals,
    accepted: usize,
    patience: Duration,
    show: impl Fn(i64),
) -> Result<Applied, StoreError> {
    let wanted = i64::try_from(accepted).unwrap_or(i64::MAX);
    let mut last = Applied::between(before, before);
    let mut moved = Instant::now();
    loop {
        match store.totals().await {
            Ok(totals) => {
                let now = Applied::between(before, &totals);
                if now.decided() != last.decided() {
                    moved = Instant::now();
                }
                last = now;
                show(last.decided());
            }
            // It may be starting again.
            Err(StoreError::Unavailable(_) | StoreError::TryAgain(_)) => {}
            Err(error) => return Err(error),
        }
        if last.decided() >= wanted {
            return Ok(Applied { complete: true, ..last });
        }
        if moved.elapsed() > patience {
            return Ok(last);
        }
        tokio::time::sleep(LOOK).await;
    }
}

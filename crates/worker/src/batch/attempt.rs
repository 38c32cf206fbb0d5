//! One try of a batch, as its strategy has it: read, decide, commit.

use domain::{Decided, Keys, View};
use store::{Commit, Store, StoreError};

use super::{Processor, ahead, decide};
use crate::heat::Temperature;
use crate::measure::{self, Way};
use crate::prepare::{self, Prepared};
use crate::strategy::Strategy;
use crate::traced;

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
        if batch.len() < self.turn.thresholds.ahead || !self.turn.is_taken() {
            return self.in_turn_with_others(batch, keys, tries).await;
        }
        let inbox = self.store.load(&ahead::inbox(keys)).await?;
        let fresh = ahead::fresh(batch, &inbox);
        if fresh.is_empty() {
            // Nothing that two lanes could both want.
            measure::adaptive(Way::Repeats);
            return self.over(batch, inbox).await;
        }
        let wanted = prepare::keys(fresh.iter().copied());
        let known = self.store.load(&ahead::known(&wanted)).await?;
        let left = ahead::left(wanted, &fresh, (&inbox, &known));
        measure::looked_ahead();
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
            measure::adaptive(Way::OutOfTurn);
            return self.claimed(batch, self.store.claim(keys).await?).await;
        };
        let thresholds = self.turn.thresholds;
        let answer = match heat.of(keys, thresholds.many) {
            Temperature::Crowded => {
                measure::adaptive(Way::InTurn);
                self.claimed(batch, self.store.claim_in_turn(keys).await?).await
            }
            Temperature::Calm if tries < thresholds.tries => {
                measure::adaptive(Way::Optimistic);
                self.optimistic(batch, keys).await
            }
            Temperature::Calm | Temperature::Hot => {
                measure::adaptive(Way::Locking);
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use domain::Timestamp;
    use futures_util::poll;
    use platforms::Shops;
    use testkit::memory::MemoryStore;
    use testkit::shopify::{DOMAIN, SECRET, ShopifyOrder, SignedWebhook};

    use super::*;
    use crate::strategy::{Thresholds, Turn};
    use crate::{Done, Work};

    /// Of a batch that looks ahead.
    const AHEAD: usize = 4;

    fn shops() -> Arc<Shops> {
        let text = format!(
            "[[shop]]\nname = \"demo\"\nplatform = \"shopify\"\ndomain = \"{DOMAIN}\"\n\
             secrets = [\"plain:{SECRET}\"]\n"
        );
        Arc::new(Shops::parse(&text, |_| Err("none".to_owned())).expect("a good file"))
    }

    fn work(webhook: &SignedWebhook) -> Work {
        Work::new(webhook.envelope("demo", Timestamp(1)), 0)
    }

    fn outcomes(done: &[Done]) -> Vec<&'static str> {
        let outcome = |one: &Done| match one {
            Done::Decided(Decided::Verdict(verdict)) => verdict.outcome.as_str(),
            Done::Decided(Decided::Duplicate) => "duplicate",
            other => panic!("{other:?}"),
        };
        done.iter().map(outcome).collect()
    }

    /// A batch that looks ahead: so many repeats of `placed`, and `more`.
    fn large(placed: &SignedWebhook, more: &[SignedWebhook]) -> Vec<Work> {
        let repeats = (more.len()..AHEAD).map(|_| work(placed));
        repeats.chain(more.iter().map(work)).collect()
    }

    #[tokio::test]
    async fn while_another_lane_has_the_turn_repeats_are_done_and_the_rest_is_looked_up() {
        let turn = Turn::new(Thresholds { ahead: AHEAD, ..Thresholds::default() });
        let (store, shops) = (MemoryStore::default(), shops());
        store.open_stock("BOWL", "main", 10, 0);
        let mut lane = Processor::new(store.clone(), Strategy::Adaptive).in_turn(turn.clone());
        let mut old = ShopifyOrder::new(1).line("BOWL", 1);
        let placed = old.webhook("orders/create");
        lane.process(vec![work(&placed)], &shops, true).await.unwrap();

        let other = turn.take().await.expect("nobody has it");
        let done = lane.process(large(&placed, &[]), &shops, true).await.unwrap();
        assert_eq!(outcomes(&done), ["duplicate"; AHEAD], "without a turn");

        let new = ShopifyOrder::new(2).line("BOWL", 2).webhook("orders/create");
        let more = [new, old.cancel(None).webhook("orders/cancelled")];
        let mut waiting = Box::pin(lane.process(large(&placed, &more), &shops, true));
        assert!(poll!(&mut waiting).is_pending(), "stock is another lane's");
        // Somebody else's process takes one of them first.
        let mut elsewhere = Processor::new(store.clone(), Strategy::Optimistic);
        elsewhere.process(vec![work(&more[0])], &shops, true).await.unwrap();
        drop(other);
        let done = waiting.await.unwrap();
        assert_eq!(outcomes(&done)[AHEAD - 3..], ["duplicate", "duplicate", "applied"]);
        let stock = store.stock_of("BOWL", "main");
        assert_eq!((stock.on_hand, stock.committed), (10, 2), "the old order gave its unit back");
        store.assert_sound();
    }

    #[tokio::test]
    async fn a_lane_that_waits_for_its_turn_in_vain_goes_on_without() {
        let turn = Turn::new(Thresholds { patience: Duration::ZERO, ..Thresholds::default() });
        let (store, shops) = (MemoryStore::default(), shops());
        store.open_stock("BOWL", "main", 10, 0);
        let mut lane = Processor::new(store.clone(), Strategy::Adaptive).in_turn(turn.clone());
        let placed = ShopifyOrder::new(1).line("BOWL", 1).webhook("orders/create");
        let _other = turn.take().await.expect("nobody has it");
        let done = lane.process(vec![work(&placed)], &shops, true).await.unwrap();
        assert_eq!(outcomes(&done), ["applied"]);
        store.assert_sound();
    }

    #[tokio::test]
    async fn a_repeat_among_others_is_still_one_when_the_turn_comes() {
        let (store, shops) = (MemoryStore::default(), shops());
        store.open_stock("BOWL", "main", 10, 0);
        let mut lane = Processor::new(store.clone(), Strategy::Optimistic);
        let [placed, new] =
            [1, 2].map(|id| ShopifyOrder::new(id).line("BOWL", 1).webhook("orders/create"));
        lane.process(vec![work(&placed)], &shops, true).await.unwrap();

        let batch = [&placed, &new].map(|webhook| Prepared::new(work(webhook), &shops));
        let keys = lane.keys(&batch).await.unwrap();
        let inbox = store.load_now(&ahead::inbox(&keys));
        let fresh = ahead::fresh(&batch, &inbox);
        let wanted = prepare::keys(fresh.iter().copied());
        let known = store.load_now(&ahead::known(&wanted));
        let left = ahead::left(wanted, &fresh, (&inbox, &known));
        assert!(left.orders.is_empty(), "the one is a repeat's, and the other is not there");
        let view = store.load_now(&left);
        assert!(view.webhooks.contains_key(&batch[0].incoming.key));
        assert_eq!(left.webhooks.len(), 1);
    }
}

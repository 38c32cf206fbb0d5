//! A try of the default strategy: batches of one process in turn, each decided while the one before
//! commits; with locks where other processes want the same.

use std::mem;
use std::sync::Arc;

use domain::{Decided, Keys};
use store::{Commit, Store, StoreError};

use super::{Processor, ahead, decide};
use crate::heat::Temperature;
use crate::measure::{self, Way};
use crate::prepare::{self, Prepared};
use crate::traced;
use crate::turn::{Deciding, Patience, Pending};

/// What a batch has to see.
struct Wanted {
    all: Keys,
    /// What of it was not looked up yet, if some was.
    rest: Option<Keys>,
}

impl Wanted {
    /// To be read when the turn comes.
    fn left(&self) -> &Keys {
        self.rest.as_ref().unwrap_or(&self.all)
    }
}

impl<S: Store> Processor<S> {
    pub(super) async fn adaptive(
        &self,
        batch: &mut [Prepared],
        mut all: Keys,
        tries: u32,
    ) -> Result<(Commit, Vec<Decided>), StoreError> {
        if batch.len() < self.turn.thresholds.ahead || !self.turn.is_taken() {
            return self.in_turn_with_others(batch, Wanted { all, rest: None }, tries).await;
        }
        let inbox = self.store.load(&ahead::inbox(&all)).await?;
        let fresh = ahead::fresh(batch, &inbox);
        if fresh.is_empty() {
            // Nothing that two lanes could both want.
            measure::adaptive(Way::Repeats);
            return self.over(batch, inbox).await;
        }
        let wanted = prepare::keys(fresh.iter().copied());
        let known = self.store.load(&ahead::known(&wanted)).await?;
        let rest = ahead::left(wanted, &fresh, (&inbox, &known));
        measure::looked_ahead();
        // A payment may name its order since the keys were made.
        all.orders.extend(rest.orders.iter().cloned());
        self.in_turn_with_others(batch, Wanted { all, rest: Some(rest) }, tries).await
    }

    async fn in_turn_with_others(
        &self,
        batch: &mut [Prepared],
        wanted: Wanted,
        tries: u32,
    ) -> Result<(Commit, Vec<Decided>), StoreError> {
        let thresholds = self.turn.thresholds;
        let is_crowd = self.turn.heat().is_crowd(wanted.left(), thresholds.many);
        let patience = self.turn.patience(is_crowd);
        let Ok(deciding) = self.turn.to_decide(patience).await else {
            return self.out_of_turn(batch, wanted.left()).await;
        };
        // Of now: the lanes before have learned something.
        let temperature = self.turn.heat().of(wanted.left(), thresholds.many);
        let is_crowded = temperature == Temperature::Crowded;
        let patience = Patience { is_crowded, ..patience };
        let answer = if temperature == Temperature::Hot || tries >= thresholds.tries {
            self.alone(deciding, patience, batch, wanted.left()).await
        } else {
            self.behind(deciding, patience, batch, &wanted).await
        };
        match &answer {
            Ok((Commit::Applied, _)) => self.turn.heat().calm(wanted.left(), thresholds.many),
            Ok((Commit::Conflict(conflicts), _)) => self.turn.heat().conflict(conflicts),
            Err(_) => {}
        }
        answer
    }

    /// Reads and decides while the lane before commits, then does so itself. Where it is crowded, in a
    /// series of batches that no other process gets into.
    async fn behind(
        &self,
        mut deciding: Deciding<'_>,
        patience: Patience,
        batch: &mut [Prepared],
        wanted: &Wanted,
    ) -> Result<(Commit, Vec<Decided>), StoreError> {
        let is_crowded = patience.is_crowded;
        let before = mem::take(&mut *deciding).upgrade();
        let is_beside = before.as_ref().is_none_or(|before| before.is_beside(&wanted.all));
        let series = before.as_ref().and_then(|before| before.join());
        // Other processes come before a new series, and the last one ends when nobody holds its batches.
        let before = before.filter(|_| !is_crowded || series.is_some());
        let mut early = None;
        if let Some(before) = before.as_ref().filter(|_| is_beside) {
            let view = before.leaves(self.store.load(wanted.left()).await?);
            early = view.map(|view| decide(batch, view));
        }
        let Ok(committing) = self.turn.to_commit(patience).await else {
            drop((deciding, series, before));
            return self.out_of_turn(batch, wanted.left()).await;
        };
        let is_applied = before.is_some_and(|before| before.is_applied());
        let series = match series {
            None if is_crowded => Some(self.turn.series(&self.store).await?),
            series => series,
        };
        measure::adaptive(if is_crowded { Way::InTurn } else { Way::Optimistic });
        let (changes, decided) = match early {
            Some(early) if is_applied => {
                measure::decided_ahead();
                early
            }
            _ => {
                // What was looked up may be older than what the lane before has left.
                let keys = if is_beside { wanted.left() } else { &wanted.all };
                decide(batch, self.store.load(keys).await?)
            }
        };
        let pending = Pending::new(changes.into_changes(), series);
        *deciding = Arc::downgrade(&pending);
        drop(deciding);
        let commit = traced::commit(batch, self.store.commit(pending.changes())).await?;
        if commit == Commit::Applied {
            pending.set_applied();
        }
        drop((pending, committing));
        // Whoever waited for it was woken on this thread, where no other takes it up: let it go first.
        tokio::task::yield_now().await;
        Ok((commit, decided))
    }

    /// Locks before it reads, while no other lane is at work.
    async fn alone(
        &self,
        deciding: Deciding<'_>,
        patience: Patience,
        batch: &mut [Prepared],
        keys: &Keys,
    ) -> Result<(Commit, Vec<Decided>), StoreError> {
        let Ok(_committing) = self.turn.to_commit(patience).await else {
            drop(deciding);
            return self.out_of_turn(batch, keys).await;
        };
        let _series = match patience.is_crowded {
            true => Some(self.turn.series(&self.store).await?),
            false => None,
        };
        measure::adaptive(Way::Locking);
        self.claimed(batch, self.store.claim(keys).await?).await
    }

    /// Somebody holds a turn for long: versions keep the promises without it, too.
    async fn out_of_turn(
        &self,
        batch: &mut [Prepared],
        keys: &Keys,
    ) -> Result<(Commit, Vec<Decided>), StoreError> {
        measure::adaptive(Way::OutOfTurn);
        self.claimed(batch, self.store.claim(keys).await?).await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::Timestamp;
    use futures_util::poll;
    use metrics_exporter_prometheus::PrometheusBuilder;
    use platforms::Shops;
    use testkit::memory::MemoryStore;
    use testkit::shopify::{DOMAIN, SECRET, ShopifyOrder, SignedWebhook};

    use super::*;
    use crate::strategy::Strategy;
    use crate::turn::{Series, Thresholds, Turn};
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

        let other = turn.to_decide(turn.patience(false)).await.expect("nobody has it");
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

    /// A lane decides while another one is about to commit an order for two of three bowls, perhaps in
    /// a series of `in_round`. What it has done once that is `applied` or is not, the units that are
    /// committed then, and how often it was decided ahead.
    async fn follow(applied: bool, in_round: Option<u32>) -> (Vec<&'static str>, i64, String) {
        let recorder = PrometheusBuilder::new().build_recorder();
        let _guard = metrics::set_default_local_recorder(&recorder);
        measure::describe();
        let many = if in_round.is_some() { 0 } else { usize::MAX };
        let in_round = in_round.unwrap_or_default();
        let turn = Turn::new(Thresholds { many, in_round, ..Thresholds::default() });
        let (store, shops) = (MemoryStore::default(), shops());
        store.open_stock("BOWL", "main", 3, 0);
        let bowls = |id, units| ShopifyOrder::new(id).line("BOWL", units).webhook("orders/create");
        let series = if many == 0 { Some(turn.series(&store).await.unwrap()) } else { None };
        let other = pending(&store, &bowls(1, 2), &shops, series);
        *turn.to_decide(turn.patience(false)).await.expect("nobody has it") =
            Arc::downgrade(&other);
        let committing = turn.to_commit(turn.patience(false)).await.expect("nobody has it");

        let mut lane = Processor::new(store.clone(), Strategy::Adaptive).in_turn(turn.clone());
        let mut waiting = Box::pin(lane.process(vec![work(&bowls(2, 2))], &shops, true));
        for _ in 0..10 {
            assert!(poll!(&mut waiting).is_pending(), "it is not its turn to commit");
        }
        if applied {
            assert_eq!(store.commit_now(other.changes()).unwrap(), Commit::Applied);
            other.set_applied();
        }
        drop((other, committing));
        let done = outcomes(&waiting.await.unwrap());
        store.assert_sound();
        assert!(store.process_turn().await.unwrap().others == 0, "nobody goes on");
        let rendered = recorder.handle().render();
        let mut lines = rendered.lines();
        let times = lines.find_map(|line| line.strip_prefix("onhand_decided_ahead_total "));
        (done, store.stock_of("BOWL", "main").committed, times.unwrap_or_default().to_owned())
    }

    /// `webhook`, decided.
    fn pending(
        store: &MemoryStore,
        webhook: &SignedWebhook,
        shops: &Shops,
        series: Option<Arc<Series>>,
    ) -> Arc<Pending> {
        let mut batch = [Prepared::new(work(webhook), shops)];
        let keys = prepare::keys(&batch);
        let (changes, _) = decide(&mut batch, store.load_now(&keys));
        Pending::new(changes.into_changes(), series)
    }

    #[tokio::test]
    async fn a_batch_is_decided_over_what_the_one_before_is_about_to_commit() {
        assert_eq!(follow(true, None).await, (vec!["short"], 2, "1".to_owned()));
    }

    #[tokio::test]
    async fn the_next_batch_of_a_series_is_decided_ahead_and_the_first_is_not() {
        assert_eq!(follow(true, Some(2)).await, (vec!["short"], 2, "1".to_owned()));
        assert_eq!(follow(true, Some(1)).await, (vec!["short"], 2, "0".to_owned()));
    }

    #[tokio::test]
    async fn a_process_that_is_alone_finds_out() {
        let turn = Turn::new(Thresholds { many: 0, ..Thresholds::default() });
        let (store, shops) = (MemoryStore::default(), shops());
        store.open_stock("BOWL", "main", 100, 0);
        let run = async |lane: u64| {
            let mut lane_of =
                Processor::new(store.clone(), Strategy::Adaptive).in_turn(turn.clone());
            for at in 0..10 {
                let order = ShopifyOrder::new(lane * 100 + at).line("BOWL", 1);
                let batch = vec![work(&order.webhook("orders/create"))];
                lane_of.process(batch, &shops, true).await.unwrap();
            }
        };
        tokio::join!(run(1), run(2));
        assert_eq!(turn.heat().of(&Keys::default(), 0), Temperature::Calm);
        store.assert_sound();
    }

    #[tokio::test]
    async fn a_series_goes_on_behind_a_batch_that_was_not_committed() {
        assert_eq!(follow(false, Some(2)).await, (vec!["applied"], 2, "0".to_owned()));
    }

    /// However long that takes: by row locks it would only get in their way.
    #[tokio::test(start_paused = true)]
    async fn a_crowd_waits_in_line_with_other_processes() {
        let turn = Turn::new(Thresholds { many: 0, ..Thresholds::default() });
        let (store, shops) = (MemoryStore::default(), shops());
        store.open_stock("BOWL", "main", 10, 0);
        let bowl = |id| ShopifyOrder::new(id).line("BOWL", 1).webhook("orders/create");
        let elsewhere = store.process_turn().await.unwrap();
        let mut lanes = [(); 2]
            .map(|()| Processor::new(store.clone(), Strategy::Adaptive).in_turn(turn.clone()));
        let [one, two] = &mut lanes;
        let lanes = async {
            tokio::join!(
                one.process(vec![work(&bowl(1))], &shops, true),
                two.process(vec![work(&bowl(2))], &shops, true),
            )
        };
        let mut lanes = Box::pin(lanes);
        let long = turn.thresholds.patience * 20;
        assert!(tokio::time::timeout(long, &mut lanes).await.is_err(), "not their turn");
        // What the first has read must not be older than this.
        let mut other = Processor::new(store.clone(), Strategy::Optimistic);
        other.process(vec![work(&bowl(3))], &shops, true).await.unwrap();
        drop(elsewhere);
        let (one, two) = lanes.await;
        assert_eq!([one, two].map(|done| outcomes(&done.unwrap())), [["applied"], ["applied"]]);
        assert_eq!(store.stock_of("BOWL", "main").committed, 3);
        store.assert_sound();
    }

    #[tokio::test]
    async fn a_batch_is_decided_once_more_if_the_one_before_was_not_committed() {
        assert_eq!(follow(false, None).await, (vec!["applied"], 2, "0".to_owned()));
    }

    #[tokio::test]
    async fn a_lane_that_waits_for_its_turn_in_vain_goes_on_without() {
        let turn = Turn::new(Thresholds { patience: Duration::ZERO, ..Thresholds::default() });
        let (store, shops) = (MemoryStore::default(), shops());
        store.open_stock("BOWL", "main", 10, 0);
        let mut lane = Processor::new(store.clone(), Strategy::Adaptive).in_turn(turn.clone());
        let placed = |id| ShopifyOrder::new(id).line("BOWL", 1).webhook("orders/create");
        let deciding = turn.to_decide(turn.patience(false)).await.expect("nobody has it");
        let done = lane.process(vec![work(&placed(1))], &shops, true).await.unwrap();
        assert_eq!(outcomes(&done), ["applied"]);
        drop(deciding);
        let _committing = turn.to_commit(turn.patience(false)).await.expect("nobody has it");
        let done = lane.process(vec![work(&placed(2))], &shops, true).await.unwrap();
        assert_eq!(outcomes(&done), ["applied"]);
        assert_eq!(store.stock_of("BOWL", "main").committed, 2);
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

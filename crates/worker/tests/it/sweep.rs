//! Short orders, tried again when units came in.

use std::time::Duration;

use domain::OrderKey;
use testkit::memory::MemoryStore;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use worker::{Config, Died, Processor, Strategy};

use crate::doctored::Doctored;
use crate::harness::{TestQueue, outcomes, placed, queue, recorded, shops, soon, value, work};

const COMMIT_SHORT: &str = "when_restocked = \"commit_short\"";

/// Puts orders for so many bowls each into a store that has none.
async fn all_short(bowls: &[i64]) -> Doctored {
    let store = Doctored::with_bowls(0);
    let mut processor = Processor::new(store.clone(), Strategy::Optimistic);
    // Oldest first is not smallest id first.
    for (id, bowls) in (1..=9).rev().zip(bowls) {
        let done = processor.process(vec![work(&placed(id, *bowls))], &shops(""), true).await;
        assert_eq!(outcomes(&done.expect("the store is there")), ["not_enough_stock"]);
    }
    store
}

struct Sweeping {
    _queue: TestQueue,
    stop: CancellationToken,
    worker: JoinHandle<Result<(), Died>>,
}

fn sweep(store: &Doctored, rules: &str) -> Sweeping {
    let (queue, consumer) = queue();
    let (_, shops) = watch::channel(shops(rules));
    let stop = CancellationToken::new();
    let config = Config {
        batch_max: 100,
        drain_deadline: Duration::from_secs(60),
        strategy: Strategy::Optimistic,
        sweep_every: Duration::from_millis(1),
    };
    let worker = TaskTracker::new().spawn(worker::run(
        vec![consumer],
        store.clone(),
        shops,
        config,
        stop.clone(),
    ));
    Sweeping { _queue: queue, stop, worker }
}

impl Sweeping {
    async fn stopped(self) {
        self.stop.cancel();
        soon("the worker to stop", self.worker).await.expect("no panic").expect("no lane died");
    }
}

fn add(store: &MemoryStore, bowls: i64) {
    store.receive("BOWL", "main", bowls);
}

/// Which orders are still short, by id.
fn short(store: &Doctored) -> Vec<String> {
    let orders = store.inner.orders();
    let short = orders.iter().filter(|(_, row)| row.order.short.is_some());
    short.map(|(OrderKey { order, .. }, _)| order.to_string()).collect()
}

/// Waits until so many passes have begun since now: all but the last are through.
async fn passes(store: &Doctored, passes: usize) {
    let mut seen = store.orders.sweeps.subscribe();
    let until = *seen.borrow() + passes;
    soon("the sweep to pass", seen.wait_for(|begun| *begun >= until)).await.expect("it is there");
}

#[tokio::test]
async fn the_oldest_that_fits_is_committed_and_what_does_not_fit_is_passed_over() {
    let (metrics, _guard) = recorded();
    let store = all_short(&[5, 2, 2]).await; // orders 9, 8, 7
    let sweeping = sweep(&store, COMMIT_SHORT);
    passes(&store, 2).await;
    assert_eq!(short(&store), ["7", "8", "9"], "nothing came in");
    add(&store.inner, 3);
    passes(&store, 3).await;
    assert_eq!(short(&store), ["7", "9"], "5 do not fit, the older 2 do");
    add(&store.inner, 5);
    passes(&store, 3).await;
    assert_eq!(short(&store), ["7"]);
    sweeping.stopped().await;
    assert_eq!(store.inner.stock_of("BOWL", "main").committed, 7);
    assert_eq!(value(&metrics, "onhand_short_committed_total"), Some(2.0));
    store.inner.assert_sound();
}

#[tokio::test]
async fn a_shop_that_wants_to_wait_waits() {
    let store = all_short(&[1]).await;
    add(&store.inner, 10);
    let other = "[[shop]]\nname = \"other\"\nplatform = \"shopify\"\n\
                 domain = \"other.myshopify.com\"\nsecrets = [\"plain:secret\"]\n";
    let sweeping = sweep(&store, &format!("{other}{COMMIT_SHORT}"));
    // Those of the other shop.
    passes(&store, 3).await;
    sweeping.stopped().await;
    assert_eq!(short(&store), ["9"]);
}

#[tokio::test]
async fn a_busy_page_is_tried_until_its_turn_is_kept() {
    let store = all_short(&[3]).await;
    add(&store.inner, 3);
    store.orders.conflicts.store(9, std::sync::atomic::Ordering::SeqCst);
    let sweeping = sweep(&store, COMMIT_SHORT);
    passes(&store, 2).await;
    assert_eq!(short(&store), [""; 0], "within the first pass");
    assert!(store.orders.claims.load(std::sync::atomic::Ordering::SeqCst) > 0, "it locked");
    sweeping.stopped().await;
    store.inner.assert_sound();
}

#[tokio::test]
async fn conflicts_and_outages_only_put_it_off() {
    // The second never fits: there is always something to try.
    let store = all_short(&[3, 100]).await;
    store.orders.conflicts.store(4, std::sync::atomic::Ordering::SeqCst);
    add(&store.inner, 3);
    let sweeping = sweep(&store, COMMIT_SHORT);
    passes(&store, 2).await;
    store.set_away(true);
    let mut asked = store.orders.asked_in_vain.subscribe();
    soon("the sweep to ask", asked.wait_for(|times| *times > 3)).await.expect("it is there");
    store.set_away(false);
    passes(&store, 7).await;
    sweeping.stopped().await;
    assert_eq!(short(&store), ["8"]);
    assert_eq!(store.inner.stock_of("BOWL", "main").committed, 3);
    store.inner.assert_sound();
}

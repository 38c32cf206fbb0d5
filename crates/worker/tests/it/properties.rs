//! Promises P2–P7 over random histories, with two workers at work at the same time, on every store.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::order::Holding;
use domain::{
    Envelope, Fact, Keys, LocationId, Meaning, OrderFact, OrderKey, ShopId, Sku, StockKey,
    WebhookKey,
};
use platforms::Shops;
use proptest::test_runner::{Config, TestRunner};
use store::Store;
use testkit::memory::MemoryStore;
use testkit::model::Model;
use testkit::permutations;
use tokio::runtime::Runtime;
use worker::{Strategy, Work};

use crate::backends::{Backend, InPostgres, InSqlite, Memory, both_work, open_stock, work_off};
use crate::harness::recorded;
use crate::histories::{History, LOCATIONS, history};
use crate::logged::Logged;
use crate::ways::{PATHS, Pair, Ways, is_over};

/// Nobody can ask for so many.
const AMPLE: i64 = 10_000;

macro_rules! on_every_store {
    ($($name:ident: $backend:ty, $rounds:literal, $short:literal of $webhooks:literal;)+) => {$(
        mod $name {
            use super::*;

            #[test]
            fn with_stock_enough_the_end_is_that_of_delivery_in_order() {
                run_pairs::<$backend>($rounds, ample);
            }

            #[test]
            fn with_stock_enough_a_short_history_ends_the_same_in_every_order() {
                let cases = Cases::<$backend>::open();
                for way in cases.ways.each() {
                    cases.run($short, &way, every_order::<_, $webhooks>);
                }
            }

            #[test]
            fn with_stock_scarce_the_end_is_that_of_the_model_in_commit_order() {
                run_pairs::<$backend>($rounds, scarce);
            }
        }
    )+};
}

// Rounds over all pairs of ways at the least, and short cases of each way.
on_every_store! {
    memory: Memory, 10, 6 of 5;
    sqlite: InSqlite, 3, 1 of 4;
    postgres: InPostgres, 3, 1 of 4;
}

/// One store for many cases.
struct Cases<B> {
    backend: B,
    ways: Ways,
    /// Counts while shrinking too.
    runs: AtomicU64,
    /// Goes last: the others need it to go.
    runtime: Runtime,
}

impl<B: Backend> Cases<B> {
    fn open() -> Self {
        let runtime = B::runtime();
        let (backend, ways) =
            runtime.block_on(async { (B::open_for_two().await, B::ways().await) });
        Self { backend, ways, runs: AtomicU64::new(1), runtime }
    }

    fn run<W: Debug>(&self, cases: u32, way: &W, case: impl AsyncFn(&B, u64, &History, &W)) {
        let config =
            Config { cases, max_shrink_iters: 200, failure_persistence: None, ..Config::default() };
        let checked = TestRunner::new(config).run(&history(), |history| {
            let run = self.runs.fetch_add(1, Ordering::SeqCst);
            self.runtime.block_on(case(&self.backend, run, &history, way));
            Ok(())
        });
        checked.unwrap_or_else(|failure| panic!("{way:?}: {failure}"));
    }
}

fn run_pairs<B: Backend>(rounds: u64, case: impl AsyncFn(&B, u64, &History, &Pair)) {
    let (metrics, _guard) = recorded();
    let cases = Cases::<B>::open();
    for round in 1.. {
        for pair in cases.ways.pairs() {
            cases.run(1, &pair, &case);
        }
        if is_over(round, (rounds, PATHS), &metrics) {
            break;
        }
    }
}

async fn ample<B: Backend>(backend: &B, run: u64, history: &History, pair: &Pair) {
    let (shops, told) = (history.shops(), history.told(history.envelopes(run)));
    let expected = in_order(run, &told, &shops).await;
    open_stock(backend.store(), &ample_rows(run)).await;
    backend.plant_faults();
    both_work(backend.store(), history.arrive(&told), pair, &shops).await;
    assert_eq!(end(backend.store(), run, &facts(&told)).await, expected);
    assert_eq!(backend.violations().await, Vec::<String>::new());
}

/// Every permutation has items and orders of its own, for all of them share a database.
async fn every_order<B: Backend, const WEBHOOKS: usize>(
    _: &B,
    _: u64,
    history: &History,
    way: &Strategy,
) {
    let (backend, shops) = (B::open().await, history.shops());
    let places: Vec<usize> = (0..history.few(1, WEBHOOKS).len()).collect();
    for (run, places) in (1..).zip(permutations(&places)) {
        let sent = history.few(run, WEBHOOKS);
        let expected = in_order(run, &sent, &shops).await;
        let arriving: Vec<_> = places.iter().map(|at| Work::new(sent[*at].clone(), 0)).collect();
        let in_batch = if run % 2 == 0 { 1 } else { history.batch };
        let batches = arriving.chunks(in_batch).map(<[Work]>::to_vec).collect();
        open_stock(backend.store(), &ample_rows(run)).await;
        work_off(backend.store().clone(), batches, &shops, way.clone()).await;
        let end = end(backend.store(), run, &facts(&sent)).await;
        assert_eq!(end, expected, "arrived as {places:?}");
    }
    assert_eq!(backend.violations().await, Vec::<String>::new());
}

fn ample_rows(run: u64) -> Vec<(StockKey, i64)> {
    stock_rows(run).into_iter().map(|key| (key, AMPLE)).collect()
}

/// The end where everything arrives as it happened.
async fn in_order(run: u64, told: &[Envelope], shops: &Arc<Shops>) -> End {
    let store = MemoryStore::default();
    open_stock(&store, &ample_rows(run)).await;
    let one_by_one = told.iter().map(|one| vec![Work::new(one.clone(), 0)]).collect();
    work_off(store.clone(), one_by_one, shops, Strategy::Optimistic).await;
    store.assert_sound();
    end(&store, run, &facts(told)).await
}

async fn scarce<B: Backend>(backend: &B, run: u64, history: &History, pair: &Pair) {
    let (shops, told) = (history.shops(), history.told(history.envelopes(run)));
    let rows: Vec<_> = stock_rows(run).into_iter().zip(history.scarce.clone()).collect();
    let mut model = Model::default();
    for (key, units) in &rows {
        model.open_stock(key.sku.as_str(), key.location.as_str(), *units, 0);
    }
    let store = Logged::new(backend.store().clone());
    open_stock(&store, &rows).await;
    both_work(&store, history.arrive(&told), pair, &shops).await;

    let facts = facts(&told);
    let policy = &shops.get(&ShopId::new("demo")).expect("named").policy;
    for webhook in store.log().await {
        if let Some((key, fact)) = facts.get(&without_twin(webhook)) {
            model.apply(key, fact, policy);
        }
    }
    let (stock, orders) = end(&store, run, &facts).await;
    assert_eq!(stock, model.stock());
    for (key, order) in orders {
        assert_eq!(order, model.order(&key), "{key}");
    }
    assert_eq!(backend.violations().await, Vec::<String>::new());
}

fn stock_rows(run: u64) -> Vec<StockKey> {
    let rows = History::skus(run).into_iter().flat_map(|sku| {
        LOCATIONS.map(|location| StockKey::new(&Sku::new(&sku), &LocationId::new(location)))
    });
    rows.collect()
}

/// What each webhook says, and of which order.
fn facts(sent: &[Envelope]) -> BTreeMap<WebhookKey, (OrderKey, OrderFact)> {
    let facts = sent.iter().filter_map(|envelope| {
        let fact = match platforms::parse(envelope) {
            Meaning::Fact(Fact::Order(fact)) => *fact,
            // Topics that carry nothing beyond what the order's own webhooks say.
            Meaning::Ignored(_) => return None,
            Meaning::Fact(other) => panic!("an order does not send {other:?}"),
            Meaning::Dead { detail, .. } => panic!("what the platform sends is dead: {detail}"),
        };
        let order = OrderKey { shop: envelope.shop.clone(), order: fact.order.clone() };
        Some((envelope.key(), (order, fact)))
    });
    facts.collect()
}

/// A twin says what its webhook said.
fn without_twin(mut key: WebhookKey) -> WebhookKey {
    key.webhook = key.webhook.as_str().trim_end_matches("-twin").into();
    key
}

/// Units on hand and committed per row; what each order holds, and whether it is short.
type End =
    (BTreeMap<StockKey, (i64, i64)>, BTreeMap<OrderKey, (BTreeMap<StockKey, Holding>, bool)>);

async fn end<S: Store>(
    store: &S,
    run: u64,
    facts: &BTreeMap<WebhookKey, (OrderKey, OrderFact)>,
) -> End {
    let orders: BTreeSet<OrderKey> = facts.values().map(|(key, _)| key.clone()).collect();
    let skus = History::skus(run).iter().map(Sku::new).collect();
    let keys = Keys { orders, skus, ..Keys::default() };
    let view = store.load(&keys).await.expect("loads");
    let stock = stock_rows(run).into_iter().map(|key| {
        let row = view.stock.get(&key);
        (key, (row.on_hand, row.committed))
    });
    let orders = view.orders.into_iter().map(|(key, order)| {
        let held = order.holdings.into_iter().filter(|(_, held)| !held.is_empty());
        (key, (held.collect(), order.short.is_some()))
    });
    (stock.collect(), orders.collect())
}

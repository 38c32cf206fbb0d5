//! Promises P2–P7 over random histories, with two workers at work at the same time, on every store.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::order::Holding;
use domain::stock::Cause;
use domain::{
    Batch, EnvelopeId, Fact, Keys, LocationId, Meaning, Move, MoveKind, OrderFact, OrderKey,
    ShopId, Sku, StockKey, Timestamp, WebhookKey,
};
use platforms::Shops;
use proptest::test_runner::{Config, TestRunner};
use store::postgres::{Postgres, PostgresConfig};
use store::sqlite::Sqlite;
use store::{Commit, Reports, Store};
use tempfile::TempDir;
use testkit::memory::{Fault, MemoryStore};
use testkit::model::Model;
use testkit::services::{TestDatabase, test_database};
use tokio::runtime::Runtime;
use worker::{Done, Processor, Strategy, Work};

use crate::histories::{History, LOCATIONS, history};
use crate::logged::Logged;

/// Nobody can ask for so many.
const AMPLE: i64 = 10_000;

/// A store that serves run after run.
trait Backend: Sized + Sync {
    type Store: Store;

    fn open() -> impl Future<Output = Self>;
    fn store(&self) -> &Self::Store;
    fn violations(&self) -> impl Future<Output = Vec<String>>;

    /// Plants what may go wrong without anybody noticing.
    fn plant_faults(&self) {}
}

struct Memory(MemoryStore);

impl Backend for Memory {
    type Store = MemoryStore;

    async fn open() -> Self {
        Self(MemoryStore::default())
    }

    fn store(&self) -> &MemoryStore {
        &self.0
    }

    async fn violations(&self) -> Vec<String> {
        self.0.check().iter().map(ToString::to_string).collect()
    }

    fn plant_faults(&self) {
        self.0.fail_next([Fault::AppliedUnavailable, Fault::TryAgain, Fault::Unavailable]);
    }
}

struct InSqlite {
    store: Sqlite,
    _folder: TempDir,
}

impl Backend for InSqlite {
    type Store = Sqlite;

    async fn open() -> Self {
        let folder = TempDir::new().expect("a folder");
        let store = Sqlite::open(&folder.path().join("onhand.db"), true).await.expect("opens");
        store.migrate().await.expect("migrates");
        Self { store, _folder: folder }
    }

    fn store(&self) -> &Sqlite {
        &self.store
    }

    async fn violations(&self) -> Vec<String> {
        violations(&self.store).await
    }
}

struct InPostgres {
    store: Postgres,
    _database: TestDatabase,
}

impl Backend for InPostgres {
    type Store = Postgres;

    async fn open() -> Self {
        let database = test_database().await;
        let config = PostgresConfig { url: database.url(), max_connections: 4 };
        Postgres::migrate(&config).await.expect("migrates");
        Self { store: Postgres::new(&config).expect("a good URL"), _database: database }
    }

    fn store(&self) -> &Postgres {
        &self.store
    }

    async fn violations(&self) -> Vec<String> {
        violations(&self.store).await
    }
}

async fn violations<S: Reports>(store: &S) -> Vec<String> {
    let found = store.verify().await.expect("verifies").violations;
    found.iter().map(|violation| format!("{violation:?}")).collect()
}

macro_rules! on_every_store {
    ($($name:ident: $backend:ty, $cases:literal;)+) => {$(
        mod $name {
            use super::*;

            #[test]
            fn with_stock_enough_the_end_is_that_of_delivery_in_order() {
                run_cases::<$backend>($cases, ample);
            }

            #[test]
            fn with_stock_scarce_the_end_is_that_of_the_model_in_commit_order() {
                run_cases::<$backend>($cases, scarce);
            }
        }
    )+};
}

on_every_store! {
    memory: Memory, 150;
    sqlite: InSqlite, 40;
    postgres: InPostgres, 40;
}

fn run_cases<B: Backend>(cases: u32, case: impl AsyncFn(&B, u64, &History)) {
    let runtime = Runtime::new().expect("a runtime");
    let backend = runtime.block_on(B::open());
    // Counts while shrinking too.
    let run = AtomicU64::new(1);
    let config =
        Config { cases, max_shrink_iters: 200, failure_persistence: None, ..Config::default() };
    let checked = TestRunner::new(config).run(&history(), |history| {
        let run = run.fetch_add(1, Ordering::SeqCst);
        runtime.block_on(case(&backend, run, &history));
        Ok(())
    });
    // The database goes with its runtime still there.
    runtime.block_on(async { drop(backend) });
    checked.unwrap_or_else(|failure| panic!("{failure}"));
}

async fn ample<B: Backend>(backend: &B, run: u64, history: &History) {
    let (shops, sent) = (history.shops(), history.envelopes(run));
    let rows: Vec<_> = stock_rows(run).into_iter().map(|key| (key, AMPLE)).collect();
    let straight = MemoryStore::default();
    open_stock(&straight, &rows).await;
    let one_by_one = sent.iter().map(|one| vec![Work::new(one.clone(), 0)]).collect();
    work_off(straight.clone(), one_by_one, &shops, Strategy::Optimistic).await;
    straight.assert_sound();

    open_stock(backend.store(), &rows).await;
    backend.plant_faults();
    both_work(backend.store(), history, &sent, &shops).await;
    let facts = facts(&sent);
    let (end, expected) =
        (end(backend.store(), run, &facts).await, end(&straight, run, &facts).await);
    assert_eq!(end, expected);
    assert_eq!(backend.violations().await, Vec::<String>::new());
}

async fn scarce<B: Backend>(backend: &B, run: u64, history: &History) {
    let (shops, sent) = (history.shops(), history.envelopes(run));
    let rows: Vec<_> = stock_rows(run).into_iter().zip(history.scarce.clone()).collect();
    let mut model = Model::default();
    for (key, units) in &rows {
        model.open_stock(key.sku.as_str(), key.location.as_str(), *units, 0);
    }
    let store = Logged::new(backend.store().clone());
    open_stock(&store, &rows).await;
    both_work(&store, history, &sent, &shops).await;

    let facts = facts(&sent);
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

/// Two workers, each with its half, at the same time.
async fn both_work<S: Store>(
    store: &S,
    history: &History,
    sent: &[domain::Envelope],
    shops: &Arc<Shops>,
) {
    let [one, other] = history.arrive(sent);
    let [first, second] = history.locks;
    let tasks = tokio_util::task::TaskTracker::new();
    let spawn = |batches, strategy| {
        let (store, shops) = (store.clone(), Arc::clone(shops));
        tasks.spawn(async move { work_off(store, batches, &shops, strategy).await })
    };
    let (one, other) = (spawn(one, first), spawn(other, second));
    one.await.expect("the first worker finishes");
    other.await.expect("the second worker finishes");
}

async fn work_off<S: Store>(
    store: S,
    batches: Vec<Vec<Work>>,
    shops: &Arc<Shops>,
    strategy: Strategy,
) {
    let mut processor = Processor::new(store, strategy);
    for batch in batches {
        let done = loop {
            // A failure is an outage: the same again.
            if let Ok(done) = processor.process(batch.clone(), shops, true).await {
                break done;
            }
        };
        assert!(done.iter().all(|one| matches!(one, Done::Decided(_))), "{done:?}");
    }
}

fn stock_rows(run: u64) -> Vec<StockKey> {
    let rows = History::skus(run).into_iter().flat_map(|sku| {
        LOCATIONS.map(|location| StockKey::new(&Sku::new(&sku), &LocationId::new(location)))
    });
    rows.collect()
}

async fn open_stock<S: Store>(store: &S, rows: &[(StockKey, i64)]) {
    let mut batch = Batch::new(domain::View::default());
    let correlation = EnvelopeId(uuid::Uuid::nil());
    let reason = "opening".to_owned();
    let cause = Cause { shop: None, order: None, webhook: None, correlation, reason };
    for (key, units) in rows {
        let kind = MoveKind::Opening;
        let change = Move { key: key.clone(), kind, on_hand_delta: *units, committed_delta: 0 };
        batch.move_stock(change, &cause, Timestamp(0)).expect("allowed");
    }
    assert_eq!(store.commit(&batch.into_changes()).await.expect("commits"), Commit::Applied);
}

/// What each webhook says, and of which order.
fn facts(sent: &[domain::Envelope]) -> BTreeMap<WebhookKey, (OrderKey, OrderFact)> {
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

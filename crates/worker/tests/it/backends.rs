//! The stores that histories run on, and the workers that work them off.

use std::future::Future;
use std::sync::Arc;

use domain::stock::Cause;
use domain::{Batch, EnvelopeId, Move, MoveKind, StockKey, Timestamp};
use platforms::Shops;
use store::postgres::{Postgres, PostgresConfig};
use store::sqlite::Sqlite;
use store::{Commit, Reports, Store};
use tempfile::TempDir;
use testkit::memory::{Fault, MemoryStore};
use testkit::services::{TestDatabase, test_database};
use tokio::runtime::{Builder, Runtime};
use worker::{Done, Processor, Strategy, Work};

use crate::ways::{Pair, Ways};

/// A store that serves run after run.
pub(crate) trait Backend: Sized + Sync {
    type Store: Store;

    fn open() -> impl Future<Output = Self>;

    /// For workers that get in each other's way.
    fn open_for_two() -> impl Future<Output = Self> {
        Self::open()
    }

    /// What two workers run on.
    fn runtime() -> Runtime {
        Builder::new_current_thread().enable_all().build().expect("a runtime")
    }

    /// How they may go.
    fn ways() -> impl Future<Output = Ways> {
        Ways::open()
    }

    fn store(&self) -> &Self::Store;
    fn violations(&self) -> impl Future<Output = Vec<String>>;

    /// Plants what may go wrong without anybody noticing.
    fn plant_faults(&self) {}
}

pub(crate) struct Memory(MemoryStore);

impl Backend for Memory {
    type Store = MemoryStore;

    async fn open() -> Self {
        Self(MemoryStore::default())
    }

    fn store(&self) -> &MemoryStore {
        &self.0
    }

    async fn open_for_two() -> Self {
        Self(MemoryStore::far_away())
    }

    /// Its clock goes on as soon as everybody waits: however busy the machine is, who waits for what is
    /// the same.
    fn runtime() -> Runtime {
        let mut builder = Builder::new_current_thread();
        builder.enable_all().start_paused(true).build().expect("a runtime")
    }

    /// A real Redis has a clock of its own.
    async fn ways() -> Ways {
        Ways::default()
    }

    async fn violations(&self) -> Vec<String> {
        self.0.check().iter().map(ToString::to_string).collect()
    }

    fn plant_faults(&self) {
        self.0.fail_next([Fault::AppliedUnavailable, Fault::TryAgain, Fault::Unavailable]);
    }
}

pub(crate) struct InSqlite {
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

pub(crate) struct InPostgres {
    store: Postgres,
    pub(crate) database: TestDatabase,
}

impl Backend for InPostgres {
    type Store = Postgres;

    async fn open() -> Self {
        let database = test_database().await;
        let config = PostgresConfig { url: database.url(), max_connections: 4 };
        Postgres::migrate(&config).await.expect("migrates");
        Self { store: Postgres::new(&config).expect("a good URL"), database }
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

/// Two workers, each with its half, at the same time: whoever waits for the store has the other one go
/// on.
pub(crate) async fn both_work<S: Store>(
    store: &S,
    [one, other]: [Vec<Vec<Work>>; 2],
    pair: &Pair,
    shops: &Arc<Shops>,
) {
    let [first, second] = pair.workers(store);
    tokio::join!(work(first, one, shops), work(second, other, shops));
}

pub(crate) async fn work_off<S: Store>(
    store: S,
    batches: Vec<Vec<Work>>,
    shops: &Arc<Shops>,
    strategy: Strategy,
) {
    work(Processor::new(store, strategy), batches, shops).await;
}

async fn work<S: Store>(mut processor: Processor<S>, batches: Vec<Vec<Work>>, shops: &Arc<Shops>) {
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

/// Opens stock rows with so many units.
pub(crate) async fn open_stock<S: Store>(store: &S, rows: &[(StockKey, i64)]) {
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

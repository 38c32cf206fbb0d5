//! The store on PostgreSQL under the contract, and what only it has to promise: what becomes of
//! connections.

use domain::{ChangeSet, Decided, Keys};
use futures_util::poll;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, Row};
use store::postgres::{Postgres, PostgresConfig};
use store::{Commit, ConflictKey, Store, StoreError};
use testkit::chaos::{ChaosProxy, Then, Trigger};
use testkit::services::{self, TestDatabase, test_database};
use testkit::shopify::ShopifyOrder;

use crate::harness::{
    SchemaVersions, Sent, TABLES, TestStore, apply, decide, decided, ignored, keys, order_key,
    sent, soon, sound, stock_key, stock_moves, units,
};

conformance_suite!(TestPostgres);

pub(crate) struct TestPostgres {
    store: Postgres,
    database: TestDatabase,
}

impl TestStore for TestPostgres {
    type Store = Postgres;

    const TWO_HOURS_AGO: &'static str = "now() - interval '2 hours'";

    async fn create() -> Self {
        let database = test_database().await;
        Self { store: store(database.url(), 8), database }
    }

    async fn migrate(&self) -> Result<SchemaVersions, StoreError> {
        Postgres::migrate(&config(self.database.url(), 1)).await
    }

    async fn schema_versions(&self) -> Result<SchemaVersions, StoreError> {
        self.store.schema_versions().await
    }

    fn store(&self) -> &Postgres {
        &self.store
    }

    async fn another(&self) -> Postgres {
        store(self.database.url(), 4)
    }

    async fn sql(&self, sql: &str) -> u64 {
        let mut connection = self.connection().await;
        let done = sqlx::query(AssertSqlSafe(sql.to_owned()))
            .execute(&mut connection)
            .await
            .expect("runs");
        connection.close().await.expect("closes");
        done.rows_affected()
    }

    async fn oversell(&self) {
        self.sql("ALTER TABLE stock DROP CONSTRAINT stock_never_oversold").await;
        self.sql("UPDATE stock SET committed = on_hand + 1").await;
    }

    async fn deadlocks(&self) -> i64 {
        self.number("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
            .await
    }

    async fn dump(&self) -> Vec<String> {
        let mut connection = self.connection().await;
        let mut dump = Vec::new();
        for table in TABLES {
            let sql = format!("SELECT '{table}: ' || t::text FROM {table} AS t");
            let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut connection).await;
            dump.extend(
                rows.expect("a table can be read").iter().map(|row| row.get::<String, _>(0)),
            );
        }
        connection.close().await.expect("closes");
        dump.sort_unstable();
        dump
    }
}

impl TestPostgres {
    async fn connection(&self) -> PgConnection {
        let options: PgConnectOptions = self.database.url().parse().expect("a URL");
        options.connect().await.expect("the server answers")
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let mut connection = self.connection().await;
        let row = sqlx::query(AssertSqlSafe(sql.to_owned()))
            .fetch_one(&mut connection)
            .await
            .expect("runs");
        connection.close().await.expect("closes");
        row.get(0)
    }

    /// A proxy before the server, and a store behind it.
    async fn through_proxy(&self, connections: usize) -> (ChaosProxy, Postgres) {
        let url = self.database.url();
        let (_, rest) = url.split_once("://").expect("a URL has a scheme");
        let authority = rest.split(['/', '?']).next().expect("split gives one");
        let address = authority.rsplit('@').next().expect("split gives one");
        let proxy = ChaosProxy::start(address).await;
        let store = store(proxy.url(&url), connections);
        (proxy, store)
    }

    /// Waits until no other session is at work or in a transaction.
    async fn calm(&self) {
        soon("open transactions to end", async {
            while self
                .number(
                    "SELECT count(*) FROM pg_stat_activity
                     WHERE datname = current_database() AND pid <> pg_backend_pid()
                       AND backend_type = 'client backend' AND state <> 'idle'",
                )
                .await
                > 0
            {}
        })
        .await;
    }
}

fn config(url: String, max_connections: usize) -> PostgresConfig {
    PostgresConfig { url, max_connections }
}

fn store(url: String, max_connections: usize) -> Postgres {
    Postgres::new(&config(url, max_connections)).expect("a good URL")
}

fn placed(id: u64) -> Sent {
    sent(id.into(), &ShopifyOrder::new(id).line("BOWL", 1), "orders/create")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_to_a_commit_is_unknown_until_it_is_loaded() {
    let test = TestPostgres::open().await;
    stock_moves(test.store(), "BOWL", 10).await;
    let (proxy, store) = test.through_proxy(2).await;
    for (id, lock_first) in [(1, false), (2, true)] {
        let batch = [placed(id)];
        store.load(&keys(&batch)).await.expect("connects");
        proxy.drop_replies_after(Trigger::Commit, Then::Cut);
        let answer = if lock_first {
            let (claim, view) = store.claim(&keys(&batch)).await.expect("claims");
            store.commit_claim(claim, &decide(view, &batch).0).await
        } else {
            store.commit(&decided(&store, &batch).await.0).await
        };
        assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
        soon("the lost answer", proxy.wait_hit()).await;

        let view = recovered(&store, &keys(&batch)).await;
        assert!(view.webhooks.contains_key(&batch[0].key()), "it had happened");
        let (changes, _) = decide(view, &batch);
        assert!(changes.is_empty(), "so there is nothing left to do");
    }
    assert_eq!(units(test.store(), "BOWL").await, (10, 2));
    sound(test.store()).await;
}

/// Loads until a connection is made again.
async fn recovered(store: &Postgres, keys: &Keys) -> domain::View {
    soon("a new connection", async {
        loop {
            match store.load(keys).await {
                Ok(view) => return view,
                Err(StoreError::Unavailable(_)) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_was_cut_serves_nobody_again() {
    let test = TestPostgres::open().await;
    stock_moves(test.store(), "BOWL", 100).await;
    let (proxy, store) = test.through_proxy(1).await;
    for id in 1..=5 {
        let batch = [placed(id)];
        let (changes, _) = decided(&store, &batch).await;
        proxy.stall();
        let mut commit = Box::pin(store.commit(&changes));
        assert!(poll!(&mut commit).is_pending());
        proxy.cut();
        let answer = soon("the cut", commit).await;
        assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
        proxy.resume();
        // The pool has one place: it must be free, and for a new connection.
        let view = recovered(&store, &keys(&batch)).await;
        let (changes, _) = decide(view, &batch);
        assert_eq!(store.commit(&changes).await.expect("commits"), Commit::Applied);
    }
    assert_eq!(units(test.store(), "BOWL").await, (100, 5));
    sound(test.store()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_dropped_while_it_waits_leaves_no_transaction_open() {
    let test = TestPostgres::open().await;
    let store = test.store();
    stock_moves(store, "BOWL", 10).await;
    let batch = [placed(1), ignored(2)];
    let (changes, _) = decided(store, &batch).await;
    let items = Keys { skus: keys(&batch).skus, ..Keys::default() };
    let (claim, _) = store.claim(&items).await.expect("claims");

    let mut commit = Box::pin(store.commit(&changes));
    soon("the commit to wait for the claim", async {
        let waiting = "SELECT count(*) FROM pg_stat_activity
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while test.number(waiting).await == 0 {
            assert!(poll!(&mut commit).is_pending());
        }
    })
    .await;
    drop(commit);
    drop(claim);
    test.calm().await;
    apply_or_find(store, &batch).await;
    sound(store).await;
}

/// It may have happened, or not: one of the two.
async fn apply_or_find(store: &Postgres, batch: &[Sent]) {
    apply(store, batch).await;
    let view = store.load(&keys(batch)).await.expect("loads");
    assert_eq!(view.webhooks.len(), batch.len());
    assert_eq!(units(store, "BOWL").await, (10, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claims_of_different_rows_do_not_wait_for_each_other() {
    let test = TestPostgres::open().await;
    let store = test.store();
    stock_moves(store, "BOWL", 10).await;
    stock_moves(store, "CUP", 10).await;
    let bowl = [placed(1)];
    let cup = [sent(2, &ShopifyOrder::new(2).line("CUP", 1), "orders/create")];
    let (first, view) = store.claim(&keys(&bowl)).await.expect("claims");
    let (second, other_view) =
        soon("a claim of other rows", store.claim(&keys(&cup))).await.expect("claims");
    for (claim, view, batch) in [(second, other_view, &cup), (first, view, &bowl)] {
        let answer = store.commit_claim(claim, &decide(view, batch).0).await;
        assert_eq!(answer.expect("commits"), Commit::Applied);
    }
    sound(store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ended_sessions_are_replaced() {
    let test = TestPostgres::open().await;
    let store = test.store();
    stock_moves(store, "BOWL", 10).await;
    // Fills the pool.
    let nothing = Keys::default();
    let loads = (0..8).map(|_| store.load(&nothing));
    assert!(futures_util::future::join_all(loads).await.iter().all(Result::is_ok));
    let (claim, view) = store.claim(&keys(&[placed(1)])).await.expect("claims");
    let ended = test
        .sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await;
    assert!(ended >= 2, "{ended} sessions were there");
    let answer = store.commit_claim(claim, &decide(view, &[placed(1)]).0).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");

    recovered(store, &Keys::default()).await;
    test.calm().await;
    // Not one broken connection is left.
    for id in 2..20 {
        recovered(store, &keys(&[placed(id)])).await;
    }
    apply(store, &[placed(1)]).await;
    assert_eq!(units(store, "BOWL").await, (10, 1));
    sound(store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pool_recovers_when_the_server_does() {
    let mut server = services::Postgres::start().await;
    let config = config(server.url(), 4);
    Postgres::migrate(&config).await.expect("migrates");
    let store = Postgres::new(&config).expect("a good URL");
    stock_moves(&store, "BOWL", 10).await;
    apply(&store, &[placed(1)]).await;

    server.kill9();
    let answer = store.load(&Keys::default()).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    assert!(matches!(store.ping().await, Err(StoreError::Unavailable(_))));
    server.start_again().await;
    soon("the server", async { while store.ping().await.is_err() {} }).await;
    apply(&store, &[placed(2)]).await;

    server.restart_fast().await;
    soon("the server", async { while store.ping().await.is_err() {} }).await;
    recovered(&store, &keys(&[placed(3)])).await;
    apply(&store, &[placed(3)]).await;
    assert_eq!(units(&store, "BOWL").await, (10, 3));
    sound(&store).await;
}

/// A worker that waits for the store must not take a standby for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_takes_no_writes_is_not_available() {
    let test = TestPostgres::open().await;
    test.store().ping().await.expect("it answers and takes writes");
    let mut connection = test.connection().await;
    let sql = "DO $$ BEGIN EXECUTE format(
        'ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$";
    sqlx::raw_sql(sql).execute(&mut connection).await.expect("runs");
    connection.close().await.expect("closes");

    let store = test.another().await;
    let answer = store.ping().await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    let (changes, _) = decided(&store, &[ignored(1)]).await;
    let answer = store.commit(&changes).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
}

/// An order that seems to hold more than is committed at all could not be decided.
#[tokio::test]
async fn what_is_loaded_together_was_true_together() {
    let test = TestPostgres::open().await;
    let store = test.store();
    stock_moves(store, "BOWL", 5).await;
    let order = ShopifyOrder::new(1).line("BOWL", 5);
    apply(store, &[sent(1, &order, "orders/create")]).await;

    let mut other = test.connection().await;
    let blocked = "BEGIN; LOCK TABLE stock IN ACCESS EXCLUSIVE MODE";
    other.execute(blocked).await.expect("locks");
    let keys = keys(&[sent(2, &order, "orders/updated")]);
    let release = async {
        // All is read by now but the stock.
        let waiting = "SELECT count(*) FROM pg_stat_activity
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while test.number(waiting).await == 0 {}
        let released =
            "UPDATE order_stock SET committed = 0; UPDATE stock SET committed = 0; COMMIT";
        other.execute(released).await.expect("commits");
    };
    let (view, ()) = soon("the load", async { tokio::join!(store.load(&keys), release) }).await;
    let view = view.expect("loads");
    let held = view.orders[&order_key(&order)].committed(&"BOWL".into());
    assert_eq!(view.stock.get(&stock_key("BOWL")).committed, held);
}

/// The claim waits for one item's row; meanwhile its order comes to hold units of another, which it did
/// not look for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_changed_while_it_was_claimed_is_claimed_again() {
    let test = TestPostgres::open().await;
    stock_moves(test.store(), "BOWL", 10).await;
    stock_moves(test.store(), "PLATE", 10).await;
    let mut holder = test.connection().await;
    holder.execute("BEGIN; SELECT FROM stock WHERE sku = 'PLATE' FOR UPDATE").await.expect("locks");

    let mut wanted = Keys { orders: keys(&[placed(5)]).orders, ..Keys::default() };
    wanted.skus.insert(stock_key("PLATE").sku);
    let claimer = test.another().await;
    let claim = claimer.claim(&wanted);
    let meddle = async {
        let waiting = "SELECT count(*) FROM pg_stat_activity
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        soon("the claim to wait", async { while test.number(waiting).await == 0 {} }).await;
        apply(test.store(), &[placed(5)]).await;
        holder.execute("ROLLBACK").await.expect("lets go");
    };
    let (torn, ()) = tokio::join!(claim, meddle);
    assert!(matches!(torn, Err(StoreError::TryAgain(_))), "{:?}", torn.map(|(_, view)| view));
    let (_, view) = claimer.claim(&wanted).await.expect("claims");
    assert_eq!(view.stock.get(&stock_key("BOWL")).committed, 1);
    sound(test.store()).await;
}

/// The claim has read stock and waits for what orders hold; meanwhile one comes to hold more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_grew_while_its_items_were_held_by_name_is_claimed_again() {
    let test = TestPostgres::open().await;
    stock_moves(test.store(), "BOWL", 10).await;
    apply(test.store(), &[placed(5)]).await;
    let (claimer, wanted) = (test.another().await, keys(&[placed(5)]));
    // From then on its connection need not prepare anything, which would wait, too.
    let (claim, _) = claimer.claim_by_name(&wanted).await.expect("claims");
    claimer.commit_claim(claim, &ChangeSet::default()).await.expect("commits");
    let mut holder = test.connection().await;
    holder.execute("BEGIN; LOCK TABLE order_stock").await.expect("locks");
    let grow = async {
        let waiting = "SELECT count(*) FROM pg_stat_activity
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        soon("the claim to wait", async { while test.number(waiting).await == 0 {} }).await;
        let grown = "UPDATE order_stock SET committed = 4; UPDATE stock SET committed = 4; COMMIT";
        holder.execute(grown).await.expect("commits");
    };
    let (torn, ()) = tokio::join!(claimer.claim_by_name(&wanted), grow);
    assert!(matches!(torn, Err(StoreError::TryAgain(_))), "{:?}", torn.map(|(_, view)| view));
    let (_, view) = claimer.claim_by_name(&wanted).await.expect("claims");
    assert_eq!(view.stock.get(&stock_key("BOWL")).committed, 4);
}

/// Advisory locks are heeded by those alone who take them: the version is the fence against all others.
#[tokio::test]
async fn who_holds_an_item_by_name_does_not_hold_up_others_and_loses_to_them() {
    let test = TestPostgres::open().await;
    let (holder, other) = (test.store(), test.another().await);
    stock_moves(holder, "BOWL", 10).await;
    let batch = [sent(1, &ShopifyOrder::new(1).line("BOWL", 7), "orders/create")];
    let (claim, view) = holder.claim_by_name(&keys(&batch)).await.expect("claims");
    let placed = sent(2, &ShopifyOrder::new(2).line("BOWL", 7), "orders/create");
    soon("the other", apply(&other, &[placed])).await;

    let (changes, _) = decide(view, &batch);
    let late = holder.commit_claim(claim, &changes).await.expect("answers");
    assert_eq!(late, Commit::Conflict(vec![ConflictKey::Stock(stock_key("BOWL"))]));
    assert_eq!(units(holder, "BOWL").await, (10, 7), "sold once");
    sound(holder).await;
}

/// During an upgrade: a worker of before the inbox was keyed by order put the webhook elsewhere.
#[tokio::test]
async fn a_repeat_of_a_webhook_that_two_releases_have_put_into_the_inbox_is_counted_once() {
    let test = TestPostgres::open().await;
    stock_moves(test.store(), "BOWL", 10).await;
    let first = sent(1, &ShopifyOrder::new(1).line("BOWL", 3), "orders/create");
    apply(test.store(), std::slice::from_ref(&first)).await;
    let older = "INSERT INTO webhooks (webhook_id, shop, body_hash, envelope_id, topic, order_id,
            outcome, received_at, decided_at)
        SELECT webhook_id, shop, body_hash, gen_random_uuid(), topic, order_id,
            outcome, received_at, decided_at FROM webhooks";
    test.sql(older).await;
    apply(test.store(), &[first.again(2)]).await;
    assert_eq!(test.number("SELECT sum(deliveries)::bigint FROM webhooks").await, 3);
    assert_eq!(test.number("SELECT count(*) FROM webhooks WHERE deliveries = 2").await, 1);
}

/// Nobody removes rows of the inbox. Should somebody all the same, nothing is made up in their place.
#[tokio::test]
async fn a_repeat_of_a_webhook_that_is_gone_is_a_conflict_and_leaves_nothing() {
    let test = TestPostgres::open().await;
    let first = ignored(1);
    apply(test.store(), std::slice::from_ref(&first)).await;
    let (changes, answers) = decided(test.store(), &[first.again(2)]).await;
    assert_eq!(answers, [Decided::Duplicate]);
    test.sql("DELETE FROM webhooks").await;
    let gone = Commit::Conflict(vec![ConflictKey::Webhook(first.key())]);
    assert_eq!(test.store().commit(&changes).await.expect("answers"), gone);
    assert_eq!(test.number("SELECT count(*) FROM webhooks").await, 0);
}

/// Half built by a migration that was killed, and wanted by several at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrations_side_by_side_finish_and_mend_an_index_that_was_left_half_built() {
    let test = TestPostgres::create().await;
    test.migrate().await.expect("migrates");
    let half_built = ["webhooks_by_webhook", "orders_by_name", "dead_letters_by_reason"];
    test.sql("DELETE FROM _sqlx_migrations WHERE version IN (7, 11, 14)").await;
    let list = half_built.map(|index| format!("'{index}'::regclass")).join(", ");
    let invalid = format!("UPDATE pg_index SET indisvalid = false WHERE indexrelid IN ({list})");
    test.sql(&invalid).await;
    let all = futures_util::future::join_all((0..4).map(|_| test.migrate()));
    for migrated in soon("all migrations", all).await {
        migrated.expect("migrates");
    }
    let valid =
        format!("SELECT count(*) FROM pg_index WHERE indisvalid AND indexrelid IN ({list})");
    assert_eq!(test.number(&valid).await, 3);
}

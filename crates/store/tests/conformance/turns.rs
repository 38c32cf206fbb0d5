//! The turn among processes, which only PostgreSQL has: nobody shares a SQLite file.

use std::pin::pin;

use futures_util::future::{Either, select};
use store::{Commit, Store};
use testkit::shopify::ShopifyOrder;

use crate::harness::{TestStore, decided, sent, soon, sound, stock_moves};
use crate::lanes::lanes_in_turn_lose_no_update_and_meet_no_conflict;
use crate::postgres::TestPostgres;

/// Locks on the turn that somebody has, or waits for.
const HAD: &str = "SELECT count(*) FROM pg_locks
    WHERE relation = 'process_turn'::regclass AND granted";
const AWAITED: &str = "SELECT count(*) FROM pg_locks
    WHERE relation = 'process_turn'::regclass AND NOT granted";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_have_it_one_after_the_other() {
    let test = TestPostgres::open().await;
    let (store, other) = (test.store(), test.another().await);
    let turn = store.process_turn().await.expect("gets it");
    assert_eq!(turn.others, 0);
    let mut waiting = Box::pin(other.process_turn());
    test.waits(&mut waiting).await;
    drop(turn);
    let turn = soon("its turn", waiting).await.expect("gets it");
    assert_eq!(turn.others, 1, "it had to wait");
    drop(turn);
    test.nobody(HAD).await;
    assert_eq!(store.process_turn().await.expect("gets it").others, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lanes_in_turn_meet_no_conflict() {
    lanes_in_turn_lose_no_update_and_meet_no_conflict::<TestPostgres>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_keeps_nobody_out_who_does_not_ask() {
    let test = TestPostgres::open().await;
    let store = test.store();
    stock_moves(store, "CUP", 10).await;
    let _turn = store.process_turn().await.expect("gets it");
    let order = ShopifyOrder::new(1).line("CUP", 1);
    let (changes, _) = decided(store, &[sent(1, &order, "orders/create")]).await;
    let commit = soon("the commit", test.another().await.commit(&changes)).await;
    assert_eq!(commit.expect("commits"), Commit::Applied);
    sound(store).await;
}

/// More often than there are connections, and each of them serves again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_connection_goes_back_to_the_pool() {
    let test = TestPostgres::open().await;
    for _ in 0..20 {
        drop(soon("a connection", test.store().process_turn()).await.expect("gets it"));
    }
    test.nobody(HAD).await;
    let sessions = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'onhand'";
    let open = test.number(sessions).await;
    assert!(open <= 8, "{open} sessions of at most 8");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_ends_with_its_session() {
    let test = TestPostgres::open().await;
    let (store, other) = (test.store(), test.another().await);
    let turn = store.process_turn().await.expect("gets it");
    let mut waiting = Box::pin(other.process_turn());
    test.waits(&mut waiting).await;
    let ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_locks
        WHERE relation = 'process_turn'::regclass AND granted";
    assert_eq!(test.number(ended).await, 1);
    let next = soon("the turn of one that is gone", waiting).await.expect("gets it");
    drop((turn, next));
    soon("the turn", store.process_turn()).await.expect("a connection that died is replaced");
}

/// Else dead versions of stock rows would pile up while somebody waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_it_or_waits_for_it_has_no_snapshot() {
    let test = TestPostgres::open().await;
    let (store, other) = (test.store(), test.another().await);
    let turn = store.process_turn().await.expect("gets it");
    let mut waiting = Box::pin(other.process_turn());
    test.waits(&mut waiting).await;
    let snapshots = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'onhand'
          AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)";
    assert_eq!(test.number(snapshots).await, 0);
    drop(turn);
    waiting.await.expect("gets it");
}

impl TestPostgres {
    /// Until the server has `turn` wait.
    async fn waits<T>(&self, turn: impl Future<Output = T> + Unpin) {
        let is_waiting = async { while self.number(AWAITED).await == 0 {} };
        let is_had = match select(turn, pin!(is_waiting)).await {
            Either::Left(_) => true,
            Either::Right(_) => false,
        };
        assert!(!is_had, "two at once");
    }

    /// Waits until `sql` counts none.
    async fn nobody(&self, sql: &str) {
        soon("everybody to be gone", async { while self.number(sql).await > 0 {} }).await;
    }
}

//! Batches that lock before they read.

use domain::Keys;
use futures_util::poll;
use store::{Commit, ConflictKey, Store, StoreError};
use testkit::shopify::ShopifyOrder;

use crate::harness::{
    Sent, TestStore, apply, dead, decide, decided, ignored, keys, sent, soon, sound, stock_key,
    stock_moves, units,
};

/// A new order, a new webhook of an old one, a repeat and a dead one.
async fn mixed<T: TestStore>(test: &T) -> Vec<Sent> {
    let store = test.store();
    stock_moves(store, "BOWL", 10).await;
    let mut old = ShopifyOrder::new(1).line("BOWL", 1);
    let placed = sent(1, &old, "orders/create");
    apply(store, std::slice::from_ref(&placed)).await;
    let new = ShopifyOrder::new(2).line("BOWL", 2);
    vec![
        sent(2, &new, "orders/create"),
        sent(3, old.pay(), "orders/paid"),
        placed.again(4),
        dead(5),
        dead(5).again(6),
        ignored(7),
    ]
}

pub(crate) async fn a_claimed_batch_commits<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    let batch = mixed(&test).await;
    let (claim, view) = store.claim(&keys(&batch)).await.expect("claims");
    let (changes, _) = decide(view, &batch);
    assert_eq!(store.commit_claim(claim, &changes).await.expect("commits"), Commit::Applied);
    assert_eq!(units(store, "BOWL").await, (10, 3));
    sound(store).await;

    // What was dead is claimed and replayed.
    let replay = [dead(5).replayed().meaning(&ignored(5))];
    let (claim, view) = store.claim(&keys(&replay)).await.expect("claims");
    let (changes, _) = decide(view, &replay);
    assert_eq!(store.commit_claim(claim, &changes).await.expect("commits"), Commit::Applied);
    sound(store).await;
}

pub(crate) async fn a_claim_keeps_others_out<T: TestStore>() {
    let test = T::open().await;
    let (store, other) = (test.store(), test.another().await);
    let batch = mixed(&test).await;
    let (optimistic, _) = decided(&other, &batch).await;
    let (claim, view) = store.claim(&keys(&batch)).await.expect("claims");

    let batch_keys = keys(&batch);
    let mut second = Box::pin(other.claim(&batch_keys));
    let mut commit = Box::pin(other.commit(&optimistic));
    // Time enough to get in, if they could.
    for _ in 0..200 {
        assert!(poll!(&mut second).is_pending(), "two claims at once");
        assert!(poll!(&mut commit).is_pending(), "a commit got past a claim");
        tokio::task::yield_now().await;
    }
    let (changes, _) = decide(view, &batch);
    assert_eq!(store.commit_claim(claim, &changes).await.expect("commits"), Commit::Applied);
    // Whoever comes first holds the other up, so the claim is dropped as soon as it has read.
    let second = async { second.await.expect("claims").1 };
    let (view, commit) = soon("the others", async { tokio::join!(second, commit) }).await;
    assert!(matches!(commit, Ok(Commit::Conflict(_))), "{commit:?}");
    assert_eq!(view.stock.get(&stock_key("BOWL")).committed, 3, "it reads what was committed");
    sound(store).await;
}

pub(crate) async fn a_dropped_claim_lets_go_at_once_and_leaves_nothing<T: TestStore>() {
    let test = T::open().await;
    let (store, other) = (test.store(), test.another().await);
    let batch = mixed(&test).await;
    let before = test.dump().await;
    for _ in 0..10 {
        let (claim, _) = store.claim(&keys(&batch)).await.expect("claims");
        drop(claim);
        let (claim, _) =
            soon("the dropped locks", other.claim(&keys(&batch))).await.expect("claims");
        drop(claim);
    }
    assert_eq!(test.dump().await, before);
    let (changes, _) = decided(store, &batch).await;
    let answer = soon("the dropped locks", store.commit(&changes)).await.expect("commits");
    assert_eq!(answer, Commit::Applied);
    sound(store).await;
}

pub(crate) async fn an_unused_claim_leaves_nothing<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    let batch = mixed(&test).await;
    let before = test.dump().await;
    let (claim, _) = store.claim(&keys(&batch)).await.expect("claims");
    let answer = store.commit_claim(claim, &domain::ChangeSet::default()).await;
    assert_eq!(answer.expect("commits"), Commit::Applied);
    assert_eq!(test.dump().await, before);

    // Claimed all, used one.
    let (claim, view) = store.claim(&keys(&batch)).await.expect("claims");
    let (changes, _) = decide(view, &batch[5..]);
    assert_eq!(store.commit_claim(claim, &changes).await.expect("commits"), Commit::Applied);
    let rows = |table: &'static str| move |row: &&String| row.starts_with(table);
    let after = test.dump().await;
    assert_eq!(after.iter().filter(rows("webhooks")).count(), 2);
    assert_eq!(after.iter().filter(rows("orders")).count(), 1);
    let view = store.load(&keys(&batch)).await.expect("loads");
    assert_eq!((view.webhooks.len(), view.orders.len()), (2, 1));
    sound(store).await;
}

pub(crate) async fn a_claim_on_something_else_still_compares_versions<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    stock_moves(store, "BOWL", 10).await;
    let order = ShopifyOrder::new(1).line("BOWL", 1);
    let (stale, _) = decided(store, &[sent(1, &order, "orders/create")]).await;
    stock_moves(store, "BOWL", 1).await;
    let before = test.dump().await;
    let batch = [sent(1, &order, "orders/create"), ignored(2)];
    for claimed in [keys(&batch), Keys { skus: keys(&batch).skus, ..Keys::default() }] {
        let (claim, _) = store.claim(&claimed).await.expect("claims");
        let answer = store.commit_claim(claim, &stale).await.expect("answers");
        match answer {
            Commit::Conflict(rows) => {
                assert!(rows.contains(&ConflictKey::Stock(stock_key("BOWL"))), "{rows:?}");
            }
            Commit::Applied => panic!("a stale change set was applied"),
        }
        assert_eq!(test.dump().await, before);
    }
}

pub(crate) async fn a_rejected_claim_leaves_nothing<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    let batch = mixed(&test).await;
    let before = test.dump().await;
    // More often than there are connections.
    for _ in 0..20 {
        let (claim, view) = store.claim(&keys(&batch)).await.expect("claims");
        let (mut changes, _) = decide(view, &batch);
        for change in changes.stock.values_mut() {
            change.stock.on_hand = -1;
        }
        let answer = store.commit_claim(claim, &changes).await;
        assert!(matches!(answer, Err(StoreError::Rejected(_))), "{answer:?}");
    }
    assert_eq!(test.dump().await, before);
    apply(store, &batch).await;
    sound(store).await;
}

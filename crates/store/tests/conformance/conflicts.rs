//! A change set applies only if every row is still as it was read; else it names the rows that are
//! not, and writes nothing.

use domain::{ChangeSet, Decided, Operation, Stock, StockChange, Version};
use store::reports::WebhookFilter;
use store::{Commit, ConflictKey, Reports, Store};
use testkit::shopify::ShopifyOrder;

use crate::harness::{
    NOW, TestStore, apply, dead, decide, decided, ignored, keys, order_key, refused, sent, sound,
    stock_change, stock_key, stock_moves, units,
};

pub(crate) async fn a_webhook_that_is_there_is_a_conflict<T: TestStore>() {
    let test = T::open().await;
    let (changes, _) = decided(test.store(), &[ignored(1), ignored(2), ignored(3)]).await;
    apply(test.store(), &[ignored(2)]).await;
    refused(&test, &changes, &[ConflictKey::Webhook(ignored(2).key())]).await;
}

pub(crate) async fn an_order_that_was_written_meanwhile_is_a_conflict<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    stock_moves(store, "BOWL", 10).await;
    let mut order = ShopifyOrder::new(1).line("BOWL", 1);
    let other = ShopifyOrder::new(2).line("BOWL", 1);
    let place = sent(1, &order, "orders/create");
    let pay = sent(2, order.pay(), "orders/paid");
    // Two creations at once, then two changes at once.
    let (slow, _) = decided(store, std::slice::from_ref(&pay)).await;
    apply(store, &[place]).await;
    let rows = [ConflictKey::Order(order_key(&order)), ConflictKey::Stock(stock_key("BOWL"))];
    refused(&test, &slow, &rows).await;

    let both = [pay.clone(), sent(3, &other, "orders/create")];
    let (mut slow, _) = decided(store, &both).await;
    apply(store, &[pay]).await;
    slow.webhooks.retain(|record| record.key != both[0].key());
    slow.stock.clear();
    slow.ledger.clear();
    refused(&test, &slow, &[ConflictKey::Order(order_key(&order))]).await;
    sound(store).await;
}

pub(crate) async fn an_order_that_is_gone_is_a_conflict<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    stock_moves(store, "BOWL", 10).await;
    let mut order = ShopifyOrder::new(1).line("BOWL", 1);
    apply(store, &[sent(1, &order, "orders/create")]).await;
    let (changes, _) = decided(store, &[sent(2, order.pay(), "orders/paid")]).await;
    assert_eq!(test.sql("DELETE FROM orders").await, 1);
    refused(&test, &changes, &[ConflictKey::Order(order_key(&order))]).await;
}

pub(crate) async fn stock_that_moved_meanwhile_is_a_conflict<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    stock_moves(store, "BOWL", 10).await;
    stock_moves(store, "CUP", 10).await;
    let order = ShopifyOrder::new(1).line("BOWL", 1).line("CUP", 1);
    let (changes, _) = decided(store, &[sent(1, &order, "orders/create")]).await;
    stock_moves(store, "CUP", 1).await;
    refused(&test, &changes, &[ConflictKey::Stock(stock_key("CUP"))]).await;
    sound(store).await;
}

pub(crate) async fn stock_that_was_only_read_is_a_conflict<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    stock_moves(store, "BOWL", 1).await;
    let short = sent(1, &ShopifyOrder::new(1).line("BOWL", 2), "orders/create");
    let (changes, _) = decided(store, std::slice::from_ref(&short)).await;
    assert!(!changes.stock[&stock_key("BOWL")].is_write());
    stock_moves(store, "BOWL", 1).await;
    refused(&test, &changes, &[ConflictKey::Stock(stock_key("BOWL"))]).await;
    apply(store, &[short]).await;
    sound(store).await;
}

pub(crate) async fn stock_that_appeared_meanwhile_is_a_conflict<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    let opening = stock_change(store, "BOWL", 5).await;
    stock_moves(store, "BOWL", 3).await;
    refused(&test, &opening, &[ConflictKey::Stock(stock_key("BOWL"))]).await;
    sound(store).await;
}

pub(crate) async fn absent_stock_that_was_only_read_is_a_conflict<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    let (mut changes, _) = decided(store, &[ignored(1)]).await;
    let absent = StockChange { expected: Version::ABSENT, stock: Stock::default() };
    changes.stock.insert(stock_key("BOWL"), absent);
    stock_moves(store, "BOWL", 3).await;
    refused(&test, &changes, &[ConflictKey::Stock(stock_key("BOWL"))]).await;
}

pub(crate) async fn an_operation_that_was_done_before_is_a_conflict<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    let command = |changes: ChangeSet| ChangeSet {
        operation: Some(Operation {
            key: "delivery-42".to_owned(),
            what: "counted".to_owned(),
            at: NOW,
        }),
        ..changes
    };
    let first = command(stock_change(store, "BOWL", 5).await);
    assert_eq!(store.operation("delivery-42").await.expect("answers"), None);
    assert_eq!(store.commit(&first).await.expect("commits"), Commit::Applied);
    let done = store.operation("delivery-42").await.expect("answers");
    assert_eq!(done.as_deref(), Some("counted"));
    let again = command(stock_change(store, "BOWL", 5).await);
    refused(&test, &again, &[ConflictKey::Operation("delivery-42".to_owned())]).await;
    sound(store).await;
}

pub(crate) async fn a_replay_of_what_is_not_dead_is_a_conflict<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    apply(store, &[dead(1)]).await;
    let replay = dead(1).replayed().meaning(&ignored(1));
    let (twin, _) = decided(store, std::slice::from_ref(&replay)).await;
    apply(store, &[replay]).await;
    refused(&test, &twin, &[ConflictKey::Webhook(dead(1).key())]).await;

    // Not even there.
    let mut nowhere = twin;
    nowhere.webhooks[0].key = dead(9).key();
    refused(&test, &nowhere, &[ConflictKey::Webhook(dead(9).key())]).await;
    sound(store).await;
}

/// A better program sees of which order a dead webhook is: it is the same webhook all the same.
pub(crate) async fn what_was_not_understood_is_found_when_it_is<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    stock_moves(store, "BOWL", 10).await;
    let order = sent(1, &ShopifyOrder::new(1).line("BOWL", 2), "orders/create");
    assert!(order.key().scope.is_some());
    apply(store, &[dead(1)]).await;
    let view = store.load(&keys(&[order.again(2)])).await.expect("loads");
    assert_eq!(decide(view, &[order.again(2)]).1, [Decided::Duplicate]);
    apply(store, &[order.again(2)]).await;
    apply(store, &[order.replayed()]).await;
    assert_eq!(units(store, "BOWL").await, (10, 2));
    apply(store, &[order.again(3)]).await;
    let filter = WebhookFilter { limit: 10, ..WebhookFilter::default() };
    let rows = store.webhooks(&filter).await.expect("lists");
    assert_eq!(rows.iter().map(|row| row.deliveries).collect::<Vec<_>>(), [3]);
    sound(store).await;
}

/// The broker may hand the same envelope to two lanes: it counts once.
pub(crate) async fn a_repeat_that_was_counted_meanwhile_is_a_conflict<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    apply(store, &[ignored(1), ignored(2)]).await;
    let repeats = [ignored(1).again(3), ignored(2).again(4)];
    let (slow, _) = decided(store, &repeats).await;
    apply(store, &repeats[..1]).await;
    refused(&test, &slow, &[ConflictKey::Webhook(ignored(1).key())]).await;
    // Another envelope of the same webhook is no conflict.
    let (other, _) = decided(store, &[ignored(1).again(5)]).await;
    apply(store, &[ignored(1).again(6)]).await;
    assert_eq!(store.commit(&other).await.expect("commits"), Commit::Applied);
    sound(store).await;
}

pub(crate) async fn all_rows_that_changed_are_named<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    for sku in ["A", "B", "C"] {
        stock_moves(store, sku, 10).await;
    }
    let batch: Vec<_> = [(1, "A"), (2, "B"), (3, "C")]
        .map(|(id, sku)| sent(id.into(), &ShopifyOrder::new(id).line(sku, 1), "orders/create"))
        .into();
    let (slow, _) = decide(store.load(&keys(&batch)).await.expect("loads"), &batch);
    apply(store, &[batch[0].clone(), batch[2].clone()]).await;
    let rows = [
        ConflictKey::Webhook(batch[0].key()),
        ConflictKey::Webhook(batch[2].key()),
        ConflictKey::Order(order_key(&ShopifyOrder::new(1))),
        ConflictKey::Order(order_key(&ShopifyOrder::new(3))),
        ConflictKey::Stock(stock_key("A")),
        ConflictKey::Stock(stock_key("C")),
    ];
    refused(&test, &slow, &rows).await;
    sound(store).await;
}

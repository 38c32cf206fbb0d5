//! `verify` is clean after honest work, and finds whatever somebody does behind the store's back.

use domain::order::FulfilmentStatus;
use store::{Reports, Store};
use testkit::shopify::{LOCATION, ShopifyOrder};

use crate::harness::{TABLES, TestStore, apply, dead, ignored, sent, sound, stock_moves};

/// What is done, and the promise that is broken by it.
const TAMPERINGS: [(&str, &str); 24] = [
    ("UPDATE stock SET on_hand = on_hand + 1 WHERE sku = 'BOWL'", "P7"),
    ("UPDATE stock SET committed = committed - 1 WHERE sku = 'BOWL'", "P7"),
    ("UPDATE stock SET version = version + 1 WHERE sku = 'BOWL'", "P7"),
    ("DELETE FROM stock WHERE sku = 'CUP'", "P7"),
    ("UPDATE ledger SET on_hand_delta = 11 WHERE sku = 'BOWL' AND version = 1", "P7"),
    ("UPDATE ledger SET committed_delta = 0 WHERE sku = 'BOWL' AND version = 2", "P2"),
    ("UPDATE ledger SET order_id = 'another' WHERE sku = 'BOWL' AND version = 2", "P2"),
    ("UPDATE ledger SET webhook_id = 'none' WHERE sku = 'BOWL' AND version = 2", "P7"),
    ("UPDATE ledger SET version = 9 WHERE sku = 'BOWL' AND version = 2", "P7"),
    ("DELETE FROM ledger WHERE sku = 'BOWL' AND version = 1", "P7"),
    ("DELETE FROM ledger WHERE sku = 'BOWL' AND version = 2", "P2"),
    ("UPDATE webhooks SET outcome = 'applied' WHERE outcome = 'ignored'", "P6"),
    ("UPDATE webhooks SET outcome = 'claimed' WHERE outcome = 'ignored'", "P6"),
    ("UPDATE webhooks SET deliveries = 5 WHERE webhook_id = 'w-1'", "P6"),
    ("DELETE FROM webhooks WHERE outcome = 'ignored'", "P6"),
    ("DELETE FROM webhooks WHERE webhook_id = 'w-1'", "P7"),
    ("UPDATE counters SET value = value + 1 WHERE name = 'applied'", "P6"),
    ("DELETE FROM counters WHERE name = 'ignored'", "P6"),
    ("UPDATE order_stock SET committed = committed + 1 WHERE sku = 'BOWL'", "P2"),
    ("UPDATE order_stock SET shipped = 0 WHERE sku = 'CUP'", "P2"),
    ("DELETE FROM order_stock WHERE sku = 'CUP'", "P2"),
    ("DELETE FROM orders WHERE order_id = '2'", "P2"),
    ("DELETE FROM dead_letters", "P6"),
    ("UPDATE dead_letters SET state = 'replayed'", "P6"),
];

pub(crate) async fn every_kind_of_tampering_is_found<T: TestStore>() {
    let test = T::open().await;
    for (sql, promise) in TAMPERINGS {
        honest(&test).await;
        assert!(test.sql(sql).await > 0, "{sql}: touches nothing");
        found(test.store(), sql, promise).await;
    }
    honest(&test).await;
    test.oversell().await;
    found(test.store(), "the constraint was passed by", "P3").await;
}

/// A little of everything, and nothing else.
async fn honest<T: TestStore>(test: &T) {
    for table in TABLES {
        test.sql(&format!("DELETE FROM {table}")).await;
    }
    let store = test.store();
    stock_moves(store, "BOWL", 10).await;
    stock_moves(store, "CUP", 5).await;
    let placed = sent(1, &ShopifyOrder::new(1).line("BOWL", 2), "orders/create");
    let mut order = ShopifyOrder::new(2).line("CUP", 1);
    order.fulfil_at(LOCATION, FulfilmentStatus::Success, &[(0, 1)]);
    let shipped = sent(2, &order, "orders/fulfilled");
    apply(store, &[placed.clone(), shipped, dead(3), ignored(4), placed.again(5)]).await;
    sound(store).await;
}

async fn found<S: Store + Reports>(store: &S, what: &str, promise: &str) {
    let violations = store.verify().await.expect("verifies").violations;
    let found = violations.iter().any(|violation| violation.promise == promise);
    assert!(found, "{what}: {promise} is broken, verify finds {violations:?}");
}

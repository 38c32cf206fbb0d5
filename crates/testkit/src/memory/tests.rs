use domain::payment::{PaymentEvent, PaymentEventKind, PaymentKnown};
use domain::{Batch, BodyHash, Fact, Incoming, Meaning, Policy, ShopId, WebhookId};

use super::*;
use crate::shopify::ShopifyOrder;

/// A store with 10 units, and the change set of an order for 3 of them.
fn placed() -> (MemoryStore, ChangeSet) {
    let store = MemoryStore::default();
    store.open_stock("BOWL", "main", 10, 0);
    let fact = ShopifyOrder::new(1).line("BOWL", 3).fact("orders/create");
    let key = WebhookKey {
        webhook: WebhookId::new("w1"),
        shop: ShopId::new("demo"),
        body: BodyHash([0; 16]),
        scope: None,
    };
    let keys = Keys {
        webhooks: [key.clone()].into(),
        orders: [OrderKey { shop: key.shop.clone(), order: fact.order.clone() }].into(),
        skus: [Sku::new("BOWL")].into(),
        ..Keys::default()
    };
    let incoming = Incoming {
        shop: key.shop.clone(),
        key,
        envelope: EnvelopeId(Uuid::from_u128(1)),
        topic: "orders/create".to_owned(),
        received_at: Timestamp(0),
        attempts: 0,
        replay: false,
    };
    let mut batch = Batch::new(store.load_now(&keys));
    let meaning = Meaning::Fact(Fact::Order(Box::new(fact)));
    batch.webhook(&incoming, &meaning, &Policy::default(), Timestamp(0), Vec::new);
    (store, batch.into_changes())
}

#[tokio::test]
async fn a_commit_applies_once_and_then_names_what_changed() {
    let (store, changes) = placed();
    assert_eq!(store.commit(&changes).await.unwrap(), Commit::Applied);
    assert_eq!(store.stock_of("BOWL", "main").committed, 3);
    let Commit::Conflict(keys) = store.commit(&changes).await.unwrap() else {
        panic!("the versions have moved on");
    };
    assert!(matches!(
        &keys[..],
        [ConflictKey::Webhook(_), ConflictKey::Order(_), ConflictKey::Stock(_)]
    ));
    assert_eq!(store.stock_of("BOWL", "main").committed, 3);
    store.assert_sound();
}

#[tokio::test]
async fn planted_faults_fail_before_or_after_the_write() {
    let (store, changes) = placed();
    store.fail_next([Fault::TryAgain, Fault::Unavailable, Fault::AppliedUnavailable]);
    assert!(matches!(store.commit(&changes).await, Err(StoreError::TryAgain(_))));
    assert!(matches!(store.commit(&changes).await, Err(StoreError::Unavailable(_))));
    assert_eq!(store.ledger().len(), 1, "the opening only");
    assert!(matches!(store.commit(&changes).await, Err(StoreError::Unavailable(_))));
    assert_eq!(store.ledger().len(), 2, "written, although the caller cannot know");
    assert_eq!(store.faults_left(), 0);
}

#[tokio::test]
async fn a_claim_keeps_others_out_until_it_is_committed() {
    let (store, changes) = placed();
    let (claim, _) = store.claim(&Keys::default()).await.unwrap();
    let mut outsider = Box::pin(store.commit(&changes));
    assert!(futures_util::poll!(&mut outsider).is_pending());
    assert_eq!(store.commit_claim(claim, &ChangeSet::default()).await.unwrap(), Commit::Applied);
    assert_eq!(outsider.await.unwrap(), Commit::Applied);
}

#[tokio::test]
async fn what_a_constraint_forbids_is_rejected_whole() {
    let (store, mut changes) = placed();
    for change in changes.stock.values_mut() {
        change.stock.committed = 11;
    }
    assert!(matches!(store.commit(&changes).await, Err(StoreError::Rejected(_))));
    assert!(store.webhooks().is_empty());
}

#[test]
fn the_check_can_fail() {
    let (store, changes) = placed();
    store.commit_now(&changes).unwrap();
    store.assert_sound();
    store.contents().ledger.pop();
    let promises: Vec<&str> = store.check().iter().map(|found| found.promise).collect();
    assert_eq!(promises, ["P7", "P2"]);
}

#[tokio::test]
async fn suspicion_is_counted_and_forgotten_when_cleared() {
    let (store, mut changes) = placed();
    let envelope = EnvelopeId(Uuid::from_u128(7));
    assert_eq!(store.suspect(envelope).await.unwrap(), 1);
    assert_eq!(store.suspect(envelope).await.unwrap(), 2);
    changes.cleared.push(envelope);
    store.commit(&changes).await.unwrap();
    assert_eq!(store.suspect(envelope).await.unwrap(), 1);
}

#[tokio::test]
async fn only_money_that_has_waited_since_before_the_moment_is_unlinked() {
    let (store, _) = placed();
    let hear = |number: u128, kind: PaymentEventKind| {
        let event = PaymentEvent { at: Timestamp(0), kind, money: None };
        let events = [(number.to_string().as_str().into(), event)].into();
        let known = PaymentKnown { events, ..PaymentKnown::default() };
        let payment = PaymentKey { shop: ShopId::new("till"), payment: "p1".into() };
        let mut stored =
            store.load_now(&Keys { payments: [payment.clone()].into(), ..Keys::default() });
        let before = stored.payments.remove(&payment).unwrap_or_default();
        let (expected, mut now) = (before.version, before);
        now.join(known);
        now.version = expected.next();
        let change = PaymentChange { expected, payment: now, order: None };
        let changes = ChangeSet { payments: [(payment, change)].into(), ..ChangeSet::default() };
        assert_eq!(store.commit_now(&changes).unwrap(), Commit::Applied);
    };
    let (past, future) = (Timestamp(0), Timestamp(i64::MAX));
    hear(1, PaymentEventKind::Failed);
    assert_eq!(store.unlinked_payments(future).await.unwrap(), 0, "no money");
    hear(2, PaymentEventKind::Captured);
    assert_eq!(store.unlinked_payments(future).await.unwrap(), 1);
    assert_eq!(store.unlinked_payments(past).await.unwrap(), 0, "not yet");
}

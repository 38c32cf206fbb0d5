//! What is written is read back, all of it or nothing.

use std::slice;
use std::task::Poll;

use domain::{Batch, Decided};
use domain::{ChangeSet, Keys, Outcome, Policy, ShopId, Sku, Timestamp, Version};
use futures_util::poll;
use store::reports::WebhookFilter;
use store::{Commit, Pages, Reports, Store, StoreError};
use testkit::shopify::{LOCATION, ShopifyOrder};

use crate::harness::{
    NOW, SHOP, Sent, TestStore, apply, decide, decided, envelope, ignored, keys, order_key, row,
    sent, soon, sound, stock_change, stock_key, stock_moves, units,
};

pub(crate) async fn what_is_absent_loads_as_nothing<T: TestStore>() {
    let test = T::open().await;
    let order = ShopifyOrder::new(1).line("BOWL", 2);
    let view = test.store().load(&keys(&[sent(1, &order, "orders/create")])).await.expect("loads");
    assert!(view.webhooks.is_empty() && view.orders.is_empty());
    assert!(!view.stock.knows(&Sku::new("BOWL")));
    assert_eq!(view.stock.get(&stock_key("BOWL")).version, Version::ABSENT);
    test.store().load(&Keys::default()).await.expect("nothing at all can be loaded");
}

pub(crate) async fn what_is_written_is_read_back<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    stock_moves(store, "BOWL", 10).await;
    stock_moves(store, "CUP", 5).await;
    let mut order = ShopifyOrder::new(1).line("BOWL", 4).line("CUP", 2).line("BOWL", 1);
    let placed = sent(1, &order, "orders/create");
    apply(store, std::slice::from_ref(&placed)).await;
    order.pay().fulfil_at(LOCATION, domain::order::FulfilmentStatus::Success, &[(0, 3)]);
    let updated = sent(2, &order, "orders/updated");

    let (changes, _) = decided(store, std::slice::from_ref(&updated)).await;
    assert_eq!(store.commit(&changes).await.expect("commits"), Commit::Applied);

    let view = store.load(&keys(&[placed.clone(), updated.clone()])).await.expect("loads");
    assert_eq!(view.orders[&order_key(&order)], changes.orders[&order_key(&order)].order);
    assert_eq!(view.orders[&order_key(&order)].version, Version(2));
    for (key, change) in &changes.stock {
        assert_eq!(view.stock.get(key), change.stock);
    }
    assert_eq!(units(store, "BOWL").await, (7, 2));
    assert_eq!(units(store, "CUP").await, (5, 2));
    let seen = &view.webhooks[&updated.key()];
    assert_eq!((seen.outcome, &seen.envelopes[..]), (Outcome::Applied, &[envelope(2)][..]));

    let filter = WebhookFilter { limit: 10, ..WebhookFilter::default() };
    let rows = store.webhooks(&filter).await.expect("lists");
    let newest = &rows[0];
    assert_eq!((newest.webhook.as_str(), newest.shop.as_str()), ("w-2", SHOP));
    assert_eq!((newest.topic.as_str(), newest.outcome.as_str()), ("orders/updated", "applied"));
    assert_eq!(newest.order, Some(order_key(&order).order));
    assert_eq!((newest.received_at, newest.decided_at, newest.deliveries), (NOW, NOW, 1));
    assert_eq!(newest.body_hash, updated.key().body.to_string());
    assert_eq!(newest.envelope, envelope(2).to_string());
    assert_eq!(rows.len(), 2);
    let holders = store.holders_lately(&stock_key("BOWL"), 10).await.expect("lists");
    assert_eq!(holders, [(order_key(&order), 2)]);
    sound(store).await;
}

pub(crate) async fn a_ledger_row_says_who_and_why<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    stock_moves(store, "BOWL", 10).await;
    let order = ShopifyOrder::new(1).line("BOWL", 4);
    apply(store, &[sent(1, &order, "orders/create")]).await;

    let history = store.history(&Sku::new("BOWL"), 10).await.expect("lists");
    assert_eq!(store.history(&Sku::new("BOWL"), 1).await.expect("lists"), history[..1]);
    let [commit, opening] = &history[..] else { panic!("{history:?}") };
    assert_eq!(
        (opening.version, opening.on_hand_delta, opening.after),
        (Version(1), 10, Some((10, 0)))
    );
    assert_eq!((opening.shop.as_ref(), opening.reason.as_str()), (None, "counted"));
    assert_eq!(
        (commit.version, commit.committed_delta, commit.after),
        (Version(2), 4, Some((10, 4)))
    );
    assert_eq!((commit.kind.as_str(), commit.reason.as_str()), ("commit", "orders/create"));
    assert_eq!(commit.shop.as_ref().map(|shop| shop.as_str()), Some(SHOP));
    assert_eq!(commit.order, Some(order_key(&order).order));
    assert_eq!(commit.webhook.as_ref().map(|webhook| webhook.as_str()), Some("w-1"));
    assert_eq!((commit.correlation.as_str(), commit.at), (&*envelope(1).to_string(), NOW));
    let of_order = store.order_history(&order_key(&order), 10).await.expect("lists");
    assert_eq!(of_order.len(), 1);
    assert_eq!(of_order[0].version, Version(2));
}

pub(crate) async fn of_an_orders_moves_the_latest_are_read<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    stock_moves(store, "BOWL", 10).await;
    stock_moves(store, "CUP", 10).await;
    let mut order = ShopifyOrder::new(1).line("CUP", 1).line("BOWL", 4);
    moved_at(store, &sent(1, &order, "orders/create"), NOW).await;
    let other = ShopifyOrder::new(2).line("BOWL", 1);
    moved_at(store, &sent(2, &other, "orders/create"), Timestamp(NOW.0 + 1)).await;
    // CUP is the later one only by its name, and BOWL by its time.
    order.edit(1, 2);
    moved_at(store, &sent(3, &order, "orders/updated"), Timestamp(NOW.0 + 2)).await;

    let moves = async |limit| store.order_history(&order_key(&order), limit).await.expect("lists");
    let all = moves(10).await;
    let told: Vec<_> = all.iter().map(|row| (row.key.sku.as_str(), row.committed_delta)).collect();
    assert_eq!(told, [("BOWL", 2), ("CUP", 1), ("BOWL", 4)], "newest first");
    for (limit, read) in [(0, 0), (1, 1), (2, 2), (3, 3)] {
        assert_eq!(moves(limit).await, all[..read], "the latest {limit}");
    }
}

async fn moved_at<S: Store>(store: &S, sent: &Sent, at: Timestamp) {
    let mut batch = Batch::new(store.load(&keys(slice::from_ref(sent))).await.expect("loads"));
    batch.webhook(&sent.incoming, &sent.meaning, &Policy::default(), at, || sent.raw());
    assert_eq!(store.commit(&batch.into_changes()).await.expect("commits"), Commit::Applied);
}

/// A short order's shipment names no item, and so does an operator's retry: what the order's lines
/// are is in the store.
pub(crate) async fn stock_of_an_order_that_holds_nothing_is_loaded<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    stock_moves(store, "BOWL", 3).await;
    let mut order = ShopifyOrder::new(1).line("BOWL", 4);
    let decided = apply(store, &[sent(1, &order, "orders/create")]).await;
    assert!(matches!(&decided[0], Decided::Verdict(verdict) if verdict.outcome == Outcome::Short));

    // Three go out although the order is short: all there are.
    order.fulfil_at(LOCATION, domain::order::FulfilmentStatus::Success, &[(0, 3)]);
    let shipped = sent(2, &order, "fulfillments/create");
    let view = store.load(&keys(std::slice::from_ref(&shipped))).await.expect("loads");
    assert_eq!(view.stock.get(&stock_key("BOWL")).on_hand, 3);
    let (claim, claimed) =
        store.claim(&keys(std::slice::from_ref(&shipped))).await.expect("claims");
    assert_eq!(claimed.stock.get(&stock_key("BOWL")).on_hand, 3);
    drop(claim);
    apply(store, &[shipped]).await;
    assert_eq!(units(store, "BOWL").await, (0, 0));

    stock_moves(store, "BOWL", 1).await;
    let retried = Keys { orders: [order_key(&order)].into(), ..Keys::default() };
    let mut batch = Batch::new(store.load(&retried).await.expect("loads"));
    batch
        .retry_order(&order_key(&order), &Policy::default(), envelope(3), "order retry", NOW)
        .expect("known");
    assert_eq!(store.commit(&batch.into_changes()).await.expect("commits"), Commit::Applied);
    assert_eq!(units(store, "BOWL").await, (1, 1));
    sound(store).await;
}

pub(crate) async fn short_orders_are_listed_oldest_first<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    stock_moves(store, "BOWL", 1).await;
    let ids = [7_u64, 3, 5];
    for (number, id) in (1..).zip(ids) {
        let order = ShopifyOrder::new(id).line("BOWL", 2);
        apply(store, &[sent(number, &order, "orders/create")]).await;
    }
    let fits = ShopifyOrder::new(1).line("BOWL", 1);
    apply(store, &[sent(9, &fits, "orders/create")]).await;

    let shop = ShopId::new(SHOP);
    let none = store.short_orders(&shop, None, 10).await.expect("lists");
    assert_eq!(none, [], "there is nothing for any of them");
    assert_eq!(store.waiting().await.expect("counts").short, 3);
    stock_moves(store, "BOWL", 1).await;
    let all = store.short_orders(&shop, None, 10).await.expect("lists");
    let listed: Vec<String> = all.iter().map(|short| short.order.to_string()).collect();
    assert_eq!(listed, ids.map(|id| id.to_string()));
    let first = store.short_orders(&shop, None, 1).await.expect("lists");
    assert_eq!(first, all[..1]);
    let rest = store.short_orders(&shop, first.last(), 10).await.expect("lists");
    assert_eq!(rest, all[1..]);
    assert_eq!(store.short_orders(&shop, all.last(), 10).await.expect("lists"), []);
    assert_eq!(store.short_orders(&ShopId::new("other"), None, 10).await.expect("lists"), []);
}

pub(crate) async fn an_empty_change_set_applies<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    let before = test.dump().await;
    assert_eq!(store.commit(&ChangeSet::default()).await.expect("commits"), Commit::Applied);
    let (claim, _) = store.claim(&Keys::default()).await.expect("claims");
    let answer = store.commit_claim(claim, &ChangeSet::default()).await.expect("commits");
    assert_eq!(answer, Commit::Applied);
    assert_eq!(test.dump().await, before);
}

pub(crate) async fn two_thousand_webhooks_fit_into_one_commit<T: TestStore>() {
    const ALL: u64 = 2_000;
    let test = T::open().await;
    let store = test.store();
    stock_moves(store, "BOWL", 5_000).await;
    let batch: Vec<_> = (1..=ALL)
        .map(|id| sent(id.into(), &ShopifyOrder::new(id).line("BOWL", 2), "orders/create"))
        .collect();
    apply(store, &batch).await;
    assert_eq!(units(store, "BOWL").await, (5_000, 4_000));
    let verification = store.verify().await.expect("verifies");
    assert_eq!(verification.violations, vec![]);
    assert_eq!((verification.orders, verification.webhooks), (2_000, 2_000));
    let view = store.load(&keys(&batch)).await.expect("loads as many at once");
    assert_eq!((view.orders.len(), view.webhooks.len()), (2_000, 2_000));
    let page = store.order_keys(None, 1_500).await.expect("lists");
    let rest = store.order_keys(page.last(), 1_500).await.expect("lists");
    assert_eq!((page.len(), rest.len()), (1_500, 500));
}

pub(crate) async fn any_text_comes_back_as_it_was<T: TestStore>() {
    const TEXTS: [&str; 8] = [
        "O'Brien; DROP TABLE stock; --",
        "\"quoted\" \\ back\\slash \\n",
        "[1, {\"a\": null}]",
        "{\"sku\": \"BOWL\"}",
        "null",
        "007.10",
        "Grüße 🥣\u{202e}\u{200d}",
        "  spaces\tand\nlines  ",
    ];
    let test = T::open().await;
    let store = test.store();
    let mut order = ShopifyOrder::new(1);
    for (text, units) in TEXTS.iter().zip(1..) {
        stock_moves(store, text, 100).await;
        order = order.line(text, units);
    }
    let mut placed = sent(1, &order, "orders/create");
    placed.incoming.topic = TEXTS.concat();
    placed.incoming.key.webhook = TEXTS.concat().as_str().into();
    apply(store, std::slice::from_ref(&placed)).await;

    let view = store.load(&keys(std::slice::from_ref(&placed))).await.expect("loads");
    assert!(view.webhooks.contains_key(&placed.key()));
    let holdings = &view.orders[&order_key(&order)].holdings;
    for (text, units) in TEXTS.iter().zip(1..) {
        assert_eq!(holdings[&stock_key(text)].committed, units, "{text}");
        assert_eq!(view.stock.get(&stock_key(text)).committed, units, "{text}");
        let rows = store.stock(&[Sku::new(text)]).await.expect("lists");
        assert_eq!(rows.len(), 1, "{text}");
    }
    assert_eq!(apply(store, &[placed.again(2)]).await, [Decided::Duplicate]);
    sound(store).await;
}

pub(crate) async fn what_a_constraint_forbids_is_rejected_and_the_store_works_on<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    stock_moves(store, "BOWL", 10).await;
    let (changes, _) = decided(
        store,
        &[sent(1, &ShopifyOrder::new(1).line("BOWL", 4), "orders/create"), ignored(2)],
    )
    .await;
    let mut oversold = changes.clone();
    for change in oversold.stock.values_mut() {
        change.stock.committed = 11;
    }
    let before = test.dump().await;
    // More often than there are connections.
    for _ in 0..20 {
        let answer = store.commit(&oversold).await;
        assert!(matches!(answer, Err(StoreError::Rejected(_))), "{answer:?}");
    }
    assert_eq!(test.dump().await, before, "what is rejected writes nothing");
    assert_eq!(store.commit(&changes).await.expect("commits"), Commit::Applied);
    sound(store).await;
}

pub(crate) async fn an_effect_waits_in_the_outbox<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    stock_moves(store, "BOWL", 1).await;
    let short = sent(1, &ShopifyOrder::new(1).line("BOWL", 2), "orders/create");
    let (changes, _) = decided(store, &[short]).await;
    assert_eq!(changes.effects.len(), 1);
    assert_eq!(store.commit(&changes).await.expect("commits"), Commit::Applied);
    assert_eq!(store.totals().await.expect("counts").outbox_pending, 1);
}

pub(crate) async fn a_floor_goes_along_with_a_move<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    stock_moves(store, "BOWL", 10).await;
    let mut changes = stock_change(store, "BOWL", 1).await;
    for change in changes.stock.values_mut() {
        change.stock.floor = -7;
    }
    assert_eq!(store.commit(&changes).await.expect("commits"), Commit::Applied);
    assert_eq!(row(store, "BOWL").await.floor, -7);
    sound(store).await;
}

/// A caller that gives up (a deadline, a stop) may do so at any point.
pub(crate) async fn a_commit_dropped_anywhere_happens_whole_or_not_at_all<T: TestStore>() {
    const POLLS_MAX: u64 = 12;
    let test = T::open().await;
    let store = test.store();
    stock_moves(store, "BOWL", 1_000).await;
    let mut finished = 0;
    for polls in 0..POLLS_MAX {
        let order = ShopifyOrder::new(polls + 1).line("BOWL", 1);
        let placed = [sent(u128::from(polls) + 1, &order, "orders/create")];
        let (changes, _) = decided(store, &placed).await;
        let mut commit = Box::pin(store.commit(&changes));
        for _ in 0..polls {
            if let Poll::Ready(answer) = poll!(&mut commit) {
                assert_eq!(answer.expect("commits"), Commit::Applied);
                finished += 1;
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(commit);
        // Whatever became of it, the next one is not in its way, and neither is it.
        soon("the same again", async {
            loop {
                let view = store.load(&keys(&placed)).await.expect("loads");
                let (changes, _) = decide(view, &placed);
                if store.commit(&changes).await.is_ok_and(|answer| answer == Commit::Applied) {
                    return;
                }
            }
        })
        .await;
        sound(store).await;
    }
    let placed = i64::try_from(POLLS_MAX).expect("a few");
    assert_eq!(units(store, "BOWL").await, (1_000, placed), "{finished} ended before the drop");
}

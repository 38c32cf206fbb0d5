//! Pages by key: nothing twice, nothing left out, whatever is asked.

use std::collections::BTreeSet;
use std::ops::Range;

use domain::change::{Effect, EffectKind};
use domain::privacy::{KeptRequest, PrivacyKind, PrivacyRequest};
use domain::{
    Batch, ChangeSet, DeadLetter, DeadReason, EnvelopeId, LocationId, Operation, ShopId, Sku,
    StockKey, Timestamp, Version,
};
use domain::{Outcome, View};
use store::pages::{DeadPage, LETTERS_MAX, Letters, OrderPage, WebhookPage};
use store::reports::{Closed, DeadRow};
use store::{Commit, Pages, Reports, Store};
use testkit::shopify::ShopifyOrder;

use crate::harness::{
    NOW, SHOP, TestStore, apply, dead, envelope, ignored, order_key, sent, stock_key, stock_moves,
};

pub(crate) async fn stock_is_paged_by_how_skus_begin<T: TestStore>() {
    let test = T::open().await;
    for sku in ["B", "BOWL", "BOWL-2", "BOX", "C", "b", "B\u{10ffff}", "%", "_"] {
        stock_moves(test.store(), sku, 1).await;
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = test.store().stock_page("B", after.as_ref(), 2).await.expect("reads");
        assert!(page.len() <= 2);
        let Some((last, _)) = page.last() else { break };
        after = Some(last.clone());
        seen.extend(page.into_iter().map(|(key, _)| key.sku.to_string()));
    }
    assert_eq!(seen, ["B", "BOWL", "BOWL-2", "BOX"]);
    for (prefix, found) in [("", 9), ("BOW", 2), ("%", 1), ("_", 1), ("D", 0)] {
        let page = test.store().stock_page(prefix, None, 50).await.expect("reads");
        assert_eq!(page.len(), found, "{prefix:?}");
    }
}

pub(crate) async fn what_moves_most_and_for_whom_is_found_by_what_is_newest<T: TestStore>() {
    let test = T::open().await;
    let hot = async |since: Timestamp, limit: i64| {
        let rows = test.store().hot_stock(since, limit).await.expect("reads");
        let told = rows
            .into_iter()
            .map(|row| (row.key.sku.to_string(), row.moves, row.units, row.stock.available()));
        told.collect::<Vec<_>>()
    };
    let row = |sku: &str, moves, units, available| (sku.to_owned(), moves, units, available);
    for sku in ["BOWL", "CUP", "STILL"] {
        stock_moves(test.store(), sku, 100).await;
    }
    apply(test.store(), &[ignored(90)]).await;
    assert_eq!(hot(Timestamp(0), 5).await, [], "nothing that an order moved");
    for (number, sku, units) in [(1_u32, "CUP", 5), (2, "BOWL", 1), (3, "BOWL", 2)] {
        let order = ShopifyOrder::new(1_000 + u64::from(number)).line(sku, units);
        apply(test.store(), &[sent(u128::from(number), &order, "orders/create")]).await;
    }
    let both = [row("BOWL", 2, 3, 97), row("CUP", 1, 5, 95)];
    assert_eq!(hot(Timestamp(0), 5).await, both);
    assert_eq!(hot(Timestamp(0), 1).await, both[..1]);
    let holders = async |limit| {
        let key = stock_key("BOWL");
        let holders = test.store().holders_lately(&key, limit).await.expect("reads");
        holders.into_iter().map(|(key, units)| (key.order.to_string(), units)).collect::<Vec<_>>()
    };
    let held = [("1003".to_owned(), 2), ("1002".to_owned(), 1)];
    assert_eq!((holders(5).await, holders(1).await), (held.to_vec(), held[..1].to_vec()));
    assert_eq!(hot(Timestamp(NOW.0 + 1), 5).await, [], "before that time");
}

pub(crate) async fn a_ledger_is_paged_newest_first<T: TestStore>() {
    let test = T::open().await;
    for _ in 0..5 {
        stock_moves(test.store(), "BOWL", 1).await;
    }
    let page = async |before: Option<i64>| {
        let page = test.store().ledger_page(&stock_key("BOWL"), before.map(Version), 2).await;
        page.expect("reads").iter().map(|row| row.version.0).collect::<Vec<_>>()
    };
    let (first, second, last) = (page(None).await, page(Some(4)).await, page(Some(2)).await);
    assert_eq!((first, second, last), (vec![5, 4], vec![3, 2], vec![1]));
    let elsewhere = StockKey::new(&Sku::new("BOWL"), &LocationId::new("back"));
    assert_eq!(test.store().ledger_page(&elsewhere, None, 2).await.expect("reads"), vec![]);
}

pub(crate) async fn orders_are_paged_by_key_and_found_by_name<T: TestStore>() {
    let test = T::open().await;
    stock_moves(test.store(), "BOWL", 3).await;
    let orders: Vec<ShopifyOrder> =
        (1_001..1_006).map(|id| ShopifyOrder::new(id).line("BOWL", 1)).collect();
    for (number, order) in (1..).zip(&orders) {
        apply(test.store(), &[sent(number, order, "orders/create")]).await;
    }
    let all = async |state: Option<&str>, shop: Option<&str>| {
        let mut page = OrderPage {
            state: state.map(str::to_owned),
            shop: shop.map(ShopId::new),
            limit: 2,
            ..OrderPage::default()
        };
        let mut seen = Vec::new();
        loop {
            let found = test.store().order_page(&page).await.expect("reads");
            seen.extend(found.rows.into_iter().map(|row| row.key.order.to_string()));
            page.before = found.next;
            if page.before.is_none() {
                return seen.join(" ");
            }
        }
    };
    assert_eq!(all(None, None).await, "1005 1004 1003 1002 1001");
    assert_eq!(all(None, Some(SHOP)).await, "1005 1004 1003 1002 1001");
    assert_eq!(all(None, Some("another")).await, "");
    assert_eq!(all(Some("short"), None).await, "1005 1004");
    assert_eq!(all(Some("short"), Some("another")).await, "");
    assert_eq!(all(Some("committed"), Some(SHOP)).await, "1003 1002 1001");

    let skus = ["BOWL", "CUP"].map(Sku::new);
    let wanted = test.store().wanted(&skus).await.expect("reads");
    assert_eq!(wanted, [(Sku::new("BOWL"), 2)]);
    assert_eq!(test.store().wanted(&skus[1..]).await.expect("reads"), []);

    let key = order_key(&orders[0]);
    let row = test
        .store()
        .orders_called("1001", std::slice::from_ref(&key.shop), 5)
        .await
        .expect("reads");
    assert_eq!(row.iter().map(|row| &row.key).collect::<Vec<_>>(), [&key]);
    let name = row[0].name.clone().expect("it has a name");
    for called in [name.as_str(), name.trim_start_matches('#')] {
        let found = test.store().orders_called(called, &[], 5).await.expect("reads");
        assert_eq!(found.len(), 1, "{called}");
    }
    assert_eq!(test.store().orders_called("nobody", &[key.shop], 5).await.expect("reads"), vec![]);
}

pub(crate) async fn what_short_orders_miss_is_named<T: TestStore>() {
    let test = T::open().await;
    let shortage = async |limit: i64| {
        let found = test.store().shortage(limit).await.expect("reads");
        let missing = found.missing.iter();
        let missing =
            missing.map(|item| format!("{} {} {}", item.sku, item.orders, item.available));
        (found.orders, missing.collect::<Vec<_>>())
    };
    assert_eq!(shortage(5).await, (0, vec![]));
    for (sku, units) in [("BOWL", 1), ("CUP", 2), ("MUG", 9)] {
        stock_moves(test.store(), sku, units).await;
    }
    let orders = [
        ShopifyOrder::new(1).line("BOWL", 1).line("CUP", 2),
        ShopifyOrder::new(2).line("BOWL", 1).line("MUG", 1),
        ShopifyOrder::new(3).line("CUP", 1).line("BOWL", 1),
        ShopifyOrder::new(4).line("MUG", 10),
    ];
    for (number, order) in (1..).zip(&orders) {
        apply(test.store(), &[sent(number, order, "orders/create")]).await;
    }
    // Of the mugs there are some, though not enough for everybody.
    assert_eq!(shortage(5).await, (3, vec!["BOWL 2 0".to_owned(), "CUP 1 0".to_owned()]));
    assert_eq!(shortage(1).await, (3, vec!["BOWL 2 0".to_owned()]));
    stock_moves(test.store(), "BOWL", 1).await;
    assert_eq!(shortage(5).await, (3, vec!["CUP 1 0".to_owned()]));
}

pub(crate) async fn webhooks_are_paged_newest_first<T: TestStore>() {
    let test = T::open().await;
    for number in 1..=5 {
        let one = if number == 3 { dead(number) } else { ignored(number) };
        apply(test.store(), &[one]).await;
    }
    apply(test.store(), &[ignored(6).of("another")]).await;
    let all = async |shop: Option<&str>, topic: Option<&str>, outcome: Option<Outcome>| {
        let mut page = WebhookPage {
            shop: shop.map(ShopId::new),
            topic: topic.map(str::to_owned),
            outcome,
            limit: 2,
            ..WebhookPage::default()
        };
        let mut seen = Vec::new();
        loop {
            let found = test.store().webhook_page(&page).await.expect("reads");
            seen.extend(found.rows.into_iter().map(|row| row.webhook.to_string()));
            page.before = found.next;
            if page.before.is_none() {
                return seen.join(" ");
            }
        }
    };
    assert_eq!(all(None, None, None).await, "w-6 w-5 w-4 w-3 w-2 w-1");
    assert_eq!(all(None, None, Some(Outcome::Dead)).await, "w-3");
    assert_eq!(all(None, Some("app/uninstalled"), None).await, "w-6 w-5 w-4 w-2 w-1");
    assert_eq!(all(None, Some("nothing"), None).await, "");
    assert_eq!(all(Some(SHOP), None, None).await, "w-5 w-4 w-3 w-2 w-1");
    assert_eq!(all(Some(SHOP), Some("app/uninstalled"), None).await, "w-5 w-4 w-2 w-1");
    assert_eq!(all(Some("another"), None, None).await, "w-6");
    assert_eq!(all(Some("another"), None, Some(Outcome::Dead)).await, "");
    assert_eq!(all(Some("nobody"), None, None).await, "");
    let activity = test.store().shop_activity().await.expect("reads");
    let mut activity: Vec<_> =
        activity.iter().map(|row| (row.shop.as_str(), row.webhooks, row.dead, row.last)).collect();
    activity.sort_unstable();
    assert_eq!(activity, [("another", 1, 0, NOW), (SHOP, 5, 1, NOW)]);
}

pub(crate) async fn dead_letters_are_paged_and_counted_by_reason<T: TestStore>() {
    let test = T::open().await;
    assert_eq!(test.store().dead_reasons().await.expect("reads"), vec![]);
    for number in 1..=5 {
        apply(test.store(), &[dead(number)]).await;
    }
    let closed = store::reports::Closed::Discarded;
    let closing = store::Reports::close_dead_letter(test.store(), envelope(2), closed, "gone");
    assert!(closing.await.expect("closes"));
    let malformed = DeadReason::Malformed.as_str();
    let all = async |reason: Option<&str>, closed_too: bool| {
        let mut page = DeadPage {
            reason: reason.map(str::to_owned),
            closed_too,
            limit: 2,
            ..DeadPage::default()
        };
        let mut seen = Vec::new();
        loop {
            let found = test.store().dead_page(&page).await.expect("reads");
            let Some(last) = found.last() else { return seen };
            page.before = last.id.parse().ok().map(EnvelopeId);
            seen.extend(found.into_iter().map(|row| row.id));
        }
    };
    let ids = |numbers: &[u128]| {
        numbers.iter().map(|number| envelope(*number).to_string()).collect::<Vec<_>>()
    };
    assert_eq!(all(None, false).await, ids(&[5, 4, 3, 1]));
    assert_eq!(all(None, true).await, ids(&[5, 4, 3, 2, 1]));
    assert_eq!(all(Some(malformed), false).await, ids(&[5, 4, 3, 1]));
    assert_eq!(all(Some(malformed), true).await, ids(&[5, 4, 3, 2, 1]));
    assert_eq!(all(Some("panic"), true).await, ids(&[]));
    let reasons = test.store().dead_reasons().await.expect("reads");
    assert_eq!(test.store().waiting().await.expect("reads").dead, reasons);
    let reasons: Vec<_> =
        reasons.iter().map(|row| (row.reason.as_str(), row.count, row.oldest)).collect();
    assert_eq!(reasons, [(malformed, 4, NOW)]);
}

pub(crate) async fn what_waits_is_counted_no_further_than_people_care<T: TestStore>() {
    let test = T::open().await;
    let waiting = async |numbers: Range<u128>| {
        let request = |number| KeptRequest {
            id: envelope(number),
            shop: ShopId::new(SHOP),
            request: PrivacyRequest {
                kind: PrivacyKind::DataRequest,
                domain: "demo.myshopify.com".to_owned(),
                customer: None,
                orders: BTreeSet::new(),
                traces: Vec::new(),
            },
            received_at: NOW,
            due_at: NOW,
            done: false,
        };
        let effect = |number| Effect {
            kind: EffectKind::OrderShort,
            order: order_key(&ShopifyOrder::new(1)),
            correlation: envelope(number),
        };
        let changes = ChangeSet {
            requests: numbers.clone().map(request).collect(),
            effects: numbers.map(effect).collect(),
            ..ChangeSet::default()
        };
        assert_eq!(test.store().commit(&changes).await.expect("commits"), Commit::Applied);
        let totals = test.store().totals().await.expect("counts");
        (totals.privacy_requests, totals.outbox_pending)
    };
    let most = u128::try_from(LETTERS_MAX).expect("a count");
    assert_eq!(waiting(0..3).await, (3, 3));
    assert_eq!(waiting(3..most + 1).await, (LETTERS_MAX, LETTERS_MAX));
}

pub(crate) async fn operations_are_paged_by_how_their_keys_begin<T: TestStore>() {
    let test = T::open().await;
    for key in ["a", "console/1", "console/2", "console/3", "console0"] {
        let mut batch = Batch::new(View::default());
        batch.operation(Operation { key: key.to_owned(), what: format!("did {key}"), at: NOW });
        let done = test.store().commit(&batch.into_changes()).await.expect("commits");
        assert_eq!(done, Commit::Applied);
    }
    let page = async |before: Option<&str>| {
        let page = test.store().operation_page("console/", before, 2).await.expect("reads");
        page.into_iter().map(|row| (row.key, row.what, row.at)).collect::<Vec<_>>()
    };
    let row = |key: &str| (key.to_owned(), format!("did {key}"), NOW);
    assert_eq!(page(None).await, [row("console/3"), row("console/2")]);
    assert_eq!(page(Some("console/2")).await, [row("console/1")]);
}

pub(crate) async fn orders_are_found_by_what_they_moved_or_ask_for<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    stock_moves(store, "BOWL", 3).await;
    stock_moves(store, "CUP", 3).await;
    let orders = [("BOWL", 1), ("CUP", 1), ("BOWL", 9), ("BOWL", 1)];
    for (number, (sku, units)) in (1..).zip(orders) {
        let order = ShopifyOrder::new(1_000 + number).line(sku, units);
        apply(store, &[sent(number.into(), &order, "orders/create")]).await;
    }
    let found = async |sku: &str, limit| -> Vec<String> {
        let rows = store.orders_of(&Sku::new(sku), limit).await.expect("reads");
        rows.into_iter().map(|row| row.key.order.to_string()).collect()
    };
    let mut bowls = found("BOWL", 10).await;
    bowls.sort_unstable();
    assert_eq!(bowls, ["1001", "1003", "1004"], "the short one moved nothing, and asks for it");
    assert_eq!(found("CUP", 10).await, ["1002"]);
    assert_eq!(found("BOW", 10).await, Vec::<String>::new(), "the very item");
    assert_eq!(found("BOWL", 2).await.len(), 2);
}

pub(crate) async fn open_letters_are_read_oldest_first_by_reason_shop_and_moment<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    let letter = |number: u128, shop: &str, reason, died: i64| DeadLetter {
        envelope: envelope(number),
        shop: Some(ShopId::new(shop)),
        webhook: None,
        topic: String::new(),
        reason,
        detail: String::new(),
        attempts: 0,
        received_at: NOW,
        died_at: Timestamp(NOW.0 + died),
        raw: vec![1],
    };
    let dead = vec![
        letter(4, SHOP, DeadReason::UnknownSku, 4),
        letter(2, SHOP, DeadReason::UnknownSku, 2),
        letter(3, "other", DeadReason::UnknownSku, 3),
        letter(1, SHOP, DeadReason::Malformed, 1),
        letter(5, SHOP, DeadReason::UnknownSku, 0),
    ];
    let changes = ChangeSet { dead, ..ChangeSet::default() };
    assert_eq!(store.commit(&changes).await.expect("commits"), Commit::Applied);
    let closed = store.close_dead_letter(envelope(5), Closed::Discarded, "spam").await;
    assert!(closed.expect("closes"));

    let reason = || Some("unknown_sku".to_owned());
    let shop = || Some(ShopId::new(SHOP));
    let since = Some(Timestamp(NOW.0 + 3));
    for (which, expected) in [
        (Letters::default(), &[1, 2, 3, 4][..]),
        (Letters { reason: reason(), ..Letters::default() }, &[2, 3, 4]),
        (Letters { shop: shop(), ..Letters::default() }, &[1, 2, 4]),
        (Letters { since, ..Letters::default() }, &[3, 4]),
        (Letters { reason: reason(), shop: shop(), since }, &[4]),
    ] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let left = store.count_open_letters(&which, after, 100).await.expect("counts");
            assert_eq!(usize::try_from(left), Ok(expected.len() - seen.len()), "{which:?}");
            let page = store.open_letters(&which, after, 2).await.expect("reads");
            let Some(last) = page.last() else { break };
            after = last.id.parse().ok().map(EnvelopeId);
            let number = |row: &DeadRow| row.id.parse::<uuid::Uuid>().expect("an id").as_u128();
            seen.extend(page.iter().map(number));
        }
        assert_eq!(seen, expected, "{which:?}");
    }
}

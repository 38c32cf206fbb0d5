//! The inbox: every webhook once, its repeats counted, the same envelope known.

use std::collections::BTreeMap;

use domain::view::RECENT_ENVELOPES;
use domain::{Decided, Outcome, WebhookId};
use store::pages::WebhookPage;
use store::reports::WebhookFilter;
use store::{Commit, Pages, Reports, Store};
use testkit::shopify::ShopifyOrder;

use crate::harness::{
    SHOP, Sent, TestStore, apply, dead, decided, envelope, ignored, keys, sent, sound, stock_moves,
    units,
};

async fn deliveries<T: TestStore>(test: &T) -> i64 {
    let filter = WebhookFilter { limit: 1, ..WebhookFilter::default() };
    test.store().webhooks(&filter).await.expect("lists")[0].deliveries
}

pub(crate) async fn repeats_are_counted_and_the_latest_are_remembered<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    let first = ignored(1);
    apply(store, std::slice::from_ref(&first)).await;
    // One by one, and several at once.
    for number in 2..=5 {
        assert_eq!(apply(store, &[first.again(number)]).await, [Decided::Duplicate]);
    }
    let rest: Vec<_> = (6..=40).map(|number| first.again(number)).collect();
    for several in rest.chunks(7) {
        apply(store, several).await;
    }

    assert_eq!(deliveries(&test).await, 40);
    let view = store.load(&keys(std::slice::from_ref(&first))).await.expect("loads");
    let mut known = view.webhooks[&first.key()].envelopes.clone();
    known.sort_unstable();
    let latest = 41 - u128::try_from(RECENT_ENVELOPES).expect("a few")..=40;
    let expected: Vec<_> = std::iter::once(1).chain(latest).map(envelope).collect();
    assert_eq!(known, expected, "the first and the latest sixteen");
    assert_eq!(store.totals().await.expect("counts").webhooks[&Outcome::Duplicate], 39);
    sound(store).await;
}

pub(crate) async fn a_webhook_and_its_repeats_fit_into_one_commit<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    stock_moves(store, "BOWL", 10).await;
    let first = sent(1, &ShopifyOrder::new(1).line("BOWL", 3), "orders/create");
    let answers =
        apply(store, &[first.clone(), first.again(2), first.again(3), first.clone()]).await;
    assert!(matches!(
        &answers[..],
        [Decided::Verdict(_), Decided::Duplicate, Decided::Duplicate, Decided::Redelivered]
    ));
    assert_eq!(deliveries(&test).await, 3);
    assert_eq!(units(store, "BOWL").await, (10, 3));
    sound(store).await;
}

pub(crate) async fn the_same_envelope_again_is_known<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    let first = ignored(1);
    apply(store, &[first.clone(), first.again(2)]).await;
    let before = test.dump().await;
    let answers = apply(store, &[first.clone(), first.again(2)]).await;
    assert_eq!(answers, [Decided::Redelivered, Decided::Redelivered]);
    assert_eq!(test.dump().await, before);
}

pub(crate) async fn how_often_a_webhook_waited_is_kept_with_it<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    let waited = |mut one: Sent, attempts| {
        one.incoming.attempts = attempts;
        one
    };
    let first = [waited(ignored(1), 0), waited(ignored(2), 3), waited(dead(3), 5)];
    apply(store, &first).await;
    apply(store, &[waited(ignored(4), 0)]).await;
    let attempts = async || {
        let rows = store.webhooks(&WebhookFilter { limit: 9, ..WebhookFilter::default() }).await;
        let rows = rows.expect("lists").into_iter();
        let attempts = rows.map(|row| (row.webhook.to_string(), row.attempts));
        attempts.collect::<BTreeMap<_, _>>()
    };
    let kept = [("w-1", 0), ("w-2", 3), ("w-3", 5), ("w-4", 0)];
    let kept: BTreeMap<_, _> = kept.map(|(webhook, times)| (webhook.to_owned(), times)).into();
    assert_eq!(attempts().await, kept);
    // Neither a repeat nor a replay has a say in it.
    apply(store, &[waited(ignored(2), 7).again(5)]).await;
    apply(store, &[waited(dead(3), 0).replayed().meaning(&ignored(3))]).await;
    assert_eq!(attempts().await, kept);
    let page = WebhookPage { limit: 9, ..WebhookPage::default() };
    let page = store.webhook_page(&page).await.expect("reads").rows;
    assert_eq!(page.iter().map(|row| row.attempts).collect::<Vec<_>>(), [0, 5, 3, 0]);
}

pub(crate) async fn a_webhook_is_found_by_the_envelope_that_brought_it_first<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    apply(store, &[ignored(1), dead(2), ignored(1).again(3)]).await;
    let found = async |number: u128, filter: WebhookFilter| {
        let filter = WebhookFilter { envelope: Some(envelope(number)), limit: 10, ..filter };
        let rows = store.webhooks(&filter).await.expect("lists");
        rows.into_iter().map(|row| row.webhook.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(found(1, WebhookFilter::default()).await, ["w-1"]);
    assert_eq!(found(2, WebhookFilter::default()).await, ["w-2"], "a dead letter's id");
    assert_eq!(found(3, WebhookFilter::default()).await, [] as [&str; 0], "a repeat's");
    let both = WebhookFilter { webhook: Some("w-2".into()), ..WebhookFilter::default() };
    assert_eq!(found(2, both.clone()).await, ["w-2"]);
    assert_eq!(found(1, both).await, [] as [&str; 0], "another's");
    let of_shop = WebhookFilter { shop: Some("other".into()), ..WebhookFilter::default() };
    assert_eq!(found(1, of_shop).await, [] as [&str; 0]);
}

pub(crate) async fn deliveries_are_counted_of_any_number_of_webhooks<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    let other_body = {
        let mut other = ignored(4);
        other.incoming.key.webhook = "w-2".into();
        other
    };
    apply(store, &[ignored(1), ignored(2), ignored(1).again(3), other_body]).await;
    let counted = async |ids: &[&str]| {
        let ids: Vec<_> = ids.iter().map(WebhookId::new).collect();
        let mut rows = store.deliveries(&ids).await.expect("counts");
        rows.sort();
        rows.into_iter().map(|(id, times)| (id.to_string(), times)).collect::<Vec<_>>()
    };
    let expected = [("w-1".to_owned(), 2), ("w-2".to_owned(), 2)];
    assert_eq!(counted(&["w-1", "w-2", "w-1", "never"]).await, expected, "with either body");
    assert_eq!(counted(&["w-2"]).await, expected[1..]);
    assert_eq!(counted(&[]).await, []);
}

pub(crate) async fn webhooks_of_an_order_are_found_whatever_its_shop<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    stock_moves(store, "BOWL", 9).await;
    for (number, shop) in [(1, "a"), (3, "b"), (5, "b"), (7, SHOP)] {
        // Of another order in between, and of none.
        for (number, id) in [(number, number % 4), (number + 1, 9)] {
            let order = ShopifyOrder::new(id).line("BOWL", 1);
            let mut one = sent(number.into(), &order, "orders/create");
            (one.incoming.shop, one.incoming.key.shop) = (shop.into(), shop.into());
            apply(store, &[one]).await;
        }
        apply(store, &[ignored(100 + u128::from(number))]).await;
    }
    let found = async |order: &str, outcome| {
        let order = Some(order.into());
        let filter = WebhookFilter { order, outcome, limit: 10, ..WebhookFilter::default() };
        let rows = store.webhooks(&filter).await.expect("lists");
        rows.iter().map(|row| format!("{} {}", row.shop, row.webhook)).collect::<Vec<_>>()
    };
    let demo = |webhook: &str| format!("{SHOP} {webhook}");
    assert_eq!(found("1", None).await, ["b w-5", "a w-1"]);
    assert_eq!(found("3", None).await, [demo("w-7").as_str(), "b w-3"]);
    assert_eq!(found("3", Some(Outcome::Applied)).await.len(), 2);
    assert_eq!(found("3", Some(Outcome::Dead)).await, [] as [&str; 0]);
    assert_eq!(found("2", None).await, [] as [&str; 0]);
}

pub(crate) async fn outcomes_are_counted<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    stock_moves(store, "BOWL", 5).await;
    let mut order = ShopifyOrder::new(1).line("BOWL", 2);
    let early = sent(1, &order, "orders/create");
    let late = sent(2, order.pay(), "orders/paid");
    let twin = sent(3, &order, "orders/updated");
    let short = sent(4, &ShopifyOrder::new(2).line("BOWL", 9), "orders/create");
    let batch = [late, early, twin, short, ignored(5), dead(6), dead(6).again(7), ignored(8)];
    apply(store, &batch[..4]).await;
    apply(store, &batch[4..]).await;

    let totals = store.totals().await.expect("counts");
    let expected = [
        (Outcome::Applied, 1),
        (Outcome::Unchanged, 1),
        (Outcome::Duplicate, 1),
        (Outcome::Superseded, 1),
        (Outcome::Short, 1),
        (Outcome::Ignored, 2),
        (Outcome::Dead, 1),
    ];
    assert_eq!(totals.webhooks, expected.into());
    // To tell: one order was paid, one is short.
    assert_eq!((totals.dead_letters, totals.outbox_pending), (1, 2));
    for (outcome, count) in expected.into_iter().filter(|(o, _)| *o != Outcome::Duplicate) {
        let filter =
            WebhookFilter { outcome: Some(outcome), limit: 10, ..WebhookFilter::default() };
        let rows = store.webhooks(&filter).await.expect("lists");
        assert_eq!(rows.len(), usize::try_from(count).expect("a few"), "{outcome}");
    }
    sound(store).await;
}

pub(crate) async fn suspicion_is_counted_until_it_is_cleared<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    assert_eq!(store.suspect(envelope(1)).await.expect("notes"), 1);
    assert_eq!(store.suspect(envelope(2)).await.expect("notes"), 1);
    assert_eq!(store.suspect(envelope(1)).await.expect("notes"), 2);
    assert_eq!(test.another().await.suspect(envelope(1)).await.expect("notes"), 3);

    let (mut changes, _) = decided(store, &[ignored(1)]).await;
    changes.cleared.push(envelope(1));
    assert_eq!(store.commit(&changes).await.expect("commits"), Commit::Applied);
    assert_eq!(store.suspect(envelope(1)).await.expect("notes"), 1);
    assert_eq!(store.suspect(envelope(2)).await.expect("notes"), 2);
}

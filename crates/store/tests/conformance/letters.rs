//! Dead letters: kept with all they need, replayed, closed, discarded.

use domain::Decided;
use domain::{ChangeSet, DeadLetter, DeadReason, Outcome};
use store::reports::{Closed, DeadFilter, DeadRow};
use store::{Commit, Redactions, Reports, Store};
use testkit::shopify::ShopifyOrder;

use crate::harness::{
    NOW, SHOP, TestStore, apply, dead, envelope, sent, sound, stock_moves, units,
};

async fn letters<T: TestStore>(test: &T, closed_too: bool) -> Vec<DeadRow> {
    let filter = DeadFilter { closed_too, limit: 10, ..DeadFilter::default() };
    test.store().dead_letters(&filter).await.expect("lists")
}

async fn raw<T: TestStore>(test: &T, number: u128) -> Vec<u8> {
    let raw = test.store().dead_letter_raw(envelope(number)).await.expect("reads");
    raw.expect("the letter is there")
}

pub(crate) async fn a_dead_letter_keeps_everything<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    apply(store, &[dead(1), dead(2)]).await;
    let all = letters(&test, false).await;
    assert_eq!(all.len(), 2);
    let expected = DeadRow {
        id: envelope(2).to_string(),
        shop: Some(SHOP.into()),
        webhook: Some("w-2".into()),
        topic: "orders/create".to_owned(),
        reason: "malformed".to_owned(),
        detail: "number 2 is not JSON".to_owned(),
        attempts: 2,
        deaths: 1,
        state: "open".to_owned(),
        closed_note: None,
        received_at: NOW,
        died_at: NOW,
    };
    assert_eq!(all[0], expected);
    let raw = store.dead_letter_raw(envelope(2)).await.expect("reads");
    assert_eq!(raw, Some(dead(2).raw()));
    assert_eq!(store.dead_letter_raw(envelope(3)).await.expect("reads"), None);
    let filter = DeadFilter { id: Some(envelope(1)), limit: 10, ..DeadFilter::default() };
    assert_eq!(store.dead_letters(&filter).await.expect("lists").len(), 1);
    let reason = Some("unknown_sku".to_owned());
    let filter = DeadFilter { reason, limit: 10, ..DeadFilter::default() };
    assert_eq!(store.dead_letters(&filter).await.expect("lists"), vec![]);
    for (shop, count) in [(SHOP, 2), ("other", 0)] {
        let filter = DeadFilter { shop: Some(shop.into()), limit: 10, ..DeadFilter::default() };
        assert_eq!(store.dead_letters(&filter).await.expect("lists").len(), count, "{shop}");
    }
    assert_eq!(store.totals().await.expect("counts").dead_letters, 2);
    sound(store).await;
}

pub(crate) async fn a_dead_letter_is_replayed_and_closed<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    stock_moves(store, "BOWL", 10).await;
    apply(store, &[dead(1), dead(2)]).await;
    let repeated = dead(1).again(3);
    assert_eq!(apply(store, &[repeated]).await, [Decided::Duplicate]);

    let order = ShopifyOrder::new(1).line("BOWL", 3);
    let understood = dead(1).replayed().meaning(&sent(1, &order, "orders/create"));
    let answers = apply(store, std::slice::from_ref(&understood)).await;
    assert!(
        matches!(&answers[0], Decided::Verdict(verdict) if verdict.outcome == Outcome::Applied)
    );
    assert_eq!(units(store, "BOWL").await, (10, 3));

    let open = letters(&test, false).await;
    assert_eq!(open.iter().map(|row| &*row.detail).collect::<Vec<_>>(), ["number 2 is not JSON"]);
    let all = letters(&test, true).await;
    assert_eq!(
        (all[1].state.as_str(), all[1].closed_note.as_deref()),
        ("replayed", Some("applied"))
    );
    assert_eq!(raw(&test, 1).await, b"", "what was applied is not kept");
    assert_eq!(raw(&test, 2).await, dead(2).raw());
    let totals = store.totals().await.expect("counts");
    assert_eq!((totals.webhooks[&Outcome::Dead], totals.webhooks[&Outcome::Applied]), (1, 1));
    // Once more is no replay of a dead one.
    assert_eq!(apply(store, &[understood]).await, [Decided::Redelivered]);
    sound(store).await;
}

pub(crate) async fn a_dead_letter_that_dies_again_opens_again<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    apply(store, &[dead(1)]).await;
    assert!(
        store
            .close_dead_letter(envelope(1), Closed::Discarded, "not ours")
            .await
            .expect("discards")
    );
    assert_eq!(raw(&test, 1).await, b"");
    // Somebody had taken it up before it was discarded.
    let mut again = dead(1).replayed();
    again.meaning = domain::Meaning::Dead {
        reason: DeadReason::UnknownSku,
        detail: "still no such item".to_owned(),
    };
    apply(store, &[again]).await;
    let open = letters(&test, false).await;
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].deaths, open[0].reason.as_str()), (2, "unknown_sku"));
    assert_eq!((open[0].detail.as_str(), &open[0].closed_note), ("still no such item", &None));
    assert_eq!(raw(&test, 1).await, dead(1).raw(), "what is open can be replayed");
    store.redact(&[envelope(1)]).await.expect("removes");
    let mut once_more = dead(1).replayed();
    once_more.meaning =
        domain::Meaning::Dead { reason: DeadReason::UnknownSku, detail: "and again".to_owned() };
    apply(store, &[once_more]).await;
    assert_eq!(raw(&test, 1).await, b"", "what was to go does not come back");
    assert_eq!(store.totals().await.expect("counts").webhooks[&Outcome::Dead], 1);
    sound(store).await;
}

pub(crate) async fn a_dead_letter_is_discarded_once<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    apply(store, &[dead(1)]).await;
    assert!(
        store.close_dead_letter(envelope(1), Closed::Discarded, "spam").await.expect("discards")
    );
    assert!(
        !store.close_dead_letter(envelope(1), Closed::Replayed, "spam").await.expect("answers"),
        "it is closed"
    );
    assert!(
        !store.close_dead_letter(envelope(9), Closed::Discarded, "spam").await.expect("answers"),
        "there is none"
    );
    let all = letters(&test, true).await;
    assert_eq!((all[0].state.as_str(), all[0].closed_note.as_deref()), ("discarded", Some("spam")));
    assert_eq!(raw(&test, 1).await, b"");
    assert_eq!(letters(&test, false).await, vec![]);
    assert_eq!(store.totals().await.expect("counts").dead_letters, 0);
    sound(store).await;
}

pub(crate) async fn what_is_no_envelope_is_kept_too<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    let letter = DeadLetter {
        envelope: envelope(77),
        shop: None,
        webhook: None,
        topic: String::new(),
        reason: DeadReason::Malformed,
        detail: "not a parcel".to_owned(),
        attempts: 0,
        received_at: NOW,
        died_at: NOW,
        raw: vec![0; 3],
    };
    let changes = ChangeSet { dead: vec![letter], ..ChangeSet::default() };
    assert_eq!(store.commit(&changes).await.expect("commits"), Commit::Applied);
    assert_eq!(store.commit(&changes).await.expect("again"), Commit::Applied);
    let all = letters(&test, false).await;
    assert_eq!((all.len(), all[0].shop.as_ref(), all[0].webhook.as_ref()), (1, None, None));
    assert_eq!(raw(&test, 77).await, [0; 3]);
    // It may be about anybody's customers.
    for shop in [SHOP, "other"] {
        let found = store.dead_bodies(&shop.into(), None, 10, 1 << 20).await.expect("reads");
        let found: Vec<_> = found.into_iter().map(|body| (body.id, body.raw)).collect();
        assert_eq!(found, [(envelope(77), vec![0; 3])], "{shop}");
    }
    store.redact(&[envelope(77)]).await.expect("removes");
    assert_eq!(store.dead_bodies(&SHOP.into(), None, 10, 1 << 20).await.expect("reads"), []);
    sound(store).await;
}

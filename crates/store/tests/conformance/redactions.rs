//! Customers' requests, and the removal of what is kept of them.

use domain::privacy::{PrivacyKind, PrivacyRequest};
use domain::{
    ChangeSet, DeadLetter, DeadReason, Decided, Fact, Meaning, Outcome, ShopId, Timestamp,
};
use store::reports::{Closed, DeadFilter, DeadRow, WebhookFilter};
use store::{Channels, Commit, DeadBody, Redactions, Reports, Store};

use crate::harness::{
    NOW, SHOP, Sent, TestStore, apply, dead, decided, envelope, says, soon, sound,
};

fn request(number: u128, kind: PrivacyKind) -> Sent {
    says(number, Fact::Privacy(privacy(kind)))
}

fn privacy(kind: PrivacyKind) -> PrivacyRequest {
    PrivacyRequest {
        kind,
        domain: "demo.myshopify.com".to_owned(),
        customer: Some("207119551".to_owned()),
        orders: ["2".into(), "1".into()].into(),
        traces: vec!["somebody@example.com".to_owned()],
    }
}

async fn letters<T: TestStore>(test: &T) -> Vec<DeadRow> {
    let filter = DeadFilter { closed_too: true, limit: 10, ..DeadFilter::default() };
    test.store().dead_letters(&filter).await.expect("lists")
}

pub(crate) async fn a_request_is_kept_until_it_is_answered<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    apply(store, &[request(1, PrivacyKind::DataRequest)]).await;
    let open = store.privacy_requests(false, 10).await.expect("lists");
    let row = &open[0];
    assert_eq!((row.kind.as_str(), row.orders.as_str()), ("data_request", "1 2"));
    assert_eq!(row.due_at.0 - row.received_at.0, Timestamp::from_seconds(30 * 24 * 60 * 60).0);
    assert_eq!(store.redactions().await.expect("reads"), vec![]);

    assert!(store.close_privacy_request(envelope(1), "sent by post").await.expect("closes"));
    assert!(!store.close_privacy_request(envelope(1), "again").await.expect("answers"));
    assert_eq!(store.privacy_requests(false, 10).await.expect("lists"), vec![]);
    let dump = test.dump().await.join(" ");
    assert!(!dump.contains("somebody@example.com"), "no address is kept");
    sound(store).await;
}

pub(crate) async fn a_removal_is_open_until_it_is_done_and_nobody_answers_it<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    let kinds = [PrivacyKind::RedactCustomer, PrivacyKind::RedactShop];
    apply(store, &[request(1, kinds[0]), request(2, kinds[1])]).await;
    let open = store.redactions().await.expect("reads");
    let of = |at: usize| (open[at].id, open[at].shop.as_str(), open[at].again_at);
    assert_eq!((of(0), of(1)), ((envelope(1), SHOP, None), (envelope(2), SHOP, None)));
    assert_eq!((&open[0].request, &open[1].request), (&privacy(kinds[0]), &privacy(kinds[1])));
    let shown = store.privacy_requests(false, 10).await.expect("lists");
    assert_eq!(shown.iter().map(|row| &*row.orders).collect::<Vec<_>>(), ["1 2", "1 2"]);
    assert_eq!(store.totals().await.expect("counts").privacy_requests, 2);
    assert!(!store.close_privacy_request(envelope(1), "answered").await.expect("answers"));

    store.redaction_carried_out(envelope(1), Some(NOW)).await.expect("notes");
    assert_eq!(store.redactions().await.expect("reads")[0].again_at, Some(NOW));
    let shown = store.privacy_requests(false, 10).await.expect("lists");
    let note = shown[0].closed_note.as_deref().expect("it says when");
    assert_eq!(note, "carried out, again at 2026-11-21T12:00:00.123456Z");

    for number in [1, 2] {
        store.redaction_carried_out(envelope(number), None).await.expect("closes");
    }
    // Another worker was slower.
    store.redaction_carried_out(envelope(1), Some(NOW)).await.expect("answers");
    assert_eq!(store.redactions().await.expect("reads"), vec![]);
    let all = store.privacy_requests(true, 10).await.expect("lists");
    assert!(all.iter().all(|row| row.closed_at.is_some() && row.orders == "1 2"));
    assert_eq!(all[0].closed_note.as_deref(), Some("done"));
    let dump = test.dump().await.join(" ");
    assert!(!dump.contains("somebody@example.com"), "no address is kept");
    sound(store).await;
}

/// What a letter has of webhook `number`.
fn body(number: u128) -> DeadBody {
    let detail = format!("number {number} is not JSON");
    DeadBody { id: envelope(number), raw: dead(number).raw(), detail }
}

pub(crate) async fn what_a_closed_letter_quotes_is_found_by_later_requests<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    apply(store, &[dead(1), dead(2)]).await;
    let closed = store.close_dead_letter(envelope(1), Closed::Discarded, "spam").await;
    assert!(closed.expect("closes"));
    let shop = ShopId::new(SHOP);
    let found = store.dead_bodies(&shop, None, 10, 1_000).await.expect("reads");
    assert_eq!(found, [DeadBody { raw: Vec::new(), ..body(1) }, body(2)]);
    let both = [envelope(1), envelope(2)];
    assert_eq!(store.dead_ids(&shop, None, 10).await.expect("reads"), both);

    store.redact(&[envelope(1)]).await.expect("removes");
    assert_eq!(store.dead_bodies(&shop, None, 10, 1_000).await.expect("reads"), [body(2)]);
    assert_eq!(store.dead_ids(&shop, None, 10).await.expect("reads"), [envelope(2)]);
    let all = letters(&test).await;
    let note = all[1].closed_note.as_deref();
    assert_eq!((&*all[1].state, &*all[1].detail, note), ("discarded", "redacted", Some("spam")));
    let filter = WebhookFilter { limit: 10, ..WebhookFilter::default() };
    let webhooks = store.webhooks(&filter).await.expect("lists");
    assert_eq!(webhooks[1].detail.as_deref(), Some("redacted"), "its webhook quotes the same");
    sound(store).await;
}

pub(crate) async fn redacted_letters_keep_nothing<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    apply(store, &[dead(1), dead(2), dead(3)]).await;
    let shop = ShopId::new(SHOP);
    let bodies = store.dead_bodies(&shop, None, 2, 1_000).await.expect("reads");
    assert_eq!(bodies, [body(1), body(2)]);
    let rest = store.dead_bodies(&shop, Some(envelope(2)), 2, 1_000).await.expect("reads");
    assert_eq!(rest, [body(3)]);

    store.redact(&[envelope(1), envelope(3)]).await.expect("removes");
    let left = store.dead_bodies(&shop, None, 10, 1_000).await.expect("reads");
    assert_eq!(left, [body(2)]);
    assert_eq!(store.dead_ids(&shop, None, 10).await.expect("reads"), [envelope(2)]);
    let letters = letters(&test).await;
    let redacted: Vec<_> = letters.iter().filter(|row| row.detail == "redacted").collect();
    assert_eq!(redacted.len(), 2);
    assert!(redacted.iter().all(|row| row.state == "discarded"));
    let filter = WebhookFilter { limit: 10, ..WebhookFilter::default() };
    let webhooks = store.webhooks(&filter).await.expect("lists");
    let quoted = webhooks.iter().filter(|row| row.detail.as_deref() != Some("redacted")).count();
    assert_eq!((webhooks.len(), quoted), (3, 1));
    let again = apply(store, &[dead(1).again(9)]).await;
    assert_eq!(again, [Decided::Duplicate], "it is still known to have come");
    assert_eq!(store.totals().await.expect("counts").webhooks[&Outcome::Dead], 3);
    sound(store).await;
}

pub(crate) async fn dead_letters_are_read_in_pages_that_bytes_bound<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    let letter = |number: u128, shop: Option<&str>, bytes: usize| DeadLetter {
        envelope: envelope(number),
        shop: shop.map(ShopId::new),
        webhook: None,
        topic: String::new(),
        reason: DeadReason::Malformed,
        detail: String::new(),
        attempts: 0,
        received_at: NOW,
        died_at: NOW,
        raw: vec![7; bytes],
    };
    let dead = vec![
        letter(1, Some(SHOP), 5_000),
        letter(2, None, 400),
        letter(3, Some(SHOP), 500),
        letter(4, Some("other"), 1),
        letter(5, Some(SHOP), 200),
        letter(6, None, 300),
        letter(7, Some(SHOP), 1),
    ];
    let changes = ChangeSet { dead, ..ChangeSet::default() };
    assert_eq!(store.commit(&changes).await.expect("commits"), Commit::Applied);
    let shop = ShopId::new(SHOP);
    let mut after = None;
    let mut pages = Vec::new();
    loop {
        let page = store.dead_bodies(&shop, after, 3, 1_000).await.expect("reads");
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        assert!(page.iter().all(|body| body.raw.iter().all(|byte| *byte == 7)));
        let of = |body: &DeadBody| (body.id.0.as_u128(), body.raw.len());
        pages.push(page.iter().map(of).collect::<Vec<_>>());
    }
    let expected = [vec![(1, 5_000)], vec![(2, 400), (3, 500), (5, 200)], vec![(6, 300), (7, 1)]];
    assert_eq!(pages, expected);
    let ids = store.dead_ids(&shop, Some(envelope(1)), 2).await.expect("reads");
    assert_eq!(ids, [envelope(3), envelope(5)], "the shop's alone");
}

/// Webhook `number`, decided again in vain.
fn replayed(number: u128) -> Sent {
    let mut again = dead(number).replayed();
    let detail = "it quotes somebody@example.com".to_owned();
    again.meaning = Meaning::Dead { reason: DeadReason::UnknownSku, detail };
    again
}

pub(crate) async fn a_letter_that_was_redacted_while_it_was_replayed_stays_redacted<
    T: TestStore,
>() {
    let test = T::open().await;
    let store = test.store();
    apply(store, &[dead(1), dead(2)]).await;
    let (changes, _) = decided(store, &[replayed(1), replayed(2)]).await;
    store.redact(&[envelope(1)]).await.expect("removes");
    assert_eq!(store.commit(&changes).await.expect("commits"), Commit::Applied);
    let all = letters(&test).await;
    let of = |row: &DeadRow| (row.state.clone(), row.detail.clone(), row.closed_note.clone());
    let redacted = ("discarded".to_owned(), "redacted".to_owned(), Some("redacted".to_owned()));
    assert_eq!(of(&all[1]), redacted);
    assert_eq!((&*all[0].state, all[0].deaths), ("open", 2));
    let filter = WebhookFilter { limit: 10, ..WebhookFilter::default() };
    let webhooks = store.webhooks(&filter).await.expect("lists");
    let details: Vec<_> = webhooks.iter().filter_map(|row| row.detail.as_deref()).collect();
    assert_eq!(details, ["it quotes somebody@example.com", "redacted"]);
    sound(store).await;
}

const ROUNDS: usize = 60;

pub(crate) async fn redactions_and_replays_do_not_lock_each_other_out<T: TestStore>() {
    let test = T::open().await;
    let (store, other) = (test.store(), test.another().await);
    let all: Vec<_> = (1..=20).map(dead).collect();
    apply(store, &all).await;
    let replay = async {
        let again: Vec<_> = (1..=20).map(replayed).collect();
        for _ in 0..ROUNDS {
            let (changes, _) = decided(store, &again).await;
            assert_eq!(store.commit(&changes).await.expect("no deadlock"), Commit::Applied);
        }
    };
    let redact = async {
        // Not in their order.
        let letters: Vec<_> = (1..=20).rev().map(envelope).collect();
        for _ in 0..ROUNDS {
            other.redact(&letters).await.expect("no deadlock");
        }
    };
    soon("both", async { tokio::join!(replay, redact) }).await;
    assert_eq!(test.deadlocks().await, 0);
    assert_eq!(store.totals().await.expect("counts").webhooks[&Outcome::Dead], 20);
    sound(store).await;
}

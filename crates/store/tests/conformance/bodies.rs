//! Bodies of webhooks that were applied, kept for a while.

use domain::{ChangeSet, EnvelopeId, KeptBody, ShopId, Timestamp};
use store::prune::BodyKey;
use store::reports::Closed;
use store::{Bodies, Commit, Redactions, Reports, Store};
use uuid::Uuid;

use crate::harness::{NOW, SHOP, TestStore, apply, dead, decided, envelope, ignored, sound};

const HOUR: i64 = 3_600_000_000;

fn at(hours: i64) -> Timestamp {
    Timestamp(NOW.0 + hours * HOUR)
}

fn kept(shop: &str, envelope: EnvelopeId, until: Timestamp, bytes: usize) -> KeptBody {
    KeptBody { envelope, shop: ShopId::new(shop), until, raw: vec![0xfe; bytes] }
}

async fn keep<S: Store>(store: &S, kept: Vec<KeptBody>) {
    let changes = ChangeSet { kept, ..ChangeSet::default() };
    assert_eq!(store.commit(&changes).await.expect("commits"), Commit::Applied);
}

fn key(shop: &str, envelope: EnvelopeId) -> BodyKey {
    (ShopId::new(shop), envelope)
}

async fn is_kept<S: Bodies>(store: &S, shop: &str, id: EnvelopeId) -> bool {
    store.kept_body(&key(shop, id)).await.expect("reads").is_some()
}

pub(crate) async fn a_body_is_kept_with_its_webhook_or_not_at_all<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    let (mut changes, _) = decided(store, &[ignored(1)]).await;
    changes.kept = vec![kept(SHOP, envelope(1), at(1), 7)];
    assert_eq!(store.commit(&changes).await.expect("commits"), Commit::Applied);
    let body = store.kept_body(&key(SHOP, envelope(1))).await.expect("reads");
    assert_eq!(body, Some(vec![0xfe; 7]));
    assert!(!is_kept(store, "other", envelope(1)).await, "it is another shop's");

    // The same again is a conflict, and a conflict keeps nothing.
    changes.kept = vec![kept(SHOP, envelope(2), at(1), 7)];
    assert!(matches!(store.commit(&changes).await, Ok(Commit::Conflict(_))));
    assert!(!is_kept(store, SHOP, envelope(2)).await);
    // A body that is there already does not stand in the way.
    keep(store, vec![kept(SHOP, envelope(1), at(2), 9)]).await;
    sound(store).await;
}

pub(crate) async fn bodies_go_when_their_time_is_over<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    let bodies = (1..=5_u8).map(|hour| kept(SHOP, envelope(hour.into()), at(hour.into()), 3));
    keep(store, bodies.collect()).await;
    assert_eq!(store.remove_expired_bodies(at(1), 10).await.expect("removes"), 0, "not yet");
    assert_eq!(store.remove_expired_bodies(at(4), 2).await.expect("removes"), 2, "as many");
    assert_eq!(store.remove_expired_bodies(at(4), 2).await.expect("removes"), 1);
    for (number, is_there) in [(1, false), (2, false), (3, false), (4, true), (5, true)] {
        assert_eq!(is_kept(store, SHOP, envelope(number)).await, is_there, "{number}");
    }
}

pub(crate) async fn kept_bodies_are_read_in_pages_and_removed_by_name<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    let of = |number: u128, shop: &str, bytes| kept(shop, envelope(number), at(1), bytes);
    keep(store, vec![of(1, SHOP, 900), of(2, SHOP, 200), of(3, "other", 1), of(4, SHOP, 1)]).await;
    let shop = ShopId::new(SHOP);
    let page = async |after| -> Vec<(u128, usize)> {
        let page = store.kept_bodies(&shop, after, 10, 1_000).await.expect("reads");
        page.into_iter().map(|(id, raw)| (id.0.as_u128(), raw.len())).collect()
    };
    assert_eq!(page(None).await, [(1, 900), (2, 200)], "bytes bound it");
    assert_eq!(page(Some(envelope(2))).await, [(4, 1)], "the shop's alone");
    store.remove_bodies(&shop, &[envelope(1), envelope(3)]).await.expect("removes");
    assert_eq!(page(None).await, [(2, 200), (4, 1)]);
    assert!(is_kept(store, "other", envelope(3)).await, "it was not named");
}

/// The envelope of something that came then.
fn came(at: Timestamp, number: u128) -> EnvelopeId {
    let first = EnvelopeId::before_all_of(at).0.as_u128();
    EnvelopeId(Uuid::from_u128(first + number))
}

pub(crate) async fn old_bodies_are_counted_and_then_removed_page_by_page<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    let mut bodies = Vec::new();
    for number in 0..1_300 {
        bodies.push(kept(SHOP, came(at(-50), number), at(9), 1));
    }
    bodies.push(kept("another", came(at(-50), 1), at(9), 1));
    bodies.push(kept("another", came(at(-1), 2), at(9), 1));
    bodies.push(kept(SHOP, came(at(-1), 3), at(9), 1));
    keep(store, bodies).await;
    for (remove, expected) in [(false, 1_301), (true, 1_301), (true, 0)] {
        let (mut found, mut after) = (0, None);
        loop {
            let page =
                store.prune_bodies(at(-24), after.as_ref(), remove).await.expect("looks through");
            found += page.count;
            match page.last {
                Some(last) => after = Some(last),
                None => break,
            }
        }
        assert_eq!(found, expected, "removed: {remove}");
    }
    assert!(is_kept(store, SHOP, came(at(-1), 3)).await);
    assert!(is_kept(store, "another", came(at(-1), 2)).await);
}

pub(crate) async fn only_closed_letters_lose_their_bodies_to_a_pruning<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    apply(store, &[dead(1), dead(2), dead(3)]).await;
    for number in [1, 2] {
        let closed = store.close_dead_letter(envelope(number), Closed::Discarded, "spam").await;
        assert!(closed.expect("closes"));
    }
    // As an older program left it.
    let with_body = "UPDATE dead_letters SET raw = (SELECT raw FROM dead_letters AS d \
        WHERE d.state = 'open' LIMIT 1) WHERE state = 'discarded'";
    assert_eq!(test.sql(with_body).await, 2);
    // They were closed by the real clock, long before the year 2100.
    let later = Timestamp(4_102_444_800_000_000);
    for (before, remove, expected) in
        [(Timestamp(0), true, 0), (later, false, 2), (later, true, 2), (later, true, 0)]
    {
        let page = store.prune_letters(before, None, remove).await.expect("looks through");
        assert_eq!((page.count, page.last), (expected, Some(envelope(3))));
    }
    let raw = store.dead_letter_raw(envelope(3)).await.expect("reads").expect("it is there");
    assert!(!raw.is_empty(), "an open one can be replayed");
    sound(store).await;
}

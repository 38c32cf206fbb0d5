//! Payments, listings and sightings.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::order::LinePart;
use domain::payment::{PaymentEvent, PaymentEventKind, PaymentFact, PaymentKnown, PaymentState};
use domain::sighting::{Sighting, Thing};
use domain::view::Listing;
use domain::{
    Fact, Keys, ListingKey, OrderId, OrderKey, PaymentKey, ShopId, Sku, Timestamp, Variant, View,
};
use store::channels::PaymentFilter;
use store::{Channels, Commit, ConflictKey, Store};
use testkit::shopify::ShopifyOrder;

use crate::harness::{
    NOW, SHOP, Sent, TestStore, apply, decide, decided, envelope, ignored, keys, order_key,
    refused, says, sent, sound, stock_moves, units,
};

/// Something that happened to payment `pi_1`, for order `reference`.
fn payment(number: u32, reference: Option<u64>, kind: PaymentEventKind) -> Sent {
    let event = PaymentEvent { at: Timestamp(NOW.0 + i64::from(number)), kind, money: None };
    let references = reference.map(|id| OrderId::new(id.to_string())).into_iter().collect();
    let events = [(format!("evt_{number}").as_str().into(), event)].into();
    let known = PaymentKnown { references, events };
    let fact = PaymentFact { payment: "pi_1".into(), test: false, known };
    let mut sent = says(number.into(), Fact::Payment(Box::new(fact)));
    sent.incoming.key.shop = ShopId::new(TILL);
    sent
}

/// Where the shop's orders are paid.
const TILL: &str = "till";

fn key() -> PaymentKey {
    PaymentKey { shop: ShopId::new(TILL), payment: "pi_1".into() }
}

pub(crate) async fn a_payment_is_read_back_with_its_order<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    apply(store, &[payment(1, None, PaymentEventKind::Authorised)]).await;
    let all = PaymentFilter { limit: 10, ..PaymentFilter::default() };
    let rows = store.payments(&all).await.expect("lists");
    assert_eq!((rows.len(), &rows[0].key, &rows[0].order), (1, &key(), &None));
    assert_eq!(rows[0].payment.known.state(), PaymentState::Authorised);

    apply(store, &[payment(2, Some(7), PaymentEventKind::Captured)]).await;
    let order = OrderKey { shop: ShopId::new(SHOP), order: OrderId::new("7") };
    let of_order = PaymentFilter { order: Some(order.clone()), ..all.clone() };
    let rows = store.payments(&of_order).await.expect("lists");
    assert_eq!((rows.len(), &rows[0].order, rows[0].linked), (1, &Some(order), false));
    let known = &rows[0].payment.known;
    assert_eq!((known.state(), known.events.len()), (PaymentState::Captured, 2));
    let loaded = Keys { payments: [key()].into(), ..Keys::default() };
    let view = store.load(&loaded).await.expect("loads");
    assert_eq!(view.payments[&key()], rows[0].payment);
    let elsewhere = PaymentFilter { shop: Some("other".into()), ..all };
    assert_eq!(store.payments(&elsewhere).await.expect("lists"), vec![]);
    sound(store).await;
}

pub(crate) async fn a_payment_that_was_written_meanwhile_is_a_conflict<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    let conflict = [ConflictKey::Payment(key())];
    let (first, _) = decided(store, &[payment(1, None, PaymentEventKind::Failed)]).await;
    apply(store, &[payment(2, None, PaymentEventKind::Authorised)]).await;
    refused(&test, &first, &conflict).await;

    let (second, _) = decided(store, &[payment(3, None, PaymentEventKind::Captured)]).await;
    apply(store, &[payment(4, None, PaymentEventKind::Refunded)]).await;
    refused(&test, &second, &conflict).await;
    sound(store).await;
}

pub(crate) async fn of_two_who_decide_a_payment_one_commits_and_a_dropped_claim_leaves_nothing<
    T: TestStore,
>() {
    let test = T::open().await;
    let store = test.store();
    let captured = [payment(1, Some(7), PaymentEventKind::Captured)];
    let before = test.dump().await;
    let (claim, _) = store.claim(&keys(&captured)).await.expect("claims");
    drop(claim);
    let (claim, view) = store.claim(&keys(&captured)).await.expect("claims again");
    assert!(view.payments.is_empty(), "a claim is no payment");
    assert_eq!(test.dump().await, before, "nobody sees a claim");
    let (changes, _) = decide(view, &captured);
    let answer = store.commit_claim(claim, &changes).await.expect("commits");
    assert_eq!(answer, Commit::Applied);

    let again = [payment(2, Some(7), PaymentEventKind::Disputed)];
    let (claim, view) = store.claim(&keys(&again)).await.expect("claims");
    let other = test.another().await;
    let meddling = [payment(3, Some(7), PaymentEventKind::Refunded)];
    let (theirs, _) = decided(&other, &meddling).await;
    let (ours, _) = decide(view, &again);
    let (ours, theirs) = tokio::join!(store.commit_claim(claim, &ours), other.commit(&theirs));
    // A claim locks stock. Of what has none the first to commit wins, whoever claimed it.
    let applied = |one: &Result<Commit, _>| matches!(one, Ok(Commit::Applied));
    assert!(applied(&ours) != applied(&theirs), "{ours:?}, {theirs:?}");
    // What was claimed and not written is not there.
    let (claim, _) = store.claim(&keys(&meddling)).await.expect("claims");
    let nothing = decide(View::default(), &[]).0;
    store.commit_claim(claim, &nothing).await.expect("commits nothing");
    let all = PaymentFilter { limit: 10, ..PaymentFilter::default() };
    assert_eq!(store.payments(&all).await.expect("lists").len(), 1);
    sound(store).await;
}

pub(crate) async fn a_payment_waits_for_its_order_and_pays_it<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    stock_moves(store, "BOWL", 10).await;
    let order = ShopifyOrder::new(7).line("BOWL", 2);
    apply(store, &[payment(1, Some(order.id()), PaymentEventKind::Captured)]).await;
    assert_eq!(unlinked(store, in_days(1)).await, 1);
    assert_eq!(unlinked(store, in_days(90)).await, 1, "however long it waits");
    assert_eq!(unlinked(store, in_days(-1)).await, 0, "it was not there yet");

    apply(store, &[sent(2, &order, "orders/create")]).await;
    assert_eq!(unlinked(store, in_days(1)).await, 0);
    let keys = Keys { orders: [order_key(&order)].into(), ..Keys::default() };
    let view = store.load(&keys).await.expect("loads");
    let known = &view.orders[&order_key(&order)].known;
    assert!(known.paid);
    assert_eq!(known.payments[&key().to_string()].state, PaymentState::Captured);
    assert_eq!(units(store, "BOWL").await, (10, 2));
    sound(store).await;
}

pub(crate) async fn only_payments_with_money_wait_for_an_order<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    let mut later = 0;
    for (kind, waits) in [
        (PaymentEventKind::Failed, 0),
        (PaymentEventKind::Authorised, 1),
        (PaymentEventKind::Captured, 1),
        (PaymentEventKind::Disputed, 1),
        (PaymentEventKind::DisputeLost, 0),
    ] {
        later += 1;
        apply(store, &[payment(later, None, kind)]).await;
        assert_eq!(unlinked(store, in_days(1)).await, waits, "{kind:?}");
    }
    sound(store).await;
}

fn in_days(days: i64) -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
    let seconds = i64::try_from(now.as_secs()).expect("seconds are few");
    Timestamp::from_seconds(seconds + days * 24 * 60 * 60)
}

/// How many payments wait for their orders; the list and the count agree.
async fn unlinked<S: Store + Channels>(store: &S, before: Timestamp) -> i64 {
    let filter =
        PaymentFilter { unlinked_before: Some(before), limit: 10, ..PaymentFilter::default() };
    let listed = store.payments(&filter).await.expect("lists").len();
    let counted = store.unlinked_payments(before).await.expect("counts");
    assert_eq!(i64::try_from(listed).expect("few"), counted);
    counted
}

pub(crate) async fn a_listing_made_by_hand_goes_before_the_catalogue<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    for (sku, units) in [("BOWL", 3), ("CUP", 5), ("SPOON", 7)] {
        stock_moves(store, sku, units).await;
    }
    let listing = |variant: &str| ListingKey { shop: SHOP.into(), variant: Variant::new(variant) };
    let seen = Thing::Variant {
        variant: Variant::new("11"),
        product: None,
        sku: Some(Sku::new("SPOON")),
        inventory_item: None,
        available: None,
    };
    let sighting = Sighting { seen_at: NOW, thing: seen, gone: false };
    apply(store, &[says(1, Fact::Sightings(vec![sighting]))]).await;
    let keys = Keys { listings: [listing("11"), listing("12")].into(), ..Keys::default() };
    let part = |sku: &str, units| LinePart { sku: Sku::new(sku), units };

    let view = store.load(&keys).await.expect("loads");
    let expected = Listing { parts: vec![part("SPOON", 1)], by_hand: false };
    assert_eq!(view.listings, [(listing("11"), expected)].into());
    assert!(view.stock.knows(&Sku::new("SPOON")), "its stock is loaded, too");

    let kit = vec![part("BOWL", 1), part("CUP", 2)];
    let made = [(listing("11"), kit.clone()), (listing("12"), vec![part("CUP", 1)])];
    store.set_listings(&made).await.expect("writes");
    store.set_listings(&[(listing("12"), vec![])]).await.expect("writes");
    let view = store.load(&keys).await.expect("loads");
    let expected = Listing { parts: kit, by_hand: true };
    assert_eq!(view.listings, [(listing("11"), expected)].into());
    assert!(view.stock.knows(&Sku::new("BOWL")) && view.stock.knows(&Sku::new("CUP")));
    let listed = store.listings(Some(&SHOP.into())).await.expect("lists");
    assert_eq!(listed.len(), 2);
    assert_eq!(store.listings(Some(&"other".into())).await.expect("lists"), vec![]);

    // Also in a claim.
    let (claim, view) = store.claim(&keys).await.expect("claims");
    drop(claim);
    assert!(view.listings[&listing("11")].by_hand && view.stock.knows(&Sku::new("CUP")));
}

pub(crate) async fn a_variant_is_listed_no_more_once_its_product_shows_that_it_is_gone<
    T: TestStore,
>() {
    let test = T::open().await;
    let store = test.store();
    let at = |seconds: i64, thing: Thing, gone| {
        let seen_at = Timestamp::from_seconds(seconds);
        Fact::Sightings(vec![Sighting { seen_at, thing, gone }])
    };
    let variant = |id: &str, product: Option<&str>| Thing::Variant {
        variant: Variant::new(id),
        product: product.map(str::to_owned),
        sku: Some(Sku::new("SPOON")),
        inventory_item: None,
        available: None,
    };
    let product = |id: &str| Thing::Product { product: id.to_owned() };
    let says = [
        says(1, at(10, variant("11", Some("1")), false)),
        says(2, at(10, variant("12", Some("2")), false)),
        says(3, at(10, variant("13", Some("3")), false)),
        says(4, at(10, variant("14", Some("4")), false)),
        says(5, at(10, variant("15", None), false)),
        // Shown with all that it has at the same moment; later; gone before it; gone with it.
        says(6, at(10, product("1"), false)),
        says(7, at(11, product("2"), false)),
        says(8, at(9, product("3"), true)),
        says(9, at(10, product("4"), true)),
    ];
    apply(store, &says).await;
    let listing = |variant: &str| ListingKey { shop: SHOP.into(), variant: Variant::new(variant) };
    let listings = ["11", "12", "13", "14", "15"].map(listing).into();
    let keys = Keys { listings, ..Keys::default() };
    let view = store.load(&keys).await.expect("loads");
    let mut listed: Vec<_> = view.listings.keys().map(|key| key.variant.as_str()).collect();
    listed.sort_unstable();
    assert_eq!(listed, ["11", "13", "15"]);
}

pub(crate) async fn what_a_removed_app_still_sends_is_no_webhook_of_the_shop<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    let topics = ["app/uninstalled", "customers/data_request", "customers/redact", "shop/redact"];
    for (number, topic) in (1..).zip(topics) {
        let mut sent = ignored(number);
        topic.clone_into(&mut sent.incoming.topic);
        apply(store, &[sent]).await;
    }
    assert_eq!(store.last_webhook(&SHOP.into(), Timestamp(0)).await.expect("reads"), None);
    let mut order = ignored(9);
    "orders/create".clone_into(&mut order.incoming.topic);
    apply(store, &[order]).await;
    assert_eq!(store.last_webhook(&SHOP.into(), Timestamp(0)).await.expect("reads"), Some(NOW));
}

pub(crate) async fn the_newest_sighting_stays<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    let level = |seconds: i64, available, gone| Sighting {
        seen_at: Timestamp::from_seconds(seconds),
        thing: Thing::Level {
            inventory_item: "9".to_owned(),
            location: "1".into(),
            available: Some(available),
        },
        gone,
    };
    let both = vec![level(20, 4, false), level(10, 9, false)];
    apply(store, &[says(1, Fact::Sightings(both))]).await;
    apply(store, &[says(2, Fact::Sightings(vec![level(15, 7, false)]))]).await;
    let rows = store.sightings(&SHOP.into(), None, 10).await.expect("lists");
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].seen_at, rows[0].gone), (Timestamp::from_seconds(20), false));
    assert_eq!(rows[0].thing, Some(level(20, 4, false).thing));

    apply(store, &[says(3, Fact::Sightings(vec![level(30, 0, true)]))]).await;
    let rows = store.sightings(&SHOP.into(), None, 10).await.expect("lists");
    assert_eq!((rows.len(), rows[0].gone), (1, true));
    assert_eq!(store.sightings(&SHOP.into(), Some(&rows[0]), 10).await.expect("lists"), vec![]);
    sound(store).await;
}

pub(crate) async fn the_last_webhook_is_looked_for_no_further_back_than_asked<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    let at = |seconds: i64| Timestamp::from_seconds(1_795_262_400 + seconds);
    // What was received at a moment has an id that begins with it.
    let sent = |number, seconds: i64, topic: &str| {
        let mut sent = ignored(number);
        let milliseconds = u128::try_from(at(seconds).0 / 1_000).expect("after 1970");
        sent.incoming.envelope = envelope((milliseconds << 80) | (7 << 76) | number);
        sent.incoming.received_at = at(seconds);
        topic.clone_into(&mut sent.incoming.topic);
        sent
    };
    let compliance = ["customers/data_request", "customers/redact", "shop/redact"];
    let all = [sent(1, 0, "orders/create"), sent(2, 10, "app/uninstalled")];
    apply(store, &all).await;
    for (number, topic) in (3..).zip(compliance) {
        apply(store, &[sent(number, 20, topic)]).await;
    }
    let last = async |since| store.last_webhook(&SHOP.into(), since).await.expect("reads");
    assert_eq!(last(at(0)).await, Some(at(0)));
    assert_eq!(last(Timestamp(at(0).0 + 1_000)).await, None, "that came before");
    apply(store, &[sent(9, 30, "orders/create")]).await;
    assert_eq!(last(at(10)).await, Some(at(30)));
    assert_eq!(store.last_webhook(&"other".into(), at(0)).await.expect("reads"), None);
    assert_eq!(last(Timestamp(0)).await, Some(at(30)));
}

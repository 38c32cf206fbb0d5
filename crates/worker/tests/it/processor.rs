//! One batch: conflicts, outages, poison and panics, and that neighbours never pay for each other.

use std::sync::atomic::Ordering;

use domain::{DeadReason, Decided, Provider, Timestamp, retry};
use platforms::signature::sign;
use store::StoreError;
use testkit::memory::Fault;
use testkit::shopify::{PLACED_AT, ShopifyOrder};
use worker::{Done, Processor, RetryReason, Strategy, Thresholds, Turn, Work};

use crate::cards::{paid_shops, payment, received};
use crate::doctored::{Doctored, LOCK_TIMEOUT};
use crate::harness::{outcomes, placed, recorded, shops, value, verdict, work};

const NOW: Timestamp = Timestamp(PLACED_AT * 1_000_000);

#[tokio::test]
async fn a_batch_that_meets_conflicts_is_decided_again_until_it_passes() {
    let store = Doctored::with_bowls(10);
    let mut processor = Processor::new(store.clone(), Strategy::Optimistic);
    store.orders.conflicts.store(7, Ordering::SeqCst);
    let batch = vec![work(&placed(1, 2)), work(&placed(2, 3))];
    let done = processor.process(batch, &shops(""), true).await.unwrap();
    assert_eq!(outcomes(&done), ["applied", "applied"]);
    assert_eq!(store.inner.stock_of("BOWL", "main").committed, 5);
    assert_eq!(store.orders.claims.load(Ordering::SeqCst), 0);
    store.inner.assert_sound();
}

#[tokio::test]
async fn an_adaptive_batch_locks_after_a_few_conflicts_and_cools_down() {
    let store = Doctored::with_bowls(1_000);
    let mut processor = Processor::new(store.clone(), Strategy::Adaptive);
    store.orders.conflicts.store(3, Ordering::SeqCst);
    processor.process(vec![work(&placed(1, 1))], &shops(""), true).await.unwrap();
    let claims = || store.orders.claims.load(Ordering::SeqCst);
    assert_eq!(claims(), 2, "two conflicts, then locking, against the third too");
    processor.process(vec![work(&placed(2, 1))], &shops(""), true).await.unwrap();
    assert_eq!(claims(), 3, "the item is still hot");
    for id in 3..100 {
        processor.process(vec![work(&placed(id, 1))], &shops(""), true).await.unwrap();
    }
    let cooled = claims();
    assert!(cooled < 20, "{cooled} batches locked");
    store.inner.assert_sound();
}

#[tokio::test]
async fn every_strategy_ends_the_same() {
    for strategy in
        [Strategy::Optimistic, Strategy::Adaptive, Strategy::Locking, Strategy::Advisory]
    {
        let store = Doctored::with_bowls(10);
        store.inner.fail_next([Fault::TryAgain]);
        let mut processor = Processor::new(store.clone(), strategy);
        let batch = vec![work(&placed(1, 2)), work(&placed(2, 9)), work(&placed(3, 3))];
        let done = processor.process(batch, &shops(""), true).await.unwrap();
        assert_eq!(outcomes(&done), ["applied", "not_enough_stock", "applied"]);
        store.inner.assert_sound();
    }
}

#[tokio::test]
async fn an_outage_fails_the_batch_and_the_same_again_passes() {
    let store = Doctored::with_bowls(10);
    let mut processor = Processor::new(store.clone(), Strategy::Optimistic);
    let batch = vec![work(&placed(1, 2)), work(&placed(2, 3))];
    store.set_away(true);
    let answer = processor.process(batch.clone(), &shops(""), true).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))));
    store.set_away(false);

    // It happens, but the answer is lost.
    store.inner.fail_next([Fault::AppliedUnavailable]);
    processor.process(batch.clone(), &shops(""), true).await.unwrap_err();
    let done = processor.process(batch, &shops(""), true).await.unwrap();
    assert_eq!(outcomes(&done), ["redelivered", "redelivered"]);
    assert_eq!(store.inner.stock_of("BOWL", "main").committed, 5);
    assert_eq!(store.inner.faults_left(), 0);
    store.inner.assert_sound();
}

#[tokio::test]
async fn what_the_store_refuses_becomes_a_dead_letter_and_its_neighbours_apply() {
    for poison in 1..=8 {
        let store = Doctored::with_bowls(100);
        store.rejects("poison");
        let mut processor = Processor::new(store.clone(), Strategy::Adaptive);
        let batch = (1..=8)
            .map(|id| {
                let webhook = placed(id, 1);
                work(&if id == poison { webhook.with_id("poison") } else { webhook })
            })
            .collect();
        let done = processor.process(batch, &shops(""), true).await.unwrap();
        let mut expected = vec!["applied"; 8];
        expected[usize::try_from(poison).unwrap() - 1] = "store_rejected";
        assert_eq!(outcomes(&done), expected, "in the order of the batch");
        let dead = store.inner.dead_letters();
        assert_eq!(dead.len(), 1);
        let letter = dead.values().next().unwrap();
        assert_eq!(letter.reason, DeadReason::StoreRejected);
        assert!(letter.detail.contains("told to refuse it"), "{}", letter.detail);
        let raw = queue::parcel::decode(&letter.raw).unwrap();
        assert_eq!(raw[0].webhook.as_str(), "poison");
        assert_eq!(store.inner.stock_of("BOWL", "main").committed, 7);
        store.inner.assert_sound();
    }
}

#[tokio::test]
async fn what_cannot_even_be_buried_waits_in_the_queue() {
    let store = Doctored::with_bowls(100);
    store.rejects("poison");
    store.orders.rejects_letters.store(true, Ordering::SeqCst);
    let mut processor = Processor::new(store.clone(), Strategy::Optimistic);
    let batch = vec![work(&placed(1, 1)), work(&placed(2, 1).with_id("poison"))];
    let done = processor.process(batch, &shops(""), true).await.unwrap();
    assert_eq!(outcomes(&done), ["applied", "retry"]);
    assert_eq!(done[1], Done::RetryIn(retry::RUNGS[5], RetryReason::Unwritable));
    store.inner.assert_sound();
}

#[tokio::test]
async fn a_lookup_that_is_asked_to_try_again_is_no_outage() {
    let store = Doctored::with_bowls(100);
    store.orders.load_tries_again.store(true, Ordering::SeqCst);
    let mut processor = Processor::new(store.clone(), Strategy::Optimistic);
    let capture = received(Provider::Stripe, &payment(Provider::Stripe, 1).capture(NOW), NOW);
    let done = processor.process(vec![Work::new(capture, 0)], &paid_shops(""), true).await;
    assert_eq!(outcomes(&done.expect("the store is there")), ["applied"]);
    assert!(!store.orders.load_tries_again.load(Ordering::SeqCst), "it was asked");
}

#[tokio::test]
async fn a_panic_costs_one_dead_letter() {
    for strategy in [Strategy::Optimistic, Strategy::Locking] {
        let store = Doctored::with_bowls(100);
        store.misleads("2");
        let mut processor = Processor::new(store.clone(), strategy);
        let batch = (1..=3).map(|id| work(&placed(id, 1))).collect();
        let done = processor.process(batch, &shops(""), true).await.unwrap();
        assert_eq!(outcomes(&done), ["applied", "panic", "applied"]);
        let detail = verdict(&done[1]).detail.as_deref().unwrap();
        assert!(detail.contains("bounded by the row"), "{detail}");
        assert_eq!(store.inner.stock_of("BOWL", "main").committed, 2);
        store.inner.assert_sound();
    }
}

#[tokio::test]
async fn what_keeps_failing_alone_climbs_the_ladder_and_then_dies() {
    let store = Doctored::with_bowls(100);
    store.fails("weak");
    let mut processor = Processor::new(store.clone(), Strategy::Optimistic);
    let mut weak = work(&placed(2, 1).with_id("weak"));
    let batch = vec![work(&placed(1, 1)), weak.clone(), work(&placed(3, 1))];
    // As long as it may be the store, the batch is held.
    processor.process(batch.clone(), &shops(""), true).await.unwrap_err();
    let done = processor.process(batch, &shops(""), false).await.unwrap();
    assert_eq!(outcomes(&done), ["applied", "retry", "applied"]);

    for attempts in 0.. {
        weak.attempts = attempts;
        let done = processor.process(vec![weak.clone()], &shops(""), false).await.unwrap();
        match retry::wait_after(attempts) {
            Some(wait) => assert_eq!(done, [Done::RetryIn(wait, RetryReason::Failing)]),
            None => {
                assert_eq!(outcomes(&done), ["retries_exhausted"]);
                break;
            }
        }
    }
    store.inner.assert_sound();
}

#[tokio::test]
async fn what_is_always_too_busy_climbs_the_ladder() {
    let (metrics, _guard) = recorded();
    let store = Doctored::with_bowls(100);
    store.orders.busy.store(true, Ordering::SeqCst);
    let mut processor = Processor::new(store.clone(), Strategy::Optimistic);
    let done = processor.process(vec![work(&placed(1, 1))], &shops(""), true).await.unwrap();
    assert_eq!(done, [Done::RetryIn(retry::RUNGS[0], RetryReason::Busy)]);
    assert_eq!(value(&metrics, "onhand_commit_try_again_total"), Some(30.0));
}

/// A database that comes and goes makes a batch suspect, and must not send all of it to the ladder.
#[tokio::test(start_paused = true)]
async fn what_is_suspected_is_held_all_the_same_while_the_store_is_away() {
    let store = Doctored::with_bowls(100);
    store.set_away(true);
    let mut processor = Processor::new(store.clone(), Strategy::Optimistic);
    let batch: Vec<_> = (1..=4).map(|id| work(&placed(id, 1))).collect();
    processor.process(batch.clone(), &shops(""), false).await.unwrap_err();
    // It is there again while the batch waits for it.
    let mut asked = store.orders.asked_in_vain.subscribe();
    asked.mark_unchanged();
    let before = *asked.borrow();
    let shops = shops("");
    let returns = async {
        asked.wait_for(|times| *times > before + 3).await.expect("somebody asks");
        store.set_away(false);
    };
    let (done, ()) = tokio::join!(processor.process(batch, &shops, false), returns);
    assert_eq!(outcomes(&done.unwrap()), ["applied"; 4]);
}

/// Whoever has the turn to commit when the store goes leaves it to the other lanes, and the line, too.
#[tokio::test(start_paused = true)]
async fn a_lane_that_gets_no_turn_among_processes_keeps_nobody_else_from_theirs() {
    let store = Doctored::with_bowls(100);
    let turn = Turn::new(Thresholds { many: 0, ..Thresholds::default() });
    let lane = || Processor::new(store.clone(), Strategy::Adaptive).in_turn(turn.clone());
    let (mut first, mut second) = (lane(), lane());
    store.orders.without_turn.store(true, Ordering::SeqCst);
    let shops = shops("");
    let (one, two) = tokio::join!(
        first.process(vec![work(&placed(1, 1))], &shops, true),
        second.process(vec![work(&placed(2, 1))], &shops, true),
    );
    for failed in [one, two] {
        assert!(matches!(failed, Err(StoreError::Unavailable(_))), "{failed:?}");
    }

    store.orders.without_turn.store(false, Ordering::SeqCst);
    let began = tokio::time::Instant::now();
    for (lane, id) in [(&mut second, 2), (&mut first, 1)] {
        let done = lane.process(vec![work(&placed(id, 1))], &shops, true).await.unwrap();
        assert_eq!(outcomes(&done), ["applied"]);
    }
    assert!(began.elapsed() < Thresholds::default().patience, "nobody is in line");
    store.inner.assert_sound();
}

/// Somebody has locked a row and left: what does not want it must not wait for half an hour.
#[tokio::test(start_paused = true)]
async fn a_batch_waits_for_locks_a_few_times_and_not_thirty() {
    let store = Doctored::with_bowls(100);
    store.orders.locked.store(true, Ordering::SeqCst);
    let mut processor = Processor::new(store.clone(), Strategy::Optimistic);
    let batch = (1..=4).map(|id| work(&placed(id, 1))).collect();
    let began = tokio::time::Instant::now();
    let done = processor.process(batch, &shops(""), true).await.unwrap();
    assert_eq!(done, vec![Done::RetryIn(retry::RUNGS[0], RetryReason::Busy); 4]);
    // Twice all, the first half, and each of it; then the second half is not tried any further.
    let waits = began.elapsed().as_secs() / LOCK_TIMEOUT.as_secs();
    assert_eq!(waits, 9, "{:?}", began.elapsed());
}

#[tokio::test]
async fn facts_of_one_order_and_repeats_share_a_batch() {
    let store = Doctored::with_bowls(10);
    let mut processor = Processor::new(store.clone(), Strategy::Optimistic);
    let mut order = ShopifyOrder::new(1).line("BOWL", 3);
    let create = order.webhook("orders/create");
    let paid = order.pay().webhook("orders/paid");
    let sent = order.fulfil().webhook("orders/fulfilled");
    let same = work(&create);
    let batch = vec![
        same.clone(),
        work(&paid),
        same,
        work(&create),
        work(&sent),
        work(&paid.clone().with_id("another")),
    ];
    let done = processor.process(batch, &shops(""), true).await.unwrap();
    let expected = ["applied", "applied", "redelivered", "duplicate", "applied", "superseded"];
    assert_eq!(outcomes(&done), expected);
    let stock = store.inner.stock_of("BOWL", "main");
    assert_eq!((stock.on_hand, stock.committed), (7, 0));
    assert_eq!(store.batches(), [4], "one commit");
    store.inner.assert_sound();
}

#[tokio::test]
async fn a_dead_letter_is_replayed_when_its_cause_is_mended() {
    let store = Doctored::default();
    let mut processor = Processor::new(store.clone(), Strategy::Adaptive);
    let mut one = work(&placed(1, 2));
    let done = processor.process(vec![one.clone()], &shops(""), true).await.unwrap();
    assert_eq!(outcomes(&done), ["unknown_sku"]);
    store.inner.open_stock("BOWL", "main", 5, 0);
    let done = processor.process(vec![one.clone()], &shops(""), true).await.unwrap();
    assert_eq!(outcomes(&done), ["redelivered"], "nobody asked for a replay");
    one.replay = true;
    let done = processor.process(vec![one.clone()], &shops(""), true).await.unwrap();
    assert_eq!(outcomes(&done), ["applied"]);
    let done = processor.process(vec![one], &shops(""), true).await.unwrap();
    assert_eq!(outcomes(&done), ["redelivered"]);
    assert_eq!(store.inner.stock_of("BOWL", "main").committed, 2);
    store.inner.assert_sound();
}

#[tokio::test]
async fn a_sender_that_no_shop_is_named_for_is_a_dead_letter() {
    let store = Doctored::with_bowls(5);
    let mut processor = Processor::new(store.clone(), Strategy::Optimistic);
    let mut one = work(&placed(1, 2));
    one.envelope.shop = "other.myshopify.com".into();
    one.envelope.signature = Some(sign("secret of demo", &one.envelope.body));
    let done = processor.process(vec![one.clone()], &shops(""), true).await.unwrap();
    assert_eq!(outcomes(&done), ["unknown_shop"]);
    // By now the file names it, under a name of its own.
    let mended = shops(
        "[[shop]]\nname = \"other\"\nplatform = \"shopify\"\n\
         domain = \"other.myshopify.com\"\nsecrets = [\"plain:secret\"]",
    );
    one.replay = true;
    let done = processor.process(vec![one.clone()], &mended, true).await.unwrap();
    assert_eq!(outcomes(&done), ["unknown_shop"], "another shop cannot speak for it");
    one.envelope.signature = Some(sign("secret", &one.envelope.body));
    let done = processor.process(vec![one], &mended, true).await.unwrap();
    assert_eq!(outcomes(&done), ["applied"]);
    let orders = store.inner.orders();
    assert_eq!(orders.keys().next().unwrap().shop.as_str(), "other");
}

#[tokio::test]
async fn a_sender_without_a_name_is_told_from_one_that_nobody_knows() {
    let store = Doctored::with_bowls(5);
    let mut processor = Processor::new(store, Strategy::Optimistic);
    for (shop, expected) in
        [("unknown", "X-Shopify-Shop-Domain"), ("other.myshopify.com", "names no shop other")]
    {
        let mut one = work(&placed(1, 2));
        one.envelope.shop = shop.into();
        let done = processor.process(vec![one], &shops(""), true).await.unwrap();
        let Done::Decided(Decided::Verdict(verdict)) = &done[0] else { panic!("{done:?}") };
        let detail = verdict.detail.as_deref().unwrap_or_default();
        assert!(detail.contains(expected), "{detail}");
    }
}

/// A dead letter that cannot be made is a bug of ours, and must not become an endless loop.
#[tokio::test]
#[should_panic(expected = "fits into a parcel")]
async fn what_is_dead_already_cannot_be_condemned_again() {
    let store = Doctored::with_bowls(5);
    let mut processor = Processor::new(store, Strategy::Optimistic);
    let mut monster = work(&placed(1, 1));
    monster.envelope.body = vec![b'7'; queue::parcel::RAW_BYTES_MAX].into();
    let _ = processor.process(vec![monster], &shops(""), true).await;
}

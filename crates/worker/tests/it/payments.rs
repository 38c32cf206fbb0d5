//! An order that is committed once it is paid, and payments for it at another shop: whatever comes
//! when, the end is that of delivery in order, and the order is committed once.

use std::collections::{BTreeMap, BTreeSet};

use domain::order::{Known, OrderState};
use domain::payment::PaymentState;
use domain::{
    Envelope, EnvelopeId, Fact, Keys, Meaning, MoveKind, OrderFact, OrderId, PaymentId, Provider,
    ShopId, WebhookKey,
};
use store::Store;
use testkit::memory::MemoryStore;
use testkit::model::Model;
use testkit::permutations;
use uuid::Uuid;
use worker::Strategy;

use crate::backends::{Backend, InPostgres, InSqlite, Memory, both_work, open_stock, work_off};
use crate::cards::Act::{
    self, Authorise, CallOff, Cancel, Capture, CaptureFails, Dispute, Fail, Lose, Refund,
    RefundFails, Win,
};
use crate::cards::{End, UNITS, bowls, end, history, order_key, paid_shops, works};
use crate::dice::Dice;
use crate::logged::Logged;
use crate::sites::{deal, weather};
use crate::ways::{PATHS, Pair, Ways, run_pairs};

async fn in_order(order: u64, sku: &str, sent: &[Envelope]) -> End {
    let store = MemoryStore::default();
    open_stock(&store, &[(bowls(sku), 10)]).await;
    let one_by_one = sent.iter().map(|one| works(std::slice::from_ref(one))).collect();
    work_off(store.clone(), one_by_one, &paid_shops(""), Strategy::Optimistic).await;
    store.assert_sound();
    end(&store, order, sku, sent).await
}

/// Committed once, or never; and given up again if the order was called off after that.
fn assert_committed_once(store: &MemoryStore, end: &End) {
    let of_order = store.ledger().into_iter().filter(|row| row.cause.order.is_some());
    let moves: Vec<_> = of_order.map(|row| (row.change.kind, row.change.committed_delta)).collect();
    let commit = (MoveKind::Commit, UNITS);
    let expected = match &end.known.snapshot {
        Some(snapshot) if snapshot.cancelled && !moves.is_empty() => {
            vec![commit, (MoveKind::Release, -UNITS)]
        }
        Some(snapshot) if !snapshot.cancelled && end.known.paid => vec![commit],
        _ => vec![],
    };
    assert_eq!(moves, expected);
}

/// What happens, where one of the payments stands in the end, and the order.
type Short = (&'static [(usize, Act)], PaymentState, OrderState);

use OrderState::{AwaitingPayment, Cancelled, Committed, PaidAfterCancel};
use PaymentState as Is;

const SHORT: [Short; 15] = [
    (&[(0, Authorise), (0, Capture), (0, Refund)], Is::PartiallyRefunded, Committed),
    (&[(0, Capture), (0, Refund), (0, Refund)], Is::PartiallyRefunded, Committed),
    (&[(0, Authorise), (0, Capture), (0, Dispute)], Is::Disputed, Committed),
    (&[(0, Fail), (0, Authorise), (0, Capture)], Is::Captured, Committed),
    (&[(0, Fail), (0, Fail), (0, Cancel)], Is::Cancelled, AwaitingPayment),
    (&[(0, Authorise), (0, Cancel)], Is::Cancelled, AwaitingPayment),
    (&[(0, Capture), (1, Capture), (1, Refund), (0, Dispute)], Is::Disputed, Committed),
    (&[(0, Authorise), (1, Fail), (1, Capture), (0, Cancel)], Is::Cancelled, Committed),
    // What came about after all, or did not.
    (&[(0, Capture), (0, CaptureFails)], Is::CaptureFailed, Committed),
    (&[(0, Capture), (0, Refund), (0, RefundFails)], Is::Captured, Committed),
    (&[(0, Capture), (0, Dispute), (0, Win)], Is::Captured, Committed),
    (&[(0, Capture), (0, Dispute), (0, Lose)], Is::ChargedBack, Committed),
    // Orders that are called off.
    (&[(0, Authorise), (0, CallOff), (0, Capture)], Is::Captured, PaidAfterCancel),
    (&[(0, Capture), (0, CallOff), (0, Refund)], Is::PartiallyRefunded, Cancelled),
    (&[(0, Authorise), (0, CallOff), (0, Cancel)], Is::Cancelled, Cancelled),
];

/// A provider, and a short history that it tells.
fn short() -> impl Iterator<Item = (Provider, Short)> {
    let of = |provider: Provider| SHORT.into_iter().map(move |one| (provider, one));
    let all = Provider::ALL.into_iter().flat_map(of);
    all.filter(|(by, (acts, ..))| {
        acts.iter().all(|(_, act)| act.is_told_by(*by)) && is_told(*by, acts)
    })
}

/// Adyen tells of a capture by the payment's id alone, and never before the authorisation.
fn is_told(provider: Provider, acts: &[(usize, Act)]) -> bool {
    let first = |which| acts.iter().find(|(of, _)| *of == which).map(|(_, act)| act);
    provider != Provider::Adyen || ![0, 1].map(first).iter().any(|act| matches!(act, Some(Capture)))
}

#[tokio::test]
async fn short_histories_end_the_same_in_every_order() {
    for (provider, (acts, payment, state)) in short() {
        let sent = history(provider, 5001, "BOWL", acts);
        let straight = in_order(5001, "BOWL", &sent).await;
        let case = format!("{provider:?} {acts:?}");
        assert_eq!(straight.state, state, "{case}");
        assert_eq!(straight.stock, (10, if state == Committed { UNITS } else { 0 }), "{case}");
        let states: Vec<_> = straight.known.payments.values().map(|one| one.state).collect();
        assert!(states.contains(&payment), "{case}: {states:?}");
        for (at, mut arriving) in permutations(&sent).into_iter().enumerate() {
            // One again from the broker, and one from the provider.
            let (again, sent_again) = (arriving[at % sent.len()].clone(), &arriving[0]);
            let id = EnvelopeId(Uuid::now_v7());
            let sent_again = Envelope { id, ..sent_again.clone() };
            arriving.insert(1 + at % sent.len(), sent_again);
            arriving.push(again);
            let store = MemoryStore::default();
            open_stock(&store, &[(bowls("BOWL"), 10)]).await;
            let batches = arriving.chunks(1 + at % 4).map(works).collect();
            work_off(store.clone(), batches, &paid_shops(""), Strategy::Optimistic).await;
            let end = end(&store, 5001, "BOWL", &sent).await;
            assert_eq!(end, straight, "{case}, permutation {at}");
            assert_committed_once(&store, &end);
            store.assert_sound();
        }
    }
}

/// The same in a database, for a part of the histories that have four webhooks at most.
async fn every_order<B: Backend>() {
    let (backend, ways) = (B::open().await, Ways::open().await);
    let mut ways = ways.each().into_iter().cycle();
    let few = short().filter(|(_, (acts, ..))| acts.len() <= 3);
    // Others for each provider.
    let few = few.enumerate().filter(|(at, _)| at % 4 == 0).map(|(_, one)| one);
    let mut order = 1_000;
    for (provider, (acts, ..)) in few {
        let places: Vec<usize> = (0..=acts.len()).collect();
        for places in permutations(&places) {
            order += 1;
            let sku = format!("SHORT-{order}");
            let sent = history(provider, order, &sku, acts);
            let straight = in_order(order, &sku, &sent).await;
            let arriving: Vec<_> = places.iter().map(|at| sent[*at].clone()).collect();
            open_stock(backend.store(), &[(bowls(&sku), 10)]).await;
            let batches = arriving.chunks(1 + places[0] % 2).map(works).collect();
            let way = ways.next().expect("for ever");
            work_off(backend.store().clone(), batches, &paid_shops(""), way).await;
            let end = end(backend.store(), order, &sku, &sent).await;
            assert_eq!(end, straight, "{provider:?} {acts:?}, arrived as {places:?}");
        }
    }
    assert_eq!(backend.violations().await, Vec::<String>::new());
}

macro_rules! on_every_store {
    ($($name:ident: $backend:ty, $rounds:literal;)+) => {$(
        mod $name {
            use super::*;

            #[tokio::test]
            async fn short_histories_end_the_same_in_every_order() {
                every_order::<$backend>().await;
            }

            #[test]
            fn long_histories_end_as_in_order() {
                run_pairs::<$backend>(($rounds, &ONE_ORDER), long);
            }

            #[test]
            fn with_stock_scarce_the_end_is_that_of_the_model_in_commit_order() {
                run_pairs::<$backend>(($rounds, UNCROWDED), scarce);
            }
        }
    )+};
}

/// Where one order is all that there is, its units move once, and hardly two want to.
const ONE_ORDER: [&str; 2] = ["onhand_conflicts_total", "onhand_looked_ahead_total"];

/// An order's units move once or twice however much is told of its payments: workers meet at orders,
/// and hardly ever at stock alone, where lanes decide ahead and crowds are.
const UNCROWDED: &[&str] = PATHS.split_at(PATHS.len() - 2).0;

// Rounds over all pairs of ways, at the least.
on_every_store! {
    memory: Memory, 9;
    sqlite: InSqlite, 2;
    postgres: InPostgres, 2;
}

fn acts(dice: &mut Dice) -> Vec<(usize, Act)> {
    (0..2 + dice.roll(9)).map(|_| (dice.roll(2), *dice.pick(&Act::ALL))).collect()
}

async fn long<B: Backend>(backend: &B, seed: u64, pair: &Pair) {
    let mut dice = Dice::new(seed);
    let (order, sku) = (10_000 + seed, format!("BOWL-{seed}"));
    let acts = acts(&mut dice);
    let sent = history(*dice.pick(&Provider::ALL), order, &sku, &acts);
    let losing = dice.roll(3) == 0;
    let [told, arriving] = weather(&sent, losing, &mut dice);
    let straight = in_order(order, &sku, &told).await;

    open_stock(backend.store(), &[(bowls(&sku), 10)]).await;
    backend.plant_faults();
    let workers = deal(&arriving, &mut dice);
    both_work(backend.store(), workers, pair, &paid_shops("")).await;
    let end = end(backend.store(), order, &sku, &told).await;
    assert_eq!(end, straight, "seed {seed}: {acts:?}");
    assert_eq!(backend.violations().await, Vec::<String>::new(), "seed {seed}");
}

/// Several orders want the same few bowls, and whoever is paid first gets them.
async fn scarce<B: Backend>(backend: &B, seed: u64, pair: &Pair) {
    let mut dice = Dice::new(1_000 + seed);
    let sku = format!("FEW-{seed}");
    let rules = format!("when_short = {:?}", dice.pick(&["reject", "hold"]));
    let shops = paid_shops(&rules);
    let orders: Vec<u64> = (0..4).map(|order| 20_000 + seed * 10 + order).collect();
    let mut sent = Vec::new();
    for order in &orders {
        let acts = acts(&mut dice);
        sent.extend(history(*dice.pick(&Provider::ALL), *order, &sku, &acts));
    }
    let [told, arriving] = weather(&sent, dice.roll(3) == 0, &mut dice);
    let units = i64::try_from(dice.roll(7)).expect("a few");
    let store = Logged::new(backend.store().clone());
    open_stock(&store, &[(bowls(&sku), units)]).await;
    let workers = deal(&arriving, &mut dice);
    both_work(&store, workers, pair, &shops).await;

    let mut model = Model::default();
    model.open_stock(&sku, "main", units, 0);
    let policy = &shops.get(&ShopId::new("demo")).expect("named").policy;
    let mut paying = Paying::default();
    let facts: BTreeMap<WebhookKey, &Envelope> = told.iter().map(|one| (one.key(), one)).collect();
    for webhook in store.log().await {
        let envelope = facts.get(&webhook).expect("nothing else was told");
        for fact in paying.orders_hear(platforms::parse(envelope)) {
            let key = order_key(fact.order.as_str().parse().expect("a number"));
            model.apply(&key, &fact, policy);
        }
    }
    let keys = orders.iter().map(|order| order_key(*order)).collect();
    let skus = [bowls(&sku).sku].into();
    let view = store.load(&Keys { orders: keys, skus, ..Keys::default() }).await.expect("loads");
    let row = view.stock.get(&bowls(&sku));
    assert_eq!((row.on_hand, row.committed), model.stock()[&bowls(&sku)], "seed {seed}");
    for (key, order) in view.orders {
        let held = order.holdings.into_iter().filter(|(_, held)| !held.is_empty()).collect();
        assert_eq!((held, order.short.is_some()), model.order(&key), "seed {seed}: {key}");
    }
    assert_eq!(backend.violations().await, Vec::<String>::new(), "seed {seed}");
}

/// What of payments matters for stock, as plainly as it can be said: which orders each is said to
/// pay for, and whether money came in.
#[derive(Default)]
struct Paying(BTreeMap<PaymentId, (BTreeSet<OrderId>, bool)>);

impl Paying {
    fn orders_hear(&mut self, meaning: Meaning) -> Vec<OrderFact> {
        match meaning {
            Meaning::Fact(Fact::Order(fact)) => vec![*fact],
            Meaning::Fact(Fact::Payment(fact)) => {
                let captured = fact.known.was_captured();
                let (orders, paid) = self.0.entry(fact.payment).or_default();
                orders.extend(fact.known.references);
                *paid |= captured;
                let tell = |order: &OrderId| {
                    let known = Known { paid: *paid, ..Known::default() };
                    OrderFact { order: order.clone(), test: false, lines: [].into(), known }
                };
                orders.iter().map(tell).collect()
            }
            _ => vec![],
        }
    }
}

//! An order that is committed once it is paid, and payments for it at another shop: whatever comes
//! when, the end is that of delivery in order, and the order is committed once.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::order::{Holding, Known};
use domain::payment::{PaymentKnown, PaymentState};
use domain::{
    Envelope, EnvelopeId, Keys, LocationId, MoveKind, OrderId, OrderKey, PaymentId, PaymentKey,
    Provider, ShopId, Sku, StockKey, Timestamp,
};
use platforms::Shops;
use store::Store;
use testkit::memory::MemoryStore;
use testkit::payments::{AMOUNT, PaymentLife};
use testkit::permutations;
use testkit::request::Request;
use testkit::shopify::{PLACED_AT, ShopifyOrder};
use tokio::runtime::Runtime;
use uuid::Uuid;
use worker::{Strategy, Work};

use crate::backends::{Backend, InPostgres, InSqlite, Memory, both_work, open_stock, work_off};
use crate::dice::Dice;
use crate::harness::{headers, shops};
use crate::sites::{deal, locks, weather};

const KEY: &str = "74F490DD33F7327BAECC88B2947C011FC02D014A473AAA33A8EC93E4DC069174";

const PROVIDERS: [Provider; 3] = [Provider::Stripe, Provider::Adyen, Provider::Standard];

/// Of every order.
const UNITS: i64 = 2;

/// `demo`, which commits what is paid, and `cards`, where it is paid.
pub(crate) fn paid_shops() -> Arc<Shops> {
    shops(&format!(
        "commit_on = \"paid\"\n[[shop]]\nname = \"cards\"\nplatform = \"payments\"\n\
         secrets = [\"plain:{KEY}\"]\npays_for = \"demo\""
    ))
}

pub(crate) fn payment(provider: Provider, order: u64) -> PaymentLife {
    PaymentLife::new(provider, "cards", KEY, &order.to_string())
}

/// The envelope of what a provider sends at `at`.
pub(crate) fn received(provider: Provider, request: &Request, at: Timestamp) -> Envelope {
    let (shops, mut new_id) = (paid_shops(), || EnvelopeId(Uuid::now_v7()));
    let shop = shops.get(&ShopId::new("cards")).expect("named");
    let (headers, body) = (headers(request), request.body.clone());
    platforms::payments::receive(provider, &headers, body, shop, &mut new_id, at)
        .expect("signed")
        .remove(0)
}

/// What happens to payments, each with its number of the payment.
#[derive(Clone, Copy, Debug)]
enum Act {
    Authorise,
    Capture,
    Fail,
    Cancel,
    Refund,
    Dispute,
}

use Act::{Authorise, Cancel, Capture, Dispute, Fail, Refund};

/// Nobody is told what an order's refunds and disputes are about but by the payment's own id.
fn unnamed(mut envelope: Envelope, order: u64) -> Envelope {
    let text = String::from_utf8_lossy(&envelope.body);
    envelope.body = text.replace(&format!("\"order_id\":\"{order}\""), "\"order_id\":null").into();
    envelope
}

/// An order, then what happens to its payments, as it is sent.
fn history(provider: Provider, order: u64, sku: &str, acts: &[(usize, Act)]) -> Vec<Envelope> {
    let placed = ShopifyOrder::new(order).line(sku, UNITS).webhook("orders/create");
    let mut sent = vec![placed.envelope("demo", Timestamp::from_seconds(PLACED_AT))];
    let mut lives = [payment(provider, order), payment(provider, order)];
    for (at, (which, act)) in (PLACED_AT + 1..).zip(acts) {
        let (life, now) = (&mut lives[*which], Timestamp::from_seconds(at));
        let request = match act {
            Authorise => life.authorise(now),
            Capture => life.capture(now),
            Fail => life.fail(now),
            Cancel => life.cancel(now),
            Refund => life.refund(AMOUNT / 2, now),
            Dispute => life.dispute(now),
        };
        let envelope = received(provider, &request, now);
        let is_named = !matches!(act, Refund | Dispute);
        sent.push(if is_named { envelope } else { unnamed(envelope, order) });
    }
    sent
}

/// The units of a row, what is known of each payment, and what is known of and held by the order.
#[derive(Debug, PartialEq)]
struct End {
    stock: (i64, i64),
    payments: BTreeMap<PaymentId, PaymentKnown>,
    known: Known,
    holdings: BTreeMap<StockKey, Holding>,
}

async fn end<S: Store>(store: &S, order: u64, sku: &str, sent: &[Envelope]) -> End {
    let key = OrderKey { shop: ShopId::new("demo"), order: OrderId::new(order.to_string()) };
    let facts = sent.iter().filter_map(|one| match platforms::parse(one) {
        domain::Meaning::Fact(domain::Fact::Payment(fact)) => Some(fact.payment),
        _ => None,
    });
    let shop = ShopId::new("cards");
    let payments = facts.map(|payment| PaymentKey { shop: shop.clone(), payment }).collect();
    let (orders, row) = ([key.clone()].into(), bowls(sku));
    let keys = Keys { orders, payments, skus: [row.sku.clone()].into(), ..Keys::default() };
    let mut view = store.load(&keys).await.expect("loads");
    let stock = view.stock.get(&row);
    let mut order = view.orders.remove(&key).unwrap_or_default();
    for (payment, known) in &view.payments {
        let linked = order.known.payments.get(&payment.to_string()).copied();
        assert_eq!(linked, known.known.reference().map(|_| known.linked()), "the order knows it");
    }
    // How often there was news depends on the way.
    order.known.payments.values_mut().for_each(|linked| linked.revision = 0);
    End {
        stock: (stock.on_hand, stock.committed),
        payments: view.payments.into_iter().map(|(key, one)| (key.payment, one.known)).collect(),
        known: order.known,
        holdings: order.holdings,
    }
}

fn bowls(sku: &str) -> StockKey {
    StockKey::new(&Sku::new(sku), &LocationId::new("main"))
}

fn works(batch: &[Envelope]) -> Vec<Work> {
    batch.iter().map(|one| Work::new(one.clone(), 0)).collect()
}

async fn in_order(order: u64, sku: &str, sent: &[Envelope]) -> End {
    let store = MemoryStore::default();
    open_stock(&store, &[(bowls(sku), 10)]).await;
    let one_by_one = sent.iter().map(|one| works(std::slice::from_ref(one))).collect();
    work_off(store.clone(), one_by_one, &paid_shops(), Strategy::Optimistic).await;
    end(&store, order, sku, sent).await
}

/// Committed once, or never.
fn assert_committed_once(store: &MemoryStore, end: &End) {
    let of_order = store.ledger().into_iter().filter(|row| row.cause.order.is_some());
    let moves: Vec<_> = of_order.map(|row| (row.change.kind, row.change.committed_delta)).collect();
    let paid = end.known.paid && end.known.snapshot.is_some();
    assert_eq!(moves, if paid { vec![(MoveKind::Commit, UNITS)] } else { vec![] });
}

/// What happens to the payments, whether they pay, and where one of them stands in the end.
type Short = (&'static [(usize, Act)], bool, PaymentState);

const SHORT: [Short; 8] = [
    (&[(0, Authorise), (0, Capture), (0, Refund)], true, PaymentState::PartiallyRefunded),
    (&[(0, Capture), (0, Refund), (0, Refund)], true, PaymentState::PartiallyRefunded),
    (&[(0, Authorise), (0, Capture), (0, Dispute)], true, PaymentState::Disputed),
    (&[(0, Fail), (0, Authorise), (0, Capture)], true, PaymentState::Captured),
    (&[(0, Fail), (0, Fail), (0, Cancel)], false, PaymentState::Cancelled),
    (&[(0, Authorise), (0, Cancel)], false, PaymentState::Cancelled),
    (&[(0, Capture), (1, Capture), (1, Refund), (0, Dispute)], true, PaymentState::Disputed),
    (&[(0, Authorise), (1, Fail), (1, Capture), (0, Cancel)], true, PaymentState::Cancelled),
];

#[tokio::test]
async fn short_histories_end_the_same_in_every_order() {
    for (provider, (acts, pays, state)) in
        PROVIDERS.into_iter().flat_map(|provider| SHORT.map(|one| (provider, one)))
    {
        let sent = history(provider, 5001, "BOWL", acts);
        let straight = in_order(5001, "BOWL", &sent).await;
        let case = format!("{provider:?} {acts:?}");
        assert_eq!(straight.known.paid, pays, "{case}");
        assert_eq!(straight.stock, (10, if pays { UNITS } else { 0 }), "{case}");
        let states: Vec<_> = straight.known.payments.values().map(|one| one.state).collect();
        assert!(states.contains(&state), "{case}: {states:?}");
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
            work_off(store.clone(), batches, &paid_shops(), Strategy::Optimistic).await;
            let end = end(&store, 5001, "BOWL", &sent).await;
            assert_eq!(end, straight, "{case}, permutation {at}");
            assert_committed_once(&store, &end);
            store.assert_sound();
        }
    }
}

#[test]
fn long_histories_end_as_in_order_in_memory() {
    run_cases::<Memory>(150);
}

#[test]
fn long_histories_end_as_in_order_in_sqlite() {
    run_cases::<InSqlite>(25);
}

#[test]
fn long_histories_end_as_in_order_in_postgres() {
    run_cases::<InPostgres>(25);
}

fn run_cases<B: Backend>(cases: u64) {
    let runtime = Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let backend = B::open().await;
        for seed in 1..=cases {
            long(&backend, seed).await;
        }
    });
}

async fn long<B: Backend>(backend: &B, seed: u64) {
    let mut dice = Dice::new(seed);
    let (order, sku) = (10_000 + seed, format!("BOWL-{seed}"));
    let all = [Authorise, Capture, Fail, Cancel, Refund, Dispute];
    let acts: Vec<_> = (0..2 + dice.roll(9)).map(|_| (dice.roll(2), *dice.pick(&all))).collect();
    let sent = history(*dice.pick(&PROVIDERS), order, &sku, &acts);
    let losing = dice.roll(3) == 0;
    let [told, arriving] = weather(&sent, losing, &mut dice);
    let straight = in_order(order, &sku, &told).await;

    open_stock(backend.store(), &[(bowls(&sku), 10)]).await;
    backend.plant_faults();
    let workers = deal(&arriving, &mut dice);
    both_work(backend.store(), workers, locks(&mut dice), &paid_shops()).await;
    let end = end(backend.store(), order, &sku, &told).await;
    assert_eq!(end, straight, "seed {seed}: {acts:?}");
    assert_eq!(backend.violations().await, Vec::<String>::new(), "seed {seed}");
}

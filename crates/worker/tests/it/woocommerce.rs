//! Whole lives of a WooCommerce site's orders, from the bytes on: in any order, with losses and
//! repeats, with two workers at the same time, on every store.

use std::collections::BTreeMap;

use domain::order::Holding;
use domain::{Batch, Envelope, EnvelopeId, Fact, Keys, Meaning, OrderKey, StockKey, Timestamp};
use store::{Commit, Store};
use testkit::memory::MemoryStore;
use testkit::model::Model;
use testkit::permutations;
use worker::{Strategy, Work};

use crate::backends::{Backend, InPostgres, InSqlite, Memory, both_work, open_stock, work_off};
use crate::dice::Dice;
use crate::logged::Logged;
use crate::sites::{HeldBySite, Site, deal, weather};
use crate::ways::{PATHS, Pair, Ways, run_pairs};

/// Nobody can ask for so many.
const AMPLE: i64 = 10_000;

macro_rules! on_every_store {
    ($($name:ident: $backend:ty, $rounds:literal;)+) => {$(
        mod $name {
            use super::*;

            #[test]
            fn with_stock_enough_the_end_is_that_of_delivery_in_order_and_the_site_s() {
                run_pairs::<$backend>(($rounds, PATHS), ample);
            }

            #[test]
            fn with_stock_scarce_nothing_is_oversold_and_every_order_holds_what_it_should() {
                run_pairs::<$backend>(($rounds, PATHS), scarce);
            }

            #[test]
            fn with_stock_scarce_at_one_place_the_end_is_that_of_the_model_in_commit_order() {
                run_pairs::<$backend>(($rounds, PATHS), scarce_at_one_place);
            }

            #[tokio::test]
            async fn a_few_webhooks_end_the_same_in_every_order() {
                every_order::<$backend>().await;
            }
        }
    )+};
}

// Rounds over all pairs of ways, at the least.
on_every_store! {
    memory: Memory, 9;
    sqlite: InSqlite, 2;
    postgres: InPostgres, 2;
}

async fn ample<B: Backend>(backend: &B, seed: u64, pair: &Pair) {
    let mut dice = Dice::new(seed);
    let losing = dice.roll(3) == 0;
    let mut site = Site::new(seed, 1, 1 + seed % 4, usize::MAX, &when_short(&mut dice));
    // In one second of a site anything may look like the newest: only its own clock can tell.
    let hurried = dice.roll(4) == 0;
    site.seconds = i64::from(!hurried);
    let (sent, held) = site.live();
    let [told, arriving] = weather(&sent, losing, &mut dice);
    let straight = in_order(&site, &told).await;

    open_stock(backend.store(), &rows(&site, AMPLE)).await;
    backend.plant_faults();
    let workers = deal(&arriving, &mut dice);
    both_work(backend.store(), workers, pair, &site.shops()).await;
    let end = end(backend.store(), &site).await;
    assert_eq!(end, straight, "seed {seed}");
    if !losing && !hurried {
        assert_held_as_by_site(&end, &held, seed);
    }
    assert_eq!(backend.violations().await, Vec::<String>::new(), "seed {seed}");
    assert_eq!(audit(backend.store(), &site).await, Vec::<String>::new(), "seed {seed}");
}

async fn scarce<B: Backend>(backend: &B, seed: u64, pair: &Pair) {
    // Other runs than those with stock enough, for they may share a database.
    let mut dice = Dice::new(1_000 + seed);
    let (site, arriving, opening) = too_little(1_000 + seed, 2, &mut dice);
    open_stock(backend.store(), &opening).await;
    backend.plant_faults();
    let workers = deal(&arriving, &mut dice);
    both_work(backend.store(), workers, pair, &site.shops()).await;
    settle_again(backend.store(), &site).await;
    let (stock, _) = end(backend.store(), &site).await;
    for (row, (on_hand, committed)) in stock {
        let sound = 0 <= committed && committed <= on_hand;
        assert!(sound, "seed {seed}: {committed} of {on_hand} × {row}");
    }
    assert_eq!(backend.violations().await, Vec::<String>::new(), "seed {seed}");
    assert_eq!(audit(backend.store(), &site).await, Vec::<String>::new(), "seed {seed}");
}

/// A site that sells more than there is, what arrives of what it sends, and what there is.
fn too_little(
    run: u64,
    places: usize,
    dice: &mut Dice,
) -> (Site, Vec<Envelope>, Vec<(StockKey, i64)>) {
    let rules = format!("{}safety_stock = {}", when_short(dice), dice.roll(2));
    let site = Site::new(run, places, 2 + run % 5, usize::MAX, &rules);
    let (sent, _) = site.live();
    let losing = dice.roll(3) == 0;
    let [_, arriving] = weather(&sent, losing, dice);
    let mut opening = rows(&site, 0);
    for (_, units) in &mut opening {
        *units = i64::try_from(dice.roll(9)).expect("a few");
    }
    (site, arriving, opening)
}

/// Where there are two places, only the plan tells from which of them the units of a completed
/// order left; the model has no plan.
async fn scarce_at_one_place<B: Backend>(backend: &B, seed: u64, pair: &Pair) {
    let mut dice = Dice::new(2_000 + seed);
    let (site, arriving, opening) = too_little(2_000 + seed, 1, &mut dice);
    let mut model = Model::default();
    for (key, units) in &opening {
        model.open_stock(key.sku.as_str(), key.location.as_str(), *units, 0);
    }
    let (store, shops) = (Logged::new(backend.store().clone()), site.shops());
    open_stock(&store, &opening).await;
    let workers = deal(&arriving, &mut dice);
    both_work(&store, workers, pair, &shops).await;

    let policy = &shops.get(&site.shop()).expect("named").policy;
    let told: BTreeMap<_, _> = arriving.iter().map(|one| (one.key(), one)).collect();
    for webhook in store.log().await {
        if let Meaning::Fact(Fact::Order(fact)) = platforms::parse(told[&webhook]) {
            let key = OrderKey { shop: site.shop(), order: fact.order.clone() };
            model.apply(&key, &fact, policy);
        }
    }
    let (stock, orders) = end(&store, &site).await;
    assert_eq!(stock, model.stock(), "seed {seed}");
    for (key, held) in orders {
        assert_eq!(held, model.order(&key).0, "seed {seed}: {key}");
    }
    assert_eq!(backend.violations().await, Vec::<String>::new(), "seed {seed}");
}

/// Every permutation is a run of its own, for all of them share a database.
async fn every_order<B: Backend>() {
    let (backend, ways) = (B::open().await, Ways::open().await);
    let mut ways = ways.each().into_iter().cycle();
    for seed in 1..=8 {
        // Two orders or one, with four webhooks at most.
        let (orders, steps) = if seed % 2 == 0 { (2, 1) } else { (1, 3) };
        let mut site = Site::new(seed, 1, orders, steps, "");
        site.seconds = i64::from(seed % 4 > 0);
        let places: Vec<usize> = (0..site.live().0.len()).collect();
        for (run, places) in (seed * 100..).zip(permutations(&places)) {
            let site = site.again(run);
            let (sent, _) = site.live();
            let straight = in_order(&site, &sent).await;
            let arriving: Vec<_> = places.iter().map(|at| sent[*at].clone()).collect();
            open_stock(backend.store(), &rows(&site, AMPLE)).await;
            let batches = arriving.chunks(1 + places[0] % 2).map(works).collect();
            let way = ways.next().expect("for ever");
            work_off(backend.store().clone(), batches, &site.shops(), way).await;
            let end = end(backend.store(), &site).await;
            assert_eq!(end, straight, "seed {seed}, arrived as {places:?}");
        }
    }
    assert_eq!(backend.violations().await, Vec::<String>::new());
}

#[tokio::test]
async fn short_histories_end_the_same_in_every_order() {
    let mut compared = 0;
    for seed in 1..=40 {
        // Two orders whose webhooks are five at most.
        let (orders, steps) = if seed % 2 == 0 { (2, 1) } else { (1, 4) };
        let mut site = Site::new(seed, 1, orders, steps, "");
        site.seconds = i64::from(seed % 5 > 0);
        let (sent, held) = site.live();
        let straight = in_order(&site, &sent).await;
        if site.seconds > 0 {
            compared += assert_held_as_by_site(&straight, &held, seed);
        }
        for (at, arriving) in permutations(&sent).into_iter().enumerate() {
            let store = MemoryStore::default();
            open_stock(&store, &rows(&site, AMPLE)).await;
            let batches = arriving.chunks(1 + at % 5);
            let batches = batches.map(works).collect();
            work_off(store.clone(), batches, &site.shops(), Strategy::Optimistic).await;
            assert_eq!(end(&store, &site).await, straight, "seed {seed}, permutation {at}");
            store.assert_sound();
        }
    }
    assert!(compared > 40, "{compared}");
}

/// Four units in all: two came back and went to somebody else; then the site puts the first order's
/// units back, of which two are there no more.
#[tokio::test]
async fn units_that_came_back_and_were_promised_since_do_not_come_back_twice() {
    let site = Site::new(1, 1, 0, 0, "");
    let store = MemoryStore::default();
    open_stock(&store, &rows(&site, 4)).await;
    let (mut first, mut second) = (site.order(1, 4), site.order(2, 2));
    let sent = [
        site.send(first.pay(), "order.updated"),
        site.send(first.complete(), "order.updated"),
        site.send(first.refund(true, &[(0, 2)]), "order.updated"),
        site.send(second.pay(), "order.created"),
        site.send(first.custom_status("pending"), "order.updated"),
    ];
    let row = site.stock_rows().remove(0);
    for (envelope, expected) in sent.iter().zip([(4, 4), (0, 0), (2, 0), (2, 2), (4, 2)]) {
        let batch = vec![works(std::slice::from_ref(envelope))];
        work_off(store.clone(), batch, &site.shops(), Strategy::Optimistic).await;
        let stock = store.stock()[&row];
        assert_eq!((stock.on_hand, stock.committed), expected);
        store.assert_sound();
    }
    assert_eq!((first.held_by_site(0), second.held_by_site(0)), (0, 2));
}

fn when_short(dice: &mut Dice) -> String {
    format!("when_short = {:?}\n", dice.pick(&["reject", "hold", "backorder"]))
}

fn works(batch: &[Envelope]) -> Vec<Work> {
    batch.iter().map(|one| Work::new(one.clone(), 0)).collect()
}

fn rows(site: &Site, units: i64) -> Vec<(StockKey, i64)> {
    site.stock_rows().into_iter().map(|key| (key, units)).collect()
}

/// Units on hand and committed per row, and what each order holds.
type End = (BTreeMap<StockKey, (i64, i64)>, BTreeMap<OrderKey, BTreeMap<StockKey, Holding>>);

async fn in_order(site: &Site, told: &[Envelope]) -> End {
    let store = MemoryStore::default();
    open_stock(&store, &rows(site, AMPLE)).await;
    let one_by_one = told.iter().map(|one| works(std::slice::from_ref(one))).collect();
    work_off(store.clone(), one_by_one, &site.shops(), Strategy::Optimistic).await;
    store.assert_sound();
    end(&store, site).await
}

async fn end<S: Store>(store: &S, site: &Site) -> End {
    let rows = site.stock_rows();
    let skus = rows.iter().map(|row| row.sku.clone()).collect();
    let orders = site.order_keys().into_iter().collect();
    let view = store.load(&Keys { orders, skus, ..Keys::default() }).await.expect("loads");
    let stock = rows.into_iter().map(|key| {
        let row = view.stock.get(&key);
        (key, (row.on_hand, row.committed))
    });
    let orders = view.orders.into_iter().map(|(key, order)| {
        let held = order.holdings.into_iter().filter(|(_, held)| !held.is_empty());
        (key, held.collect())
    });
    (stock.collect(), orders.collect())
}

/// What differs between what each order holds and what it should.
/// Decides every order once more, as `order retry` does: what had no room when it was decided may have
/// some by now.
async fn settle_again<S: Store>(store: &S, site: &Site) {
    let shops = site.shops();
    let policy = &shops.get(&site.shop()).expect("named").policy;
    for key in site.order_keys() {
        let keys = Keys { orders: [key.clone()].into(), ..Keys::default() };
        loop {
            // A planted fault passes.
            let Ok(view) = store.load(&keys).await else { continue };
            let mut batch = Batch::new(view);
            let correlation = EnvelopeId(uuid::Uuid::nil());
            batch.retry_order(&key, policy, correlation, "again", Timestamp(0));
            if matches!(store.commit(&batch.into_changes()).await, Ok(Commit::Applied)) {
                break;
            }
        }
    }
}

async fn audit<S: Store>(store: &S, site: &Site) -> Vec<String> {
    let shops = site.shops();
    let policy = &shops.get(&site.shop()).expect("named").policy;
    let orders = site.order_keys().into_iter().collect();
    let view = store.load(&Keys { orders, ..Keys::default() }).await.expect("loads");
    let found = view.orders.iter().flat_map(|(key, order)| {
        order
            .audit(policy, &view.stock)
            .into_iter()
            .map(move |difference| format!("{key}: {difference}"))
    });
    found.collect()
}

/// Units here and units gone are together what the site has taken out of its own stock. How many
/// lines were compared.
#[track_caller]
fn assert_held_as_by_site((stock, orders): &End, held: &HeldBySite, seed: u64) -> usize {
    let mut compared = 0;
    for (order, lines) in held {
        let ours = &orders[order];
        for (sku, units) in lines {
            let of_item = ours.iter().filter(|(row, _)| row.sku == *sku);
            let total: i64 =
                of_item.map(|(_, held)| held.committed + held.shipped - held.returned).sum();
            assert_eq!(total, *units, "seed {seed}: order {order}, {sku}");
            compared += 1;
        }
    }
    for (row, (on_hand, committed)) in stock {
        let holdings = orders.values().filter_map(|held| held.get(row));
        let (mut owed, mut gone) = (0, 0);
        for held in holdings {
            owed += held.committed;
            gone += held.shipped - held.returned;
        }
        assert_eq!((*on_hand, *committed), (AMPLE - gone, owed), "seed {seed}: {row}");
    }
    compared
}

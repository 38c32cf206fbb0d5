//! Promises P2–P7 over random histories, deliveries and workers.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use domain::order::{Holding, Known};
use domain::policy::{CommitOn, WhenShort};
use domain::{
    Batch, ChangeSet, Decided, EnvelopeId, Fact, Keys, LocationId, Meaning, MoveKind, OrderFact,
    OrderKey, Outcome, PlatformLocation, Policy, ShopId, StockKey, Timestamp,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use testkit::memory::{Commit, MemoryStore};
use testkit::model::Model;
use testkit::shopify::PLACED_AT;

use crate::histories::{PLACES, SKUS, history};
use crate::world::{incoming, keys, order_key};

/// Orders of an even number are the first shop's, the others the second's.
type Shops = [Policy; 2];

fn shop_of(order: &OrderKey) -> usize {
    usize::from(!order.order.as_str().ends_with(['0', '2', '4', '6', '8']))
}

/// What a worker is given.
#[derive(Clone, Debug)]
enum Job {
    /// The fact of that number, in an envelope of that number.
    Webhook { fact: usize, envelope: u128 },
    /// An operator retries that order.
    Retry { order: OrderKey, envelope: u128 },
}

impl Job {
    fn envelope(&self) -> EnvelopeId {
        let (Job::Webhook { envelope, .. } | Job::Retry { envelope, .. }) = self;
        EnvelopeId(uuid::Uuid::from_u128(*envelope))
    }
}

/// A job, and its outcome unless it was a repeat.
type Done = (Job, Option<Outcome>);

/// A worker somewhere between loading and committing.
#[derive(Default)]
struct Worker {
    batches: VecDeque<Vec<Job>>,
    decided: Option<(ChangeSet, Vec<Done>)>,
    conflicts_in_a_row: usize,
}

/// Two workers that take turns cannot get into each other's way more often than that.
const CONFLICTS_IN_A_ROW_MAX: usize = 100;

/// The facts, the rules and the store that all workers share, and what was committed so far.
struct Run<'a> {
    facts: &'a [OrderFact],
    shops: &'a Shops,
    store: &'a MemoryStore,
    /// Every job that had an effect to commit, in the order of commits.
    log: Vec<Job>,
}

impl Run<'_> {
    fn key(&self, fact: usize) -> OrderKey {
        let mut key = order_key(self.facts[fact].order.as_str());
        key.shop = ShopId::new(["even", "odd"][shop_of(&key)]);
        key
    }

    /// The worker loads and decides, or commits what it decided. False: it has nothing to do.
    fn step(&mut self, worker: &mut Worker) -> bool {
        match worker.decided.take() {
            None => match worker.batches.front() {
                None => return false,
                Some(batch) => worker.decided = Some(self.decide(batch)),
            },
            Some((changes, jobs)) => match self.store.commit_now(&changes) {
                Ok(Commit::Applied) => {
                    self.assert_all_or_nothing(&changes, &jobs);
                    let had_effect = jobs.into_iter().filter(|(_, outcome)| outcome.is_some());
                    self.log.extend(had_effect.map(|(job, _)| job));
                    worker.batches.pop_front();
                    worker.conflicts_in_a_row = 0;
                }
                Ok(Commit::Conflict(keys)) => {
                    worker.conflicts_in_a_row += 1;
                    let endless = worker.conflicts_in_a_row > CONFLICTS_IN_A_ROW_MAX;
                    assert!(!endless, "decided again and again, still in conflict on {keys:?}");
                }
                Err(error) => panic!("{error}: {:?}", std::error::Error::source(&error)),
            },
        }
        true
    }

    fn decide(&self, jobs: &[Job]) -> (ChangeSet, Vec<Done>) {
        let mut wanted = Keys::default();
        for job in jobs {
            match job {
                Job::Webhook { fact, envelope } => {
                    let incoming = self.incoming(*fact, *envelope);
                    let more = keys(&incoming, &self.facts[*fact]);
                    wanted.webhooks.extend(more.webhooks);
                    wanted.skus.extend(more.skus);
                    wanted.orders.insert(self.key(*fact));
                }
                Job::Retry { order, .. } => _ = wanted.orders.insert(order.clone()),
            }
        }
        let mut batch = Batch::new(self.store.load_now(&wanted));
        let outcomes = jobs.iter().map(|job| (job.clone(), self.decide_one(&mut batch, job)));
        let outcomes = outcomes.collect();
        (batch.into_changes(), outcomes)
    }

    fn decide_one(&self, batch: &mut Batch, job: &Job) -> Option<Outcome> {
        match job {
            Job::Webhook { fact, envelope } => {
                let meaning = Meaning::Fact(Fact::Order(Box::new(self.facts[*fact].clone())));
                let policy = &self.shops[shop_of(&self.key(*fact))];
                let incoming = self.incoming(*fact, *envelope);
                match batch.webhook(&incoming, &meaning, policy, Timestamp(0), Vec::new) {
                    Decided::Verdict(verdict) => Some(verdict.outcome),
                    Decided::Duplicate | Decided::Redelivered => None,
                }
            }
            Job::Retry { order, .. } => {
                let policy = &self.shops[shop_of(order)];
                let verdict =
                    batch.retry_order(order, policy, job.envelope(), "order retry", Timestamp(0));
                verdict.map(|verdict| verdict.outcome)
            }
        }
    }

    fn incoming(&self, fact: usize, envelope: u128) -> domain::Incoming {
        let number = u128::try_from(fact).expect("few facts");
        let mut incoming = incoming(number + webhook_era(envelope), envelope);
        incoming.shop = self.key(fact).shop;
        incoming.key.shop = incoming.shop.clone();
        incoming
    }

    /// P4: who is short has committed nothing more, unless the shop holds what fits.
    fn assert_all_or_nothing(&self, changes: &ChangeSet, jobs: &[Done]) {
        for (job, outcome) in jobs.iter().filter(|(_, o)| *o == Some(Outcome::Short)) {
            let order = match job {
                Job::Webhook { fact, .. } => self.key(*fact),
                Job::Retry { order, .. } => order.clone(),
            };
            let holds = self.shops[shop_of(&order)].when_short == WhenShort::Hold;
            let committed = changes.ledger.iter().any(|row| {
                row.change.kind == MoveKind::Commit && row.cause.correlation == job.envelope()
            });
            assert!(holds || !committed, "{job:?} is {outcome:?} but committed units");
        }
    }
}

/// Envelopes from here on bring the same facts again in webhooks of another name.
const SECOND_ERA: u128 = 1_000_000;

fn webhook_era(envelope: u128) -> u128 {
    envelope / SECOND_ERA * SECOND_ERA
}

fn policy(locations: usize) -> impl Strategy<Value = Policy> {
    let names: Vec<LocationId> =
        ["north", "south", "west"][..locations].iter().map(LocationId::new).collect();
    let ids: BTreeMap<PlatformLocation, LocationId> = PLACES
        .iter()
        .zip(names.iter().cycle())
        .map(|(id, name)| (PlatformLocation::new(id.to_string()), name.clone()))
        .collect();
    let when_short =
        prop_oneof![Just(WhenShort::Reject), Just(WhenShort::Hold), Just(WhenShort::Backorder)];
    let commit_on = prop_oneof![2 => Just(CommitOn::Placed), 1 => Just(CommitOn::Paid)];
    let live_from = proptest::option::weighted(0.3, 0..6_i64);
    (when_short, commit_on, live_from, 0..3_i64).prop_map(
        move |(when_short, commit_on, live_from, safety_stock)| Policy {
            when_short,
            commit_on,
            live_from: live_from.map(|later| Timestamp::from_seconds(PLACED_AT + later)),
            safety_stock,
            locations: names.clone(),
            location_ids: ids.clone(),
            ..Policy::default()
        },
    )
}

fn shops(locations: usize) -> impl Strategy<Value = Shops> {
    (policy(locations), policy(locations)).prop_map(Into::into)
}

/// Every fact at least once unless omitted, some again (half of them as the same envelope), cut
/// into batches.
fn deliveries(facts: usize, order: &[Index], omit: &[bool], repeat: &[(Index, bool)]) -> Vec<Job> {
    let mut left: Vec<usize> = (0..facts).filter(|fact| !omit[fact % omit.len()]).collect();
    let mut jobs = Vec::new();
    let mut places = order.iter().cycle();
    while !left.is_empty() {
        let place = places.next().expect("a cycle").index(left.len());
        let fact = left.remove(place);
        jobs.push(Job::Webhook { fact, envelope: u128::try_from(jobs.len()).expect("few jobs") });
    }
    for (number, (index, same_envelope)) in (10_000..).zip(repeat) {
        let Some(at) = (!jobs.is_empty()).then(|| index.index(jobs.len())) else { break };
        if let Job::Webhook { fact, envelope } = jobs[at] {
            let envelope = if *same_envelope { envelope } else { number };
            jobs.insert(at + (jobs.len() - at) / 2, Job::Webhook { fact, envelope });
        }
    }
    jobs
}

fn in_batches(jobs: Vec<Job>, sizes: &[usize]) -> VecDeque<Vec<Job>> {
    let mut batches = VecDeque::new();
    let mut jobs = jobs.into_iter().peekable();
    let mut sizes = sizes.iter().cycle();
    while jobs.peek().is_some() {
        let size = *sizes.next().expect("a cycle");
        batches.push_back(jobs.by_ref().take(size).collect());
    }
    batches
}

/// What P2 is about: stock, and what is known and held of each order.
type End =
    (BTreeMap<StockKey, (i64, i64)>, BTreeMap<OrderKey, (Known, BTreeMap<StockKey, Holding>)>);

fn end(store: &MemoryStore) -> End {
    let stock = store.stock();
    let stock = stock.into_iter().map(|(key, row)| (key, (row.on_hand, row.committed))).collect();
    let orders = store.orders().into_iter().map(|(key, row)| {
        let held = row.order.holdings.into_iter().filter(|(_, held)| !held.is_empty());
        (key, (row.order.known, held.collect()))
    });
    (stock, orders.collect())
}

/// One worker, everything in this order.
fn deliver(run: &mut Run<'_>, batches: VecDeque<Vec<Job>>) {
    let mut worker = Worker { batches, ..Worker::default() };
    while run.step(&mut worker) {}
    run.store.assert_sound();
}

fn ample() -> MemoryStore {
    let store = MemoryStore::default();
    for sku in SKUS {
        for location in ["north", "south", "west"] {
            store.open_stock(sku, location, 1_000, 0);
        }
    }
    store
}

proptest! {
    #[test]
    fn with_stock_enough_the_order_of_arrival_does_not_matter(
        history in history(),
        shops in prop_oneof![shops(1), shops(3)],
        order in vec(any::<Index>(), 1..40),
        omit in vec(prop::bool::weighted(0.1), 7),
        repeat in vec((any::<Index>(), any::<bool>()), 0..6),
        sizes in vec(1..6_usize, 1..5),
    ) {
        let facts = history.facts();
        let shuffled = deliveries(facts.len(), &order, &omit, &repeat);
        let mut straight = shuffled.clone();
        straight.sort_by_key(|job| match job {
            Job::Webhook { fact, .. } => *fact,
            Job::Retry { .. } => usize::MAX,
        });
        let (one, other) = (ample(), ample());
        let mut run = Run { facts: &facts, shops: &shops, store: &one, log: vec![] };
        deliver(&mut run, in_batches(straight, &[1]));
        let mut run = Run { facts: &facts, shops: &shops, store: &other, log: vec![] };
        deliver(&mut run, in_batches(shuffled, &sizes));
        prop_assert_eq!(end(&one), end(&other));
    }

    #[test]
    fn with_stock_scarce_two_workers_end_where_the_model_does(
        history in history(),
        shops in shops(3),
        stock in vec((0..6_i64, 0..3_i64), 9),
        order in vec(any::<Index>(), 1..40),
        omit in vec(prop::bool::weighted(0.1), 7),
        repeat in vec((any::<Index>(), any::<bool>()), 0..6),
        retries in vec((any::<Index>(), 1..5_u64), 0..4),
        sizes in vec(1..6_usize, 1..5),
        turns in vec(any::<bool>(), 0..60),
    ) {
        let facts = history.facts();
        let mut jobs = deliveries(facts.len(), &order, &omit, &repeat);
        for (envelope, (at, id)) in (20_000..).zip(retries) {
            let mut order = order_key(&id.to_string());
            order.shop = ShopId::new(["even", "odd"][shop_of(&order)]);
            jobs.insert(at.index(jobs.len() + 1), Job::Retry { order, envelope });
        }
        let (store, mut model) = (MemoryStore::default(), Model::default());
        let rows = SKUS.into_iter().flat_map(|sku| ["north", "south", "west"].map(|at| (sku, at)));
        for ((sku, location), (on_hand, depth)) in rows.zip(stock) {
            store.open_stock(sku, location, on_hand, -depth);
            model.open_stock(sku, location, on_hand, -depth);
        }

        let mut run = Run { facts: &facts, shops: &shops, store: &store, log: vec![] };
        interleave(&mut run, jobs, &sizes, &turns);
        check_against_the_model(&run, &mut model)?;
        check_newest_state(&run)?;
        check_the_same_again(&mut run)?;
    }
}

/// Two workers on one store, each somewhere in the middle while the other commits.
fn interleave(run: &mut Run<'_>, jobs: Vec<Job>, sizes: &[usize], turns: &[bool]) {
    let distinct: BTreeSet<usize> = jobs
        .iter()
        .filter_map(|job| match job {
            Job::Webhook { fact, .. } => Some(*fact),
            Job::Retry { .. } => None,
        })
        .collect();
    let mut workers = [Worker::default(), Worker::default()];
    for (index, batch) in in_batches(jobs, sizes).into_iter().enumerate() {
        workers[index % 2].batches.push_back(batch);
    }
    for turn in turns {
        run.step(&mut workers[usize::from(*turn)]);
        run.store.assert_sound();
    }
    for worker in &mut workers {
        while run.step(worker) {}
    }
    run.store.assert_sound();
    assert_eq!(run.store.webhooks().len(), distinct.len(), "one outcome for each webhook");
}

fn check_against_the_model(run: &Run<'_>, model: &mut Model) -> Result<(), TestCaseError> {
    for job in &run.log {
        match job {
            Job::Webhook { fact, .. } => {
                let key = run.key(*fact);
                model.apply(&key, &run.facts[*fact], &run.shops[shop_of(&key)]);
            }
            Job::Retry { order, .. } => model.retry(order, &run.shops[shop_of(order)]),
        }
    }
    let (stock, orders) = end(run.store);
    prop_assert_eq!(stock, model.stock());
    for (key, (_, held)) in orders {
        let short = run.store.orders()[&key].order.short.is_some();
        prop_assert_eq!((held, short), model.order(&key), "order {}", key);
        let audit = run.store.orders()[&key]
            .order
            .audit(&run.shops[shop_of(&key)], &run.store.stock_view());
        prop_assert!(audit.is_empty(), "order {}: {:?}", key, audit);
    }
    Ok(())
}

/// P5: the snapshot that is kept is the greatest that came.
fn check_newest_state(run: &Run<'_>) -> Result<(), TestCaseError> {
    let mut greatest = BTreeMap::new();
    for job in &run.log {
        if let Job::Webhook { fact, .. } = job
            && let Some(snapshot) = &run.facts[*fact].known.snapshot
        {
            let kept = greatest.entry(run.key(*fact)).or_insert(snapshot.rank);
            *kept = (*kept).max(snapshot.rank);
        }
    }
    for (key, row) in run.store.orders() {
        let kept = row.order.known.snapshot.map(|snapshot| snapshot.rank);
        prop_assert_eq!(kept, greatest.get(&key).copied(), "order {}", key);
    }
    Ok(())
}

/// The same facts in new webhooks find nothing to do.
fn check_the_same_again(run: &mut Run<'_>) -> Result<(), TestCaseError> {
    let (before, moves) = (end(run.store), run.store.ledger().len());
    let again = run.log.iter().rev().filter_map(|job| match job {
        Job::Webhook { fact, envelope } => {
            Some(Job::Webhook { fact: *fact, envelope: envelope + SECOND_ERA })
        }
        Job::Retry { .. } => None,
    });
    let batches = in_batches(again.collect(), &[3]);
    deliver(run, batches);
    prop_assert_eq!(end(run.store), before);
    prop_assert_eq!(run.store.ledger().len(), moves);
    Ok(())
}

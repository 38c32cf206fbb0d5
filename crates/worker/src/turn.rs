//! Whose turn it is among the lanes of one process.
//!
//! Two adaptive batches of one process would want the same rows of a sale, and one of them would have
//! read in vain. So they go one after the other, in two steps: a batch reads and decides, then it
//! commits. While one commits, the next one decides over what the first is about to leave ([`Pending`]).
//! Nothing is sent to the database that rests on what is not committed: the second waits for its turn
//! to commit, and decides once more if the first one failed.
//!
//! More commits at the same time are had by more processes.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex as Lock, MutexGuard as LockGuard, PoisonError, Weak};
use std::time::Duration;

use domain::sighting::Thing;
use domain::{ChangeSet, Keys, View};
use store::{ProcessTurn, Store, StoreError};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, timeout_at};

use crate::heat::Heat;

/// From where on an adaptive batch does what costs a smaller or a calmer one more than it gives.
#[derive(Clone, Copy, Debug)]
pub struct Thresholds {
    /// Webhooks of a batch that looks ahead: two flights more are to save its turn more than they cost.
    pub ahead: usize,
    /// Items of a batch that meets those of other processes on some.
    pub many: usize,
    /// Tries after which a batch locks before it reads, whatever the heat of its items.
    pub tries: u32,
    /// How long a lane waits for its turns, but for the line of processes; and from when on no batch
    /// joins a series: many times what a batch takes.
    pub patience: Duration,
    /// Batches of all processes while each has the turn among them once. The more of them are one turn,
    /// the more are decided ahead; and the longer wait the others.
    pub in_round: u32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { ahead: 128, many: 32, tries: 3, patience: Duration::from_secs(1), in_round: 8 }
    }
}

/// Shared by the lanes of one process.
#[derive(Clone, Debug, Default)]
pub struct Turn {
    /// Whoever has it may read stock and decide. In it, what the one before is committing, if it still
    /// is.
    deciding: Arc<Mutex<Weak<Pending>>>,
    /// Whoever has it may commit. Taken before what was decided is shown to the next one, so no batch
    /// is decided over more than one that is not committed.
    committing: Arc<Mutex<()>>,
    line: Arc<Lock<Line>>,
    heat: Arc<Lock<Heat>>,
    pub(crate) thresholds: Thresholds,
}

/// Whether a lane waits for the turn among processes.
#[derive(Debug)]
enum Line {
    In,
    Left(Instant),
}

impl Default for Line {
    fn default() -> Self {
        Self::Left(Instant::now())
    }
}

/// For as long as a lane is in line.
struct InLine<'a>(&'a Turn);

impl<'a> InLine<'a> {
    fn new(turn: &'a Turn) -> Self {
        *turn.line() = Line::In;
        Self(turn)
    }
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        *self.0.line() = Line::Left(Instant::now());
    }
}

/// Until when a lane waits for turns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) until: Instant,
    /// It is for a batch that needs the turn among processes.
    pub(crate) is_crowded: bool,
}

/// The turn to read and decide.
pub(crate) type Deciding<'a> = MutexGuard<'a, Weak<Pending>>;

/// Another lane holds a turn for long, waiting for rows or for the database, and must not stop this one.
#[derive(Debug)]
pub(crate) struct OutOfPatience;

impl Turn {
    pub fn new(thresholds: Thresholds) -> Self {
        Self { thresholds, ..Self::default() }
    }

    /// Of a lane that begins to wait now.
    pub(crate) fn patience(&self, is_crowded: bool) -> Patience {
        Patience { until: Instant::now() + self.thresholds.patience, is_crowded }
    }

    pub(crate) async fn to_decide(
        &self,
        patience: Patience,
    ) -> Result<Deciding<'_>, OutOfPatience> {
        self.patiently(patience, self.deciding.lock()).await
    }

    /// For whoever has the turn to decide.
    pub(crate) async fn to_commit(
        &self,
        patience: Patience,
    ) -> Result<MutexGuard<'_, ()>, OutOfPatience> {
        self.patiently(patience, self.committing.lock()).await
    }

    /// Waits for `turn` as long as that is worth it. A crowded batch waits on where the lane that has it
    /// is in line with other processes: without the turn it would only get in their way.
    async fn patiently<T>(
        &self,
        Patience { mut until, is_crowded }: Patience,
        turn: impl Future<Output = T>,
    ) -> Result<T, OutOfPatience> {
        let mut turn = pin!(turn);
        loop {
            if let Ok(turn) = timeout_at(until, &mut turn).await {
                return Ok(turn);
            }
            let left = match *self.line() {
                Line::In => Instant::now(),
                Line::Left(at) => at,
            };
            if !is_crowded || left + self.thresholds.patience <= until {
                return Err(OutOfPatience);
            }
            until = left + self.thresholds.patience;
        }
    }

    /// Begins a series of batches, once no other process that asks for its turn has it. For whoever has
    /// the turn to commit.
    pub(crate) async fn series<S: Store>(&self, store: &S) -> Result<Arc<Series>, StoreError> {
        let waiting = InLine::new(self);
        let turn = store.process_turn().await?;
        drop(waiting);
        if turn.others > 0 {
            self.heat().crowd();
        }
        Ok(Series::new(turn, self.thresholds))
    }

    fn line(&self) -> LockGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another lane has one.
    pub(crate) fn is_taken(&self) -> bool {
        self.deciding.try_lock().is_err() || self.committing.try_lock().is_err()
    }

    /// What was learned of items by all.
    pub(crate) fn heat(&self) -> LockGuard<'_, Heat> {
        self.heat.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A few batches of this process, while no other process that asks for its turn has it.
#[derive(Debug)]
pub(crate) struct Series {
    /// Ends with the last batch.
    _turn: ProcessTurn,
    /// How many more may join, and until when.
    left: AtomicU32,
    until: Instant,
}

impl Series {
    fn new(turn: ProcessTurn, thresholds: Thresholds) -> Arc<Self> {
        let batches = thresholds.in_round / turn.others.saturating_add(1);
        let left = AtomicU32::new(batches.saturating_sub(1));
        Arc::new(Self { _turn: turn, left, until: Instant::now() + thresholds.patience })
    }

    /// For the batch after this one, unless others have waited for long enough.
    fn join(self: &Arc<Self>) -> Option<Arc<Self>> {
        if Instant::now() >= self.until {
            return None;
        }
        let less = |left: u32| left.checked_sub(1);
        self.left.fetch_update(Ordering::AcqRel, Ordering::Acquire, less).ok()?;
        Some(Arc::clone(self))
    }
}

/// A batch that is decided and is being committed.
#[derive(Debug)]
pub(crate) struct Pending {
    changes: ChangeSet,
    applied: AtomicBool,
    series: Option<Arc<Series>>,
}

impl Pending {
    pub(crate) fn new(changes: ChangeSet, series: Option<Arc<Series>>) -> Arc<Self> {
        Arc::new(Self { changes, applied: AtomicBool::new(false), series })
    }

    /// For the batch after this one.
    pub(crate) fn join(&self) -> Option<Arc<Series>> {
        self.series.as_ref().and_then(Series::join)
    }

    pub(crate) fn changes(&self) -> &ChangeSet {
        &self.changes
    }

    /// Its commit was answered. Never said of one that failed, or whose lane died.
    pub(crate) fn set_applied(&self) {
        self.applied.store(true, Ordering::Release);
    }

    pub(crate) fn is_applied(&self) -> bool {
        self.applied.load(Ordering::Acquire)
    }

    /// Whether it changes nothing but stock of what a batch with these `keys` reads.
    pub(crate) fn is_beside(&self, keys: &Keys) -> bool {
        let ChangeSet { webhooks, repeats, payments, orders, sightings, .. } = &self.changes;
        let mut seen =
            webhooks.iter().map(|one| &one.key).chain(repeats.iter().map(|one| &one.key));
        let mut things = sightings.iter().map(|seen| &seen.sighting.thing);
        !seen.any(|key| keys.webhooks.contains(key))
            && !payments.keys().any(|key| keys.payments.contains(key))
            && !orders.keys().any(|key| keys.orders.contains(key))
            && (keys.listings.is_empty() || !things.any(Thing::is_listed))
    }

    /// What a batch beside this one read, as this one leaves it; the same if it is committed by now.
    /// `None`: somebody else changed a row in between, so this one will fail. Whether it was applied
    /// has to be asked all the same.
    ///
    /// Only rows that are as this one had them are exchanged: where somebody else's units have come or
    /// gone since, an order could seem to hold more than is committed.
    pub(crate) fn leaves(&self, mut view: View) -> Option<View> {
        for (key, change) in self.changes.stock.iter().filter(|(_, change)| change.is_write()) {
            if !view.stock.knows(&key.sku) {
                continue; // Nobody asked for it.
            }
            let read = view.stock.get(key).version;
            if read == change.expected {
                view.stock.insert(key.clone(), change.stock);
            } else if read < change.stock.version {
                return None;
            }
        }
        Some(view)
    }
}

#[cfg(test)]
mod tests {
    use domain::order::{Order, OrderState};
    use domain::sighting::{ShopSighting, Sighting};
    use domain::{
        BodyHash, ListingKey, OrderChange, OrderId, OrderKey, Payment, PaymentChange, PaymentKey,
        Repeat, ShopId, Sku, Stock, StockChange, StockKey, Timestamp, Version, WebhookKey,
    };

    use super::*;

    fn row(version: i64) -> Stock {
        Stock { on_hand: 10, committed: version, version: Version(version), ..Stock::default() }
    }

    fn key(sku: &str, location: &str) -> StockKey {
        StockKey::new(&Sku::new(sku), &location.into())
    }

    /// A view of a bowl in the west at `version`, as a batch leaves it that took it from 3 to 5, looked
    /// for bowls in the east, put the first one into the north, and has a cup that nobody asked for.
    fn left(version: i64) -> Option<View> {
        let change = |before, after| StockChange { expected: Version(before), stock: row(after) };
        let stock = [
            (key("BOWL", "east"), change(0, 0)),
            (key("BOWL", "north"), change(0, 1)),
            (key("BOWL", "west"), change(3, 5)),
            (key("CUP", "east"), change(0, 0)),
            (key("CUP", "west"), change(7, 8)),
        ];
        let changes = ChangeSet { stock: stock.into(), ..ChangeSet::default() };
        let mut view = View::default();
        view.stock.insert(key("BOWL", "west"), row(version));
        Pending::new(changes, None).leaves(view)
    }

    #[test]
    fn a_round_of_all_processes_has_so_many_batches() {
        let batches = |others| {
            let series = Series::new(ProcessTurn::new(others, ()), Thresholds::default());
            1 + std::iter::from_fn(|| series.join()).count()
        };
        assert_eq!([0, 1, 2, 3, 7, 20].map(batches), [8, 4, 2, 2, 1, 1]);
    }

    #[test]
    fn no_batch_joins_a_series_that_takes_too_long() {
        let thresholds = Thresholds { patience: Duration::ZERO, ..Thresholds::default() };
        assert!(Series::new(ProcessTurn::new(0, ()), thresholds).join().is_none());
    }

    #[test]
    fn stock_is_as_the_batch_before_leaves_it() {
        let view = left(3).expect("as that one read it");
        assert_eq!(view.stock.get(&key("BOWL", "west")), row(5));
        assert_eq!(view.stock.get(&key("BOWL", "north")), row(1));
        assert_eq!(view.stock.rows(&Sku::new("BOWL")).count(), 2, "nothing was made up");
        assert!(!view.stock.knows(&Sku::new("CUP")), "there may be more rows of it");
    }

    #[test]
    fn what_was_committed_since_stays() {
        for version in [5, 6] {
            let view = left(version).expect("that one is committed");
            assert_eq!(view.stock.get(&key("BOWL", "west")), row(version));
        }
    }

    #[test]
    fn nothing_is_decided_over_a_batch_that_will_fail() {
        for version in [1, 4] {
            assert!(left(version).is_none(), "version {version}");
        }
    }

    #[test]
    fn a_batch_is_beside_one_that_shares_nothing_with_it_but_stock() {
        let (shop, order) = (ShopId::new("demo"), OrderId::new("1"));
        let webhook = WebhookKey {
            shop: shop.clone(),
            webhook: "w1".into(),
            body: BodyHash::of(b"1"),
            scope: None,
        };
        let order = OrderKey { shop: shop.clone(), order };
        let payment = PaymentKey { shop: shop.clone(), payment: "p1".into() };
        let listing = ListingKey { shop: shop.clone(), variant: "v1".into() };
        let keys = Keys {
            webhooks: [webhook.clone()].into(),
            orders: [order.clone()].into(),
            payments: [payment.clone()].into(),
            listings: [listing].into(),
            ..Keys::default()
        };
        let repeated = Repeat { key: webhook, envelopes: vec![] };
        let written = OrderChange {
            expected: Version::ABSENT,
            state: OrderState::Partial,
            order: Order::default(),
        };
        let paid =
            PaymentChange { expected: Version::ABSENT, payment: Payment::default(), order: None };
        let saw = |thing| {
            let sighting = Sighting { seen_at: Timestamp(1), thing, gone: false };
            vec![ShopSighting { shop: shop.clone(), sighting }]
        };
        let level =
            Thing::Level { inventory_item: "i1".to_owned(), location: "1".into(), available: None };
        let product = Thing::Product { product: "1".to_owned() };
        let none = ChangeSet::default;
        let is_beside = |changes, keys: &Keys| Pending::new(changes, None).is_beside(keys);

        assert!(is_beside(none(), &keys));
        assert!(is_beside(ChangeSet { sightings: saw(level), ..none() }, &keys));
        let shared = [
            ChangeSet { repeats: vec![repeated], ..none() },
            ChangeSet { orders: [(order, written)].into(), ..none() },
            ChangeSet { payments: [(payment, paid)].into(), ..none() },
            ChangeSet { sightings: saw(product), ..none() },
        ];
        for changes in shared {
            assert!(!is_beside(changes.clone(), &keys), "{changes:?}");
            assert!(is_beside(changes, &Keys::default()));
        }
    }
}

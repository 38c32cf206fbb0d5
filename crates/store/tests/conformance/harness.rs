//! What a store under test must offer, and the webhooks, decisions and rows that checks are made of.

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use domain::Decided;
use domain::stock::Cause;
use domain::{
    Batch, BodyHash, ChangeSet, DeadReason, EnvelopeId, Fact, Incoming, Keys, ListingKey,
    LocationId, Meaning, Move, MoveKind, OrderId, OrderKey, PaymentKey, Policy, ShopId, Sku, Stock,
    StockKey, Timestamp, View, WebhookId, WebhookKey,
};
use store::{
    Activity, Alerts, Bodies, Channels, Commit, ConflictKey, Pages, Pauses, Redactions, Reports,
    Rollups, Store,
};
use testkit::shopify::ShopifyOrder;
use uuid::Uuid;

/// Nothing here takes as long, on however slow a machine; what hangs fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A database that starts empty and belongs to one test.
pub(crate) trait TestStore: Sized + Send + Sync {
    type Store: Store<Claim: Send>
        + Redactions
        + Reports
        + Channels
        + Pages
        + Bodies
        + Rollups
        + Pauses
        + Alerts
        + Activity
        + Debug;

    /// A moment, in SQL.
    const TWO_HOURS_AGO: &'static str;

    /// Without tables.
    fn create() -> impl Future<Output = Self> + Send;

    /// With tables.
    fn open() -> impl Future<Output = Self> + Send {
        async {
            let test = Self::create().await;
            test.migrate().await.expect("an empty database can be migrated");
            test
        }
    }

    fn migrate(&self) -> impl Future<Output = Result<SchemaVersions, StoreError>> + Send;

    fn schema_versions(&self) -> impl Future<Output = Result<SchemaVersions, StoreError>> + Send;

    /// The store that the test works with.
    fn store(&self) -> &Self::Store;

    /// A store with connections of its own, as another process has.
    fn another(&self) -> impl Future<Output = Self::Store> + Send;

    /// Runs SQL behind the store's back; returns how many rows it touched.
    fn sql(&self, sql: &str) -> impl Future<Output = u64> + Send;

    /// Has BOWL committed beyond what there is, past the constraint.
    fn oversell(&self) -> impl Future<Output = ()> + Send;

    /// How often the database had to break a deadlock.
    fn deadlocks(&self) -> impl Future<Output = i64> + Send {
        async { 0 }
    }

    /// Every row of every table, as text.
    fn dump(&self) -> impl Future<Output = Vec<String>> + Send;
}

pub(crate) use store::StoreError;
pub(crate) use store::migrations::SchemaVersions;

pub(crate) const TABLES: [&str; 14] = [
    "webhooks",
    "payments",
    "listings",
    "sightings",
    "privacy_requests",
    "orders",
    "order_stock",
    "stock",
    "ledger",
    "counters",
    "dead_letters",
    "webhook_bodies",
    "operations",
    "suspects",
];

/// Fails the test where something takes for ever.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(done) => done,
        Err(_) => panic!("waited in vain for {what}"),
    }
}

pub(crate) const NOW: Timestamp = Timestamp(1_795_262_400_123_456);

pub(crate) const SHOP: &str = "demo";

/// One webhook, understood.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) incoming: Incoming,
    pub(crate) meaning: Meaning,
}

/// What `order` sends for `topic` now, as webhook number `number` in envelope number `number`.
pub(crate) fn sent(number: u128, order: &ShopifyOrder, topic: &str) -> Sent {
    let fact = Fact::Order(Box::new(order.fact(topic)));
    meaning(number, topic, Meaning::Fact(fact))
}

/// A webhook that cannot be applied.
pub(crate) fn dead(number: u128) -> Sent {
    let meaning_of_it = Meaning::Dead {
        reason: DeadReason::Malformed,
        detail: format!("number {number} is not JSON"),
    };
    meaning(number, "orders/create", meaning_of_it)
}

/// A webhook that is no stock matter.
pub(crate) fn ignored(number: u128) -> Sent {
    meaning(number, "app/uninstalled", Meaning::Ignored("not_stock"))
}

/// A webhook that says this.
pub(crate) fn says(number: u128, fact: Fact) -> Sent {
    meaning(number, "says", Meaning::Fact(fact))
}

fn meaning(number: u128, topic: &str, meaning: Meaning) -> Sent {
    let incoming = Incoming {
        key: WebhookKey {
            webhook: WebhookId::new(format!("w-{number}")),
            shop: ShopId::new(SHOP),
            body: BodyHash::of(&number.to_le_bytes()),
            scope: match &meaning {
                Meaning::Fact(Fact::Order(fact)) => Some(fact.order.clone()),
                _ => None,
            },
        },
        shop: ShopId::new(SHOP),
        envelope: envelope(number),
        topic: topic.to_owned(),
        received_at: NOW,
        attempts: 2,
        replay: false,
    };
    Sent { incoming, meaning }
}

impl Sent {
    /// The same webhook in another envelope.
    pub(crate) fn again(&self, envelope_number: u128) -> Sent {
        let mut again = self.clone();
        again.incoming.envelope = envelope(envelope_number);
        again
    }

    /// Sent by another shop.
    pub(crate) fn of(mut self, shop: &str) -> Sent {
        (self.incoming.shop, self.incoming.key.shop) = (ShopId::new(shop), ShopId::new(shop));
        self
    }

    /// The same envelope, because an operator asks to decide it again.
    pub(crate) fn replayed(&self) -> Sent {
        let mut replayed = self.clone();
        replayed.incoming.replay = true;
        replayed
    }

    /// The same webhook, understood by a better program.
    pub(crate) fn meaning(mut self, other: &Sent) -> Sent {
        self.meaning = other.meaning.clone();
        self
    }

    pub(crate) fn key(&self) -> WebhookKey {
        self.incoming.key.clone()
    }

    /// What a dead letter keeps of it: bytes that are no text.
    pub(crate) fn raw(&self) -> Vec<u8> {
        [&[0, 0xff, 0xfe][..], self.incoming.key.webhook.as_str().as_bytes()].concat()
    }
}

pub(crate) fn envelope(number: u128) -> EnvelopeId {
    EnvelopeId(Uuid::from_u128(number))
}

pub(crate) fn order_key(order: &ShopifyOrder) -> OrderKey {
    OrderKey { shop: ShopId::new(SHOP), order: OrderId::new(order.id().to_string()) }
}

pub(crate) fn stock_key(sku: &str) -> StockKey {
    StockKey::new(&Sku::new(sku), &LocationId::new("main"))
}

/// The rows that the worker asks for.
pub(crate) fn keys(batch: &[Sent]) -> Keys {
    let mut keys = Keys::default();
    for one in batch {
        keys.webhooks.insert(one.key());
        let shop = &one.incoming.shop;
        match &one.meaning {
            Meaning::Fact(Fact::Order(fact)) => {
                keys.orders.insert(OrderKey { shop: shop.clone(), order: fact.order.clone() });
                keys.skus.extend(fact.lines.values().filter_map(|line| line.sku.clone()));
                let variants = fact.lines.values().filter_map(|line| line.variant.clone());
                let listing = |variant| ListingKey { shop: shop.clone(), variant };
                keys.listings.extend(variants.map(listing));
            }
            Meaning::Fact(Fact::Payment(fact)) => {
                let payment = fact.payment.clone();
                keys.payments.insert(PaymentKey { shop: one.incoming.key.shop.clone(), payment });
                let orders = fact.known.references.iter().cloned();
                keys.orders.extend(orders.map(|order| OrderKey { shop: shop.clone(), order }));
            }
            _ => {}
        }
    }
    keys
}

/// Decides `batch` over `view`, as the worker does.
pub(crate) fn decide(view: View, batch: &[Sent]) -> (ChangeSet, Vec<Decided>) {
    let mut changes = Batch::new(view).with_effects(true);
    let decided = batch
        .iter()
        .map(|one| {
            let raw = || one.raw();
            changes.webhook(&one.incoming, &one.meaning, &Policy::default(), NOW, raw)
        })
        .collect();
    (changes.into_changes(), decided)
}

/// Loads what `batch` needs and decides it.
pub(crate) async fn decided<S: Store>(store: &S, batch: &[Sent]) -> (ChangeSet, Vec<Decided>) {
    decide(store.load(&keys(batch)).await.expect("loads"), batch)
}

/// Applies `batch` with nobody else at work.
pub(crate) async fn apply<S: Store>(store: &S, batch: &[Sent]) -> Vec<Decided> {
    let (changes, decided) = decided(store, batch).await;
    assert_eq!(store.commit(&changes).await.expect("commits"), Commit::Applied);
    decided
}

/// Opens a stock row, or moves it, as an operator does.
pub(crate) async fn stock_moves<S: Store>(store: &S, sku: &str, units: i64) {
    let changes = stock_change(store, sku, units).await;
    assert_eq!(store.commit(&changes).await.expect("commits"), Commit::Applied);
}

pub(crate) async fn stock_change<S: Store>(store: &S, sku: &str, units: i64) -> ChangeSet {
    let keys = Keys { skus: [Sku::new(sku)].into(), ..Keys::default() };
    let mut batch = Batch::new(store.load(&keys).await.expect("loads"));
    let change = Move {
        key: stock_key(sku),
        kind: MoveKind::Adjust,
        on_hand_delta: units,
        committed_delta: 0,
    };
    let cause = Cause {
        shop: None,
        order: None,
        webhook: None,
        correlation: envelope(0),
        reason: "counted".to_owned(),
    };
    batch.move_stock(change, &cause, NOW).expect("allowed");
    batch.into_changes()
}

/// `(on_hand, committed)` of a row.
pub(crate) async fn units<S: Store>(store: &S, sku: &str) -> (i64, i64) {
    let stock = row(store, sku).await;
    (stock.on_hand, stock.committed)
}

pub(crate) async fn row<S: Store>(store: &S, sku: &str) -> Stock {
    let keys = Keys { skus: [Sku::new(sku)].into(), ..Keys::default() };
    store.load(&keys).await.expect("loads").stock.get(&stock_key(sku))
}

/// Proves that `changes` are refused for these rows (a store may stop at the stock rows among them),
/// and leave no trace.
pub(crate) async fn refused<T: TestStore>(test: &T, changes: &ChangeSet, rows: &[ConflictKey]) {
    let before = test.dump().await;
    let answer = test.store().commit(changes).await.expect("an answer");
    let Commit::Conflict(named) = answer else { panic!("stale changes were applied") };
    let stock = |row: &&ConflictKey| matches!(row, ConflictKey::Stock(_));
    let of_stock: Vec<_> = rows.iter().filter(stock).cloned().collect();
    assert!(
        named == rows || (!of_stock.is_empty() && named == of_stock),
        "{named:?}, not {rows:?}"
    );
    assert_eq!(test.dump().await, before, "a conflict writes nothing");
}

/// Proves that every promise holds.
pub(crate) async fn sound<S: Reports>(store: &S) {
    let verification = store.verify().await.expect("verifies");
    assert_eq!(verification.violations, vec![], "promises that do not hold");
}

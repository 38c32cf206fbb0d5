//! One worker on one store, deciding one webhook at a time.

use domain::order::Holding;
use domain::stock::{Cause, Move};
use domain::view::StockView;
use domain::{
    Batch, BodyHash, Decided, EnvelopeId, Fact, Incoming, Keys, ListingKey, LocationId, Meaning,
    MoveKind, Order, OrderFact, OrderId, OrderKey, Outcome, PaymentFact, PaymentKey, Policy,
    ShopId, Sku, StockKey, Timestamp, Verdict, WebhookId, WebhookKey,
};
use testkit::memory::{Commit, MemoryStore};
use testkit::shopify::ShopifyOrder;

/// A store, a shop's rules, and the shop's webhooks so far.
pub(crate) struct World {
    pub(crate) store: MemoryStore,
    pub(crate) policy: Policy,
    sent: u128,
}

impl World {
    pub(crate) fn new(policy: Policy) -> Self {
        Self { store: MemoryStore::default(), policy, sent: 0 }
    }

    /// Has so many units of an item at `main`.
    pub(crate) fn with(self, sku: &str, on_hand: i64) -> Self {
        self.with_row(sku, "main", on_hand, 0)
    }

    pub(crate) fn with_row(self, sku: &str, location: &str, on_hand: i64, floor: i64) -> Self {
        self.store.open_stock(sku, location, on_hand, floor);
        self
    }

    /// The platform sends `topic` now, and it is decided.
    pub(crate) fn send(&mut self, order: &ShopifyOrder, topic: &str) -> Verdict {
        self.decide(order.fact(topic))
    }

    /// A fact, perhaps from some time ago, arrives in a webhook of its own.
    pub(crate) fn decide(&mut self, fact: OrderFact) -> Verdict {
        let (batch, verdict) = self.decide_only(fact);
        self.commit(batch);
        verdict
    }

    /// It is decided, but not committed.
    pub(crate) fn decide_only(&mut self, fact: OrderFact) -> (Batch, Verdict) {
        self.sent += 1;
        let incoming = incoming(self.sent, self.sent);
        let mut batch = Batch::new(self.store.load_now(&keys(&incoming, &fact)));
        let meaning = Meaning::Fact(Fact::Order(Box::new(fact)));
        let decided = batch.webhook(&incoming, &meaning, &self.policy, Timestamp(0), Vec::new);
        let Decided::Verdict(verdict) = decided else { panic!("a new webhook has a verdict") };
        (batch, verdict)
    }

    /// A callback of the shop `pay`, which collects for this one, arrives.
    pub(crate) fn hear(&mut self, fact: PaymentFact) -> Verdict {
        self.hear_from("pay", fact)
    }

    /// A callback of another such shop.
    pub(crate) fn hear_from(&mut self, shop: &str, fact: PaymentFact) -> Verdict {
        self.sent += 1;
        let mut incoming = incoming(self.sent, self.sent);
        incoming.key.shop = ShopId::new(shop);
        let payment = PaymentKey { shop: ShopId::new(shop), payment: fact.payment.clone() };
        let mut keys = Keys { payments: [payment.clone()].into(), ..Keys::default() };
        // As the worker does: a callback may name its order only in the store.
        let known = self.store.load_now(&keys).payments.remove(&payment).unwrap_or_default();
        let references = known.known.references.iter().chain(&fact.known.references);
        keys.orders = references.map(|order| order_key(order.as_str())).collect();
        let mut batch = Batch::new(self.store.load_now(&keys)).with_effects(true);
        let meaning = Meaning::Fact(Fact::Payment(Box::new(fact)));
        let decided = batch.webhook(&incoming, &meaning, &self.policy, Timestamp(0), Vec::new);
        let Decided::Verdict(verdict) = decided else { panic!("a new webhook has a verdict") };
        self.commit(batch);
        verdict
    }

    /// `onhand order retry`.
    pub(crate) fn retry(&mut self, order: &ShopifyOrder) -> Verdict {
        let key = order_key(&order.id().to_string());
        let keys = Keys { orders: [key.clone()].into(), ..Keys::default() };
        let mut batch = Batch::new(self.store.load_now(&keys));
        let envelope = EnvelopeId(uuid(u128::MAX));
        let verdict = batch.retry_order(&key, &self.policy, envelope, "order retry", Timestamp(0));
        self.commit(batch);
        verdict.expect("the order is known")
    }

    /// `onhand stock adjust` at `main`.
    pub(crate) fn adjust(&mut self, sku: &str, units: i64) {
        let key = StockKey::new(&Sku::new(sku), &LocationId::new("main"));
        let keys = Keys { skus: [key.sku.clone()].into(), ..Keys::default() };
        let mut batch = Batch::new(self.store.load_now(&keys));
        let cause = Cause {
            shop: None,
            order: None,
            webhook: None,
            correlation: EnvelopeId(uuid(u128::MAX)),
            reason: "counted".to_owned(),
        };
        let kind = MoveKind::Adjust;
        let change = Move { key, kind, on_hand_delta: units, committed_delta: 0 };
        batch.move_stock(change, &cause, Timestamp(0)).expect("it may move");
        self.commit(batch);
    }

    fn commit(&mut self, batch: Batch) {
        let answer = self.store.commit_now(&batch.into_changes()).expect("no constraint is broken");
        assert_eq!(answer, Commit::Applied);
        self.store.assert_sound();
    }

    /// `(on_hand, committed)` at `main`.
    pub(crate) fn stock_view(&self) -> StockView {
        self.store.stock_view()
    }

    pub(crate) fn stock(&self, sku: &str) -> (i64, i64) {
        self.stock_at(sku, "main")
    }

    pub(crate) fn stock_at(&self, sku: &str, location: &str) -> (i64, i64) {
        let row = self.store.stock_of(sku, location);
        (row.on_hand, row.committed)
    }

    pub(crate) fn order(&self, order: &ShopifyOrder) -> Order {
        self.store.orders()[&order_key(&order.id().to_string())].order.clone()
    }

    /// What the order holds of an item at `main`.
    pub(crate) fn holding(&self, order: &ShopifyOrder, sku: &str) -> Holding {
        let key = StockKey::new(&Sku::new(sku), &LocationId::new("main"));
        self.order(order).holdings.get(&key).copied().unwrap_or_default()
    }
}

/// A fresh world with 10 bowls at `main`.
pub(crate) fn ten_bowls() -> World {
    World::new(Policy::default()).with("BOWL", 10)
}

pub(crate) fn applied() -> Verdict {
    Verdict::plain(Outcome::Applied)
}

pub(crate) fn order_key(id: &str) -> OrderKey {
    OrderKey { shop: ShopId::new("demo"), order: OrderId::new(id) }
}

pub(crate) fn incoming(webhook: u128, envelope: u128) -> Incoming {
    Incoming {
        key: WebhookKey {
            webhook: WebhookId::new(webhook.to_string()),
            shop: ShopId::new("demo"),
            body: BodyHash([0; 16]),
            scope: None,
        },
        shop: ShopId::new("demo"),
        envelope: EnvelopeId(uuid(envelope)),
        topic: "orders/updated".to_owned(),
        received_at: Timestamp(0),
        attempts: 0,
        replay: false,
    }
}

pub(crate) fn keys(incoming: &Incoming, fact: &OrderFact) -> Keys {
    Keys {
        webhooks: [incoming.key.clone()].into(),
        orders: [order_key(fact.order.as_str())].into(),
        skus: fact.lines.values().filter_map(|line| line.sku.clone()).collect(),
        listings: fact
            .lines
            .values()
            .filter_map(|line| line.variant.clone())
            .map(|variant| ListingKey { shop: ShopId::new("demo"), variant })
            .collect(),
        ..Keys::default()
    }
}

fn uuid(number: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(number)
}

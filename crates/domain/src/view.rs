//! A batch of decisions over one evolving view, collected into one [`ChangeSet`].
//!
//! A worker loads the view of all rows its batch needs, decides fact after fact (each sees what the
//! earlier ones did), and commits the result once. The versions of the rows as loaded go along, so
//! a store can refuse if anything the decisions rest on has changed.

use std::collections::{BTreeMap, HashMap};

use crate::change::{
    ChangeSet, Effect, EffectKind, Operation, OrderChange, PaymentChange, StockChange,
};
use crate::decide::{Decision, decide, reconsider};
use crate::fact::{Fact, Meaning, OrderFact};
use crate::ids::{
    EnvelopeId, ListingKey, LocationId, OrderId, OrderKey, PaymentKey, ShopId, Sku, StockKey,
    Version,
};
use crate::order::{Known, LinePart, Order};
use crate::payment::{Payment, PaymentFact};
use crate::policy::Policy;
use crate::privacy::{ANSWER_WITHIN_DAYS, KeptRequest, PrivacyKind, PrivacyRequest};
use crate::sighting::{ShopSighting, Sighting};
use crate::stock::{Cause, Forbidden, LedgerRow, Move, MoveKind, Stock};
use crate::time::Timestamp;
use crate::webhook::{DeadLetter, DeadReason, Outcome, Repeat, Verdict, WebhookKey, WebhookRecord};

/// How many envelope ids of repeats a webhook's row remembers, to tell a redelivery from a repeat.
pub const RECENT_ENVELOPES: usize = 16;

/// The rows that a batch's keys name, as they were at one moment. What is not there is absent.
#[derive(Clone, Debug, Default)]
pub struct View {
    pub webhooks: HashMap<WebhookKey, Seen>,
    pub orders: HashMap<OrderKey, Order>,
    pub payments: HashMap<PaymentKey, Payment>,
    pub listings: HashMap<ListingKey, Listing>,
    pub stock: StockView,
}

/// What a shop's variant stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The items of one unit (several: a kit).
    pub parts: Vec<LinePart>,
    /// An operator made it; otherwise it is what the platform's catalogue says.
    pub by_hand: bool,
}

/// A webhook that was decided before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub outcome: Outcome,
    /// The envelopes that brought it: the first, and the latest repeats.
    pub envelopes: Vec<EnvelopeId>,
}

/// Stock rows by item and location.
#[derive(Clone, Debug, Default)]
pub struct StockView {
    items: HashMap<Sku, BTreeMap<LocationId, Stock>>,
}

impl StockView {
    /// The row, or an absent one: zero units at version 0.
    pub fn get(&self, key: &StockKey) -> Stock {
        self.items
            .get(&key.sku)
            .and_then(|locations| locations.get(&key.location))
            .copied()
            .unwrap_or_default()
    }

    /// Whether the item exists: it has a stock row somewhere.
    pub fn knows(&self, sku: &Sku) -> bool {
        self.items.contains_key(sku)
    }

    pub fn insert(&mut self, key: StockKey, stock: Stock) {
        self.items.entry(key.sku).or_default().insert(key.location, stock);
    }
}

/// A webhook on its way into a batch.
#[derive(Clone, Debug)]
pub struct Incoming {
    pub key: WebhookKey,
    /// Whose order it is. The key's shop, but where the shops file named the sender only after the
    /// webhook had died.
    pub shop: ShopId,
    pub envelope: EnvelopeId,
    pub topic: String,
    pub received_at: Timestamp,
    /// How often it waited on the retry ladder.
    pub attempts: u32,
    /// An operator asks to decide a dead one again.
    pub replay: bool,
}

/// What a batch did with one webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decided {
    /// Its outcome, to be written.
    Verdict(Verdict),
    /// The same webhook again: counted, nothing else.
    Duplicate,
    /// The same envelope again: nothing at all.
    Redelivered,
}

/// An evolving view and the changes so far.
#[derive(Debug)]
pub struct Batch {
    view: View,
    changes: ChangeSet,
    repeats: HashMap<WebhookKey, usize>,
    collect_effects: bool,
}

impl Batch {
    pub fn new(view: View) -> Self {
        Self {
            view,
            changes: ChangeSet::default(),
            repeats: HashMap::new(),
            collect_effects: false,
        }
    }

    /// Writes effects to the outbox, because something consumes them.
    #[must_use]
    pub fn with_effects(mut self, collect: bool) -> Self {
        self.collect_effects = collect;
        self
    }

    pub fn view(&self) -> &View {
        &self.view
    }

    pub fn into_changes(self) -> ChangeSet {
        self.changes
    }

    /// Decides one webhook. `raw` is asked for only if it becomes a dead letter.
    pub fn webhook(
        &mut self,
        incoming: &Incoming,
        meaning: &Meaning,
        policy: &Policy,
        now: Timestamp,
        raw: impl FnOnce() -> Vec<u8>,
    ) -> Decided {
        let seen = self.view.webhooks.get(&incoming.key);
        let was_dead = seen.is_some_and(|seen| seen.outcome == Outcome::Dead);
        if let Some(seen) = seen
            && !(incoming.replay && was_dead)
        {
            if seen.envelopes.contains(&incoming.envelope) {
                return Decided::Redelivered;
            }
            self.repeat(incoming);
            return Decided::Duplicate;
        }
        let (verdict, order) = match meaning {
            Meaning::Fact(Fact::Order(fact)) => {
                let verdict = self.order_fact(incoming, fact, policy, now);
                (verdict, Some(fact.order.clone()))
            }
            Meaning::Fact(Fact::Payment(fact)) => self.payment_fact(incoming, fact, policy, now),
            Meaning::Fact(Fact::Sightings(sightings)) => {
                (self.sightings(incoming, sightings), None)
            }
            Meaning::Fact(Fact::Privacy(request)) => (self.privacy(incoming, request), None),
            Meaning::Ignored(reason) => (Verdict::ignored(reason), None),
            Meaning::Dead { reason, detail } => (Verdict::dead(*reason, detail), None),
        };
        if verdict.outcome == Outcome::Dead {
            self.changes.dead.push(dead_letter(incoming, &verdict, now, raw()));
        }
        self.record(incoming, order, verdict.clone(), was_dead, now);
        Decided::Verdict(verdict)
    }

    /// Decides a short order again, because an operator or a sweep asks.
    pub fn retry_order(
        &mut self,
        key: &OrderKey,
        policy: &Policy,
        correlation: EnvelopeId,
        reason: &str,
        now: Timestamp,
    ) -> Option<Verdict> {
        let order = self.view.orders.get(key)?;
        let decision = reconsider(order, &self.view.stock, policy);
        let cause = Cause {
            shop: Some(key.shop.clone()),
            order: Some(key.order.clone()),
            webhook: None,
            correlation,
            reason: reason.to_owned(),
        };
        Some(self.apply(key, decision, policy, &cause, now))
    }

    /// Moves one stock row because an operator says so.
    pub fn move_stock(
        &mut self,
        change: Move,
        cause: &Cause,
        now: Timestamp,
    ) -> Result<Stock, Forbidden> {
        let before = self.view.stock.get(&change.key);
        before.after(&change)?;
        let key = change.key.clone();
        self.push_move(change, cause, now);
        Ok(self.view.stock.get(&key))
    }

    /// Sets how far below zero a row's available may go. A move of no units, so that the ledger
    /// shows it and the row's version guards it.
    pub fn set_floor(
        &mut self,
        key: &StockKey,
        floor: i64,
        cause: &Cause,
        now: Timestamp,
    ) -> Result<Stock, Forbidden> {
        let before = self.view.stock.get(key);
        if floor > 0 {
            return Err(Forbidden::PositiveFloor);
        }
        if before.available() < floor {
            return Err(Forbidden::Oversold);
        }
        if before.floor == floor {
            return Ok(before);
        }
        let kind = MoveKind::Adjust;
        let change = Move { key: key.clone(), kind, on_hand_delta: 0, committed_delta: 0 };
        self.push_move(change, cause, now);
        let row = Stock { floor, ..self.view.stock.get(key) };
        self.view.stock.insert(key.clone(), row);
        if let Some(change) = self.changes.stock.get_mut(key) {
            change.stock = row;
        }
        Ok(row)
    }

    /// Keeps what is not even an envelope as a dead letter.
    pub fn unreadable(&mut self, letter: DeadLetter) {
        self.changes.dead.push(letter);
    }

    /// The envelope was decided alone and survived.
    pub fn clear_suspicion(&mut self, envelope: EnvelopeId) {
        self.changes.cleared.push(envelope);
    }

    /// Names the operator's command, so that it happens once only.
    pub fn operation(&mut self, operation: Operation) {
        self.changes.operation = Some(operation);
    }

    fn order_fact(
        &mut self,
        incoming: &Incoming,
        fact: &OrderFact,
        policy: &Policy,
        now: Timestamp,
    ) -> Verdict {
        let key = OrderKey { shop: incoming.shop.clone(), order: fact.order.clone() };
        let absent = Order::default();
        let order = self.view.orders.get(&key).unwrap_or(&absent);
        let decision = decide(&key.shop, order, fact, &self.view, policy);
        let cause = Cause {
            shop: Some(key.shop.clone()),
            order: Some(key.order.clone()),
            webhook: Some(incoming.key.webhook.clone()),
            correlation: incoming.envelope,
            reason: incoming.topic.clone(),
        };
        self.apply(&key, decision, policy, &cause, now)
    }

    /// Joins what is known of the payment, then tells the order that it pays for. Without a
    /// reference, or before its order, it waits in the store.
    fn payment_fact(
        &mut self,
        incoming: &Incoming,
        fact: &PaymentFact,
        policy: &Policy,
        now: Timestamp,
    ) -> (Verdict, Option<OrderId>) {
        let key = PaymentKey { shop: incoming.key.shop.clone(), payment: fact.payment.clone() };
        let before = self.view.payments.get(&key).cloned().unwrap_or_default();
        let mut payment = before.clone();
        let news = payment.join(fact.known.clone());
        let reference = payment.known.reference().cloned();
        let mut verdict = match news {
            true => Verdict::plain(Outcome::Applied),
            false => Verdict::plain(Outcome::Unchanged),
        };
        // Also without news: an order that could not take it when it came is told again.
        for order in &payment.known.references {
            let told = self.order_fact(incoming, &told_of(order, &key, &payment), policy, now);
            match told.outcome {
                Outcome::Dead => return (told, reference),
                Outcome::Short | Outcome::Applied => verdict = told,
                _ => {}
            }
        }
        if news {
            let expected = self.changes.payments.get(&key).map_or(before.version, |c| c.expected);
            payment.version = expected.next();
            self.view.payments.insert(key.clone(), payment.clone());
            let shop = incoming.shop.clone();
            let order = reference.clone().map(|order| OrderKey { shop, order });
            self.changes.payments.insert(key, PaymentChange { expected, payment, order });
        }
        (verdict, reference)
    }

    fn sightings(&mut self, incoming: &Incoming, sightings: &[Sighting]) -> Verdict {
        let shop = &incoming.shop;
        let seen =
            |sighting: &Sighting| ShopSighting { shop: shop.clone(), sighting: sighting.clone() };
        self.changes.sightings.extend(sightings.iter().map(seen));
        Verdict::plain(Outcome::Applied)
    }

    fn privacy(&mut self, incoming: &Incoming, request: &PrivacyRequest) -> Verdict {
        const DAY: i64 = 24 * 60 * 60;
        let within = Timestamp::from_seconds(ANSWER_WITHIN_DAYS * DAY);
        self.changes.requests.push(KeptRequest {
            id: incoming.envelope,
            shop: incoming.shop.clone(),
            request: request.clone(),
            received_at: incoming.received_at,
            due_at: Timestamp(incoming.received_at.0 + within.0),
            done: request.kind != PrivacyKind::DataRequest,
        });
        Verdict::plain(Outcome::Applied)
    }

    fn apply(
        &mut self,
        key: &OrderKey,
        decision: Decision,
        policy: &Policy,
        cause: &Cause,
        now: Timestamp,
    ) -> Verdict {
        for row in &decision.read {
            self.touch(row);
        }
        for change in decision.moves {
            self.push_move(change, cause, now);
        }
        if let Some(order) = decision.order {
            self.write_order(key, order, policy, cause.correlation);
        }
        decision.verdict
    }

    fn write_order(
        &mut self,
        key: &OrderKey,
        mut order: Order,
        policy: &Policy,
        correlation: EnvelopeId,
    ) {
        let before = self.view.orders.get(key);
        let was_short = before.is_some_and(|order| order.short.is_some());
        let was_paid = before.is_some_and(|order| order.known.paid);
        let loaded = before.map_or(Version::ABSENT, |order| order.version);
        let expected = self.changes.orders.get(key).map_or(loaded, |change| change.expected);
        if self.collect_effects && was_short != order.short.is_some() {
            let kind = if was_short { EffectKind::OrderServed } else { EffectKind::OrderShort };
            self.changes.effects.push(Effect { kind, order: key.clone(), correlation });
        }
        if self.collect_effects && !was_paid && order.known.paid {
            let kind = EffectKind::OrderPaid;
            self.changes.effects.push(Effect { kind, order: key.clone(), correlation });
        }
        order.version = expected.next();
        let state = order.state(policy);
        self.view.orders.insert(key.clone(), order.clone());
        self.changes.orders.insert(key.clone(), OrderChange { expected, state, order });
    }

    /// Makes the commit depend on the row being as it was loaded.
    fn touch(&mut self, key: &StockKey) {
        let stock = self.view.stock.get(key);
        self.changes
            .stock
            .entry(key.clone())
            .or_insert(StockChange { expected: stock.version, stock });
    }

    fn push_move(&mut self, change: Move, cause: &Cause, now: Timestamp) {
        self.touch(&change.key);
        let before = self.view.stock.get(&change.key);
        let after = before.after(&change).expect("decided over this very row");
        self.view.stock.insert(change.key.clone(), after);
        if let Some(row) = self.changes.stock.get_mut(&change.key) {
            row.stock = after;
        }
        self.changes.ledger.push(LedgerRow {
            version: after.version,
            change,
            cause: cause.clone(),
            at: now,
        });
    }

    fn repeat(&mut self, incoming: &Incoming) {
        let seen = self.view.webhooks.get_mut(&incoming.key).expect("repeats have been seen");
        seen.envelopes.push(incoming.envelope);
        let index = *self.repeats.entry(incoming.key.clone()).or_insert_with(|| {
            self.changes.repeats.push(Repeat { key: incoming.key.clone(), envelopes: vec![] });
            self.changes.repeats.len() - 1
        });
        self.changes.repeats[index].envelopes.push(incoming.envelope);
    }

    fn record(
        &mut self,
        incoming: &Incoming,
        order: Option<crate::OrderId>,
        verdict: Verdict,
        replaces_dead: bool,
        now: Timestamp,
    ) {
        let seen = Seen { outcome: verdict.outcome, envelopes: vec![incoming.envelope] };
        self.view.webhooks.insert(incoming.key.clone(), seen);
        self.changes.webhooks.push(WebhookRecord {
            key: incoming.key.clone(),
            envelope: incoming.envelope,
            topic: incoming.topic.clone(),
            order,
            verdict,
            received_at: incoming.received_at,
            decided_at: now,
            replaces_dead,
        });
    }
}

/// What `payment` tells the order that it pays for.
fn told_of(order: &OrderId, key: &PaymentKey, payment: &Payment) -> OrderFact {
    let payments = [(key.to_string(), payment.linked())].into();
    let paid = payment.known.was_captured();
    let known = Known { payments, paid, ..Known::default() };
    OrderFact { order: order.clone(), test: false, lines: BTreeMap::new(), known }
}

fn dead_letter(incoming: &Incoming, verdict: &Verdict, now: Timestamp, raw: Vec<u8>) -> DeadLetter {
    let reason = DeadReason::ALL
        .into_iter()
        .find(|reason| Some(reason.as_str()) == verdict.reason)
        .expect("a dead verdict is made from a reason");
    DeadLetter {
        envelope: incoming.envelope,
        shop: Some(incoming.key.shop.clone()),
        webhook: Some(incoming.key.clone()),
        topic: incoming.topic.clone(),
        reason,
        detail: verdict.detail.clone().unwrap_or_default(),
        attempts: incoming.attempts,
        received_at: incoming.received_at,
        died_at: now,
        raw,
    }
}

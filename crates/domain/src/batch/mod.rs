//! A batch of decisions over one evolving view, collected into one [`ChangeSet`].
//!
//! A worker loads the view of all rows its batch needs, decides fact after fact (each sees what the
//! earlier ones did), and commits the result once. The versions of the rows as loaded go along, so
//! a store can refuse if anything the decisions rest on has changed.

use std::collections::HashMap;

use crate::change::{ChangeSet, Effect, EffectKind, KeptBody, Operation, OrderChange, StockChange};
use crate::decide::Decision;
use crate::fact::{Fact, Meaning};
use crate::ids::{EnvelopeId, OrderId, OrderKey, ShopId, StockKey, Version};
use crate::order::Order;
use crate::policy::Policy;
use crate::stock::{Cause, LedgerRow, Move};
use crate::time::Timestamp;
use crate::view::{Seen, View};
use crate::webhook::{DeadLetter, DeadReason, Outcome, Repeat, Verdict, WebhookKey, WebhookRecord};

mod facts;
mod operator;

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

    /// As all that was decided leaves it.
    pub fn into_view(self) -> View {
        self.view
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
        let (verdict, order) = self.take_in(incoming, meaning, policy, now);
        if verdict.outcome == Outcome::Dead {
            self.changes.dead.push(dead_letter(incoming, &verdict, now, raw()));
        }
        self.record(incoming, order, verdict.clone(), was_dead, now);
        Decided::Verdict(verdict)
    }

    /// Decides once more what the inbox has, whatever became of it then: its row stays as it is.
    pub fn again(
        &mut self,
        incoming: &Incoming,
        meaning: &Meaning,
        policy: &Policy,
        now: Timestamp,
    ) -> Verdict {
        self.take_in(incoming, meaning, policy, now).0
    }

    /// What the meaning does to everything but the inbox, and the order that it names.
    fn take_in(
        &mut self,
        incoming: &Incoming,
        meaning: &Meaning,
        policy: &Policy,
        now: Timestamp,
    ) -> (Verdict, Option<OrderId>) {
        match meaning {
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
        }
    }

    /// Keeps what is not even an envelope as a dead letter.
    pub fn unreadable(&mut self, letter: DeadLetter) {
        self.changes.dead.push(letter);
    }

    /// Keeps the body of what was just decided.
    pub fn keep(&mut self, body: KeptBody) {
        self.changes.kept.push(body);
    }

    /// The envelope was decided alone and survived.
    pub fn clear_suspicion(&mut self, envelope: EnvelopeId) {
        self.changes.cleared.push(envelope);
    }

    /// Names the operator's command, so that it happens once only.
    pub fn operation(&mut self, operation: Operation) {
        self.changes.operation = Some(operation);
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
            // As it was read: that says where its row lies.
            let read = self.view.webhooks.get_key_value(&incoming.key);
            let key = read.map_or(&incoming.key, |(key, _)| key).clone();
            self.changes.repeats.push(Repeat { key, envelopes: vec![] });
            self.changes.repeats.len() - 1
        });
        self.changes.repeats[index].envelopes.push(incoming.envelope);
    }

    fn record(
        &mut self,
        incoming: &Incoming,
        order: Option<OrderId>,
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
            attempts: incoming.attempts,
            replaces_dead,
        });
    }
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

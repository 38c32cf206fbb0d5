//! What each kind of fact does to the evolving view.

use std::collections::BTreeMap;

use super::{Batch, Incoming};
use crate::change::PaymentChange;
use crate::decide::{Decision, decide};
use crate::fact::OrderFact;
use crate::ids::{OrderId, OrderKey, PaymentKey};
use crate::order::{Known, Order};
use crate::payment::{Payment, PaymentFact};
use crate::policy::Policy;
use crate::privacy::{ANSWER_WITHIN_DAYS, KeptRequest, PrivacyRequest};
use crate::sighting::{ShopSighting, Sighting};
use crate::stock::Cause;
use crate::time::Timestamp;
use crate::webhook::{Outcome, Verdict};

impl Batch {
    pub(super) fn order_fact(
        &mut self,
        incoming: &Incoming,
        fact: &OrderFact,
        policy: &Policy,
        now: Timestamp,
    ) -> Verdict {
        let key = OrderKey { shop: incoming.shop.clone(), order: fact.order.clone() };
        let decision = self.decide_order(&key, fact, policy);
        let cause = Cause {
            shop: Some(key.shop.clone()),
            order: Some(key.order.clone()),
            webhook: Some(incoming.key.webhook.clone()),
            correlation: incoming.envelope,
            reason: incoming.topic.clone(),
        };
        self.apply(&key, decision, policy, &cause, now)
    }

    /// What the fact means for its order as it is now; nothing has happened yet.
    fn decide_order(&self, key: &OrderKey, fact: &OrderFact, policy: &Policy) -> Decision {
        let absent = Order::default();
        let order = self.view.orders.get(key).unwrap_or(&absent);
        decide(&key.shop, order, fact, &self.view, policy)
    }

    /// Joins what is known of the payment, then tells the order that it pays for. Without a
    /// reference, before its order, or where nobody says whose orders it pays for, it waits in the
    /// store.
    pub(super) fn payment_fact(
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
        // A payments shop has no orders of its own. What it was told is kept: once it pays for a
        // shop, the payment's next callback links it.
        let pays_for_nobody = incoming.shop == incoming.key.shop;
        let reference = payment.known.reference().filter(|_| !pays_for_nobody).cloned();
        let mut verdict = match news {
            true => Verdict::plain(Outcome::Applied),
            false => Verdict::plain(Outcome::Unchanged),
        };
        let orders = payment.known.references.iter().filter(|_| !pays_for_nobody);
        let told: Vec<OrderFact> = orders.map(|order| told_of(order, &key, &payment)).collect();
        // A dead letter leaves nothing behind: all orders can take it, or none is told. Whether one
        // can does not depend on stock, nor on what the others do to it.
        for fact in &told {
            let order = OrderKey { shop: incoming.shop.clone(), order: fact.order.clone() };
            let verdict = self.decide_order(&order, fact, policy).verdict;
            if verdict.outcome == Outcome::Dead {
                return (verdict, reference);
            }
        }
        // Also without news: an order that could not take it when it came is told again.
        for fact in &told {
            let told = self.order_fact(incoming, fact, policy, now);
            if matches!(told.outcome, Outcome::Short | Outcome::Applied) {
                verdict = told;
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

    pub(super) fn sightings(&mut self, incoming: &Incoming, sightings: &[Sighting]) -> Verdict {
        let shop = &incoming.shop;
        let seen =
            |sighting: &Sighting| ShopSighting { shop: shop.clone(), sighting: sighting.clone() };
        self.changes.sightings.extend(sightings.iter().map(seen));
        Verdict::plain(Outcome::Applied)
    }

    pub(super) fn privacy(&mut self, incoming: &Incoming, request: &PrivacyRequest) -> Verdict {
        const DAY: i64 = 24 * 60 * 60;
        let within = Timestamp::from_seconds(ANSWER_WITHIN_DAYS * DAY);
        self.changes.requests.push(KeptRequest {
            id: incoming.envelope,
            shop: incoming.shop.clone(),
            request: request.clone(),
            received_at: incoming.received_at,
            due_at: Timestamp(incoming.received_at.0 + within.0),
            // Nothing is done before it is: what is to go is removed after this is committed.
            done: false,
        });
        Verdict::plain(Outcome::Applied)
    }
}

/// What `payment` tells the order that it pays for.
fn told_of(order: &OrderId, key: &PaymentKey, payment: &Payment) -> OrderFact {
    let payments = [(key.to_string(), payment.linked())].into();
    let paid = payment.known.was_captured();
    let known = Known { payments, paid, ..Known::default() };
    OrderFact { order: order.clone(), test: false, lines: BTreeMap::new(), known }
}

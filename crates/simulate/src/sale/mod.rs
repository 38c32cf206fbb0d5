//! A flash sale, planned: which webhooks a shop's platform sends, in which order, and what it knows
//! about the orders in the end.
//!
//! The plan is drawn from a seed and nothing else, so a run that broke a promise can be run again.
//! It is as unkind as platforms are: webhooks come late and out of order, twice, at the same
//! instant on two connections, and old bodies come after newer ones.

use std::collections::BTreeMap;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use uuid::Builder;

use crate::request::Request;
use crate::shopify::{LOCATION, PLACED_AT, ShopifyOrder, SignedWebhook};

/// All bodies are built before the first is sent, so that building does not slow the sending: this
/// many orders with one webhook each are about 700 MB.
pub const ORDERS_MAX: usize = 100_000;

/// How many orders come in each second of the platform's clock.
const ORDERS_PER_SECOND: usize = 200;

/// How many other orders are placed before an order is paid, or a paid one cancelled.
const ORDERS_BETWEEN_STAGES: u64 = 20;

/// One line in so many is for two units.
const LINES_PER_PAIR: u32 = 8;

/// Ids of orders are as long as the platform's.
const FIRST_ORDER_ID: u64 = 5_000_000_000_000;
const ORDER_IDS: u64 = 900_000_000_000;

/// What a sale is like. Shares are 0 to 1.
#[derive(Clone, Debug)]
pub struct Sale {
    pub orders: usize,
    pub skus: usize,
    /// The first so many SKUs are hot…
    pub hot_skus: usize,
    /// …and this share of all lines asks for one of them.
    pub hot_share: f64,
    pub lines_per_order: usize,
    /// Of orders: paid, which is a second webhook.
    pub pay_share: f64,
    /// Of orders: cancelled in the end, which is one more.
    pub cancel_share: f64,
    /// Of orders that changed: an old body comes after the newer ones, under an id of its own.
    pub late_share: f64,
    /// Of webhooks: sent a second time, same id and same bytes.
    pub duplicate_share: f64,
    /// Of those: at the same instant, on another connection.
    pub same_instant_share: f64,
    /// A webhook may be sent up to so many orders too late. 0: in order.
    pub disorder: u64,
    pub seed: u64,
    pub domain: String,
    pub secret: String,
}

/// What is sent, and what the platform knows.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Every webhook once.
    pub webhooks: Vec<PlannedWebhook>,
    /// What to send, in this order: indexes into `webhooks`. One that is there twice is a
    /// duplicate; twice in a row, at the same instant.
    pub sends: Vec<usize>,
    /// The webhooks whose bodies are older than ones sent before.
    pub late: Vec<usize>,
    pub orders: Vec<PlannedOrder>,
}

/// One webhook of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedWebhook {
    /// As an inbox names it; nothing where its sender gives it no name that lasts.
    pub id: Option<String>,
    pub request: Request,
}

/// An order as the platform has it when the sale is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedOrder {
    pub id: u64,
    pub paid: bool,
    pub cancelled: bool,
    /// Units ordered by SKU.
    pub units: BTreeMap<String, i64>,
}

impl Sale {
    /// The name of an item, counted from 0.
    pub fn sku(index: usize) -> String {
        format!("SKU-{:05}", index + 1)
    }

    /// All items of the sale, the hot ones first.
    pub fn all_skus(&self) -> impl Iterator<Item = String> {
        (0..self.skus).map(Self::sku)
    }

    /// Draws the plan.
    pub fn plan(&self) -> Plan {
        let dice = Xoshiro256PlusPlus::seed_from_u64(self.seed);
        let mut draft = Draft { sale: self, dice, webhooks: vec![], sends: vec![], late: vec![] };
        let first = FIRST_ORDER_ID + draft.dice.random_range(0..ORDER_IDS);
        let orders = (0..self.orders).map(|index| draft.order(first, index)).collect();
        // Stable: what is sent at the same instant stays side by side.
        draft.sends.sort_by_key(|(at, _)| *at);
        let sends = draft.sends.into_iter().map(|(_, webhook)| webhook).collect();
        Plan { webhooks: draft.webhooks, sends, late: draft.late, orders }
    }

    /// How many items are hot.
    fn hot(&self) -> usize {
        if self.hot_share > 0.0 { self.hot_skus.min(self.skus) } else { 0 }
    }
}

impl Plan {
    /// Webhooks that are sent a second time.
    pub fn duplicates(&self) -> usize {
        self.sends.len() - self.webhooks.len()
    }

    /// Units ordered of each SKU, cancelled or not.
    pub fn units(&self) -> BTreeMap<String, i64> {
        let mut all = BTreeMap::new();
        for (sku, units) in self.orders.iter().flat_map(|order| &order.units) {
            *all.entry(sku.clone()).or_default() += units;
        }
        all
    }
}

/// A plan in the making.
struct Draft<'a> {
    sale: &'a Sale,
    dice: Xoshiro256PlusPlus,
    webhooks: Vec<PlannedWebhook>,
    /// The moment of sending, counted in orders, and the webhook.
    sends: Vec<(u64, usize)>,
    late: Vec<usize>,
}

impl Draft<'_> {
    fn order(&mut self, first: u64, index: usize) -> PlannedOrder {
        let number = u64::try_from(index).expect("at most ORDERS_MAX");
        let second = i64::try_from(index / ORDERS_PER_SECOND).expect("at most ORDERS_MAX");
        let mut order = ShopifyOrder::new(first + number)
            .of(&self.sale.domain, &self.sale.secret)
            .placed_at(PLACED_AT + second);
        let mut planned = PlannedOrder {
            id: order.id(),
            paid: self.happens(self.sale.pay_share),
            cancelled: self.happens(self.sale.cancel_share),
            units: BTreeMap::new(),
        };
        for _ in 0..self.sale.lines_per_order {
            let (sku, units) = self.line();
            order = order.line(&sku, units);
            *planned.units.entry(sku).or_default() += units;
        }

        let old = order.clone();
        let mut last = self.send(number, order.webhook("orders/create"));
        let mut at = number;
        if planned.paid {
            order.pay();
            at += ORDERS_BETWEEN_STAGES;
            last = last.max(self.send(at, order.webhook("orders/paid")));
        }
        if planned.cancelled {
            order.cancel(Some(LOCATION));
            at += ORDERS_BETWEEN_STAGES;
            last = last.max(self.send(at, order.webhook("orders/cancelled")));
        }
        if (planned.paid || planned.cancelled) && self.happens(self.sale.late_share) {
            self.late.push(self.webhooks.len());
            self.send(last + ORDERS_BETWEEN_STAGES, old.webhook("orders/updated"));
        }
        planned
    }

    fn line(&mut self) -> (String, i64) {
        let (hot, all) = (self.sale.hot(), self.sale.skus);
        let of_hot = hot == all || hot > 0 && self.happens(self.sale.hot_share);
        let index = self.dice.random_range(if of_hot { 0..hot } else { hot..all });
        let pair = self.dice.random_ratio(1, LINES_PER_PAIR);
        (Sale::sku(index), if pair { 2 } else { 1 })
    }

    /// Sends a webhook at about `at`, and perhaps again. Returns when it is sent for the last time.
    fn send(&mut self, at: u64, mut webhook: SignedWebhook) -> u64 {
        webhook.webhook_id = self.id();
        webhook.event_id = self.id();
        let index = self.webhooks.len();
        let id = Some(webhook.webhook_id.clone());
        self.webhooks.push(PlannedWebhook { id, request: webhook.request() });
        let mut at = at + self.delay();
        self.sends.push((at, index));
        if self.happens(self.sale.duplicate_share) {
            if !self.happens(self.sale.same_instant_share) {
                at += ORDERS_BETWEEN_STAGES + self.delay();
            }
            self.sends.push((at, index));
        }
        at
    }

    fn delay(&mut self) -> u64 {
        self.dice.random_range(0..=self.sale.disorder)
    }

    fn happens(&mut self, share: f64) -> bool {
        self.dice.random_bool(share.clamp(0.0, 1.0))
    }

    fn id(&mut self) -> String {
        Builder::from_random_bytes(self.dice.random()).into_uuid().to_string()
    }
}

#[cfg(test)]
mod tests;

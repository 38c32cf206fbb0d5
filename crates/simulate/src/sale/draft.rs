//! A plan in the making: what is sent, when, and how often.

use std::ops::RangeInclusive;

use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::IndexedRandom;
use uuid::{Builder, Uuid};

use super::{Plan, PlannedOrder, PlannedWebhook, Sale};

/// How many other orders are placed before the next thing happens to an order.
const ORDERS_BETWEEN_STAGES: u64 = 20;

pub(super) struct Draft<'a> {
    pub(super) sale: &'a Sale,
    dice: Xoshiro256PlusPlus,
    webhooks: Vec<PlannedWebhook>,
    /// The moment of sending, counted in orders, and the webhook.
    sends: Vec<(u64, usize)>,
    late: Vec<usize>,
}

/// What is told of one order, one stage after the other.
pub(super) struct Story {
    /// The stage's moment, counted in orders.
    at: u64,
    /// When the last of all was sent so far.
    last: u64,
}

impl Story {
    /// Begins when the order of this number is placed.
    pub(super) fn at(number: u64) -> Self {
        Self { at: number, last: number }
    }

    pub(super) fn next_stage(&mut self) {
        self.at += ORDERS_BETWEEN_STAGES;
    }

    /// The next stage begins when all that was told so far has been sent.
    pub(super) fn stage_after_all(&mut self) {
        self.at = self.last + ORDERS_BETWEEN_STAGES;
    }
}

impl<'a> Draft<'a> {
    pub(super) fn new(sale: &'a Sale, dice: Xoshiro256PlusPlus) -> Self {
        Self { sale, dice, webhooks: vec![], sends: vec![], late: vec![] }
    }

    pub(super) fn plan(mut self, orders: Vec<PlannedOrder>) -> Plan {
        // Stable: what is sent at the same instant stays side by side.
        self.sends.sort_by_key(|(at, _)| *at);
        let sends = self.sends.into_iter().map(|(_, webhook)| webhook).collect();
        Plan { webhooks: self.webhooks, sends, late: self.late, orders }
    }

    /// Sends a webhook at about the story's moment, and perhaps again.
    pub(super) fn tell(&mut self, story: &mut Story, webhook: PlannedWebhook) {
        let mut at = story.at + self.delay();
        let index = self.push(at, webhook);
        if self.happens(self.sale.duplicate_share) {
            if !self.happens(self.sale.same_instant_share) {
                at += ORDERS_BETWEEN_STAGES + self.delay();
            }
            self.sends.push((at, index));
        }
        story.last = story.last.max(at);
    }

    /// Sends a webhook that means something else if it comes again.
    pub(super) fn tell_once(&mut self, story: &mut Story, webhook: PlannedWebhook) {
        let at = story.at + self.delay();
        self.push(at, webhook);
        story.last = story.last.max(at);
    }

    /// Sends something old after everything else.
    pub(super) fn tell_late(&mut self, story: &mut Story, webhook: PlannedWebhook) {
        story.stage_after_all();
        self.late.push(self.webhooks.len());
        self.tell(story, webhook);
    }

    fn push(&mut self, at: u64, webhook: PlannedWebhook) -> usize {
        self.webhooks.push(webhook);
        let index = self.webhooks.len() - 1;
        self.sends.push((at, index));
        index
    }

    fn delay(&mut self) -> u64 {
        self.dice.random_range(0..=self.sale.disorder)
    }

    pub(super) fn happens(&mut self, share: f64) -> bool {
        happens(&mut self.dice, share)
    }

    /// Whether something happens that happens once in so many times.
    pub(super) fn one_in(&mut self, times: u32) -> bool {
        self.dice.random_ratio(1, times)
    }

    pub(super) fn number(&mut self, range: RangeInclusive<i64>) -> i64 {
        self.dice.random_range(range)
    }

    pub(super) fn choose<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        all.choose(&mut self.dice).copied()
    }

    pub(super) fn unique(&mut self) -> Uuid {
        Builder::from_random_bytes(self.dice.random()).into_uuid()
    }
}

pub(super) fn happens(dice: &mut Xoshiro256PlusPlus, share: f64) -> bool {
    dice.random_bool(share.clamp(0.0, 1.0))
}

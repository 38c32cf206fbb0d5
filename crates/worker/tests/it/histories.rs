//! Random lives of orders, as bytes: what the platform sends, how it arrives, who works on it.

use std::sync::Arc;

use domain::order::Restock;
use domain::{Envelope, Timestamp};
use platforms::Shops;
use proptest::collection::vec;
use proptest::prelude::*;
use testkit::shopify::{LOCATION, ShopifyOrder, SignedWebhook};
use worker::{Strategy as Locks, Work};

use crate::harness::shops;

/// The platform's id of the second place.
const ELSEWHERE: u64 = 22;

pub(crate) const LOCATIONS: [&str; 2] = ["main", "elsewhere"];

const SKUS: [&str; 2] = ["BOWL", "CUP"];

/// What happens to an order, if it can at that moment.
#[derive(Clone, Copy, Debug)]
enum Act {
    Pay,
    Edit(i64),
    Fulfil(i64, u64),
    Refund(i64, Restock),
    Cancel,
}

/// One run: its rules, its orders, and how their webhooks arrive.
#[derive(Clone, Debug)]
pub(crate) struct History {
    rules: Rules,
    /// Units of stock rows, for runs where there is too little.
    pub(crate) scarce: Vec<i64>,
    orders: Vec<Vec<(usize, i64)>>,
    acts: Vec<(usize, Act, i64)>,
    /// What arrives again: which, and as what.
    repeats: Vec<(usize, Again)>,
    shuffle: u64,
    batch: usize,
    pub(crate) locks: [Locks; 2],
}

#[derive(Clone, Debug)]
struct Rules {
    when_short: &'static str,
    commit_on: &'static str,
    safety_stock: i64,
}

#[derive(Clone, Copy, Debug)]
enum Again {
    /// The broker delivers the same envelope.
    Redelivered,
    /// The platform sends the same webhook.
    Duplicate,
    /// The platform sends another webhook with the same body.
    Twin,
}

pub(crate) fn history() -> impl Strategy<Value = History> {
    let rules = (
        prop::sample::select(vec!["reject", "hold", "backorder"]),
        prop::sample::select(vec!["placed", "placed", "paid"]),
        0..2_i64,
    )
        .prop_map(|(when_short, commit_on, safety_stock)| Rules {
            when_short,
            commit_on,
            safety_stock,
        });
    let lines = vec((0..SKUS.len(), 1..4_i64), 1..3);
    let again = prop_oneof![Just(Again::Redelivered), Just(Again::Duplicate), Just(Again::Twin)];
    let locks = || {
        prop_oneof![
            Just(Locks::Optimistic),
            Just(Locks::Adaptive),
            Just(Locks::Locking),
            Just(Locks::Advisory)
        ]
    };
    (
        rules,
        vec(0..7_i64, SKUS.len() * LOCATIONS.len()),
        vec(lines, 1..5),
        vec((0..4_usize, act(), 0..2_i64), 0..10),
        vec((any::<prop::sample::Index>().prop_map(|at| at.index(1000)), again), 0..6),
        1..u64::MAX,
        1..6_usize,
        (locks(), locks()),
    )
        .prop_map(|(rules, scarce, orders, acts, repeats, shuffle, batch, locks)| History {
            rules,
            scarce,
            orders,
            acts,
            repeats,
            shuffle,
            batch,
            locks: locks.into(),
        })
}

fn act() -> impl Strategy<Value = Act> {
    let place = prop_oneof![Just(LOCATION), Just(ELSEWHERE)];
    let restock = prop_oneof![Just(Restock::Cancel), Just(Restock::Return)];
    prop_oneof![
        2 => Just(Act::Pay),
        2 => (-2..3_i64).prop_map(Act::Edit),
        4 => (1..4_i64, place).prop_map(|(units, place)| Act::Fulfil(units, place)),
        3 => (1..3_i64, restock).prop_map(|(units, restock)| Act::Refund(units, restock)),
        1 => Just(Act::Cancel),
    ]
}

impl History {
    pub(crate) fn shops(&self) -> Arc<Shops> {
        let Rules { when_short, commit_on, safety_stock } = &self.rules;
        shops(&format!(
            "when_short = {when_short:?}\ncommit_on = {commit_on:?}\n\
             safety_stock = {safety_stock}\nlocations = {LOCATIONS:?}\n\
             location_ids = {{ \"{LOCATION}\" = \"main\", \"{ELSEWHERE}\" = \"elsewhere\" }}"
        ))
    }

    /// The items of run number `run`: no two runs in one database share any.
    pub(crate) fn skus(run: u64) -> Vec<String> {
        SKUS.iter().map(|sku| format!("{sku}-{run}")).collect()
    }

    /// Everything that is sent, in the order of happening.
    pub(crate) fn envelopes(&self, run: u64) -> Vec<Envelope> {
        let skus = Self::skus(run);
        let mut sent: Vec<SignedWebhook> = Vec::new();
        let mut orders: Vec<ShopifyOrder> = Vec::new();
        for (id, lines) in (run * 100..).zip(&self.orders) {
            let order = lines.iter().fold(ShopifyOrder::new(id + 1), |order, (sku, units)| {
                order.line(&skus[*sku], *units)
            });
            sent.push(order.webhook("orders/create"));
            orders.push(order);
        }
        for (order, act, seconds) in &self.acts {
            let at = order % orders.len();
            let order = &mut orders[at];
            order.seconds_per_action(*seconds);
            if let Some(part) = happen(order, *act) {
                sent.push(order.webhook(part));
                sent.push(order.webhook("orders/updated"));
            }
        }
        sent.iter().map(|webhook| webhook.envelope("demo", Timestamp(1))).collect()
    }

    /// How it arrives: shuffled, some of it again, in batches, at two workers.
    pub(crate) fn arrive(&self, sent: &[Envelope]) -> [Vec<Vec<Work>>; 2] {
        let mut arriving = sent.to_vec();
        for (at, again) in &self.repeats {
            let mut twin = sent[at % sent.len()].clone();
            if !matches!(again, Again::Redelivered) {
                twin.id = domain::EnvelopeId(uuid::Uuid::now_v7());
            }
            if matches!(again, Again::Twin) {
                twin.webhook = format!("{}-twin", twin.webhook).as_str().into();
            }
            arriving.push(twin);
        }
        let mut dice = self.shuffle;
        for last in (1..arriving.len()).rev() {
            // xorshift
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            let sides = u64::try_from(last + 1).expect("a few");
            arriving.swap(last, usize::try_from(dice % sides).expect("a few"));
        }
        let mut workers = [Vec::new(), Vec::new()];
        for (at, batch) in arriving.chunks(self.batch).enumerate() {
            workers[at % 2].push(batch.iter().map(|one| Work::new(one.clone(), 0)).collect());
        }
        workers
    }
}

/// Lets the act happen and returns the topic of its part, or `None` if it cannot happen.
fn happen(order: &mut ShopifyOrder, act: Act) -> Option<&'static str> {
    if order.is_cancelled() {
        return None;
    }
    match act {
        Act::Pay => {
            order.pay();
            return Some("order_transactions/create");
        }
        Act::Edit(delta) => {
            order.edit(0, delta.max(-order.fulfillable(0)));
            return Some("orders/edited");
        }
        Act::Cancel => _ = order.cancel(Some(LOCATION)),
        Act::Fulfil(units, place) => {
            let units = units.min(order.fulfillable(0));
            if units == 0 {
                return None;
            }
            let success = domain::order::FulfilmentStatus::Success;
            order.fulfil_at(place, success, &[(0, units)]);
            return Some("fulfillments/create");
        }
        Act::Refund(units, restock) => {
            let most = match restock {
                Restock::Cancel => order.fulfillable(0),
                _ => order.returnable(0),
            };
            if most <= 0 {
                return None;
            }
            order.refund(restock, Some(LOCATION), &[(0, units.min(most))]);
            return Some("refunds/create");
        }
    }
    Some("orders/updated")
}

//! Random lives of orders, as bytes: what the platform sends, how it arrives, who works on it.

use std::sync::Arc;

use domain::order::{FulfilmentStatus, Restock};
use domain::{Envelope, Timestamp};
use platforms::Shops;
use proptest::collection::vec;
use proptest::prelude::*;
use testkit::shopify::{LOCATION, ShopifyOrder, SignedWebhook};
use worker::Work;

use crate::dice::Dice;
use crate::harness::shops;

/// The platform's id of the second place.
const ELSEWHERE: u64 = 22;

pub(crate) const LOCATIONS: [&str; 2] = ["main", "elsewhere"];

const SKUS: [&str; 2] = ["BOWL", "CUP"];

/// What happens to an order, if it can at that moment.
#[derive(Clone, Copy, Debug)]
enum Act {
    Pay,
    Void,
    Edit(i64),
    Fulfil(i64, u64, FulfilmentStatus),
    /// One of its fulfilments becomes this.
    Proceed(usize, FulfilmentStatus),
    Refund(i64, Restock),
    Cancel,
    Delete,
}

/// One run: its rules, its orders, and how their webhooks arrive.
#[derive(Clone, Debug)]
pub(crate) struct History {
    rules: Rules,
    /// Units of stock rows, for runs where there is too little.
    pub(crate) scarce: Vec<i64>,
    orders: Vec<Vec<(usize, i64)>>,
    acts: Vec<(usize, Act, i64)>,
    /// What never arrives, and what arrives after everything else.
    lost: Vec<usize>,
    late: Vec<usize>,
    /// What arrives again: which, and as what.
    repeats: Vec<(usize, Again)>,
    shuffle: u64,
    pub(crate) batch: usize,
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
    let some = || any::<prop::sample::Index>().prop_map(|at| at.index(1000));
    // Two thirds of the time everything arrives.
    let lost = prop_oneof![2 => Just(vec![]), 1 => vec(some(), 1..6)];
    (
        rules,
        vec(0..7_i64, SKUS.len() * LOCATIONS.len()),
        vec(lines, 1..5),
        vec((0..4_usize, act(), 0..2_i64), 0..12),
        (lost, vec(some(), 0..3), vec((some(), again), 0..6)),
        1..u64::MAX,
        1..6_usize,
    )
        .prop_map(|(rules, scarce, orders, acts, (lost, late, repeats), shuffle, batch)| {
            History { rules, scarce, orders, acts, lost, late, repeats, shuffle, batch }
        })
}

fn act() -> impl Strategy<Value = Act> {
    use FulfilmentStatus::{Cancelled, Failure, Open, Success};
    let place = prop_oneof![Just(LOCATION), Just(ELSEWHERE)];
    let status = prop_oneof![2 => Just(Success), 1 => Just(Open)];
    let becomes = prop_oneof![2 => Just(Success), 2 => Just(Cancelled), 1 => Just(Failure)];
    let restock = prop_oneof![
        2 => Just(Restock::Cancel),
        2 => Just(Restock::Return),
        2 => Just(Restock::NoRestock),
        1 => Just(Restock::LegacyRestock),
    ];
    prop_oneof![
        2 => Just(Act::Pay),
        1 => Just(Act::Void),
        2 => (-2..3_i64).prop_map(Act::Edit),
        4 => (1..4_i64, place, status)
            .prop_map(|(units, place, status)| Act::Fulfil(units, place, status)),
        3 => (0..4_usize, becomes).prop_map(|(which, status)| Act::Proceed(which, status)),
        4 => (1..3_i64, restock).prop_map(|(units, restock)| Act::Refund(units, restock)),
        2 => Just(Act::Cancel),
        1 => Just(Act::Delete),
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
        let mut deleted = vec![false; orders.len()];
        for (order, act, seconds) in &self.acts {
            let at = order % orders.len();
            if deleted[at] {
                continue;
            }
            let order = &mut orders[at];
            order.seconds_per_action(*seconds);
            let Some(part) = happen(order, *act) else { continue };
            sent.push(order.webhook(part));
            deleted[at] = part == "orders/delete";
            if !deleted[at] {
                sent.push(order.webhook("orders/updated"));
            }
        }
        sent.iter().map(|webhook| webhook.envelope("demo", Timestamp(1))).collect()
    }

    /// What of it arrives at all, in the order of happening.
    pub(crate) fn told(&self, mut sent: Vec<Envelope>) -> Vec<Envelope> {
        for at in &self.lost {
            // Not the last one: where nothing arrives, nothing is at work.
            if sent.len() > 1 {
                sent.remove(at % sent.len());
            }
        }
        sent
    }

    /// Of what is sent, so much at most arrives: what no life of an order makes impossible.
    pub(crate) fn few(&self, run: u64, most: usize) -> Vec<Envelope> {
        let mut sent = self.envelopes(run);
        let mut dice = Dice::new(self.shuffle);
        while sent.len() > most {
            sent.remove(dice.roll(sent.len()));
        }
        sent
    }

    /// How it arrives: shuffled, some of it again, some of it last, in batches, at two workers.
    pub(crate) fn arrive(&self, told: &[Envelope]) -> [Vec<Vec<Work>>; 2] {
        let mut arriving = told.to_vec();
        for (at, again) in &self.repeats {
            let mut twin = told[at % told.len()].clone();
            if !matches!(again, Again::Redelivered) {
                twin.id = domain::EnvelopeId(uuid::Uuid::now_v7());
            }
            if matches!(again, Again::Twin) {
                twin.webhook = format!("{}-twin", twin.webhook).as_str().into();
            }
            arriving.push(twin);
        }
        Dice::new(self.shuffle).shuffle(&mut arriving);
        for at in &self.late {
            let late = arriving.remove(at % arriving.len());
            arriving.push(late);
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
    let after_all = matches!(act, Act::Delete | Act::Refund(_, Restock::NoRestock));
    if order.is_cancelled() && !after_all {
        return None;
    }
    match act {
        Act::Pay => {
            order.pay();
            return Some("order_transactions/create");
        }
        Act::Void => _ = order.financial_status("voided"),
        Act::Edit(delta) => {
            order.edit(0, delta.max(-order.fulfillable(0)));
            return Some("orders/edited");
        }
        Act::Cancel => _ = order.cancel(Some(LOCATION)),
        Act::Fulfil(units, place, status) => {
            let units = units.min(order.fulfillable(0));
            if units == 0 {
                return None;
            }
            order.fulfil_at(place, status, &[(0, units)]);
            return Some("fulfillments/create");
        }
        Act::Proceed(which, status) => {
            let statuses = order.fulfilments();
            let which = which.checked_rem(statuses.len())?;
            let from = statuses[which];
            let back = from == FulfilmentStatus::Success && !order.is_reversible(which);
            if !from.is_active() || status <= from || back {
                return None;
            }
            order.fulfilment_becomes(which, status);
            return Some("fulfillments/update");
        }
        Act::Refund(units, restock) => {
            let most = match restock {
                Restock::Cancel => order.fulfillable(0),
                // Whether it was sent or not.
                Restock::NoRestock => order.fulfillable(0).max(order.returnable(0)),
                Restock::Return | Restock::LegacyRestock => order.returnable(0),
            };
            if most <= 0 {
                return None;
            }
            order.refund(restock, Some(LOCATION), &[(0, units.min(most))]);
            return Some("refunds/create");
        }
        Act::Delete => return Some("orders/delete"),
    }
    Some("orders/updated")
}

//! Random lives of orders, and everything the platform could send about them.

use domain::OrderFact;
use domain::order::{FulfilmentStatus, Restock};
use proptest::collection::vec;
use proptest::prelude::*;
use testkit::shopify::ShopifyOrder;

pub(crate) const SKUS: [&str; 3] = ["BOWL", "CUP", "DISH"];

/// The platform's ids of the places where things happen.
pub(crate) const PLACES: [u64; 3] = [11, 22, 33];

/// What may happen to an order. Numbers are taken modulo what the order has; what is not possible
/// at that moment does not happen.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Pay,
    Void,
    Edit { line: usize, delta: i64 },
    AddLine { sku: usize, units: i64 },
    Fulfil { line: usize, units: i64, place: usize, open: bool },
    Proceed { fulfilment: usize, status: FulfilmentStatus },
    Refund { line: usize, units: i64, place: usize, restock: Restock },
    Cancel { restock: bool },
    Delete,
}

/// One act, the order it happens to, and the seconds since that order's last.
pub(crate) type Step = (usize, Act, i64);

/// Lines (item and units) of several orders, and what happens to them.
#[derive(Clone, Debug)]
pub(crate) struct History {
    pub(crate) orders: Vec<Vec<(usize, i64)>>,
    pub(crate) steps: Vec<Step>,
}

fn act() -> impl Strategy<Value = Act> {
    use FulfilmentStatus::{Cancelled, Failure, Success};
    let status = prop_oneof![3 => Just(Success), 2 => Just(Cancelled), 1 => Just(Failure)];
    let restock = prop_oneof![
        3 => Just(Restock::Cancel),
        3 => Just(Restock::Return),
        1 => Just(Restock::NoRestock),
        1 => Just(Restock::LegacyRestock),
    ];
    let (line, units, place) = (0..4_usize, 1..4_i64, 0..PLACES.len());
    prop_oneof![
        3 => Just(Act::Pay),
        1 => Just(Act::Void),
        3 => (line.clone(), -3..4_i64).prop_map(|(line, delta)| Act::Edit { line, delta }),
        1 => (0..SKUS.len(), units.clone()).prop_map(|(sku, units)| Act::AddLine { sku, units }),
        6 => (line.clone(), units.clone(), place.clone(), any::<bool>())
            .prop_map(|(line, units, place, open)| Act::Fulfil { line, units, place, open }),
        3 => (0..4_usize, status)
            .prop_map(|(fulfilment, status)| Act::Proceed { fulfilment, status }),
        5 => (line, units, place, restock)
            .prop_map(|(line, units, place, restock)| Act::Refund { line, units, place, restock }),
        1 => any::<bool>().prop_map(|restock| Act::Cancel { restock }),
        1 => Just(Act::Delete),
    ]
}

pub(crate) fn history() -> impl Strategy<Value = History> {
    let line = (0..SKUS.len(), 1..5_i64);
    let orders = vec(vec(line, 1..4), 1..5);
    // Often within one second, as the platform's clock does not show less.
    let seconds = prop_oneof![Just(0), Just(1), Just(2)];
    let steps = vec((0..4_usize, act(), seconds), 0..14);
    (orders, steps).prop_map(|(orders, steps)| History { orders, steps })
}

impl History {
    /// Everything that is sent, in the order of happening: after each act the order, and the part
    /// that it made.
    pub(crate) fn facts(&self) -> Vec<OrderFact> {
        let mut orders: Vec<ShopifyOrder> = Vec::new();
        let mut facts = Vec::new();
        for (id, lines) in (1..).zip(&self.orders) {
            let order = lines
                .iter()
                .fold(ShopifyOrder::new(id), |order, (sku, units)| order.line(SKUS[*sku], *units));
            facts.push(order.fact("orders/create"));
            orders.push(order);
        }
        let mut deleted = vec![false; orders.len()];
        for (order, act, seconds) in &self.steps {
            let index = order % orders.len();
            if deleted[index] {
                continue;
            }
            let order = &mut orders[index];
            order.seconds_per_action(*seconds);
            let Some(part) = happen(order, act) else { continue };
            deleted[index] = part == "orders/delete";
            facts.push(order.fact(part));
            if part != "orders/delete" {
                facts.push(order.fact("orders/updated"));
            }
        }
        facts
    }
}

/// Lets the act happen and returns the topic of its part, or `None` if it cannot happen.
fn happen(order: &mut ShopifyOrder, act: &Act) -> Option<&'static str> {
    let after_all = matches!(act, Act::Delete | Act::Refund { restock: Restock::NoRestock, .. });
    match *act {
        _ if order.is_cancelled() && !after_all => return None,
        Act::Pay => {
            order.pay();
            return Some("order_transactions/create");
        }
        Act::Void => _ = order.financial_status("voided"),
        Act::Edit { line, delta } => {
            let line = line % order.line_count();
            let delta = delta.max(-order.fulfillable(line));
            order.edit(line, delta);
            return Some("orders/edited");
        }
        Act::AddLine { sku, units } => {
            order.add_line(SKUS[sku], units);
            return Some("orders/edited");
        }
        Act::Fulfil { line, units, place, open } => {
            let line = line % order.line_count();
            let units = units.min(order.fulfillable(line));
            let status = if open { FulfilmentStatus::Open } else { FulfilmentStatus::Success };
            if units == 0 {
                return None;
            }
            order.fulfil_at(PLACES[place], status, &[(line, units)]);
            return Some("fulfillments/create");
        }
        Act::Proceed { fulfilment, status } => {
            let statuses = order.fulfilments();
            let fulfilment = fulfilment.checked_rem(statuses.len())?;
            let from = statuses[fulfilment];
            let back = from == FulfilmentStatus::Success && !order.is_reversible(fulfilment);
            if !from.is_active() || status <= from || back {
                return None;
            }
            order.fulfilment_becomes(fulfilment, status);
            return Some("fulfillments/update");
        }
        Act::Refund { line, units, place, restock } => {
            let line = line % order.line_count();
            let most = match restock {
                Restock::Cancel => order.fulfillable(line),
                // Whether it was sent or not.
                Restock::NoRestock => order.fulfillable(line).max(order.returnable(line)),
                Restock::Return | Restock::LegacyRestock => order.returnable(line),
            };
            if most <= 0 {
                return None;
            }
            order.refund(restock, Some(PLACES[place]), &[(line, units.min(most))]);
            return Some("refunds/create");
        }
        Act::Cancel { restock } => _ = order.cancel(restock.then_some(PLACES[0])),
        Act::Delete => return Some("orders/delete"),
    }
    Some("orders/updated")
}

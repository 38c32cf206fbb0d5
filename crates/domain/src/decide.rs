//! What one fact means for one order and the stock it touches: the one place where stock rules are.
//!
//! No webhook moves stock by itself. The fact joins what is known, the targets follow from that,
//! and the moves are what is missing to reach them. So the same fact again finds nothing to do.

use std::collections::BTreeSet;

use crate::allocate::{Allocated, Increase, allocate};
use crate::fact::OrderFact;
use crate::ids::{ShopId, StockKey};
use crate::order::{Known, Order, SnapshotJoin, Targets};
use crate::policy::Policy;
use crate::resolve::Resolver;
use crate::stock::Move;
use crate::view::{StockView, View};
use crate::webhook::{DeadReason, Outcome, Verdict};

/// The answer to one fact. Pure data: nothing has happened yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub verdict: Verdict,
    /// The order as it is from now on, if anything about it is to be written.
    pub order: Option<Order>,
    pub moves: Vec<Move>,
    /// Every stock row that the answer rests on, moved or not: none may have changed meanwhile.
    pub read: BTreeSet<StockKey>,
}

impl Decision {
    fn only(verdict: Verdict) -> Self {
        Self { verdict, order: None, moves: Vec::new(), read: BTreeSet::new() }
    }
}

/// Decides `fact` over the shop's order, its listings and the stock as they are.
pub fn decide(
    shop: &ShopId,
    order: &Order,
    fact: &OrderFact,
    view: &View,
    policy: &Policy,
) -> Decision {
    let stock = &view.stock;
    if fact.test || order.known.test {
        return test_order(order, stock, policy);
    }
    let mut next = order.clone();
    let resolver = Resolver { shop, view, policy };
    let lines_changed = match resolver.resolve(&mut next.lines, &fact.lines) {
        Ok(changed) => changed,
        Err(detail) => return Decision::only(Verdict::dead(DeadReason::UnknownSku, detail)),
    };
    let joined = next.known.join(fact.known.clone());
    let allocated = match settle(&mut next, stock, policy, false) {
        Ok(allocated) => allocated,
        Err(verdict) => return Decision::only(verdict),
    };

    let content_changed = lines_changed
        || joined.parts_changed
        || joined.snapshot == SnapshotJoin::Newer { content_changed: true }
        || !allocated.moves.is_empty();
    let verdict = match () {
        () if joined.snapshot == SnapshotJoin::Older => Verdict::plain(Outcome::Superseded),
        () if allocated.increase == Increase::Short => short(&next),
        // Before the first snapshot nobody can tell.
        () if next.known.snapshot.is_some() && !next.has_stock_lines() => {
            Verdict::ignored("no_stock_lines")
        }
        () if content_changed => Verdict::plain(Outcome::Applied),
        () => Verdict::plain(Outcome::Unchanged),
    };
    let order = (next != *order).then_some(next);
    Decision { verdict, order, moves: allocated.moves, read: allocated.read }
}

/// It is remembered that the order is a test, so that parts, whether they came before or come later,
/// are no order without a body. What it held, as nobody had said so yet, it gives back; its lines stay,
/// because by them its stock is read.
fn test_order(order: &Order, stock: &StockView, policy: &Policy) -> Decision {
    let known = Known { test: true, ..Known::default() };
    let mut next = Order { known, ..order.clone() };
    let mut decision = Decision::only(Verdict::ignored("test_order"));
    // One that an older program took for a test has no lines. It waits for a body that names its items.
    if order.holdings.keys().all(|key| stock.knows(&key.sku)) {
        let allocated = allocate(&mut next, &Targets::default(), stock, policy, false);
        (decision.moves, decision.read) = (allocated.moves, allocated.read);
    }
    decision.order = (next != *order).then_some(next);
    decision
}

/// Decides a short order again, although nothing new is known of it (`order retry`).
pub fn reconsider(order: &Order, stock: &StockView, policy: &Policy) -> Decision {
    let mut next = order.clone();
    let allocated = match settle(&mut next, stock, policy, true) {
        Ok(allocated) => allocated,
        Err(verdict) => return Decision::only(verdict),
    };
    let verdict = match () {
        () if allocated.increase == Increase::Short => short(&next),
        () if next != *order => Verdict::plain(Outcome::Applied),
        () => Verdict::plain(Outcome::Unchanged),
    };
    let order = (next != *order).then_some(next);
    Decision { verdict, order, moves: allocated.moves, read: allocated.read }
}

fn settle(
    order: &mut Order,
    stock: &StockView,
    policy: &Policy,
    force: bool,
) -> Result<Allocated, Verdict> {
    let targets = order.targets(policy, stock).map_err(|unknown| {
        let detail = format!(
            "location {} is not in the shop's location_ids; map it in the shops file, then replay",
            unknown.0
        );
        Verdict::dead(DeadReason::UnknownLocation, detail)
    })?;
    let mut allocated = allocate(order, &targets, stock, policy, force);
    allocated.read.extend(targets.read);
    Ok(allocated)
}

fn short(order: &Order) -> Verdict {
    let missing: Vec<String> = order
        .short
        .iter()
        .flat_map(|short| &short.demand)
        .map(|(sku, owed)| (sku, owed - order.committed(sku)))
        .filter(|(_, missing)| *missing > 0)
        .map(|(sku, missing)| format!("{missing} × {sku}"))
        .collect();
    Verdict {
        outcome: Outcome::Short,
        reason: Some("not_enough_stock"),
        detail: Some(format!("not committed: {}", missing.join(", "))),
    }
}

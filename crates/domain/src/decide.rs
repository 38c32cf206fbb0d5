//! What one fact means for one order and the stock it touches: the one place where stock rules are.
//!
//! No webhook moves stock by itself. The fact joins what is known, the targets follow from that,
//! and the moves are what is missing to reach them. So the same fact again finds nothing to do.

use std::collections::{BTreeMap, BTreeSet};

use crate::allocate::{Allocated, Increase, allocate};
use crate::fact::{LineClass, LineRef, OrderFact};
use crate::ids::{LineId, StockKey};
use crate::order::{LinePart, Order, OrderLine, SnapshotJoin};
use crate::policy::{Policy, UnknownSku};
use crate::stock::Move;
use crate::view::StockView;
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

/// Decides `fact` over the order and stock as they are.
pub fn decide(order: &Order, fact: &OrderFact, stock: &StockView, policy: &Policy) -> Decision {
    if fact.test {
        return Decision::only(Verdict::ignored("test_order"));
    }
    let mut next = order.clone();
    let lines_changed = match resolve(&mut next.lines, &fact.lines, stock, policy) {
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
    let targets = order.targets(policy).map_err(|unknown| {
        let detail = format!(
            "location {} is not in the shop's location_ids; map it in the shops file, then replay",
            unknown.0
        );
        Verdict::dead(DeadReason::UnknownLocation, detail)
    })?;
    Ok(allocate(order, &targets, stock, policy, force))
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

/// Gives every line seen for the first time its items. `Err` names the line that has none.
fn resolve(
    lines: &mut BTreeMap<LineId, OrderLine>,
    refs: &BTreeMap<LineId, LineRef>,
    stock: &StockView,
    policy: &Policy,
) -> Result<bool, String> {
    let mut changed = false;
    for (id, line) in refs {
        if lines.contains_key(id) {
            continue;
        }
        let parts = parts(id, line, stock, policy)?;
        lines.insert(id.clone(), OrderLine { sku: line.sku.clone(), parts });
        changed = true;
    }
    Ok(changed)
}

fn parts(
    id: &LineId,
    line: &LineRef,
    stock: &StockView,
    policy: &Policy,
) -> Result<Vec<LinePart>, String> {
    if line.class == LineClass::NotStock {
        return Ok(Vec::new());
    }
    if let Some(sku) = line.sku.as_ref().filter(|sku| stock.knows(sku)) {
        return Ok(vec![LinePart { sku: sku.clone(), units: 1 }]);
    }
    if line.class == LineClass::Untracked || policy.unknown_sku == UnknownSku::Ignore {
        return Ok(Vec::new());
    }
    let variant = line.variant.as_deref().unwrap_or("none");
    let location = policy.locations.first().map_or("main", |location| location.as_str());
    Err(match &line.sku {
        Some(sku) => format!(
            "line {id} (variant {variant}): SKU {sku} has no stock row; \
             `onhand stock set {sku} N --location {location}` or import it, then replay"
        ),
        None => format!(
            "line {id} (variant {variant}) has no SKU, so it is no item of ours; \
             with `unknown_sku = \"ignore\"` in the shop's entry a replay passes over it"
        ),
    })
}

//! What an order should hold: a pure function of what is known of it, and, where units left and nobody
//! says from where, of what there is.

use std::collections::{BTreeMap, BTreeSet};

use crate::allocate::{can_leave, room};
use crate::ids::{PlatformLocation, Sku, StockKey};
use crate::order::line_moves::LineMoves;
use crate::order::{Holding, Known, Order, OrderLine, TakenElsewhere};
use crate::policy::{CommitOn, Policy};
use crate::stock::QUANTITY_MAX;
use crate::view::StockView;

/// Units that the ledger should show for an order. Zeroes are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Targets {
    /// Committed units, wherever they lie.
    pub owed: BTreeMap<Sku, i64>,
    /// Units that left, per location: from where they were taken.
    pub shipped: BTreeMap<StockKey, i64>,
    /// Of these, what the platform shipped from somewhere else.
    pub taken_elsewhere: Vec<TakenElsewhere>,
    /// Units that came back, per location.
    pub returned: BTreeMap<StockKey, i64>,
    /// The rows by which locations were chosen.
    pub read: BTreeSet<StockKey>,
}

/// A location id that the shop does not map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownLocation(pub PlatformLocation);

/// Whether the order's units are to be owed at all.
pub fn is_live(known: &Known, policy: &Policy) -> bool {
    let Some(snapshot) = &known.snapshot else { return false };
    let unpaid_for_good = policy.commit_on == CommitOn::Paid && snapshot.voided;
    !known.deleted && !known.is_trashed() && !snapshot.cancelled && !unpaid_for_good
}

/// Whether the moment from which the shop commits was ever reached.
pub fn is_reached(known: &Known, policy: &Policy) -> bool {
    match policy.commit_on {
        CommitOn::Placed => known.snapshot.is_some(),
        CommitOn::Paid => known.paid,
    }
}

impl Order {
    /// Whether its units are owed by now.
    pub(super) fn is_owing(&self, policy: &Policy) -> bool {
        is_live(&self.known, policy) && is_reached(&self.known, policy)
    }

    /// The targets of this order under `policy`. `stock` matters where units left and nobody says from
    /// where.
    pub fn targets(&self, policy: &Policy, stock: &StockView) -> Result<Targets, UnknownLocation> {
        let mut targets = Targets::default();
        // Before anything else: what names an unknown location is refused by itself, also where it
        // comes before its order, or the order would be refused for it.
        let mut moves = LineMoves::of_all(self, policy)?;
        let Some(snapshot) = &self.known.snapshot else { return Ok(targets) };
        let mut unplaced: BTreeMap<&Sku, Unplaced> = BTreeMap::new();
        // What left before the cut-over never counts in on_hand, nor does what came back of it.
        let completed_at = self.known.completed_at();
        let counted = completed_at.is_some_and(|at| !policy.before_cut_over(at));
        let owing = self.is_owing(policy);
        for (id, line) in &self.lines {
            if line.parts.is_empty() {
                continue;
            }
            let moved = moves.remove(id).unwrap_or_default();
            if let (true, Some(shown)) = (owing, snapshot.lines.get(id)) {
                add_parts(line, moved.owed(*shown, completed_at.is_some()), |sku, units| {
                    *targets.owed.entry(sku.clone()).or_default() += units;
                });
            }
            if let (true, Some(shown)) = (counted, snapshot.lines.get(id)) {
                add_parts(line, shown.shipped, |sku, units| {
                    unplaced.entry(sku).or_default().shipped += units;
                });
                add_parts(line, shown.returned, |sku, units| {
                    unplaced.entry(sku).or_default().returned += units;
                });
            }
            for (location, units) in &moved.shipped {
                add_parts(line, *units, |sku, units| {
                    *targets.shipped.entry(StockKey::new(sku, location)).or_default() += units;
                });
            }
            for (location, units) in &moved.returned {
                add_parts(line, *units, |sku, units| {
                    *targets.returned.entry(StockKey::new(sku, location)).or_default() += units;
                });
            }
        }
        self.take_elsewhere(&mut targets);
        for (sku, units) in unplaced {
            self.place(sku, units, (policy, stock), &mut targets);
        }
        Ok(targets)
    }

    /// What was taken elsewhere once stays so, as long as the platform says that it was shipped at all:
    /// of what is reversed, units that left from where it says go back last.
    fn take_elsewhere(&self, targets: &mut Targets) {
        if self.taken_elsewhere.is_empty() {
            return;
        }
        let mut own: BTreeMap<StockKey, i64> = BTreeMap::new();
        for (key, holding) in &self.holdings {
            own.insert(key.clone(), holding.shipped);
        }
        for taken in &self.taken_elsewhere {
            *own.entry(taken.taken()).or_default() -= taken.units;
        }
        let mut instead = Vec::new();
        for taken in &self.taken_elsewhere {
            let own = own.get(&taken.said()).copied().unwrap_or(0);
            let Some(shipped) = targets.shipped.get_mut(&taken.said()) else { continue };
            let units = taken.units.min(*shipped - own);
            if units > 0 {
                *shipped -= units;
                instead.push(TakenElsewhere { units, ..taken.clone() });
            }
        }
        for taken in &instead {
            *targets.shipped.entry(taken.taken()).or_default() += taken.units;
        }
        targets.shipped.retain(|_, units| *units > 0);
        targets.taken_elsewhere = instead;
    }

    /// Finds locations for units of which nobody says where they left and came back: where they are
    /// recorded already, then where the order holds units, then the shop's first that has them all,
    /// or its first.
    fn place(
        &self,
        sku: &Sku,
        units: Unplaced,
        (policy, stock): (&Policy, &StockView),
        targets: &mut Targets,
    ) {
        let held = |of: fn(&Holding) -> i64| {
            let rows = self.holdings.iter().filter(|(key, _)| key.sku == *sku);
            rows.map(move |(key, holding)| (key.clone(), of(holding))).collect::<Vec<_>>()
        };
        let committed = self.committed_at(sku, policy).into_iter();
        let committed = committed.map(|(at, units)| (StockKey::new(sku, &at), units));
        let left = held(|holding| holding.shipped + holding.uncovered);
        let (rest, mut shipped) = spread(units.shipped, left.into_iter().chain(committed));
        // What the order held nowhere: where most of it is from.
        let home = shipped.iter().max_by_key(|(_, units)| **units).map(|(key, _)| key.clone());
        let home = home.unwrap_or_else(|| {
            let keys: Vec<_> = policy.locations.iter().map(|at| StockKey::new(sku, at)).collect();
            targets.read.extend(keys.iter().cloned());
            // As it would have been committed; else from where it can leave at all.
            let room = |key: &&StockKey| room(&stock.get(key), policy) >= rest;
            let some = |key: &&StockKey| can_leave(&stock.get(key), 0) >= rest;
            let found = keys.iter().find(room).or_else(|| keys.iter().find(some));
            found.or(keys.first()).expect("a policy has a location").clone()
        });
        *shipped.entry(home.clone()).or_default() += rest;
        // Units that were given back before anything left were held nowhere any more: so they come
        // back to where the rest left.
        let back = held(|holding| holding.returned);
        let back = back.into_iter().chain([(home.clone(), rest)]);
        let (rest, mut returned) = spread(units.returned, back);
        // To no place more than left there, until all are full.
        let back: Vec<_> = shipped
            .iter()
            .map(|(key, left)| (key.clone(), left - returned.get(key).copied().unwrap_or(0)))
            .collect();
        let (rest, more) = spread(rest, back);
        for (key, units) in more.into_iter().chain([(home, rest)]) {
            *returned.entry(key).or_default() += units;
        }
        for (into, placed) in [(&mut targets.shipped, shipped), (&mut targets.returned, returned)] {
            for (key, units) in placed.into_iter().filter(|(_, units)| *units > 0) {
                *into.entry(key).or_default() += units;
            }
        }
    }
}

/// Units of an item that left and came back, nobody says where.
#[derive(Clone, Copy, Default)]
struct Unplaced {
    shipped: i64,
    returned: i64,
}

/// Shares `units` out over `room` in its order: what is left over, and how many went where.
fn spread(
    mut units: i64,
    room: impl IntoIterator<Item = (StockKey, i64)>,
) -> (i64, BTreeMap<StockKey, i64>) {
    let mut placed: BTreeMap<StockKey, i64> = BTreeMap::new();
    for (key, most) in room {
        let here = units.min(most);
        if here > 0 {
            *placed.entry(key).or_default() += here;
            units -= here;
        }
    }
    (units, placed)
}

/// Kits of kits of millions end here; sums of many stay far inside `i64`.
const UNITS_MAX: i64 = 1_000 * QUANTITY_MAX;

pub(super) fn add_parts<'a>(line: &'a OrderLine, units: i64, mut add: impl FnMut(&'a Sku, i64)) {
    if units > 0 {
        for part in &line.parts {
            add(&part.sku, units.saturating_mul(part.units).min(UNITS_MAX));
        }
    }
}

//! What an order should hold: a pure function of what is known of it, and, where units left and nobody
//! says from where, of what there is.

use std::collections::{BTreeMap, BTreeSet};

use crate::allocate::{can_leave, room};
use crate::ids::{LineId, LocationId, PlatformLocation, Sku, StockKey};
use crate::order::{FulfilmentStatus, Holding, Known, Order, OrderLine, Restock, SnapshotLine};
use crate::policy::{CommitOn, Policy};
use crate::stock::QUANTITY_MAX;
use crate::time::Timestamp;
use crate::view::StockView;

/// Units that the ledger should show for an order. Zeroes are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Targets {
    /// Committed units, wherever they lie.
    pub owed: BTreeMap<Sku, i64>,
    /// Units that left, per location.
    pub shipped: BTreeMap<StockKey, i64>,
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
        let owing = is_live(&self.known, policy) && is_reached(&self.known, policy);
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
        for (sku, units) in unplaced {
            self.place(sku, units, (policy, stock), &mut targets);
        }
        Ok(targets)
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
        let back = back.into_iter().chain([(home.clone(), rest)]).chain(shipped.clone());
        let (rest, mut returned) = spread(units.returned, back);
        *returned.entry(home).or_default() += rest;
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

fn add_parts<'a>(line: &'a OrderLine, units: i64, mut add: impl FnMut(&'a Sku, i64)) {
    if units > 0 {
        for part in &line.parts {
            add(&part.sku, units.saturating_mul(part.units).min(UNITS_MAX));
        }
    }
}

/// What became of one line's units.
#[derive(Default)]
struct LineMoves {
    /// All that left, also before the cut-over.
    shipped_total: i64,
    /// Since the cut-over: what counts in on_hand.
    shipped: BTreeMap<LocationId, i64>,
    returned: BTreeMap<LocationId, i64>,
    /// Cancelled by refund lines that the snapshot does not know of.
    cancelled_since: i64,
}

impl LineMoves {
    /// Of all lines that are stock matters, or may be: a line that was not seen yet. Each part is
    /// walked once: a body may have thousands.
    fn of_all<'a>(
        order: &'a Order,
        policy: &Policy,
    ) -> Result<BTreeMap<&'a LineId, Self>, UnknownLocation> {
        let is_stock = |id: &LineId| order.lines.get(id).is_none_or(|line| !line.parts.is_empty());
        let snapshot = order.known.snapshot.as_ref();
        let is_shown = |id| snapshot.is_some_and(|shown| shown.refund_lines.contains(id));
        let mut moves: BTreeMap<&LineId, Self> = BTreeMap::new();
        for fulfilment in order.known.fulfilments.values() {
            if fulfilment.status != FulfilmentStatus::Success {
                continue;
            }
            for (id, &units) in fulfilment.lines.iter().filter(|(id, _)| is_stock(id)) {
                let line = moves.entry(id).or_default();
                line.shipped_total += units;
                let at = fulfilment.created_at;
                count(&mut line.shipped, at, &fulfilment.location, units, policy)?;
            }
        }
        for (refund, part) in &order.known.refund_lines {
            if !is_stock(&part.line) {
                continue;
            }
            let line = moves.entry(&part.line).or_default();
            match part.restock {
                Restock::Return => {
                    let at = part.created_at;
                    count(&mut line.returned, at, &part.location, part.quantity, policy)?;
                }
                Restock::Cancel if !is_shown(refund) => {
                    line.cancelled_since += part.quantity;
                }
                Restock::Cancel | Restock::NoRestock | Restock::LegacyRestock => {}
            }
        }
        Ok(moves)
    }

    /// Units that are meant for the customer and did not leave yet: what the greatest snapshot says,
    /// less what was cancelled and shipped since.
    fn owed(&self, line: SnapshotLine, completed: bool) -> i64 {
        let left = self.shipped_total + if completed { line.shipped } else { 0 };
        ((line.kept - self.cancelled_since).max(0) - left).max(0)
    }
}

fn count(
    into: &mut BTreeMap<LocationId, i64>,
    at: Timestamp,
    platform: &Option<PlatformLocation>,
    units: i64,
    policy: &Policy,
) -> Result<(), UnknownLocation> {
    if policy.before_cut_over(at) {
        return Ok(());
    }
    match (policy.location(platform.as_ref()), platform) {
        (Some(location), _) => {
            *into.entry(location.clone()).or_default() += units;
            Ok(())
        }
        (None, Some(id)) => Err(UnknownLocation(id.clone())),
        (None, None) => unreachable!("a policy has at least one location"),
    }
}

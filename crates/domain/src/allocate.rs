//! The moves that bring an order from what it holds to its targets, within the stock there is.
//!
//! Within one decision: returns and reversed shipments, then releases and shipments, then
//! increases; so units that this decision frees serve this decision.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{LocationId, Sku, StockKey};
use crate::order::{Holding, Order, Short, TakenElsewhere, Targets};
use crate::policy::{Policy, WhenShort};
use crate::stock::{Move, MoveKind, Stock};
use crate::view::StockView;

/// What became of the increases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Increase {
    /// None was needed, or all fitted.
    Served,
    /// The latch held: the same demand was short before and is not tried again.
    Latched,
    /// It did not fit.
    Short,
}

/// An order being brought to its targets over a working copy of the stock it touches.
pub(crate) struct Allocation<'a> {
    policy: &'a Policy,
    stock: &'a StockView,
    order: &'a mut Order,
    /// Every row that was looked at, as it is after the moves so far: the answer rests on all.
    rows: BTreeMap<StockKey, Stock>,
    moves: Vec<Move>,
}

/// The moves, and every stock row that the decision rests on.
pub(crate) struct Allocated {
    pub(crate) moves: Vec<Move>,
    pub(crate) read: BTreeSet<StockKey>,
    pub(crate) increase: Increase,
}

/// Brings `order` to `targets`, writing its holdings and its latch.
pub(crate) fn allocate(
    order: &mut Order,
    targets: &Targets,
    stock: &StockView,
    policy: &Policy,
    force: bool,
) -> Allocated {
    let recorded: BTreeSet<StockKey> = order.holdings.keys().cloned().collect();
    order.taken_elsewhere.clone_from(&targets.taken_elsewhere);
    let mut work = Allocation { policy, stock, order, rows: BTreeMap::new(), moves: Vec::new() };
    work.bring_back(targets);
    work.release_and_ship(targets);
    let increase = work.increase(targets, force);
    // A holding that was recorded once stays, at zero: stores then only ever write, never delete.
    work.order.holdings.retain(|key, holding| !holding.is_empty() || recorded.contains(key));
    Allocated { moves: work.moves, read: work.rows.into_keys().collect(), increase }
}

impl Allocation<'_> {
    fn row(&mut self, key: &StockKey) -> Stock {
        if let Some(row) = self.rows.get(key) {
            return *row;
        }
        let row = self.stock.get(key);
        self.rows.insert(key.clone(), row);
        row
    }

    fn holding(&mut self, key: &StockKey) -> &mut Holding {
        self.order.holdings.entry(key.clone()).or_default()
    }

    fn push(&mut self, key: &StockKey, kind: MoveKind, on_hand_delta: i64, committed_delta: i64) {
        if on_hand_delta == 0 && committed_delta == 0 {
            return;
        }
        let change = Move { key: key.clone(), kind, on_hand_delta, committed_delta };
        let row = self.row(key);
        let after = row.after(&change).expect("amounts are bounded by the row before they move");
        self.rows.insert(key.clone(), after);
        self.moves.push(change);
    }

    /// Returns and reversed shipments: on_hand grows. A reversal lowers uncovered first. What a return
    /// brought is taken back last, when all is there that could be.
    fn bring_back(&mut self, targets: &Targets) {
        let missing = |work: &mut Self, key: &StockKey| {
            targets.returned.get(key).copied().unwrap_or(0) - work.holding(key).returned
        };
        for key in self.touched(&targets.returned) {
            let more = missing(self, &key).max(0);
            self.push(&key, MoveKind::Return, more, 0);
            self.holding(&key).returned += more;
        }
        for key in self.touched(&targets.shipped) {
            let target = targets.shipped.get(&key).copied().unwrap_or(0);
            let holding = self.holding(&key);
            let reversed = holding.shipped + holding.uncovered - target;
            if reversed > 0 {
                let from_uncovered = reversed.min(holding.uncovered);
                let to_on_hand = reversed - from_uncovered;
                holding.uncovered -= from_uncovered;
                holding.shipped -= to_on_hand;
                self.push(&key, MoveKind::ShipReversed, to_on_hand, 0);
            }
        }
        for key in self.touched(&targets.returned) {
            let less = (-missing(self, &key)).max(0);
            let row = self.row(&key);
            let taken = less.min(can_leave(&row, 0));
            self.push(&key, MoveKind::ReturnReversed, -taken, 0);
            self.holding(&key).returned -= taken;
        }
    }

    /// Releases what is no longer owed, then ships. What is both is one ledger row.
    fn release_and_ship(&mut self, targets: &Targets) {
        let shipments: BTreeMap<StockKey, i64> = self
            .touched(&targets.shipped)
            .into_iter()
            .filter_map(|key| {
                let holding = self.holding(&key);
                let done = holding.shipped + holding.uncovered;
                let rest = targets.shipped.get(&key).copied().unwrap_or(0) - done;
                (rest > 0).then_some((key, rest))
            })
            .collect();
        let releases = self.releases(targets, &shipments);
        let leaving = self.leaving(&shipments, &releases);
        for key in releases.keys().chain(leaving.keys()).collect::<BTreeSet<_>>() {
            let released = releases.get(key).copied().unwrap_or(0);
            let shipped = leaving.get(key).copied().unwrap_or(0);
            let shipped_from_committed = shipped.min(released);
            self.push(key, MoveKind::Release, 0, -(released - shipped_from_committed));
            self.push(key, MoveKind::Ship, -shipped, -shipped_from_committed);
            let holding = self.holding(key);
            holding.committed -= released;
            holding.shipped += shipped;
        }
    }

    /// Units to take from each row. What cannot leave from where it was shipped, because all that is
    /// there is meant for others, is taken from where the order had its own, then from where some are
    /// free; what is nowhere is uncovered.
    fn leaving(
        &mut self,
        shipments: &BTreeMap<StockKey, i64>,
        releases: &BTreeMap<StockKey, i64>,
    ) -> BTreeMap<StockKey, i64> {
        let released = |key: &StockKey| releases.get(key).copied().unwrap_or(0);
        // A release only makes room, so all of them count before any shipment is measured.
        let (mut leaving, mut stranded) = (BTreeMap::new(), Vec::new());
        for (key, asked) in shipments {
            let units = can_leave(&self.row(key), released(key)).min(*asked);
            leaving.insert(key.clone(), units);
            stranded.push((key, asked - units));
        }
        for (key, mut rest) in stranded {
            let own = releases.iter().filter(|(from, _)| from.sku == key.sku);
            let own = own.map(|(from, units)| (from.clone(), *units));
            let locations = self.policy.locations.iter();
            let free = locations.map(|location| (StockKey::new(&key.sku, location), i64::MAX));
            for (from, most) in own.chain(free) {
                if rest == 0 {
                    break;
                }
                let can = can_leave(&self.row(&from), released(&from)).min(most);
                let taken = leaving.entry(from.clone()).or_insert(0);
                let units = rest.min(can - *taken).max(0);
                *taken += units;
                rest -= units;
                self.note_taken_elsewhere(key, &from.location, units);
            }
            self.holding(key).uncovered += rest;
        }
        leaving
    }

    fn note_taken_elsewhere(&mut self, shipped: &StockKey, from: &LocationId, units: i64) {
        if units == 0 {
            return;
        }
        let taken = TakenElsewhere {
            sku: shipped.sku.clone(),
            shipped_from: shipped.location.clone(),
            taken_from: from.clone(),
            units,
        };
        let all = &mut self.order.taken_elsewhere;
        match all.iter_mut().find(|one| one.said() == taken.said() && one.taken() == taken.taken())
        {
            Some(same) => same.units += units,
            None => all.push(taken),
        }
    }

    /// Units to release per location: first what ships from there, then from the shop's last.
    fn releases(
        &self,
        targets: &Targets,
        shipments: &BTreeMap<StockKey, i64>,
    ) -> BTreeMap<StockKey, i64> {
        let mut releases: BTreeMap<StockKey, i64> = BTreeMap::new();
        let skus: BTreeSet<Sku> = self.order.holdings.keys().map(|key| key.sku.clone()).collect();
        for sku in skus {
            let owed = targets.owed.get(&sku).copied().unwrap_or(0);
            let mut excess = (self.order.committed(&sku) - owed).max(0);
            let mut held: Vec<(StockKey, i64)> = self
                .order
                .committed_at(&sku, self.policy)
                .into_iter()
                .map(|(location, committed)| (StockKey::new(&sku, &location), committed))
                .collect();
            held.reverse();
            // What leaves a location frees the units that were held for it there, so that each
            // location's shipment finds its own.
            let shipped = held
                .iter()
                .map(|(key, held)| (key, shipments.get(key).map_or(0, |s| *s.min(held))));
            for (key, most) in shipped.chain(held.iter().map(|(key, held)| (key, *held))) {
                let released = releases.entry(key.clone()).or_default();
                let units = (most - *released).clamp(0, excess);
                *released += units;
                excess -= units;
            }
        }
        releases
    }

    /// Commits what is owed beyond what is held: all of it or, by the shop's rule, less.
    fn increase(&mut self, targets: &Targets, force: bool) -> Increase {
        let needs: Vec<(Sku, i64)> = targets
            .owed
            .iter()
            .map(|(sku, owed)| (sku.clone(), owed - self.order.committed(sku)))
            .filter(|(_, need)| *need > 0)
            .collect();
        if needs.is_empty() {
            self.order.short = None;
            return Increase::Served;
        }
        let latched = self.order.short.as_ref().is_some_and(|s| s.demand == targets.owed);
        if latched && !force {
            return Increase::Latched;
        }
        let mut plan = self.plan_whole(&needs, Limit::Safety);
        if plan.is_none() && self.policy.when_short == WhenShort::Backorder {
            plan = self.plan_whole(&needs, Limit::Floor);
        }
        let served = plan.is_some();
        if plan.is_none() && self.policy.when_short == WhenShort::Hold {
            plan = Some(self.plan_what_fits(&needs));
        }
        for (key, units) in plan.unwrap_or_default() {
            self.push(&key, MoveKind::Commit, 0, units);
            self.holding(&key).committed += units;
        }
        if served {
            self.order.short = None;
            return Increase::Served;
        }
        self.order.short = Some(Short { demand: targets.owed.clone() });
        Increase::Short
    }

    /// For each item one location that serves all of its need, or `None` (promise P4).
    fn plan_whole(&mut self, needs: &[(Sku, i64)], limit: Limit) -> Option<Vec<(StockKey, i64)>> {
        needs
            .iter()
            .map(|(sku, need)| {
                self.candidates(sku)
                    .into_iter()
                    .find(|key| self.room(key, limit) >= *need)
                    .map(|key| (key, *need))
            })
            .collect()
    }

    fn plan_what_fits(&mut self, needs: &[(Sku, i64)]) -> Vec<(StockKey, i64)> {
        let mut plan = Vec::new();
        for (sku, need) in needs {
            let mut rest = *need;
            for key in self.candidates(sku) {
                let units = rest.min(self.room(&key, Limit::Safety)).max(0);
                if units > 0 {
                    plan.push((key, units));
                    rest -= units;
                }
            }
        }
        plan
    }

    /// Where an increase of `sku` may go: where the order holds it already, then the shop's order.
    fn candidates(&self, sku: &Sku) -> Vec<StockKey> {
        let held = self.order.committed_at(sku, self.policy);
        let mut keys: Vec<StockKey> = Vec::new();
        let own: BTreeSet<&LocationId> = self.policy.locations.iter().collect();
        let held = held.iter().map(|(location, _)| location).filter(|l| own.contains(l));
        for location in held.chain(&self.policy.locations) {
            let key = StockKey::new(sku, location);
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }

    /// Units that may still be committed there.
    fn room(&mut self, key: &StockKey, limit: Limit) -> i64 {
        let row = self.row(key);
        match limit {
            Limit::Safety => room(&row, self.policy),
            Limit::Floor => row.available() - row.floor,
        }
    }

    /// The keys of `targets` and of what the order holds.
    fn touched(&self, targets: &BTreeMap<StockKey, i64>) -> BTreeSet<StockKey> {
        targets.keys().chain(self.order.holdings.keys()).cloned().collect()
    }
}

/// Units that may still be committed there by the shop's own rule.
pub(crate) fn room(row: &Stock, policy: &Policy) -> i64 {
    row.available() - row.floor.max(policy.safety_stock)
}

/// Units that may leave `row` once `released` of its committed ones are owed no more. Where it is
/// backordered, units that are there leave although others wait for theirs: what is short are the
/// units that are to come.
pub(crate) fn can_leave(row: &Stock, released: i64) -> i64 {
    (row.available() + released - row.floor).clamp(0, row.on_hand)
}

/// How far down an increase may go.
#[derive(Clone, Copy)]
enum Limit {
    Safety,
    Floor,
}

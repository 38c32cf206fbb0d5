//! A naive second opinion on stock: the rules once more, written as plainly as they can be.
//!
//! It remembers every fact, and for each new one works everything out again from all of them, one
//! unit at a time. It shares types with the domain, but none of its reasoning: no join, no targets,
//! no plan. Given the same facts in the order in which they were committed, it must agree.

use std::collections::{BTreeMap, BTreeSet};

use domain::order::{Fulfilment, FulfilmentStatus, Holding, RefundLine, Restock, Snapshot};
use domain::policy::{CommitOn, UnknownSku, WhenShort};
use domain::{
    FulfilmentId, LineClass, LineId, LocationId, OrderFact, OrderKey, PlatformLocation, Policy,
    RefundLineId, Sku, StockKey, Timestamp,
};

/// Stock and orders, as far as the model cares.
#[derive(Clone, Debug, Default)]
pub struct Model {
    rows: BTreeMap<StockKey, Row>,
    orders: BTreeMap<OrderKey, ModelOrder>,
    /// Orders that are only a test.
    tests: BTreeSet<OrderKey>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Row {
    on_hand: i64,
    committed: i64,
    floor: i64,
}

impl Row {
    /// One unit more may leave.
    fn has_one_to_spare(self) -> bool {
        self.on_hand > 0 && self.on_hand - self.committed > self.floor
    }
}

/// An order: every fact of it, and what it holds.
#[derive(Clone, Debug, Default)]
pub struct ModelOrder {
    facts: Vec<OrderFact>,
    /// The item of each line, decided when the line was first seen.
    items: BTreeMap<LineId, Option<Sku>>,
    held: BTreeMap<StockKey, Holding>,
    /// What it owed when it was short, if it is.
    short: Option<BTreeMap<Sku, i64>>,
    /// Each unit that was shipped from one row and taken from another.
    swaps: Vec<(StockKey, StockKey)>,
}

/// What an order should hold.
#[derive(Default)]
struct Wanted {
    owed: BTreeMap<Sku, i64>,
    shipped: BTreeMap<StockKey, i64>,
    returned: BTreeMap<StockKey, i64>,
}

impl Model {
    /// Opens a stock row.
    pub fn open_stock(&mut self, sku: &str, location: &str, on_hand: i64, floor: i64) {
        let key = StockKey::new(&Sku::new(sku), &LocationId::new(location));
        self.rows.insert(key, Row { on_hand, committed: 0, floor });
    }

    /// `(on_hand, committed)` of every row.
    pub fn stock(&self) -> BTreeMap<StockKey, (i64, i64)> {
        self.rows.iter().map(|(key, row)| (key.clone(), (row.on_hand, row.committed))).collect()
    }

    /// What an order holds of each row, where it holds anything, and whether it is short.
    pub fn order(&self, key: &OrderKey) -> (BTreeMap<StockKey, Holding>, bool) {
        let Some(order) = self.orders.get(key) else { return Default::default() };
        let held = order.held.iter().filter(|(_, holding)| !holding.is_empty());
        (held.map(|(key, held)| (key.clone(), *held)).collect(), order.short.is_some())
    }

    /// One webhook's fact. What cannot be applied changes nothing.
    pub fn apply(&mut self, key: &OrderKey, fact: &OrderFact, policy: &Policy) {
        if fact.test {
            self.tests.insert(key.clone());
            self.orders.remove(key);
        }
        if self.tests.contains(key) {
            return;
        }
        let mut order = self.orders.get(key).cloned().unwrap_or_default();
        for (line, is) in &fact.lines {
            if order.items.contains_key(line) {
                continue;
            }
            let known = is.sku.clone().filter(|sku| self.rows.keys().any(|key| key.sku == *sku));
            let needed = is.class == LineClass::Tracked && policy.unknown_sku != UnknownSku::Ignore;
            if known.is_none() && needed {
                return;
            }
            let item = known.filter(|_| is.class != LineClass::NotStock);
            order.items.insert(line.clone(), item);
        }
        order.facts.push(fact.clone());
        if let Some(wanted) = order.wanted(policy) {
            self.reach(&mut order, wanted, policy, false);
            self.orders.insert(key.clone(), order);
        }
    }

    /// An operator asks to decide a short order again.
    pub fn retry(&mut self, key: &OrderKey, policy: &Policy) {
        if let Some(mut order) = self.orders.get(key).cloned()
            && let Some(wanted) = order.wanted(policy)
        {
            self.reach(&mut order, wanted, policy, true);
            self.orders.insert(key.clone(), order);
        }
    }

    fn reach(&mut self, order: &mut ModelOrder, wanted: Wanted, policy: &Policy, force: bool) {
        let wanted = order.swap(wanted);
        self.take_back(order, &wanted);
        let (leaving, freed) = self.release(order, &wanted, policy);
        self.ship(order, leaving, freed, policy);
        self.commit(order, &wanted, policy, force);
    }

    fn take_back(&mut self, order: &mut ModelOrder, wanted: &Wanted) {
        let keys: BTreeSet<StockKey> =
            order.held.keys().chain(wanted.returned.keys()).cloned().collect();
        for key in keys {
            let row = self.rows.entry(key.clone()).or_default();
            let held = order.held.entry(key.clone()).or_default();
            let returned = wanted.returned.get(&key).copied().unwrap_or(0);
            while held.returned < returned {
                held.returned += 1;
                row.on_hand += 1;
            }
            let shipped = wanted.shipped.get(&key).copied().unwrap_or(0);
            while held.shipped + held.uncovered > shipped {
                if held.uncovered > 0 {
                    held.uncovered -= 1;
                } else {
                    held.shipped -= 1;
                    row.on_hand += 1;
                }
            }
            while held.returned > returned && row.has_one_to_spare() {
                held.returned -= 1;
                row.on_hand -= 1;
            }
        }
    }

    /// Returns the units that are about to leave and those that nobody holds any more, by row.
    fn release(
        &mut self,
        order: &mut ModelOrder,
        wanted: &Wanted,
        policy: &Policy,
    ) -> (BTreeMap<StockKey, i64>, BTreeMap<StockKey, i64>) {
        let (mut leaving, mut freed) = (BTreeMap::new(), BTreeMap::new());
        for (key, shipped) in &wanted.shipped {
            let held = order.held.get(key).copied().unwrap_or_default();
            leaving.insert(key.clone(), (shipped - held.shipped - held.uncovered).max(0));
        }
        let mut for_shipping = leaving.clone();
        let skus: BTreeSet<Sku> = order.held.keys().map(|key| key.sku.clone()).collect();
        for sku in skus {
            let owed = wanted.owed.get(&sku).copied().unwrap_or(0);
            while order.committed(&sku) > owed {
                let mut places: Vec<StockKey> = order.places(&sku, policy);
                places.reverse();
                let ships = |key: &&StockKey| for_shipping.get(*key).is_some_and(|left| *left > 0);
                let place = places.iter().find(ships).or(places.first());
                let place = place.expect("committed units lie somewhere").clone();
                if let Some(left) = for_shipping.get_mut(&place) {
                    *left -= 1;
                }
                order.held.entry(place.clone()).or_default().committed -= 1;
                self.rows.entry(place.clone()).or_default().committed -= 1;
                *freed.entry(place).or_insert(0) += 1;
            }
        }
        (leaving, freed)
    }

    fn ship(
        &mut self,
        order: &mut ModelOrder,
        leaving: BTreeMap<StockKey, i64>,
        mut freed: BTreeMap<StockKey, i64>,
        policy: &Policy,
    ) {
        let mut stranded = Vec::new();
        for (key, units) in leaving {
            for _ in 0..units {
                if self.take_one(order, &key) {
                    *freed.entry(key.clone()).or_insert(0) -= 1;
                } else {
                    stranded.push(key.clone());
                }
            }
        }
        for key in stranded {
            let own = freed.iter().filter(|(at, units)| at.sku == key.sku && **units > 0);
            let mut places: Vec<StockKey> = own.map(|(at, _)| at.clone()).collect();
            places.extend(policy.locations.iter().map(|at| StockKey::new(&key.sku, at)));
            match places.into_iter().find(|at| self.take_one(order, at)) {
                Some(at) => {
                    *freed.entry(at.clone()).or_insert(0) -= 1;
                    order.swaps.push((key, at));
                }
                None => order.held.entry(key).or_default().uncovered += 1,
            }
        }
    }

    /// Whether a unit could leave. A row that does not exist has none, and does not begin to exist.
    fn take_one(&mut self, order: &mut ModelOrder, key: &StockKey) -> bool {
        let Some(row) = self.rows.get_mut(key).filter(|row| row.has_one_to_spare()) else {
            return false;
        };
        row.on_hand -= 1;
        order.held.entry(key.clone()).or_default().shipped += 1;
        true
    }

    fn commit(&mut self, order: &mut ModelOrder, wanted: &Wanted, policy: &Policy, force: bool) {
        let mut needs = Vec::new();
        for (sku, owed) in &wanted.owed {
            let need = owed - order.committed(sku);
            if need > 0 {
                needs.push((sku.clone(), need));
            }
        }
        if needs.is_empty() {
            order.short = None;
            return;
        }
        if order.short.as_ref() == Some(&wanted.owed) && !force {
            return;
        }
        let mut levels = vec![policy.safety_stock.max(0)];
        if policy.when_short == WhenShort::Backorder {
            levels.push(i64::MIN);
        }
        for level in levels {
            let plan: Option<Vec<(StockKey, i64)>> = needs
                .iter()
                .map(|(sku, need)| {
                    let mut places = order.choices(sku, policy).into_iter();
                    places.find(|key| self.room(key, level) >= *need).map(|key| (key, *need))
                })
                .collect();
            if let Some(plan) = plan {
                for (key, units) in plan {
                    self.hold(order, key, units);
                }
                order.short = None;
                return;
            }
        }
        if policy.when_short == WhenShort::Hold {
            for (sku, need) in needs {
                for _ in 0..need {
                    let level = policy.safety_stock.max(0);
                    let mut places = order.choices(&sku, policy).into_iter();
                    if let Some(key) = places.find(|key| self.room(key, level) > 0) {
                        self.hold(order, key, 1);
                    }
                }
            }
        }
        order.short = Some(wanted.owed.clone());
    }

    fn hold(&mut self, order: &mut ModelOrder, key: StockKey, units: i64) {
        self.rows.entry(key.clone()).or_default().committed += units;
        order.held.entry(key).or_default().committed += units;
    }

    fn room(&self, key: &StockKey, level: i64) -> i64 {
        let row = self.rows.get(key).copied().unwrap_or_default();
        row.on_hand - row.committed - row.floor.max(level)
    }
}

impl ModelOrder {
    /// Units that were taken elsewhere stay so; the latest are forgotten where less was shipped after
    /// all. What left a row for another one is none of the row's own.
    fn swap(&mut self, mut wanted: Wanted) -> Wanted {
        let swaps = std::mem::take(&mut self.swaps);
        let own = |key: &StockKey| {
            let shipped = self.held.get(key).map_or(0, |held| held.shipped);
            shipped
                - i64::try_from(swaps.iter().filter(|(_, from)| from == key).count()).unwrap_or(0)
        };
        let mut kept = Vec::new();
        for (said, from) in &swaps {
            let shipped = wanted.shipped.entry(said.clone()).or_default();
            if *shipped > own(said) {
                *shipped -= 1;
                kept.push((said.clone(), from.clone()));
            }
        }
        for (_, from) in &kept {
            *wanted.shipped.entry(from.clone()).or_default() += 1;
        }
        self.swaps = kept;
        wanted
    }

    fn committed(&self, sku: &Sku) -> i64 {
        self.held.iter().filter(|(key, _)| key.sku == *sku).map(|(_, held)| held.committed).sum()
    }

    /// Where units of `sku` are held, in the shop's order, then places the shop has left.
    fn places(&self, sku: &Sku, policy: &Policy) -> Vec<StockKey> {
        let all = self.held.iter().filter(|(key, held)| key.sku == *sku && held.committed > 0);
        let mut places: Vec<StockKey> = all.map(|(key, _)| key.clone()).collect();
        places.sort_by_key(|key| {
            policy.locations.iter().position(|l| *l == key.location).unwrap_or(usize::MAX)
        });
        places
    }

    /// Where units of `sku` may be committed, best first.
    fn choices(&self, sku: &Sku, policy: &Policy) -> Vec<StockKey> {
        let mut choices = self.places(sku, policy);
        choices.retain(|key| policy.locations.contains(&key.location));
        for location in &policy.locations {
            let key = StockKey::new(sku, location);
            if !choices.contains(&key) {
                choices.push(key);
            }
        }
        choices
    }

    /// `None`: something happened at a place that the shop does not know.
    fn wanted(&self, policy: &Policy) -> Option<Wanted> {
        let mut wanted = Wanted::default();
        self.places_are_known(policy)?;
        let snapshots = self.facts.iter().filter_map(|fact| fact.known.snapshot.as_ref());
        let Some(newest) = snapshots.max_by_key(|snapshot| snapshot.rank) else {
            return Some(wanted);
        };
        let paid = self.facts.iter().any(|fact| fact.known.paid);
        let deleted = self.facts.iter().any(|fact| fact.known.deleted);
        let trashed_at = self.facts.iter().filter_map(|fact| fact.known.trashed_at).max();
        let outside_at = self.facts.iter().filter_map(|fact| fact.known.outside_at).max();
        let put_back_at = self.facts.iter().filter_map(|fact| fact.known.put_back_at).max();
        let completed_at = newest.completed_at.filter(|at| Some(*at) >= put_back_at);
        let owing = !deleted
            && trashed_at <= outside_at
            && !newest.cancelled
            && (policy.commit_on == CommitOn::Placed || (paid && !newest.voided));
        let refunds = self.refunds();
        for (line, item) in &self.items {
            let Some(sku) = item else { continue };
            let mut shipped = 0;
            for fulfilment in self.fulfilments().values() {
                let units = fulfilment.lines.get(line).copied().unwrap_or(0);
                if fulfilment.status == FulfilmentStatus::Success && units > 0 {
                    shipped += units;
                    let at = fulfilment.created_at;
                    add(&mut wanted.shipped, sku, &fulfilment.location, at, units, policy)?;
                }
            }
            for refund in refunds.values().filter(|refund| refund.line == *line) {
                if refund.restock == Restock::Return {
                    let at = refund.created_at;
                    add(&mut wanted.returned, sku, &refund.location, at, refund.quantity, policy)?;
                }
            }
            // What a body tells of with a status alone left the shop's only place. Where there are
            // more, nobody tells which, and the model does not know.
            if let (Some(at), Some(line)) = (completed_at, newest.lines.get(line)) {
                shipped += line.shipped;
                add(&mut wanted.shipped, sku, &None, at, line.shipped, policy)?;
                add(&mut wanted.returned, sku, &None, at, line.returned, policy)?;
            }
            let owed = kept(line, newest, &refunds) - shipped;
            if owing && owed > 0 {
                *wanted.owed.entry(sku.clone()).or_default() += owed;
            }
        }
        Some(wanted)
    }

    /// Also of lines that have not been seen yet: they may turn out to be stock.
    fn places_are_known(&self, policy: &Policy) -> Option<()> {
        let is_stock = |line: &LineId| self.items.get(line).is_none_or(Option::is_some);
        let shipped = self.fulfilments().into_values().filter(|fulfilment| {
            fulfilment.status == FulfilmentStatus::Success && fulfilment.lines.keys().any(is_stock)
        });
        let shipped = shipped.map(|fulfilment| (fulfilment.location, fulfilment.created_at));
        let refunds = self.refunds().into_values();
        let returned =
            refunds.filter(|line| line.restock == Restock::Return && is_stock(&line.line));
        let returned = returned.map(|line| (line.location, line.created_at));
        for (place, at) in shipped.chain(returned) {
            add(&mut BTreeMap::new(), &Sku::new(""), &place, at, 0, policy)?;
        }
        Some(())
    }

    fn refunds(&self) -> BTreeMap<RefundLineId, RefundLine> {
        self.facts.iter().flat_map(|fact| fact.known.refund_lines.clone()).collect()
    }

    /// Every fulfilment as it was when it was touched last.
    fn fulfilments(&self) -> BTreeMap<FulfilmentId, Fulfilment> {
        let mut newest: BTreeMap<FulfilmentId, Fulfilment> = BTreeMap::new();
        for (id, theirs) in self.facts.iter().flat_map(|fact| fact.known.fulfilments.clone()) {
            let ours = newest.entry(id).or_insert_with(|| theirs.clone());
            if (theirs.updated_at, theirs.status) > (ours.updated_at, ours.status) {
                *ours = theirs;
            }
        }
        newest
    }
}

fn kept(line: &LineId, newest: &Snapshot, refunds: &BTreeMap<RefundLineId, RefundLine>) -> i64 {
    let mut kept = newest.lines.get(line).map_or(0, |line| line.kept);
    for (id, refund) in refunds {
        let unseen = !newest.refund_lines.contains(id);
        if refund.line == *line && refund.restock == Restock::Cancel && unseen {
            kept -= refund.quantity;
        }
    }
    kept
}

fn add(
    into: &mut BTreeMap<StockKey, i64>,
    sku: &Sku,
    place: &Option<PlatformLocation>,
    at: Timestamp,
    units: i64,
    policy: &Policy,
) -> Option<()> {
    if policy.live_from.is_some_and(|live_from| at < live_from) {
        return Some(());
    }
    let location = match place {
        Some(id) if policy.locations.len() > 1 || !policy.location_ids.is_empty() => {
            policy.location_ids.get(id)?
        }
        _ => policy.locations.first()?,
    };
    *into.entry(StockKey::new(sku, location)).or_default() += units;
    Some(())
}

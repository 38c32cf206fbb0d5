//! What a platform says it can sell, beside what we say. Pure.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::order::LinePart;
use domain::sighting::Thing;
use domain::{LocationId, Policy, Sku, Stock, StockKey, Timestamp, Variant};
use store::channels::SightingRow;

/// One item, as the platform and we count it.
#[derive(Debug, PartialEq, Eq)]
pub struct Drift {
    pub sku: Sku,
    pub ours: i64,
    pub theirs: i64,
    /// The oldest part of what they said.
    pub seen_at: Timestamp,
}

impl Drift {
    /// Theirs less ours: above 0 the platform would sell what is not there.
    pub fn difference(&self) -> i64 {
        self.theirs.saturating_sub(self.ours)
    }
}

/// Items that both know, the largest difference first. `listings` are what operators say that the
/// shop's variants stand for.
pub(super) fn compare(
    sightings: &[SightingRow],
    listings: &HashMap<Variant, Vec<LinePart>>,
    stock: &[(StockKey, Stock)],
    policy: &Policy,
) -> Vec<Drift> {
    let mut ours: HashMap<&Sku, Vec<(&LocationId, i64)>> = HashMap::new();
    for (key, row) in stock {
        ours.entry(&key.sku).or_default().push((&key.location, row.available()));
    }
    let mut theirs: BTreeMap<&Sku, Theirs<'_>> = BTreeMap::new();
    for counted in counted(sightings, listings, policy).into_values() {
        let (Some(sku), Some(units)) = (counted.sku(), counted.units(policy)) else { continue };
        // Two variants of one SKU could both be sold out of one pool: their units add up.
        match theirs.entry(sku) {
            Entry::Vacant(first) => _ = first.insert(units),
            Entry::Occupied(sum) => sum.into_mut().add(units),
        }
    }
    let both = theirs.into_iter().filter_map(|(sku, theirs)| {
        // Only where they were seen to count: elsewhere nobody knows what they have.
        let ours = ours.get(sku)?.iter().filter(|(location, _)| theirs.at.contains(location));
        let ours = ours.map(|(_, units)| units).sum();
        Some(Drift { sku: sku.clone(), ours, theirs: theirs.units, seen_at: theirs.seen_at })
    });
    let mut drifts: Vec<Drift> = both.collect();
    drifts.sort_by_key(|drift| std::cmp::Reverse(drift.theirs.abs_diff(drift.ours)));
    drifts
}

/// The items that these name: only of them there is anything to compare.
pub(super) fn named<'a>(
    sightings: &'a [SightingRow],
    listings: &'a HashMap<Variant, Vec<LinePart>>,
) -> HashSet<&'a Sku> {
    let seen = sightings.iter().filter_map(|row| match row.thing.as_ref()? {
        Thing::Variant { sku, .. } | Thing::InventoryItem { sku, .. } => sku.as_ref(),
        Thing::Product { .. } | Thing::Level { .. } | Thing::App { .. } => None,
    });
    seen.chain(listings.values().flatten().map(|part| &part.sku)).collect()
}

/// What they say that they can sell, the oldest part of it, and of which of our locations.
#[derive(Debug)]
struct Theirs<'a> {
    units: i64,
    seen_at: Timestamp,
    at: BTreeSet<&'a LocationId>,
}

impl Theirs<'_> {
    fn add(&mut self, other: Self) {
        self.units = self.units.saturating_add(other.units);
        self.seen_at = self.seen_at.min(other.seen_at);
        self.at.extend(other.at);
    }
}

/// What the platform counts apart: an inventory item, or a variant where there are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum CountedKey<'a> {
    Item(&'a str),
    Variant(&'a str),
}

/// All that was said of one such thing.
#[derive(Debug, Default)]
struct Counted<'a> {
    /// When it was named last, whether that was its end, and its SKU.
    named: Option<(Timestamp, bool, Option<&'a Sku>)>,
    /// What an operator says it is: one unit of an item, or nothing that can be compared.
    by_hand: Option<Option<&'a Sku>>,
    /// Over all of the platform's locations.
    in_all: Option<(i64, Timestamp)>,
    /// Per location, where that is one that the shop sells from.
    levels: Vec<(i64, Timestamp, Option<&'a LocationId>)>,
}

impl<'a> Counted<'a> {
    fn name(&mut self, seen_at: Timestamp, gone: bool, sku: Option<&'a Sku>) {
        let newer = self.named.is_none_or(|(at, was_gone, _)| (at, was_gone) < (seen_at, gone));
        if newer {
            self.named = Some((seen_at, gone, sku));
        }
    }

    fn sku(&self) -> Option<&'a Sku> {
        match self.named {
            Some((_, true, _)) => None,
            named => self.by_hand.unwrap_or(named.and_then(|(_, _, sku)| sku)),
        }
    }

    /// Where the platform counts per location, only ours are compared.
    fn units(&self, policy: &'a Policy) -> Option<Theirs<'a>> {
        if self.levels.is_empty() {
            let at = policy.locations.iter().collect();
            return self.in_all.map(|(units, seen_at)| Theirs { units, seen_at, at });
        }
        let ours = self.levels.iter().filter_map(|(units, seen_at, here)| {
            Some(Theirs { units: *units, seen_at: *seen_at, at: [(*here)?].into() })
        });
        ours.reduce(|mut sum, level| {
            sum.add(level);
            sum
        })
    }
}

fn counted<'a>(
    sightings: &'a [SightingRow],
    listings: &'a HashMap<Variant, Vec<LinePart>>,
    policy: &'a Policy,
) -> BTreeMap<CountedKey<'a>, Counted<'a>> {
    let products: HashMap<&str, (Timestamp, bool)> = sightings
        .iter()
        .filter_map(|row| match &row.thing {
            Some(Thing::Product { product }) => Some((product.as_str(), (row.seen_at, row.gone))),
            _ => None,
        })
        .collect();
    let mut all: BTreeMap<CountedKey<'a>, Counted<'a>> = BTreeMap::new();
    for row in sightings {
        match &row.thing {
            Some(Thing::InventoryItem { inventory_item, sku }) => {
                let counted = all.entry(CountedKey::Item(inventory_item)).or_default();
                counted.name(row.seen_at, row.gone, sku.as_ref());
            }
            Some(Thing::Variant { variant, product, sku, inventory_item, available })
                if !row.gone =>
            {
                let own = CountedKey::Variant(variant.as_str());
                let key = inventory_item.as_deref().map_or(own, CountedKey::Item);
                let counted = all.entry(key).or_default();
                // Its product is gone, or has shown since all that it still has.
                let product = product.as_deref().and_then(|product| products.get(product));
                if let Some((at, _)) = product.filter(|seen| **seen > (row.seen_at, false)) {
                    counted.name(*at, true, None);
                    continue;
                }
                counted.name(row.seen_at, false, sku.as_ref());
                counted.by_hand = listings.get(variant).map(|parts| one_unit(parts));
                counted.in_all = available.map(|units| (units, row.seen_at));
            }
            Some(Thing::Level { inventory_item, location, available: Some(units) })
                if !row.gone =>
            {
                let ours = policy.location(Some(location));
                let here = ours.filter(|ours| policy.locations.contains(ours));
                let counted = all.entry(CountedKey::Item(inventory_item)).or_default();
                counted.levels.push((*units, row.seen_at, here));
            }
            Some(
                Thing::Variant { .. }
                | Thing::Level { .. }
                | Thing::Product { .. }
                | Thing::App { .. },
            )
            | None => {}
        }
    }
    all
}

/// The item of a listing that is just that; how many kits there are says nothing of the items.
fn one_unit(parts: &[LinePart]) -> Option<&Sku> {
    match parts {
        [LinePart { sku, units: 1 }] => Some(sku),
        _ => None,
    }
}

#[cfg(test)]
mod tests;

//! What a platform says it can sell, beside what we say. Pure.

use std::collections::{BTreeMap, HashMap};

use domain::order::LinePart;
use domain::sighting::Thing;
use domain::{Policy, Sku, Stock, StockKey, Timestamp, Variant};
use store::channels::SightingRow;

/// One item, as the platform and we count it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Drift {
    pub(super) sku: Sku,
    pub(super) ours: i64,
    pub(super) theirs: i64,
    /// The oldest part of what they said.
    pub(super) seen_at: Timestamp,
}

/// Items that both know, the largest difference first. `listings` are what operators say that the
/// shop's variants stand for.
pub(super) fn compare(
    sightings: &[SightingRow],
    listings: &HashMap<Variant, Vec<LinePart>>,
    stock: &[(StockKey, Stock)],
    policy: &Policy,
) -> Vec<Drift> {
    let mut ours: HashMap<&Sku, i64> = HashMap::new();
    for (key, row) in stock {
        let here = policy.locations.contains(&key.location);
        *ours.entry(&key.sku).or_default() += if here { row.available() } else { 0 };
    }
    let mut theirs: BTreeMap<&Sku, (i64, Timestamp)> = BTreeMap::new();
    for counted in counted(sightings, listings, policy).into_values() {
        let (Some(sku), Some((units, seen_at))) = (counted.sku(), counted.units()) else {
            continue;
        };
        // Two variants of one SKU could both be sold out of one pool: their units add up.
        let sum = theirs.entry(sku).or_insert((0, seen_at));
        *sum = (sum.0.saturating_add(units), sum.1.min(seen_at));
    }
    let both = theirs.into_iter().filter_map(|(sku, (theirs, seen_at))| {
        Some(Drift { sku: sku.clone(), ours: *ours.get(sku)?, theirs, seen_at })
    });
    let mut drifts: Vec<Drift> = both.collect();
    drifts.sort_by_key(|drift| std::cmp::Reverse(drift.theirs.abs_diff(drift.ours)));
    drifts
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
    /// Per location; whether that is one of ours.
    levels: Vec<(i64, Timestamp, bool)>,
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
    fn units(&self) -> Option<(i64, Timestamp)> {
        if self.levels.is_empty() {
            return self.in_all;
        }
        let ours = self.levels.iter().filter(|(.., here)| *here);
        let units = ours.map(|(units, seen_at, _)| (*units, *seen_at));
        units.reduce(|a, b| (a.0.saturating_add(b.0), a.1.min(b.1)))
    }
}

fn counted<'a>(
    sightings: &'a [SightingRow],
    listings: &'a HashMap<Variant, Vec<LinePart>>,
    policy: &Policy,
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
                let here = ours.is_some_and(|ours| policy.locations.contains(ours));
                let counted = all.entry(CountedKey::Item(inventory_item)).or_default();
                counted.levels.push((*units, row.seen_at, here));
            }
            Some(
                Thing::Variant { .. } | Thing::Level { .. } | Thing::Product { .. } | Thing::App,
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

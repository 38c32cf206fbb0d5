use domain::PlatformLocation;

use super::*;

fn seen(at: i64, thing: Thing) -> SightingRow {
    let (kind, id, place) = thing.key();
    SightingRow {
        kind: kind.to_owned(),
        id: id.to_owned(),
        place: place.to_owned(),
        seen_at: Timestamp(at),
        gone: false,
        thing: Some(thing.clone()),
    }
}

fn gone(at: i64, thing: Thing) -> SightingRow {
    SightingRow { gone: true, ..seen(at, thing) }
}

fn variant(id: &str, sku: &str, item: Option<&str>, available: Option<i64>) -> Thing {
    let sku = (!sku.is_empty()).then(|| Sku::new(sku));
    let inventory_item = item.map(str::to_owned);
    let product = Some("p1".to_owned());
    Thing::Variant { variant: Variant::new(id), product, sku, inventory_item, available }
}

fn item(id: &str, sku: &str) -> Thing {
    Thing::InventoryItem { inventory_item: id.to_owned(), sku: Some(Sku::new(sku)) }
}

fn level(item: &str, location: &str, available: Option<i64>) -> Thing {
    let location = PlatformLocation::new(location);
    Thing::Level { inventory_item: item.to_owned(), location, available }
}

/// Two locations of ours, and a third that the shop does not sell from.
fn policy() -> Policy {
    let ids = [("1", "main"), ("2", "back"), ("3", "elsewhere")];
    Policy {
        locations: vec![LocationId::new("main"), LocationId::new("back")],
        location_ids: ids
            .map(|(id, name)| (PlatformLocation::new(id), LocationId::new(name)))
            .into(),
        ..Policy::default()
    }
}

fn stock(rows: &[(&str, &str, i64, i64)]) -> Vec<(StockKey, Stock)> {
    let row = |(sku, location, on_hand, committed): &(&str, &str, i64, i64)| {
        let key = StockKey::new(&Sku::new(sku), &LocationId::new(location));
        (key, Stock { on_hand: *on_hand, committed: *committed, ..Stock::default() })
    };
    rows.iter().map(row).collect()
}

/// Compares with 10 − 3 caps at main, 5 at the back, 100 elsewhere; and 4 mugs at main.
#[track_caller]
fn check(
    sightings: &[SightingRow],
    listings: &[(&str, &[(&str, i64)])],
    expected: &[(&str, i64, i64, i64)],
) {
    let stock = stock(&[
        ("CAP", "main", 10, 3),
        ("CAP", "back", 5, 0),
        ("CAP", "elsewhere", 100, 0),
        ("MUG", "main", 4, 0),
    ]);
    let part = |(sku, units): &(&str, i64)| LinePart { sku: Sku::new(sku), units: *units };
    let listings = listings
        .iter()
        .map(|(variant, parts)| (Variant::new(variant), parts.iter().map(part).collect()))
        .collect();
    let found = compare(sightings, &listings, &stock, &policy());
    let found: Vec<_> = found
        .iter()
        .map(|drift| (drift.sku.as_str(), drift.ours, drift.theirs, drift.seen_at.0))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn levels_are_summed_over_the_shops_own_locations() {
    let levels = [
        seen(5, level("i1", "1", Some(8))),
        seen(7, level("i1", "2", Some(2))),
        seen(9, level("i1", "3", Some(1_000))),
        seen(9, level("i1", "4", Some(1_000))),
    ];
    let named = [seen(1, item("i1", "CAP"))];
    check(&[&levels[..], &named].concat(), &[], &[("CAP", 12, 10, 5)]);
    // Ours are summed only where theirs were seen.
    check(&[&levels[1..], &named].concat(), &[], &[("CAP", 5, 2, 7)]);
    // What is counted only where the shop does not sell cannot be compared.
    check(&[&levels[2..], &named].concat(), &[], &[]);
}

#[test]
fn a_variant_names_its_inventory_item_and_counts_where_no_level_was_seen() {
    let shopify = seen(3, variant("44", "CAP", Some("i1"), Some(20)));
    check(std::slice::from_ref(&shopify), &[], &[("CAP", 12, 20, 3)]);
    check(&[shopify, seen(6, level("i1", "1", Some(12)))], &[], &[("CAP", 7, 12, 6)]);
    let woo = seen(3, variant("44", "MUG", None, Some(0)));
    check(&[woo], &[], &[("MUG", 4, 0, 3)]);
}

#[test]
fn the_largest_difference_comes_first_and_only_what_both_know() {
    let sightings = [
        seen(1, variant("1", "CAP", None, Some(11))),
        seen(1, variant("2", "MUG", None, Some(1))),
        seen(1, variant("3", "HAT", None, Some(1))),
        seen(1, variant("4", "", None, Some(1))),
        seen(1, variant("5", "MUG", None, None)),
    ];
    check(&sightings, &[], &[("MUG", 4, 1, 1), ("CAP", 12, 11, 1)]);
}

#[test]
fn variants_of_one_sku_add_up() {
    let sightings =
        [seen(2, variant("1", "MUG", None, Some(4))), seen(1, variant("2", "MUG", None, Some(4)))];
    check(&sightings, &[], &[("MUG", 4, 8, 1)]);
}

#[test]
fn what_is_gone_is_left_out() {
    check(&[gone(2, variant("1", "MUG", None, Some(4)))], &[], &[]);
    let named = seen(1, variant("1", "CAP", Some("i1"), Some(20)));
    // A product that goes names no variants, but each of their items goes, too.
    check(&[named.clone(), gone(2, item("i1", "CAP"))], &[], &[]);
    check(&[named, gone(2, level("i1", "1", None))], &[], &[("CAP", 12, 20, 1)]);
    let untracked = [seen(1, item("i1", "CAP")), seen(1, level("i1", "1", None))];
    check(&untracked, &[], &[]);
}

#[test]
fn a_variant_goes_with_its_product_and_when_its_product_shows_itself_without_it() {
    let mug =
        [seen(5, variant("1", "MUG", Some("i1"), Some(4))), seen(3, level("i1", "1", Some(4)))];
    let there = [("MUG", 4, 4, 3)];
    let product = || Thing::Product { product: "p1".to_owned() };
    let with = |row: SightingRow| [&mug[..], &[row]].concat();
    check(&with(seen(5, product())), &[], &there);
    check(&with(gone(4, product())), &[], &there);
    check(&with(gone(5, product())), &[], &[]);
    check(&with(seen(6, product())), &[], &[]);
    let other = Thing::Product { product: "p2".to_owned() };
    check(&with(gone(9, other)), &[], &there);
}

#[test]
fn the_newest_name_counts() {
    let level = seen(1, level("i1", "1", Some(9)));
    let renamed = [seen(3, item("i1", "MUG")), seen(2, variant("1", "CAP", Some("i1"), None))];
    check(&[&[level.clone()][..], &renamed].concat(), &[], &[("MUG", 4, 9, 1)]);
    let renamed = [seen(3, item("i1", "MUG")), seen(4, variant("1", "CAP", Some("i1"), None))];
    check(&[&[level][..], &renamed].concat(), &[], &[("CAP", 7, 9, 1)]);
}

#[test]
fn a_listing_names_what_it_stands_for_and_a_kit_is_not_compared() {
    let nameless = [seen(1, variant("44", "", None, Some(4)))];
    check(&nameless, &[("44", &[("MUG", 1)])], &[("MUG", 4, 4, 1)]);
    let named = [seen(1, variant("44", "CAP", None, Some(4)))];
    check(&named, &[("44", &[("MUG", 1)])], &[("MUG", 4, 4, 1)]);
    check(&named, &[("44", &[("MUG", 2)])], &[]);
    check(&named, &[("44", &[("CAP", 1), ("MUG", 1)])], &[]);
}

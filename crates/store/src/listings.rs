//! Rows of listings, gathered by variant.

use std::collections::HashMap;

use domain::order::LinePart;
use domain::view::Listing;
use domain::{ListingKey, ShopId, Sku, Variant};

use crate::reports::Fields;

/// From (shop, variant, sku, units, by hand). What an operator made hides what the platform says.
pub(crate) fn gather<'a, R: Fields + 'a>(
    rows: impl IntoIterator<Item = &'a R>,
    by_hand: fn(&R) -> bool,
) -> HashMap<ListingKey, Listing> {
    let mut listings: HashMap<ListingKey, Listing> = HashMap::new();
    for row in rows {
        let key = ListingKey { shop: ShopId::new(row.text(0)), variant: Variant::new(row.text(1)) };
        let part = LinePart { sku: Sku::new(row.text(2)), units: row.int(3) };
        let by_hand = by_hand(row);
        let listing = listings.entry(key).or_insert(Listing { parts: vec![], by_hand });
        match (listing.by_hand, by_hand) {
            (true, false) => {}
            (false, true) => *listing = Listing { parts: vec![part], by_hand },
            _ => listing.parts.push(part),
        }
    }
    for listing in listings.values_mut() {
        listing.parts.sort_by(|a, b| a.sku.cmp(&b.sku));
    }
    listings
}

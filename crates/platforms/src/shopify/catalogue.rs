//! What Shopify says of its own catalogue and its own stock: sightings, which move nothing.
//!
//! Headers are not signed, so each body must show by itself that it is what its topic says. The
//! bodies of things that are gone have no moment: the envelope's must do, which the caller gives.

use std::collections::{BTreeMap, HashSet};

use domain::sighting::Thing;
use domain::{PlatformLocation, Sighting, Sku, Timestamp, Variant};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::Unfit;
use super::body::{Gid, List, is_other_than, only_id};
use super::count::Count;
use super::id::Id;
use super::parts::twice;
use crate::value::{self, Moment, Object, Stated, Text, stated};

/// What Shopify has of one item at one location.
#[derive(Deserialize)]
struct Level<'a> {
    #[serde(borrow)]
    admin_graphql_api_id: Gid<'a>,
    inventory_item_id: Option<Id>,
    location_id: Option<Id>,
    /// Null where Shopify does not count.
    #[serde(default, deserialize_with = "stated")]
    available: Stated<Count>,
    #[serde(default, deserialize_with = "stated")]
    updated_at: Stated<Moment>,
}

/// `inventory_levels/update` and `inventory_levels/connect`.
pub(super) fn level(body: &[u8]) -> Result<Vec<Sighting>, Unfit> {
    let level: Level<'_> = value::read(body)?;
    let available = level
        .available
        .ok_or(Unfit::Other("something without an inventory level's available quantity"))?;
    let thing = level.thing(available.map(|count| count.0))?;
    let updated_at = level.updated_at.flatten().ok_or("updated_at: missing")?;
    Ok(vec![Sighting { seen_at: updated_at.0, thing, gone: false }])
}

/// `inventory_levels/disconnect`: the item is no longer stocked at the location.
pub(super) fn level_gone(body: &[u8], at: Timestamp) -> Result<Vec<Sighting>, Unfit> {
    let level: Level<'_> = value::read(body)?;
    if level.available.is_some() || level.updated_at.is_some() {
        return Err(Unfit::Other("an inventory level that is still there"));
    }
    Ok(vec![gone(level.thing(None)?, at)])
}

impl Level<'_> {
    fn thing(&self, available: Option<i64>) -> Result<Thing, Unfit> {
        if is_other_than(&self.admin_graphql_api_id, "InventoryLevel") {
            return Err(Unfit::Other(
                "something whose admin_graphql_api_id is not an inventory level's",
            ));
        }
        let (Some(item), Some(location)) = (self.inventory_item_id, self.location_id) else {
            return Err(Unfit::Other(
                "something without an inventory level's inventory_item_id and location_id",
            ));
        };
        let location = PlatformLocation::new(location.to_string());
        Ok(Thing::Level { inventory_item: item.to_string(), location, available })
    }
}

/// What Shopify counts stock of.
#[derive(Deserialize)]
struct InventoryItem<'a> {
    #[serde(borrow)]
    admin_graphql_api_id: Gid<'a>,
    id: Option<Id>,
    #[serde(default, deserialize_with = "stated")]
    sku: Stated<Text<'a>>,
    #[serde(default, deserialize_with = "stated")]
    tracked: Stated<IgnoredAny>,
    updated_at: Option<Moment>,
}

/// `inventory_items/create` and `inventory_items/update`.
pub(super) fn inventory_item(body: &[u8]) -> Result<Vec<Sighting>, Unfit> {
    let item: InventoryItem<'_> = value::read(body)?;
    if is_other_than(&item.admin_graphql_api_id, "InventoryItem") {
        return Err(Unfit::Other(
            "something whose admin_graphql_api_id is not an inventory item's",
        ));
    }
    let shows_it = item.admin_graphql_api_id.is_some() || item.tracked.is_some();
    let Some(sku) = item.sku.filter(|_| shows_it) else {
        return Err(Unfit::Other("something without an inventory item's fields"));
    };
    let thing = Thing::InventoryItem {
        inventory_item: item.id.ok_or("id: missing")?.to_string(),
        sku: sku.as_ref().and_then(used),
    };
    let updated_at = item.updated_at.ok_or("updated_at: missing")?;
    Ok(vec![Sighting { seen_at: updated_at.0, thing, gone: false }])
}

/// What `inventory_items/delete` brings: an id, in some versions with customs' data beside it.
#[derive(Deserialize)]
struct DeletedItem<'a> {
    #[serde(borrow)]
    admin_graphql_api_id: Gid<'a>,
    id: Option<Id>,
    #[serde(flatten)]
    others: BTreeMap<String, IgnoredAny>,
}

/// `inventory_items/delete`.
pub(super) fn inventory_item_gone(body: &[u8], at: Timestamp) -> Result<Vec<Sighting>, Unfit> {
    const OF_LIVING_ITEMS: [&str; 4] = ["sku", "tracked", "created_at", "updated_at"];
    let item: DeletedItem<'_> = value::read(body)?;
    if is_other_than(&item.admin_graphql_api_id, "InventoryItem") {
        return Err(Unfit::Other(
            "something whose admin_graphql_api_id is not an inventory item's",
        ));
    }
    if item.admin_graphql_api_id.is_none() && !item.others.is_empty() {
        return Err(Unfit::Other("something with more fields than an id"));
    }
    if OF_LIVING_ITEMS.iter().any(|field| item.others.contains_key(*field)) {
        return Err(Unfit::Other("an inventory item that is still there"));
    }
    let inventory_item = item.id.ok_or("id: missing")?.to_string();
    Ok(vec![gone(Thing::InventoryItem { inventory_item, sku: None }, at)])
}

#[derive(Deserialize)]
struct Product<'a> {
    #[serde(borrow)]
    admin_graphql_api_id: Gid<'a>,
    id: Option<Id>,
    /// Only whether it is there: it tells a product from what only looks like one.
    title: Option<IgnoredAny>,
    updated_at: Option<Moment>,
    /// The first [`VARIANTS_SHOWN_MAX`]. Of the others `variant_gids` has no more than their ids, and
    /// so nothing that could be kept.
    variants: List<ProductVariant<'a>>,
}

#[derive(Deserialize)]
struct ProductVariant<'a> {
    id: Id,
    #[serde(borrow)]
    sku: Option<Text<'a>>,
    inventory_item_id: Option<Id>,
    /// Over all locations.
    inventory_quantity: Option<Count>,
    updated_at: Option<Moment>,
}

/// A product with so many variants may have more.
const VARIANTS_SHOWN_MAX: usize = 100;

/// `products/create` and `products/update`: what of the product can be sold. Nothing where a
/// subscription leaves the variants out.
pub(super) fn product(body: &[u8]) -> Result<Vec<Sighting>, Unfit> {
    let product: Product<'_> = value::read(body)?;
    if is_other_than(&product.admin_graphql_api_id, "Product") {
        return Err(Unfit::Other("something whose admin_graphql_api_id is not a product's"));
    }
    if product.variants.is_none() && product.title.is_none() {
        return Err(Unfit::Other("something without a product's title and variants"));
    }
    let id = product.id.ok_or("id: missing")?.to_string();
    let variants = product.variants.as_deref().unwrap_or_default();
    let mut ids = HashSet::with_capacity(variants.len());
    let mut sightings = Vec::with_capacity(variants.len());
    for (index, Object(variant)) in variants.iter().enumerate() {
        if !ids.insert(variant.id) {
            return Err(twice(&format!("variants[{index}]"), variant.id).into());
        }
        let updated_at = variant.updated_at.max(product.updated_at);
        let seen_at = updated_at.ok_or_else(|| format!("variants[{index}].updated_at: missing"))?.0;
        sightings.push(Sighting { seen_at, thing: variant.thing(&id), gone: false });
    }
    let shows_all = (1..VARIANTS_SHOWN_MAX).contains(&variants.len());
    if let Some(updated_at) = product.updated_at.filter(|_| shows_all) {
        let thing = Thing::Product { product: id };
        sightings.push(Sighting { seen_at: updated_at.0, thing, gone: false });
    }
    Ok(sightings)
}

impl ProductVariant<'_> {
    fn thing(&self, product: &str) -> Thing {
        Thing::Variant {
            variant: Variant::new(self.id.to_string()),
            product: Some(product.to_owned()),
            sku: self.sku.as_ref().and_then(used),
            inventory_item: self.inventory_item_id.map(|id| id.to_string()),
            available: self.inventory_quantity.map(|count| count.0),
        }
    }
}

/// `products/delete`.
pub(super) fn product_gone(body: &[u8], at: Timestamp) -> Result<Vec<Sighting>, Unfit> {
    let product = only_id(body)?.to_string();
    Ok(vec![gone(Thing::Product { product }, at)])
}

fn gone(thing: Thing, at: Timestamp) -> Sighting {
    Sighting { seen_at: at, thing, gone: true }
}

/// Shopify writes an empty SKU as well as none.
fn used(sku: &Text<'_>) -> Option<Sku> {
    Some(sku.as_str()).filter(|sku| !sku.is_empty()).map(Sku::new)
}

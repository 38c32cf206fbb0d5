//! The platforms' own quantities beside ours. Moves nothing.

use std::collections::{HashMap, HashSet};

use domain::order::LinePart;
use domain::{Platform, ShopId, Sku, Stock, StockKey, Variant};
use platforms::{Shop, Shops};
use store::channels::SightingRow;
use store::{AnyStore, Channels, Reports, StoreError};

mod compare;

pub use compare::Drift;
use compare::compare;

/// Things of a platform that are read at once, and items of ours.
const PAGE: i64 = 5_000;
const ITEMS: usize = 5_000;

/// Shops that have stock to compare.
pub fn selling(shops: &Shops) -> impl Iterator<Item = &Shop> {
    shops.iter().filter(|shop| shop.platform != Platform::Payments)
}

/// Items of a shop that its platform and we both know, the largest difference first. `None`: the
/// platform has shown more than so many things, all of which would have to be held in memory.
pub async fn of_shop(
    store: &AnyStore,
    shop: &Shop,
    things_max: usize,
) -> Result<Option<Vec<Drift>>, StoreError> {
    let Some(sightings) = sightings(store, &shop.name, things_max).await? else { return Ok(None) };
    let mut listings: HashMap<Variant, Vec<LinePart>> = HashMap::new();
    for (key, part) in store.listings(Some(&shop.name)).await? {
        listings.entry(key.variant).or_default().push(part);
    }
    // Last, so that ours are as new as can be.
    let stock = stock(store, compare::named(&sightings, &listings)).await?;
    Ok(Some(compare(&sightings, &listings, &stock, &shop.policy)))
}

async fn sightings(
    store: &AnyStore,
    shop: &ShopId,
    things_max: usize,
) -> Result<Option<Vec<SightingRow>>, StoreError> {
    let mut all: Vec<SightingRow> = Vec::new();
    loop {
        let page = store.sightings(shop, all.last(), PAGE).await?;
        if page.is_empty() {
            return Ok(Some(all));
        }
        all.extend(page);
        if all.len() > things_max {
            return Ok(None);
        }
    }
}

/// Our rows of these items, and of no others: all rows together may be many more.
async fn stock(
    store: &AnyStore,
    skus: HashSet<&Sku>,
) -> Result<Vec<(StockKey, Stock)>, StoreError> {
    let skus: Vec<Sku> = skus.into_iter().cloned().collect();
    let mut all = Vec::new();
    for some in skus.chunks(ITEMS) {
        all.extend(store.stock(some).await?);
    }
    Ok(all)
}

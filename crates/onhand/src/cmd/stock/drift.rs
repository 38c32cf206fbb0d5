//! `stock drift`: the platforms' own quantities beside ours. Moves nothing.

use std::collections::HashMap;
use std::process::ExitCode;

use domain::order::LinePart;
use domain::{Platform, ShopId, Sku, Variant};
use platforms::Shop;
use serde::Serialize;
use store::channels::SightingRow;
use store::{AnyStore, Channels, Reports};

use crate::config::Settings;
use crate::{output, shops_file};

mod compare;

use compare::compare;

/// Sightings read at once.
const PAGE: i64 = 5_000;

#[derive(Serialize)]
struct DriftJson<'a> {
    shop: &'a ShopId,
    sku: Sku,
    ours: i64,
    theirs: i64,
    /// Theirs less ours: above 0 the platform would sell what is not there.
    difference: i64,
    seen_at: String,
}

pub(super) async fn run(settings: &Settings, only: Option<&str>) -> anyhow::Result<ExitCode> {
    let shops = shops_file::load(&settings.shops)?;
    let only = only.map(|name| shops_file::named(&shops, name)).transpose()?;
    let store = settings.open_store().await?;
    let selling = shops.iter().filter(|shop| shop.platform != Platform::Payments);
    let mut drifts = Vec::new();
    for shop in selling.filter(|shop| only.is_none_or(|only| only.name == shop.name)) {
        drifts.extend(of_shop(&store, shop).await?);
    }
    if settings.json {
        output::json(&drifts)?;
    } else if drifts.is_empty() {
        outln!("No platform has shown a quantity of any item that has stock here.");
    } else {
        output::table(
            &["shop", "sku", ">ours", ">theirs", ">difference", "seen at"],
            drifts.iter().map(|one| {
                vec![
                    one.shop.to_string(),
                    one.sku.to_string(),
                    one.ours.to_string(),
                    one.theirs.to_string(),
                    format!("{:+}", one.difference),
                    one.seen_at.clone(),
                ]
            }),
        );
    }
    Ok(ExitCode::SUCCESS)
}

async fn of_shop<'a>(store: &AnyStore, shop: &'a Shop) -> anyhow::Result<Vec<DriftJson<'a>>> {
    let sightings = sightings(store, &shop.name).await?;
    let mut listings: HashMap<Variant, Vec<LinePart>> = HashMap::new();
    for (key, part) in store.listings(Some(&shop.name)).await? {
        listings.entry(key.variant).or_default().push(part);
    }
    // Last, so that ours are as new as can be.
    let stock = store.stock(&[]).await?;
    let drifts = compare(&sightings, &listings, &stock, &shop.policy);
    let shown = drifts.into_iter().map(|drift| DriftJson {
        shop: &shop.name,
        sku: drift.sku,
        ours: drift.ours,
        theirs: drift.theirs,
        difference: drift.theirs.saturating_sub(drift.ours),
        seen_at: output::moment(drift.seen_at),
    });
    Ok(shown.collect())
}

async fn sightings(store: &AnyStore, shop: &ShopId) -> anyhow::Result<Vec<SightingRow>> {
    let mut all: Vec<SightingRow> = Vec::new();
    loop {
        let page = store.sightings(shop, all.last(), PAGE).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

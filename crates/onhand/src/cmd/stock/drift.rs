//! `stock drift`: the platforms' own quantities beside ours. Moves nothing.

use std::process::ExitCode;

use domain::{ShopId, Sku};
use operate::drift::{self, Drift};
use serde::Serialize;

use crate::config::Settings;
use crate::{output, shops_file};

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

impl<'a> DriftJson<'a> {
    fn new(shop: &'a ShopId, drift: Drift) -> Self {
        Self {
            shop,
            ours: drift.ours,
            theirs: drift.theirs,
            difference: drift.difference(),
            seen_at: output::moment(drift.seen_at),
            sku: drift.sku,
        }
    }
}

pub(super) async fn run(settings: &Settings, only: Option<&str>) -> anyhow::Result<ExitCode> {
    let shops = shops_file::load(&settings.shops)?;
    let only = only.map(|name| shops_file::named(&shops, name)).transpose()?;
    let store = settings.open_store().await?;
    let mut drifts = Vec::new();
    for shop in drift::selling(&shops).filter(|it| only.is_none_or(|only| only.name == it.name)) {
        // Whoever asks by hand gets all of it.
        let found = drift::of_shop(&store, shop, usize::MAX).await?.unwrap_or_default();
        drifts.extend(found.into_iter().map(|drift| DriftJson::new(&shop.name, drift)));
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

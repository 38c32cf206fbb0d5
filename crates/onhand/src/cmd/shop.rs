//! `onhand shop`.

use std::process::ExitCode;

use clap::Subcommand;
use domain::Platform;
use platforms::Shop;
use serde::Serialize;

use crate::config::Settings;
use crate::{output, shops_file};

#[derive(Debug, Subcommand)]
pub(crate) enum ShopCommand {
    /// Read the shops file as the roles would, secrets included, and say what it means.
    #[command(after_help = "Example: onhand shop check --shops shops.toml")]
    Check,
}

#[derive(Serialize)]
struct ShopJson<'a> {
    name: &'a str,
    platform: &'static str,
    domain: Option<&'a str>,
    secrets: usize,
    locations: Vec<&'a str>,
    warnings: Vec<&'static str>,
}

pub(crate) fn run(settings: &Settings, command: ShopCommand) -> anyhow::Result<ExitCode> {
    let ShopCommand::Check = command;
    let shops = shops_file::load(&settings.shops)?;
    let shops: Vec<ShopJson<'_>> = shops.iter().map(describe).collect();
    if settings.json {
        output::json(&shops)?;
        return Ok(ExitCode::SUCCESS);
    }
    output::table(
        &["shop", "platform", "domain", ">secrets", "locations"],
        shops.iter().map(|shop| {
            vec![
                shop.name.to_owned(),
                shop.platform.to_owned(),
                output::or_dash(shop.domain),
                shop.secrets.to_string(),
                shop.locations.join(", "),
            ]
        }),
    );
    for shop in &shops {
        for warning in &shop.warnings {
            outln!("{}: {warning}", shop.name);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn describe(shop: &Shop) -> ShopJson<'_> {
    let mut warnings = Vec::new();
    if shop.platform == Platform::Payments && shop.pays_for.is_none() {
        warnings.push("it has no pays_for, so its payments will never find an order");
    }
    if shop.platform == Platform::Shopify
        && shop.policy.locations.len() > 1
        && shop.policy.location_ids.is_empty()
    {
        warnings.push(
            "it has several locations but no location_ids: every shipment that names a location \
             will be a dead letter (unknown_location)",
        );
    }
    ShopJson {
        name: shop.name.as_str(),
        platform: shop.platform.as_str(),
        domain: shop.domain.as_deref(),
        secrets: shop.secrets.len(),
        locations: shop.policy.locations.iter().map(|location| location.as_str()).collect(),
        warnings,
    }
}

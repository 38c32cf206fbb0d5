//! `onhand shop`.

use std::process::ExitCode;

use clap::Subcommand;
use domain::Platform;
use operate::pause::is_paused;
use operate::shop::{self, Health, Signer};
use platforms::{Shop, Shops};
use serde::Serialize;
use store::Pauses;

use crate::config::Settings;
use crate::{output, shops_file};

#[derive(Debug, Subcommand)]
pub(crate) enum ShopCommand {
    /// Read the shops file as the roles would, secrets included, and say what it means.
    #[command(after_help = "Example: onhand shop check --shops shops.toml")]
    Check,
    /// How each shop is doing: its last webhook, how many came lately, and which secret signs
    #[command(
        after_help = "It goes by what workers have decided. A shop is silent when on other days \
        of the week at least ten webhooks would have come since its last.\n\n\
        Example: onhand shop list --json"
    )]
    List,
}

#[derive(Serialize)]
struct HealthJson<'a> {
    shop: &'a str,
    last_webhook_at: Option<String>,
    /// Within the last 60 minutes, about.
    last_hour: i64,
    last_day: i64,
    /// How many would have come since on another day; `null`: it is as usual.
    silent_missed: Option<i64>,
    paused: bool,
    secrets: Vec<SecretJson<'a>>,
    /// The secret that signed last, where it is not the first in the file.
    signed_by_old: Option<&'a str>,
}

#[derive(Serialize)]
struct SecretJson<'a> {
    source: &'a str,
    last_signed_at: Option<String>,
}

#[derive(Serialize)]
struct ShopJson<'a> {
    name: &'a str,
    platform: &'static str,
    domain: Option<&'a str>,
    secrets: usize,
    secret_sources: &'a [String],
    locations: Vec<&'a str>,
    warnings: Vec<&'static str>,
}

pub(crate) async fn run(settings: &Settings, command: ShopCommand) -> anyhow::Result<ExitCode> {
    let shops = shops_file::load(&settings.shops)?;
    match command {
        ShopCommand::Check => check(settings, &shops),
        ShopCommand::List => list(settings, &shops).await,
    }
}

async fn list(settings: &Settings, shops: &Shops) -> anyhow::Result<ExitCode> {
    let store = settings.open_store().await?;
    let pauses = store.pauses().await?;
    let health = shop::health(&store, shops, operate::now()).await?;
    let row = |health| HealthJson::new(health, is_paused(&pauses, &health.shop));
    let rows: Vec<HealthJson<'_>> = health.iter().map(row).collect();
    if settings.json {
        output::json(&rows)?;
        return Ok(ExitCode::SUCCESS);
    }
    output::table(
        &["shop", "last webhook", ">last hour", ">last day", "signed last by", ""],
        rows.iter().map(|row| {
            let flags = [
                row.paused.then(|| "paused".to_owned()),
                row.silent_missed.map(|missed| format!("silent: {missed} would have come")),
                row.signed_by_old.map(|_| "an old secret still signs".to_owned()),
            ];
            let flags: Vec<String> = flags.into_iter().flatten().collect();
            let last = row.secrets.iter().max_by_key(|secret| &secret.last_signed_at);
            let last = last.filter(|secret| secret.last_signed_at.is_some());
            vec![
                row.shop.to_owned(),
                output::or_dash(row.last_webhook_at.as_ref()),
                row.last_hour.to_string(),
                row.last_day.to_string(),
                output::or_dash(last.map(|secret| secret.source)),
                flags.join("; "),
            ]
        }),
    );
    Ok(ExitCode::SUCCESS)
}

impl<'a> HealthJson<'a> {
    fn new(health: &'a Health, paused: bool) -> Self {
        let secret = |signer: &'a Signer| SecretJson {
            source: &signer.source,
            last_signed_at: signer.last_at.map(output::moment),
        };
        Self {
            shop: health.shop.as_str(),
            last_webhook_at: health.last.map(output::moment),
            last_hour: health.last_hour,
            last_day: health.last_day,
            silent_missed: health.silence.filter(|_| !paused).map(|silence| silence.missed),
            paused,
            secrets: health.signers.iter().map(secret).collect(),
            signed_by_old: health.old_signer().map(|signer| signer.source.as_str()),
        }
    }
}

fn check(settings: &Settings, shops: &Shops) -> anyhow::Result<ExitCode> {
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
    if shop.platform != Platform::Payments && shop.policy.live_from.is_none() {
        warnings.push(
            "it has no live_from: an old order that is touched again, and all of which left before \
             the stock was counted, takes its units from what was counted; set it to the moment of \
             the count, as in live_from = \"2026-11-01T00:00:00Z\"",
        );
    }
    ShopJson {
        name: shop.name.as_str(),
        platform: shop.platform.as_str(),
        domain: shop.domain.as_deref(),
        secrets: shop.secrets.len(),
        secret_sources: &shop.secret_sources,
        locations: shop.policy.locations.iter().map(|location| location.as_str()).collect(),
        warnings,
    }
}

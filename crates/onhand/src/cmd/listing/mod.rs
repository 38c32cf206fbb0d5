//! `onhand listing`: what a shop's variants stand for.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use domain::order::LinePart;
use domain::{ListingKey, Platform, ShopId, Sku, Variant};
use platforms::{Shop, Shops};
use serde::Serialize;
use store::{AnyStore, Channels, Reports};

use crate::cmd::csv_file;
use crate::config::Settings;
use crate::exit::{NOT_FINE, bad_config};
use crate::{output, shops_file};

mod import;
mod part;

#[derive(Debug, Subcommand)]
pub(crate) enum ListingCommand {
    /// Say which item a variant stands for, or which several (a kit)
    ///
    /// Replaces what the variant stood for before. It goes before the SKU that an order's line
    /// names, so it also mends lines without a SKU, or with a wrong one. Lines that were seen
    /// before keep the items that they were given then.
    #[command(after_help = "Examples:\n  \
        onhand listing set demo 44567 BOWL               one bowl\n  \
        onhand listing set demo 44568 BOWL:2 SPOON       a kit of two bowls and a spoon\n  \
        onhand listing set demo 44569 PART:7:1           one of the item PART:7")]
    Set {
        /// The shop, by its name in the shops file
        shop: String,
        /// The variant's id at the platform (its product's id where it has no variants)
        variant: String,
        /// An item and how many of it; without a number one. The same item twice is summed
        #[arg(required = true, value_name = "SKU[:UNITS]")]
        items: Vec<String>,
    },
    /// Forget a listing: from then on the SKU of the order's line counts, or the catalogue's
    #[command(after_help = "Example: onhand listing remove demo 44567")]
    Remove { shop: String, variant: String },
    /// List what was set, by shop and variant
    #[command(after_help = "Example: onhand listing list --shop demo")]
    List {
        /// Only of this shop
        #[arg(long)]
        shop: Option<String>,
    },
    /// Set many listings from a CSV file with the columns shop,variant,sku,units: all or nothing
    ///
    /// Without units one. Several rows of one variant make a kit. Variants that the file names get
    /// what it says and nothing else; all others stay as they are.
    #[command(after_help = "Example: onhand listing import listings.csv\n\n  \
        shop,variant,sku,units\n  demo,44567,BOWL,1\n  demo,44568,BOWL,2\n  demo,44568,SPOON,1")]
    Import { file: PathBuf },
}

/// One listing, as every answer shows it.
#[derive(Serialize)]
struct ListingJson<'a> {
    shop: &'a ShopId,
    variant: &'a Variant,
    items: &'a [LinePart],
}

impl<'a> ListingJson<'a> {
    fn new(key: &'a ListingKey, items: &'a [LinePart]) -> Self {
        Self { shop: &key.shop, variant: &key.variant, items }
    }
}

pub(crate) async fn run(settings: &Settings, command: ListingCommand) -> anyhow::Result<ExitCode> {
    match command {
        ListingCommand::Set { shop, variant, items } => {
            let shops = shops_file::load(&settings.shops)?;
            let shop = selling(shops_file::named(&shops, &shop)?).map_err(bad_config)?;
            csv_file::check_text("variant", &variant).map_err(bad_config)?;
            let key = ListingKey { shop: shop.name.clone(), variant: Variant::new(variant) };
            let items = part::sum(&items).map_err(bad_config)?;
            set(settings, &settings.open_store().await?, key, items).await
        }
        ListingCommand::Remove { shop, variant } => {
            let key = ListingKey { shop: ShopId::new(shop), variant: Variant::new(variant) };
            remove(settings, &settings.open_store().await?, key).await
        }
        ListingCommand::List { shop } => list(settings, shop.as_deref()).await,
        ListingCommand::Import { file } => {
            let shops = shops_file::load(&settings.shops)?;
            import::run(settings, &settings.open_store().await?, &shops, &file).await
        }
    }
}

/// A shop with orders, or why it has none.
fn selling(shop: &Shop) -> Result<&Shop, String> {
    if shop.platform != Platform::Payments {
        return Ok(shop);
    }
    let orders = shop.pays_for.as_ref().map(|paid| format!("; its orders are those of {paid}"));
    Err(format!(
        "{} only tells of payments and lists nothing{}",
        shop.name,
        orders.unwrap_or_default()
    ))
}

/// The selling shop of that name in a file.
fn selling_named<'a>(shops: &'a Shops, name: &str) -> Result<&'a Shop, String> {
    let shop = shops.get(&ShopId::new(name));
    selling(shop.ok_or_else(|| format!("the shops file names no shop {name:?}"))?)
}

async fn set(
    settings: &Settings,
    store: &AnyStore,
    key: ListingKey,
    items: Vec<LinePart>,
) -> anyhow::Result<ExitCode> {
    let listing = [(key, items)];
    store.set_listings(&listing).await?;
    let [(key, items)] = &listing;
    if settings.json {
        output::json(&ListingJson::new(key, items))?;
    } else {
        outln!("Variant {} of {} stands for {}.", key.variant, key.shop, words(items));
        say_what_stays();
    }
    warn_of_unknown(store, items).await?;
    Ok(ExitCode::SUCCESS)
}

fn say_what_stays() {
    outln!(
        "Order lines that were seen before keep what they were. Dead letters that waited for this \
         can be replayed: onhand dead replay --reason unknown_sku"
    );
}

/// An item without stock is allowed, because a kit may be set up first; but nobody should be
/// surprised by what happens until then.
async fn warn_of_unknown<'a>(
    store: &AnyStore,
    items: impl IntoIterator<Item = &'a LinePart>,
) -> anyhow::Result<()> {
    let mut skus: Vec<Sku> = items.into_iter().map(|part| part.sku.clone()).collect();
    skus.sort_unstable();
    skus.dedup();
    if skus.is_empty() {
        return Ok(());
    }
    let rows = store.stock(&skus).await?;
    for sku in skus.iter().filter(|sku| rows.iter().all(|(key, _)| key.sku != **sku)) {
        eprintln!(
            "onhand: {sku} has no stock row: orders of what it is listed for will be dead letters \
             until `onhand stock set {sku} N` or an import makes one"
        );
    }
    Ok(())
}

async fn remove(
    settings: &Settings,
    store: &AnyStore,
    key: ListingKey,
) -> anyhow::Result<ExitCode> {
    let listed = store.listings(Some(&key.shop)).await?;
    if listed.iter().all(|(listed, _)| *listed != key) {
        shops_file::check_typo(&settings.shops, Some(key.shop.as_str()))?;
        eprintln!(
            "onhand: variant {} of {} has no listing; see `onhand listing list --shop {}`",
            key.variant, key.shop, key.shop
        );
        return Ok(ExitCode::from(NOT_FINE));
    }
    let listing = [(key, Vec::new())];
    store.set_listings(&listing).await?;
    let [(key, items)] = &listing;
    if settings.json {
        output::json(&ListingJson::new(key, items))?;
    } else {
        outln!("Variant {} of {} has no listing any more.", key.variant, key.shop);
        outln!("Order lines that were seen before keep what they were.");
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(settings: &Settings, shop: Option<&str>) -> anyhow::Result<ExitCode> {
    let id = shop.map(ShopId::new);
    let rows = settings.open_store().await?.listings(id.as_ref()).await?;
    if rows.is_empty() {
        shops_file::check_typo(&settings.shops, shop)?;
    }
    let mut listings: BTreeMap<ListingKey, Vec<LinePart>> = BTreeMap::new();
    for (key, part) in rows {
        listings.entry(key).or_default().push(part);
    }
    let shown = listings.iter().map(|(key, items)| ListingJson::new(key, items));
    if settings.json {
        output::json(&shown.collect::<Vec<_>>())?;
    } else if listings.is_empty() {
        outln!("No listings: every line is the item that its SKU names.");
    } else {
        output::table(
            &["shop", "variant", "stands for"],
            shown.map(|one| vec![one.shop.to_string(), one.variant.to_string(), words(one.items)]),
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// `2 × BOWL + 1 × SPOON`
fn words(items: &[LinePart]) -> String {
    let parts: Vec<String> =
        items.iter().map(|part| format!("{} × {}", part.units, part.sku)).collect();
    parts.join(" + ")
}

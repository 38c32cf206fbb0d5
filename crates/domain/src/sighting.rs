//! What platforms say of their own catalogue and their own stock: kept beside ours, for listings and
//! to see drift. None of it ever moves our stock.
//!
//! Of each thing the newest sighting counts, whenever it arrives.

use serde::{Deserialize, Serialize};

use crate::ids::{PlatformLocation, ShopId, Sku, Variant};
use crate::time::Timestamp;

/// One thing, as a platform showed it at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sighting {
    pub seen_at: Timestamp,
    pub thing: Thing,
    /// It is no more.
    pub gone: bool,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Thing {
    /// Something that the shop sells.
    Variant {
        variant: Variant,
        /// What it is a variant of, and goes with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        product: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sku: Option<Sku>,
        /// Where the platform counts its stock, if it names that apart.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        inventory_item: Option<String>,
        /// The platform's own quantity, over all of its locations.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        available: Option<i64>,
    },
    /// A group of variants; seen when it goes, and when it shows all that it has: one of its variants
    /// that was seen before that, and not since, is no more.
    Product { product: String },
    /// What the platform counts stock of.
    InventoryItem {
        inventory_item: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sku: Option<Sku>,
    },
    /// The platform's own quantity of it at one place. Nothing: it does not count there.
    Level {
        inventory_item: String,
        location: PlatformLocation,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        available: Option<i64>,
    },
    /// The app through which the shop sends; seen only when the shop removes it.
    App {
        /// The shop's own name for itself: headers are not signed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        domain: Option<String>,
    },
}

impl Thing {
    /// Whether it may change what a line of an order stands for.
    pub fn is_listed(&self) -> bool {
        matches!(self, Self::Variant { .. } | Self::Product { .. })
    }

    /// The kind, the id and the place, by which a shop's sightings are kept.
    pub fn key(&self) -> (&'static str, &str, &str) {
        match self {
            Thing::Variant { variant, .. } => ("variant", variant.as_str(), ""),
            Thing::Product { product } => ("product", product, ""),
            Thing::InventoryItem { inventory_item, .. } => ("inventory_item", inventory_item, ""),
            Thing::Level { inventory_item, location, .. } => {
                ("level", inventory_item, location.as_str())
            }
            Thing::App { .. } => ("app", "", ""),
        }
    }
}

/// A sighting on its way into the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShopSighting {
    pub shop: ShopId,
    pub sighting: Sighting,
}

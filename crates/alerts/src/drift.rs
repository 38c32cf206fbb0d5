//! How many items of each shop its platform counts otherwise than we do.
//!
//! An item that is being sold differs for as long as its order is on the way here. So where anything
//! differs it is looked at again a little later, and what still differs in the same way counts.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::{ShopId, Sku};
use metrics::gauge;
use operate::drift::{self, Drift};
use platforms::Shops;
use store::{AnyStore, StoreError};
use tokio::time::sleep;

const ITEMS: &str = "onhand_drift_items";

/// After so long what was on its way is here.
pub(crate) const SETTLE: Duration = Duration::from_secs(60);

/// A platform that has shown more things than this is not compared: they are held in memory, some
/// hundred bytes each.
const THINGS_MAX: usize = 200_000;

/// Of a shop no more items are counted: those that differ are held in memory between the two looks.
const COUNTED_MAX: usize = 10_000;

pub(crate) fn describe() {
    metrics::describe_gauge!(
        ITEMS,
        "Items of which the platform says that it can sell more (over) or fewer (under) than we have"
    );
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Direction {
    /// The platform would sell what is not there.
    Over,
    Under,
}

impl Direction {
    const ALL: [Self; 2] = [Self::Over, Self::Under];

    fn of(drift: &Drift) -> Option<Self> {
        match drift.difference() {
            0 => None,
            1.. => Some(Self::Over),
            _ => Some(Self::Under),
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Over => "over",
            Self::Under => "under",
        }
    }
}

/// What differs, and how, of every shop that was compared.
type Differing = BTreeMap<ShopId, BTreeSet<(Sku, Direction)>>;

/// What the metric showed last, by its labels. What is no longer so is shown as none.
#[derive(Debug, Default)]
pub(crate) struct Gauges(BTreeMap<(String, Direction), u32>);

impl Gauges {
    /// Compares all shops and shows what lasts for `settle`. Returns of how many items each shop
    /// would sell what is not there.
    pub(crate) async fn look(
        &mut self,
        store: &AnyStore,
        shops: &Shops,
        settle: Duration,
    ) -> Result<BTreeMap<ShopId, usize>, StoreError> {
        let mut differing = differing(store, shops).await?;
        if differing.values().any(|items| !items.is_empty()) {
            sleep(settle).await;
            differing = lasting(differing, &self::differing(store, shops).await?);
        }
        self.show(shops, &differing);
        let over = |(shop, items)| (shop, count(&items, Direction::Over));
        Ok(differing.into_iter().map(over).collect())
    }

    fn show(&mut self, shops: &Shops, differing: &Differing) {
        self.0.values_mut().for_each(|count| *count = 0);
        for (shop, items) in differing {
            let Some(label) = shops.label(shop) else { continue };
            for direction in Direction::ALL {
                let count = count(items, direction);
                let sum = self.0.entry((label.clone(), direction)).or_default();
                *sum = sum.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
            }
        }
        for ((shop, direction), count) in &self.0 {
            gauge!(ITEMS, "shop" => shop.clone(), "direction" => direction.as_str())
                .set(f64::from(*count));
        }
    }
}

/// The largest differences of each shop.
async fn differing(store: &AnyStore, shops: &Shops) -> Result<Differing, StoreError> {
    let mut all = Differing::new();
    for shop in drift::selling(shops) {
        let Some(drifts) = drift::of_shop(store, shop, THINGS_MAX).await? else {
            let shop = shop.name.as_str();
            tracing::warn!(shop.id = shop, "too large a catalogue to be compared on a schedule");
            continue;
        };
        let items = drifts.into_iter().filter_map(|drift| {
            let direction = Direction::of(&drift)?;
            Some((drift.sku, direction))
        });
        all.insert(shop.name.clone(), items.take(COUNTED_MAX).collect());
    }
    Ok(all)
}

fn count(items: &BTreeSet<(Sku, Direction)>, direction: Direction) -> usize {
    items.iter().filter(|(_, way)| *way == direction).count()
}

/// What still differs in the same way.
fn lasting(mut before: Differing, after: &Differing) -> Differing {
    before.retain(|shop, _| after.contains_key(shop));
    for (shop, items) in &mut before {
        items.retain(|item| after[shop].contains(item));
    }
    before
}

#[cfg(test)]
mod tests;

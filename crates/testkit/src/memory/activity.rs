//! How shops are doing, in memory.

use std::collections::BTreeMap;

use domain::ShopId;
use store::activity::{ActivityNotes, Hour, ShopHour, ShopSigner};
use store::{Activity, StoreError};

use super::MemoryStore;

impl Activity for MemoryStore {
    async fn note_activity(&self, notes: &ActivityNotes) -> Result<(), StoreError> {
        let mut contents = self.contents();
        for ShopHour { shop, hour, webhooks } in &notes.hours {
            *contents.hours.entry((shop.clone(), *hour)).or_default() += webhooks;
        }
        for ShopSigner { shop, secret, last_at } in &notes.signers {
            let key = (shop.clone(), secret.clone());
            let known = contents.signers.entry(key).or_insert(*last_at);
            *known = (*known).max(*last_at);
        }
        Ok(())
    }

    async fn forget_activity(&self, now: Hour, hours_kept: i64) -> Result<(), StoreError> {
        let mut contents = self.contents();
        // By shop and hour: the last that is seen of a shop is its newest.
        let newest: BTreeMap<ShopId, Hour> = contents.hours.keys().cloned().collect();
        contents.hours.retain(|(shop, hour), _| hour.0 >= newest[shop].min(now).0 - hours_kept);
        Ok(())
    }

    async fn shop_hours(&self) -> Result<Vec<ShopHour>, StoreError> {
        let contents = self.contents();
        let hours = contents.hours.iter();
        let row = |((shop, hour), webhooks): (&(ShopId, Hour), &i64)| ShopHour {
            shop: shop.clone(),
            hour: *hour,
            webhooks: *webhooks,
        };
        Ok(hours.map(row).collect())
    }

    async fn shop_signers(&self) -> Result<Vec<ShopSigner>, StoreError> {
        let contents = self.contents();
        let signers = contents.signers.iter().map(|((shop, secret), last_at)| ShopSigner {
            shop: shop.clone(),
            secret: secret.clone(),
            last_at: *last_at,
        });
        Ok(signers.collect())
    }
}

//! Which items conflict so often that reading first is a waste.
//!
//! After a few conflicts on an item a lane takes the locks before it reads (`Store::claim`), and
//! goes back to optimistic batches when the item has been calm for a while.

use std::collections::HashMap;

use domain::{Keys, Sku};
use store::ConflictKey;

/// What one conflict adds; a calm batch takes one away.
const PER_CONFLICT: u32 = 4;

/// From here on a batch that touches the item locks first.
const HOT: u32 = 8;

/// How hot an item can get: so many calm batches lead back.
const HOTTEST: u32 = 64;

/// No more items than this are watched; beyond, all are forgotten.
const ITEMS_MAX: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct Heat(HashMap<Sku, u32>);

impl Heat {
    pub(crate) fn is_hot(&self, keys: &Keys) -> bool {
        !self.0.is_empty()
            && keys.skus.iter().any(|sku| self.0.get(sku).is_some_and(|heat| *heat >= HOT))
    }

    pub(crate) fn conflict(&mut self, conflicts: &[ConflictKey]) {
        if self.0.len() > ITEMS_MAX {
            self.0.clear();
        }
        for conflict in conflicts {
            if let ConflictKey::Stock(key) = conflict {
                let heat = self.0.entry(key.sku.clone()).or_default();
                *heat = (*heat + PER_CONFLICT).min(HOTTEST);
            }
        }
    }

    pub(crate) fn calm(&mut self, keys: &Keys) {
        if self.0.is_empty() {
            return;
        }
        for sku in &keys.skus {
            if let Some(heat) = self.0.get_mut(sku) {
                *heat -= 1;
                if *heat == 0 {
                    self.0.remove(sku);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::StockKey;

    use super::*;

    #[test]
    fn an_item_turns_hot_after_a_few_conflicts_and_cools_down() {
        let sku = Sku::new("HOT");
        let conflict = [ConflictKey::Stock(StockKey::new(&sku, &"main".into()))];
        let keys = Keys { skus: [sku].into(), ..Keys::default() };
        let mut heat = Heat::default();

        heat.conflict(&conflict);
        assert!(!heat.is_hot(&keys), "one conflict is nothing");
        heat.conflict(&conflict);
        assert!(heat.is_hot(&keys));
        heat.calm(&keys);
        assert!(!heat.is_hot(&keys));
        (0..100).for_each(|_| heat.conflict(&conflict));
        (0..=HOTTEST - HOT).for_each(|_| heat.calm(&keys));
        assert!(!heat.is_hot(&keys), "even the hottest cools down");
    }
}

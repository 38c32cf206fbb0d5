//! Which items conflict so often that reading first is a waste.
//!
//! After a few conflicts on an item a process takes the locks before it reads (`Store::claim`), and
//! goes back to optimistic batches when the item has been calm for a while. Batches of many items
//! meet on some item nearly always, each time on others: for them one conflict is enough, and they
//! take turns among all processes (`Store::process_turn`).

use std::collections::HashMap;

use domain::{Keys, Sku};
use store::ConflictKey;

/// What one conflict adds; a calm batch takes one away.
const PER_CONFLICT: u32 = 4;

/// From here on a batch that touches the item locks first.
const HOT: u32 = 8;

/// How hot an item can get: so many calm batches lead back.
const HOTTEST: u32 = 64;

/// What one conflict adds for batches of many items; a calm batch takes one away.
const CROWD_PER_CONFLICT: u32 = 16;

/// No more items than this are watched; beyond, all are forgotten.
const ITEMS_MAX: usize = 10_000;

#[derive(Debug)]
pub(crate) struct Heat {
    items: HashMap<Sku, u32>,
    /// Of all items together.
    crowd: u32,
}

impl Default for Heat {
    /// Crowded, until it is known whether others are at it: to find out by conflicts costs them tries,
    /// too, and fills the pages of stock.
    fn default() -> Self {
        Self { items: HashMap::new(), crowd: CROWD_PER_CONFLICT }
    }
}

/// What a batch of some items has to expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Temperature {
    Calm,
    /// One of its items conflicts often.
    Hot,
    /// It has many items, and such batches meet those of other processes.
    Crowded,
}

impl Heat {
    /// Of a batch that needs `keys`, where `many` items are many.
    pub(crate) fn of(&self, keys: &Keys, many: usize) -> Temperature {
        let is_hot = |sku| self.items.get(sku).is_some_and(|heat| *heat >= HOT);
        if self.is_crowd(keys, many) {
            Temperature::Crowded
        } else if !self.items.is_empty() && keys.skus.iter().any(is_hot) {
            Temperature::Hot
        } else {
            Temperature::Calm
        }
    }

    /// Whether such a batch needs the turn among processes.
    pub(crate) fn is_crowd(&self, keys: &Keys, many: usize) -> bool {
        self.crowd > 0 && keys.skus.len() >= many
    }

    pub(crate) fn conflict(&mut self, conflicts: &[ConflictKey]) {
        if self.items.len() > ITEMS_MAX {
            self.items.clear();
        }
        for conflict in conflicts {
            if let ConflictKey::Stock(key) = conflict {
                self.crowd = (self.crowd + CROWD_PER_CONFLICT).min(HOTTEST);
                let heat = self.items.entry(key.sku.clone()).or_default();
                *heat = (*heat + PER_CONFLICT).min(HOTTEST);
            }
        }
    }

    /// Another process had its turn, or waited for it.
    pub(crate) fn crowd(&mut self) {
        self.crowd = self.crowd.max(CROWD_PER_CONFLICT);
    }

    /// A batch that needed `keys` met nobody. One of a few items says nothing of crowds.
    pub(crate) fn calm(&mut self, keys: &Keys, many: usize) {
        if keys.skus.len() >= many {
            self.crowd = self.crowd.saturating_sub(1);
        }
        if self.items.is_empty() {
            return;
        }
        for sku in &keys.skus {
            if let Some(heat) = self.items.get_mut(sku) {
                *heat -= 1;
                if *heat == 0 {
                    self.items.remove(sku);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::StockKey;

    use super::*;

    const MANY: usize = 32;

    #[test]
    fn batches_of_many_items_take_turns_until_nobody_was_met_for_a_while() {
        let conflict = [ConflictKey::Stock(StockKey::new(&Sku::new("1"), &"main".into()))];
        let of = |items: usize| Keys {
            skus: (100..100 + items).map(|item| Sku::new(item.to_string())).collect(),
            ..Keys::default()
        };
        let mut heat = Heat::default();
        let cool_down = |heat: &mut Heat| {
            (1..CROWD_PER_CONFLICT).for_each(|_| heat.calm(&of(MANY), MANY));
            heat.calm(&of(1), MANY);
            assert_eq!(heat.of(&of(MANY), MANY), Temperature::Crowded);
            heat.calm(&of(MANY), MANY);
            assert_eq!(heat.of(&of(MANY), MANY), Temperature::Calm);
        };
        cool_down(&mut heat);
        heat.conflict(&conflict);
        assert_eq!(heat.of(&of(MANY), MANY), Temperature::Crowded);
        assert_eq!(heat.of(&of(MANY - 1), MANY), Temperature::Calm);
        cool_down(&mut heat);
        (0..2).for_each(|_| heat.crowd());
        cool_down(&mut heat);
    }

    #[test]
    fn an_item_turns_hot_after_a_few_conflicts_and_cools_down() {
        let sku = Sku::new("HOT");
        let conflict = [ConflictKey::Stock(StockKey::new(&sku, &"main".into()))];
        let keys = Keys { skus: [sku].into(), ..Keys::default() };
        let mut heat = Heat::default();

        heat.conflict(&conflict);
        assert_eq!(heat.of(&keys, MANY), Temperature::Calm, "one conflict is nothing");
        heat.conflict(&conflict);
        assert_eq!(heat.of(&keys, MANY), Temperature::Hot);
        heat.calm(&keys, MANY);
        assert_eq!(heat.of(&keys, MANY), Temperature::Calm);
        (0..100).for_each(|_| heat.conflict(&conflict));
        (0..=HOTTEST - HOT).for_each(|_| heat.calm(&keys, MANY));
        assert_eq!(heat.of(&keys, MANY), Temperature::Calm, "even the hottest cools down");
    }
}

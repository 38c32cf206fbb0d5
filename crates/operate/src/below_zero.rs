//! Items of which more is committed than is there: backorders, as deep as the rows' floors allow.

use domain::{Stock, StockKey};
use store::{AnyStore, StoreError};

use crate::stock::each_page;

/// Items that are named.
const NAMED: usize = 3;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BelowZero {
    pub items: u64,
    /// A few of them and what is available, the lowest first.
    pub lowest: Vec<(StockKey, i64)>,
}

/// Looks at every row, a page at a time.
pub async fn below_zero(store: &AnyStore) -> Result<BelowZero, StoreError> {
    let mut below = BelowZero::default();
    each_page(store, |page| {
        below.add(page);
        Ok::<_, StoreError>(())
    })
    .await?;
    Ok(below)
}

impl BelowZero {
    fn add(&mut self, page: &[(StockKey, Stock)]) {
        let rows = page.iter().map(|(key, stock)| (key, stock.available()));
        for (key, available) in rows.filter(|(_, available)| *available < 0) {
            self.items += 1;
            self.lowest.push((key.clone(), available));
        }
        self.lowest.sort_by_key(|(_, available)| *available);
        self.lowest.truncate(NAMED);
    }
}

#[cfg(test)]
mod tests {
    use domain::{LocationId, Sku};

    use super::*;

    #[test]
    fn all_are_counted_over_all_pages_and_the_lowest_named() {
        let row = |(sku, on_hand, committed): &(&str, i64, i64)| {
            let stock = Stock { on_hand: *on_hand, committed: *committed, ..Stock::default() };
            (StockKey::new(&Sku::new(*sku), &LocationId::new("main")), stock)
        };
        let mut below = BelowZero::default();
        for page in [
            &[("A", 1, 2), ("B", 0, 9), ("C", 3, 3)][..],
            &[],
            &[("D", 0, 4), ("E", 5, 1), ("F", 0, 7)],
        ] {
            below.add(&page.iter().map(row).collect::<Vec<_>>());
        }
        let lowest = below.lowest.iter().map(|(key, available)| (key.sku.as_str(), *available));
        assert_eq!(below.items, 4);
        assert_eq!(lowest.collect::<Vec<_>>(), [("B", -9), ("F", -7), ("D", -4)]);
    }
}

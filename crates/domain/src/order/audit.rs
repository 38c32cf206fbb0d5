//! Whether an order holds what it should: for `verify`.

use std::collections::BTreeSet;

use crate::allocate::can_leave;
use crate::ids::Sku;
use crate::order::Order;
use crate::policy::Policy;
use crate::view::StockView;

impl Order {
    /// Where what the order holds differs from its targets under `policy`, in words for people. Two
    /// things excuse a difference (promise P2): being short, and units that came back, were sold
    /// again, and turn out not to have come back. They cannot be taken away while `stock` has no
    /// room; deciding the order again, once it has, does it.
    pub fn audit(&self, policy: &Policy, stock: &StockView) -> Vec<String> {
        let targets = match self.targets(policy, stock) {
            Ok(targets) => targets,
            Err(unknown) => return vec![format!("location {} is not mapped", unknown.0)],
        };
        let mut differences = Vec::new();
        let held: BTreeSet<&Sku> = self.holdings.keys().map(|key| &key.sku).collect();
        for sku in held.into_iter().chain(targets.owed.keys()).collect::<BTreeSet<_>>() {
            let (committed, owed) =
                (self.committed(sku), targets.owed.get(sku).copied().unwrap_or(0));
            if committed > owed || (committed < owed && self.short.is_none()) {
                differences.push(format!("{committed} × {sku} committed, {owed} owed"));
            }
        }
        let keys =
            self.holdings.keys().chain(targets.shipped.keys()).chain(targets.returned.keys());
        for key in keys.collect::<BTreeSet<_>>() {
            let holding = self.holdings.get(key).copied().unwrap_or_default();
            let left = holding.shipped + holding.uncovered;
            let shipped = targets.shipped.get(key).copied().unwrap_or(0);
            if left != shipped {
                differences.push(format!("{left} × {key} recorded as shipped, {shipped} shipped"));
            }
            let returned = targets.returned.get(key).copied().unwrap_or(0);
            let sold_again = holding.returned > returned && can_leave(&stock.get(key), 0) == 0;
            if holding.returned != returned && !sold_again {
                differences.push(format!(
                    "{} × {key} recorded as returned, {returned} returned",
                    holding.returned
                ));
            }
        }
        differences
    }
}

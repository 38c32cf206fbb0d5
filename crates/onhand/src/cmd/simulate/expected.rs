//! What a sale can come to. An outcome that it cannot have is a fault, of the sale or of Onhand, and
//! no success, however fast it came.

use std::collections::BTreeMap;

use domain::{Outcome, Sku};
use simulate::sale::{Plan, Sale};
use store::{AnyStore, Reports, StoreError};

use super::applied::Applied;
use super::numbers::grouped;

#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    /// So many webhooks at the most say too little to be a stock matter.
    ignored: i64,
    /// Wherever its items lie, there is as much of them as the sale can come to ask for.
    ample: bool,
}

impl Expected {
    /// Of the stock as it is before anything is sent.
    pub(super) async fn of(store: &AnyStore, sale: &Sale, plan: &Plan) -> Result<Self, StoreError> {
        let asked = sale.units_at_most(plan);
        let skus: Vec<_> = asked.keys().map(Sku::new).collect();
        let mut least: BTreeMap<Sku, i64> = BTreeMap::new();
        for (key, stock) in store.stock(&skus).await? {
            let free = stock.available() - stock.floor;
            least.entry(key.sku).and_modify(|least| *least = free.min(*least)).or_insert(free);
        }
        let is_ample = |(sku, units): (&String, &i64)| {
            least.get(&Sku::new(sku)).is_some_and(|least| least >= units)
        };
        let ignored = i64::try_from(plan.bare()).unwrap_or(i64::MAX);
        Ok(Self { ignored, ample: asked.iter().all(is_ample) })
    }

    /// What it has come to and cannot have.
    pub(super) fn troubles(&self, applied: &Applied) -> Vec<String> {
        let mut troubles = Vec::new();
        let (ignored, short) = (applied.of(Outcome::Ignored), applied.of(Outcome::Short));
        if ignored > self.ignored {
            troubles.push(format!(
                "{} were ignored, and {} of what was sent may be; `onhand webhook list --outcome \
                 ignored` says why (were they another sender's?)",
                grouped(ignored),
                grouped(self.ignored)
            ));
        }
        if short > 0 && self.ample {
            troubles.push(format!(
                "{} were short, though there was as much of each item as the sale asks for; \
                 `onhand webhook list --outcome short` says of what (does somebody else sell them?)",
                grouped(short)
            ));
        }
        troubles
    }
}

#[cfg(test)]
mod tests {
    use store::reports::Totals;

    use super::*;

    fn applied(outcome: Outcome, count: i64) -> Applied {
        let now = Totals { webhooks: BTreeMap::from([(outcome, count)]), ..Totals::default() };
        Applied::between(&Totals::default(), &now)
    }

    #[test]
    fn what_a_sale_cannot_come_to_is_a_trouble() {
        let expected = Expected { ignored: 2, ample: true };
        assert_eq!(expected.troubles(&applied(Outcome::Applied, 10)), [] as [String; 0]);
        assert_eq!(expected.troubles(&applied(Outcome::Ignored, 2)), [] as [String; 0]);
        let troubles = expected.troubles(&applied(Outcome::Ignored, 3));
        assert!(troubles[0].starts_with("3 were ignored"), "{troubles:?}");
        let troubles = expected.troubles(&applied(Outcome::Short, 1));
        assert!(troubles[0].starts_with("1 were short"), "{troubles:?}");
        let scarce = Expected { ample: false, ..expected };
        assert_eq!(scarce.troubles(&applied(Outcome::Short, 1)), [] as [String; 0]);
    }
}

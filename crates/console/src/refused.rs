//! Signatures that were refused, per shop, as the ingress of this very process counts them.
//!
//! Where ingress is another process (the fleet) it never sees the database, and nobody here knows:
//! Prometheus has the same counts from there.

use std::collections::BTreeMap;

use domain::ShopId;

use crate::series::series;

/// There from the start in every process that receives webhooks.
const RECEIVES: &str = "onhand_ingress_bytes_in_flight";

const REFUSED: &str = "onhand_shop_signatures_refused_total";

/// Since this process started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Refused(BTreeMap<String, u64>);

impl Refused {
    /// From this process's metrics. `None`: it receives no webhooks.
    pub(crate) fn read(metrics: &str) -> Option<Self> {
        if !series(metrics).any(|one| one.metric == RECEIVES) {
            return None;
        }
        let mut refused = Self::default();
        for one in series(metrics).filter(|one| one.metric == REFUSED) {
            if let (Some(shop), Ok(count)) = (one.label("shop"), one.value.parse::<u64>()) {
                *refused.0.entry(shop.to_owned()).or_default() += count;
            }
        }
        Some(refused)
    }

    pub(crate) fn of(&self, shop: &ShopId) -> u64 {
        self.0.get(shop.as_str()).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_added_up_per_shop_where_webhooks_come_in() {
        let refused = "onhand_shop_signatures_refused_total{shop=\"demo\",reason=\"bad_signature\"} 3\n\
                       onhand_shop_signatures_refused_total{reason=\"stale_signature\",shop=\"demo\"} 1\n";
        assert_eq!(Refused::read(refused), None, "nobody knows");
        let metrics = format!("# TYPE x gauge\nonhand_ingress_bytes_in_flight 0\n{refused}");
        let read = Refused::read(&metrics).expect("it receives");
        assert_eq!((read.of(&"demo".into()), read.of(&"other".into())), (4, 0));
    }
}

//! A sale: many orders that are placed and paid, with everything sent more than once.

use std::collections::BTreeMap;

use testkit::shopify::{ShopifyOrder, SignedWebhook};

use super::Fleet;

/// So many orders later an order is paid, and a repeat comes.
const PAID_AFTER: usize = 40;
const REPEATED_AFTER: usize = 15;

pub(crate) struct Sales {
    pub(crate) webhooks: Vec<SignedWebhook>,
    /// Units that must be committed in the end, by SKU.
    committed: BTreeMap<String, i64>,
    /// Webhooks that are sent a second time.
    repeats: i64,
}

impl Sales {
    /// `count` orders of 1 to 3 units over `skus`. Each is placed, every second one is paid as
    /// well, and every fourth webhook comes again.
    pub(crate) fn of(count: usize, skus: &[&str]) -> Self {
        let mut committed = BTreeMap::new();
        let orders: Vec<ShopifyOrder> = (0..count)
            .map(|at| {
                let (sku, units) =
                    (skus[at % skus.len()], 1 + i64::try_from(at % 3).expect("0 to 2"));
                *committed.entry(sku.to_owned()).or_default() += units;
                ShopifyOrder::new(5_000_000_000_000 + at as u64).line(sku, units)
            })
            .collect();
        let mut webhooks: Vec<SignedWebhook> = Vec::new();
        let mut repeats = 0;
        for at in 0..count + PAID_AFTER {
            if let Some(order) = orders.get(at) {
                webhooks.push(order.webhook("orders/create"));
            }
            let paid = at.checked_sub(PAID_AFTER).filter(|paid| paid % 2 == 0);
            if let Some(order) = paid.and_then(|paid| orders.get(paid)) {
                webhooks.push(order.clone().pay().webhook("orders/paid"));
            }
            if at % 4 == 0 && webhooks.len() > REPEATED_AFTER {
                webhooks.push(webhooks[webhooks.len() - REPEATED_AFTER].clone());
                repeats += 1;
            }
        }
        Self { webhooks, committed, repeats }
    }

    /// Stock enough for all of it.
    pub(crate) async fn supply(&self, fleet: &Fleet) {
        for (sku, units) in &self.committed {
            fleet.stock(sku, units + 1000).await;
        }
    }

    /// Everything was sold once, as if nothing had happened on the way.
    pub(crate) async fn check(&self, fleet: &Fleet) {
        fleet.settled().await;
        for (sku, units) in &self.committed {
            assert_eq!(fleet.stock_of(sku).await, (units + 1000, *units), "{sku}");
        }
        for outcome in ["dead", "short", "ignored"] {
            assert_eq!(fleet.count(outcome).await, 0, "{outcome}");
        }
        let repeats = fleet.count("duplicate").await;
        assert!(repeats >= self.repeats, "{repeats} of {} repeats are counted", self.repeats);
    }
}

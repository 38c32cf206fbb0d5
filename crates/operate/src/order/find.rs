//! What the store has of one order: itself, its webhooks, its payments and its moves.
//!
//! A payment knows its order only once a callback has named it, and may name several. So payments
//! are found by what the order knows of them, and their callbacks also by the ids of their events,
//! which are the ids of the webhooks that told them (but for Stripe's failed refunds, which are told
//! by several).

use std::collections::BTreeSet;

use domain::{Keys, OrderKey, Payment, PaymentKey, ShopId, Timestamp, View, WebhookId};
use store::reports::{HistoryRow, WebhookFilter, WebhookRow};
use store::{Reports, Store, StoreError};

/// At most so many webhooks of an order per shop, and payments, are shown.
const SHOWN: i64 = 1_000;

/// What is read of an order.
#[derive(Debug)]
pub struct Found {
    pub view: View,
    pub webhooks: Vec<WebhookRow>,
    /// In the order in which they began.
    pub payments: Vec<(PaymentKey, Payment)>,
    pub ledger: Vec<HistoryRow>,
}

impl Found {
    /// `payers`: the shops where the order's shop is paid now; it may have been paid elsewhere.
    pub async fn read<S: Store + Reports>(
        store: &S,
        key: &OrderKey,
        payers: Vec<ShopId>,
    ) -> Result<Self, StoreError> {
        let view = store.load(&Keys { orders: [key.clone()].into(), ..Keys::default() }).await?;
        let known = view.orders.get(key).into_iter().flat_map(|order| order.known.payments.keys());
        let payments: BTreeSet<PaymentKey> = known.filter_map(|name| payment_key(name)).collect();
        // Callbacks are kept under the shop that sent them, also those that came to nothing.
        let paid_at = payments.iter().map(|payment| payment.shop.clone());
        let senders: BTreeSet<ShopId> =
            payers.into_iter().chain(paid_at).chain([key.shop.clone()]).collect();
        let payments = if payments.is_empty() {
            Vec::new()
        } else {
            let keys = Keys { payments, ..Keys::default() };
            store.load(&keys).await?.payments.into_iter().collect()
        };
        let mut found = Self { webhooks: Vec::new(), payments, ledger: Vec::new(), view };
        found.payments.sort_by_key(|(_, payment)| began(payment));
        found.payments.truncate(usize::try_from(SHOWN).unwrap_or(usize::MAX));
        for shop in senders {
            let order = Some(key.order.clone());
            let filter = WebhookFilter { shop: Some(shop), order, ..shown() };
            found.webhooks.extend(store.webhooks(&filter).await?);
        }
        found.add_callbacks(store).await?;
        found.webhooks.sort_by_key(|row| row.received_at);
        found.ledger = store.order_history(key).await?;
        Ok(found)
    }

    /// The callbacks of its payments that were decided when nobody knew yet what they pay for, or
    /// that are kept under another order that they were said to pay for, too.
    async fn add_callbacks<S: Reports>(&mut self, store: &S) -> Result<(), StoreError> {
        let there: BTreeSet<(ShopId, WebhookId)> =
            self.webhooks.iter().map(|row| (row.shop.clone(), row.webhook.clone())).collect();
        let told = self.payments.iter().flat_map(|(key, payment)| {
            let events = payment.known.events.keys();
            events.map(|event| (key.shop.clone(), WebhookId::new(event.as_str())))
        });
        let missing: BTreeSet<(ShopId, WebhookId)> =
            told.filter(|one| !there.contains(one)).collect();
        for (shop, webhook) in missing {
            let filter = WebhookFilter { shop: Some(shop), webhook: Some(webhook), ..shown() };
            self.webhooks.extend(store.webhooks(&filter).await?);
        }
        Ok(())
    }
}

fn shown() -> WebhookFilter {
    WebhookFilter { limit: SHOWN, ..WebhookFilter::default() }
}

/// As orders name their payments; shops' names hold no spaces.
fn payment_key(name: &str) -> Option<PaymentKey> {
    let (shop, payment) = name.split_once(' ')?;
    Some(PaymentKey { shop: ShopId::new(shop), payment: payment.into() })
}

fn began(payment: &Payment) -> Option<Timestamp> {
    payment.known.events.values().map(|event| event.at).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payment_is_found_by_the_name_that_orders_have_for_it() {
        let key = PaymentKey { shop: ShopId::new("till"), payment: "standard:p 1".into() };
        assert_eq!(payment_key(&key.to_string()), Some(key));
        assert_eq!(payment_key("nobody"), None);
    }
}

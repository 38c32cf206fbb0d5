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

use crate::output::grouped;

/// At most so many webhooks of an order, payments and moves are shown: the latest.
const SHOWN: u16 = 1_000;

/// What is read of an order.
#[derive(Debug)]
pub struct Found {
    pub view: View,
    /// In the order in which they came.
    pub webhooks: Vec<WebhookRow>,
    /// In the order in which they began.
    pub payments: Vec<(PaymentKey, Payment)>,
    /// In the order of time.
    pub ledger: Vec<HistoryRow>,
    /// Of which there are older ones than those here.
    pub cut: Vec<&'static str>,
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
        let ledger = store.order_history(key, limit()).await?;
        let mut found = Self { webhooks: Vec::new(), payments, ledger, view, cut: Vec::new() };
        for shop in senders {
            let order = Some(key.order.clone());
            let filter = WebhookFilter { shop: Some(shop), order, ..shown() };
            found.webhooks.extend(store.webhooks(&filter).await?);
        }
        found.add_callbacks(store).await?;
        found.webhooks.sort_by_key(|row| row.received_at);
        found.payments.sort_by_key(|(_, payment)| began(payment));
        found.ledger.reverse();
        found.cut();
        Ok(found)
    }

    /// What is not here, in words.
    #[must_use]
    pub fn missing(&self) -> Option<String> {
        let of = self.cut.join(" and ");
        (!of.is_empty()).then(|| {
            format!(
                "There are more {of} than are shown here: of each the latest {}.",
                grouped(SHOWN)
            )
        })
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
        // With those that are there already: as many as it takes to know that there are more.
        for (shop, webhook) in missing.into_iter().take(usize::from(SHOWN) + 1) {
            let filter = WebhookFilter { shop: Some(shop), webhook: Some(webhook), ..shown() };
            self.webhooks.extend(store.webhooks(&filter).await?);
        }
        Ok(())
    }

    /// Of more than are shown, the oldest go.
    fn cut(&mut self) {
        let cut = [
            ("webhooks", keep_latest(&mut self.webhooks)),
            ("payments", keep_latest(&mut self.payments)),
            ("moves", keep_latest(&mut self.ledger)),
        ];
        self.cut = cut.into_iter().filter_map(|(what, is_cut)| is_cut.then_some(what)).collect();
    }
}

/// Whether there were more. The latest are last.
fn keep_latest<T>(rows: &mut Vec<T>) -> bool {
    let older = rows.len().saturating_sub(usize::from(SHOWN));
    rows.drain(..older);
    older > 0
}

/// Rows that are read of each: one more tells that there are more.
fn limit() -> i64 {
    i64::from(SHOWN) + 1
}

fn shown() -> WebhookFilter {
    WebhookFilter { limit: limit(), ..WebhookFilter::default() }
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
    fn of_more_than_are_shown_the_latest_are_kept() {
        let all: Vec<u16> = (0..=SHOWN).collect();
        let mut rows = all[1..].to_vec();
        assert!(!keep_latest(&mut rows) && rows == all[1..]);
        let mut rows = all.clone();
        assert!(keep_latest(&mut rows) && rows == all[1..]);
    }

    #[test]
    fn what_is_missing_is_said() {
        let mut found = Found {
            view: View::default(),
            webhooks: Vec::new(),
            payments: Vec::new(),
            ledger: Vec::new(),
            cut: Vec::new(),
        };
        assert_eq!(found.missing(), None);
        found.cut = vec!["webhooks", "moves"];
        let said = found.missing().expect("something is");
        assert!(said.contains("more webhooks and moves") && said.contains("1,000"), "{said}");
    }

    #[test]
    fn a_payment_is_found_by_the_name_that_orders_have_for_it() {
        let key = PaymentKey { shop: ShopId::new("till"), payment: "standard:p 1".into() };
        assert_eq!(payment_key(&key.to_string()), Some(key));
        assert_eq!(payment_key("nobody"), None);
    }
}

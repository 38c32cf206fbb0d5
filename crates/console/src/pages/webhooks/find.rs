//! One webhook, by the quickest way that what is known of it allows.

use domain::{EnvelopeId, OrderId, ShopId, WebhookId};
use serde::Deserialize;
use store::reports::{WebhookFilter, WebhookRow};
use store::{AnyStore, Reports, StoreError};

use crate::pages::{ROWS, asked};

#[derive(Deserialize)]
pub(crate) struct One {
    #[serde(default)]
    pub(crate) shop: String,
    pub(crate) id: String,
    /// Looks first among this order's.
    #[serde(default)]
    order: String,
    /// Then at what this envelope brought.
    #[serde(default)]
    pub(crate) envelope: String,
}

impl One {
    /// What came under its id: one row for each body, and whether these are all. They may not be where
    /// the order or the envelope found some: to look for the id alone takes its time among millions.
    pub(crate) async fn rows(
        &self,
        store: &AnyStore,
    ) -> Result<(Vec<WebhookRow>, bool), StoreError> {
        let id = asked(&self.id).unwrap_or_default();
        let of_all = WebhookFilter {
            webhook: Some(WebhookId::new(id)),
            limit: ROWS,
            ..WebhookFilter::default()
        };
        let of_shop = WebhookFilter { shop: asked(&self.shop).map(ShopId::new), ..of_all.clone() };
        let order = asked(&self.order).map(OrderId::new);
        let of_order = order.map(|order| WebhookFilter { order: Some(order), ..of_shop.clone() });
        let envelope = asked(&self.envelope).and_then(|id| id.parse().ok()).map(EnvelopeId);
        // Of whichever shop: a payment's callback is kept under the shop that sent it, and its moves
        // name the order's.
        let of_envelope = envelope.map(|id| WebhookFilter { envelope: Some(id), ..of_all.clone() });
        for filter in of_order.into_iter().chain(of_envelope) {
            let rows = store.webhooks(&filter).await?;
            if !rows.is_empty() {
                return Ok((rows, false));
            }
        }
        // It may lie under another envelope, which brought it before.
        let rows = store.webhooks(&of_shop).await?;
        if !rows.is_empty() || of_shop.shop.is_none() {
            return Ok((rows, true));
        }
        Ok((store.webhooks(&of_all).await?, true))
    }
}

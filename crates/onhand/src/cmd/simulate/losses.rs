//! The sender's own list against the store's inbox: what was answered 200 must be there.

use std::collections::HashMap;

use domain::WebhookId;
use simulate::sale::Plan;
use simulate::sender::Sent;
use store::reports::WebhookFilter;
use store::{AnyStore, Reports, StoreError};

/// Rows read in one go beyond what was sent: others may be sending, too.
const ROWS_EXTRA: usize = 1000;

/// One webhook that was answered 200 more often than the store knows of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Loss {
    pub(crate) webhook: String,
    pub(crate) answered: i64,
    pub(crate) in_store: i64,
}

/// Every webhook must be there, with at least as many deliveries as it was answered 200.
pub(crate) async fn find(
    store: &AnyStore,
    plan: &Plan,
    sent: &Sent,
) -> Result<Vec<Loss>, StoreError> {
    let answered = sent.acceptances();
    let limit = i64::try_from(answered.len() + ROWS_EXTRA).unwrap_or(i64::MAX);
    let newest = deliveries(store, &WebhookFilter { limit, ..WebhookFilter::default() }).await?;
    let mut losses = Vec::new();
    for (index, answered) in answered {
        let webhook = WebhookId::new(&plan.webhooks[index].webhook_id);
        let answered = i64::try_from(answered).unwrap_or(i64::MAX);
        let mut in_store = newest.get(&webhook).copied().unwrap_or(0);
        if in_store < answered {
            // Older than the newest rows, if it had come before.
            let of_it =
                WebhookFilter { webhook: Some(webhook.clone()), limit, ..Default::default() };
            in_store = deliveries(store, &of_it).await?.get(&webhook).copied().unwrap_or(0);
        }
        if in_store < answered {
            losses.push(Loss { webhook: webhook.to_string(), answered, in_store });
        }
    }
    Ok(losses)
}

async fn deliveries(
    store: &AnyStore,
    filter: &WebhookFilter,
) -> Result<HashMap<WebhookId, i64>, StoreError> {
    let mut all = HashMap::new();
    for row in store.webhooks(filter).await? {
        *all.entry(row.webhook).or_default() += row.deliveries;
    }
    Ok(all)
}

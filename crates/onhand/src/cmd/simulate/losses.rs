//! The sender's own list against the store's inbox: what was answered 200 must be there.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use domain::WebhookId;
use simulate::sale::Plan;
use simulate::sender::Sent;
use store::reports::WebhookFilter;
use store::{AnyStore, Reports, StoreError};

/// Rows read in one go beyond what was sent: others may be sending, too.
const ROWS_EXTRA: usize = 1000;

/// Between two looks for what is missing.
const LOOK: Duration = Duration::from_secs(2);

/// One webhook that was answered 200 more often than the store knows of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Loss {
    pub(crate) webhook: String,
    pub(crate) answered: i64,
    pub(crate) in_store: i64,
}

/// Every webhook must be there, with at least as many deliveries as it was answered 200. Where as many
/// are decided as were answered, some of them may be ones whose answer was lost, with others still
/// queued behind them: what is missing is looked for until two looks find the same.
pub(crate) async fn find(
    store: &AnyStore,
    plan: &Plan,
    sent: &Sent,
) -> Result<Vec<Loss>, StoreError> {
    let mut losses = missing(store, plan, sent).await?;
    while !losses.is_empty() {
        tokio::time::sleep(LOOK).await;
        let later = missing(store, plan, sent).await?;
        if later == losses {
            break;
        }
        losses = later;
    }
    Ok(losses)
}

async fn missing(store: &AnyStore, plan: &Plan, sent: &Sent) -> Result<Vec<Loss>, StoreError> {
    let answered = sent.acceptances();
    let limit = i64::try_from(answered.len() + ROWS_EXTRA).unwrap_or(i64::MAX);
    let newest = deliveries(store, &WebhookFilter { limit, ..WebhookFilter::default() }).await?;
    let mut losses = Vec::new();
    for (webhook, answered) in by_id(plan, answered) {
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

/// How often each id was answered 200: one id may name several bodies, and some webhooks have none.
fn by_id(plan: &Plan, answered: BTreeMap<usize, usize>) -> BTreeMap<WebhookId, i64> {
    let mut by_id = BTreeMap::new();
    for (index, times) in answered {
        if let Some(id) = &plan.webhooks[index].id {
            let times = i64::try_from(times).unwrap_or(i64::MAX);
            *by_id.entry(WebhookId::new(id)).or_default() += times;
        }
    }
    by_id
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

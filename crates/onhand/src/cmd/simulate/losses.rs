//! The sender's own list against the store's inbox: what was answered 200 must be there.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use domain::WebhookId;
use simulate::sale::Plan;
use simulate::sender::Sent;
use store::reports::WebhookFilter;
use store::{AnyStore, Reports, StoreError};
use tokio::time::Instant;

/// Rows read in one go beyond what was sent: others may be sending, too.
const ROWS_EXTRA: usize = 1000;

/// Between two looks for what is missing.
const LOOK: Duration = Duration::from_secs(2);

/// Deliveries by webhook.
pub(crate) type Deliveries = HashMap<WebhookId, i64>;

/// One webhook that was answered 200 more often than it came into the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Loss {
    pub(crate) webhook: String,
    pub(crate) answered: i64,
    pub(crate) in_store: i64,
}

/// What the sender has seen answered, and what the store had of it before.
pub(crate) struct SendersList<'a> {
    store: &'a AnyStore,
    /// One id may name several bodies, and some webhooks have none.
    answered: BTreeMap<WebhookId, i64>,
    before: &'a Deliveries,
}

/// How often the plan's webhooks were delivered before anything is sent: a seed that was played
/// before has sent them all, and what came then must not stand for what is lost now.
pub(crate) async fn before(store: &AnyStore, plan: &Plan) -> Result<Deliveries, StoreError> {
    let ids = plan.webhooks.iter().filter_map(|webhook| webhook.id.as_deref());
    let ids: Vec<_> = ids.map(WebhookId::new).collect();
    Ok(store.deliveries(&ids).await?.into_iter().collect())
}

impl<'a> SendersList<'a> {
    pub(crate) fn new(
        store: &'a AnyStore,
        plan: &Plan,
        sent: &Sent,
        before: &'a Deliveries,
    ) -> Self {
        let mut answered = BTreeMap::new();
        for (index, times) in sent.acceptances() {
            if let Some(id) = &plan.webhooks[index].id {
                let times = i64::try_from(times).unwrap_or(i64::MAX);
                *answered.entry(WebhookId::new(id)).or_default() += times;
            }
        }
        Self { store, answered, before }
    }

    /// What is lost of what is `missing`, where as many deliveries are decided as were answered. Some
    /// of those may be ones whose answer was lost, or another sender's, with ours still queued behind
    /// them: so until two looks find the same and nothing was decided between them, or until none of
    /// ours came for as long as `patience`.
    pub(crate) async fn losses(
        &self,
        missing: Vec<Loss>,
        patience: Duration,
    ) -> Result<Vec<Loss>, StoreError> {
        let (mut losses, mut moved) = (missing, Instant::now());
        let mut decided = self.store.totals().await?.webhooks;
        while !losses.is_empty() {
            tokio::time::sleep(LOOK).await;
            let now = self.store.totals().await?.webhooks;
            let later = self.missing().await?;
            if later != losses {
                moved = Instant::now();
            } else if now == decided || moved.elapsed() > patience {
                break;
            }
            (losses, decided) = (later, now);
        }
        Ok(losses)
    }

    /// What was answered 200 and is not in the store now, as often as that.
    pub(crate) async fn missing(&self) -> Result<Vec<Loss>, StoreError> {
        let limit = i64::try_from(self.answered.len() + ROWS_EXTRA).unwrap_or(i64::MAX);
        let filter = WebhookFilter { limit, ..WebhookFilter::default() };
        let mut newest = Deliveries::new();
        for row in self.store.webhooks(&filter).await? {
            *newest.entry(row.webhook).or_default() += row.deliveries;
        }
        let missing = self.against(self.answered.keys(), &newest);
        if missing.is_empty() {
            return Ok(missing);
        }
        // Older than the newest rows, if they had come before.
        let ids: Vec<_> = missing.iter().map(|loss| WebhookId::new(&loss.webhook)).collect();
        let all = self.store.deliveries(&ids).await?.into_iter().collect();
        Ok(self.against(&ids, &all))
    }

    fn against<'b>(
        &self,
        webhooks: impl IntoIterator<Item = &'b WebhookId>,
        now: &Deliveries,
    ) -> Vec<Loss> {
        let at = |deliveries: &Deliveries, id: &WebhookId| deliveries.get(id).copied().unwrap_or(0);
        let of = |id: &WebhookId| Loss {
            webhook: id.to_string(),
            answered: self.answered[id],
            in_store: at(now, id) - at(self.before, id),
        };
        webhooks.into_iter().map(of).filter(|loss| loss.in_store < loss.answered).collect()
    }
}

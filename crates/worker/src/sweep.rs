//! Short orders tried again when units came in, for shops that want it
//! (`when_restocked = "commit_short"`).
//!
//! Each pass goes through all of a shop's short orders, oldest first, and commits those that fit by
//! now; one that does not fit is passed over. Workers may sweep side by side: whoever is slower has
//! a conflict, and the next pass finds what is left.

use std::sync::Arc;
use std::time::Duration;

use domain::{Batch, EnvelopeId, Keys, OrderKey, Outcome};
use platforms::{Shop, Shops, WhenRestocked};
use store::{Commit, ShortOrder, Store, StoreError};
use tokio::sync::watch;

use crate::clock;

/// Orders decided in one transaction.
const PAGE: i64 = 200;

/// What the ledger gives as the reason.
const REASON: &str = "restocked";

/// Sweeps for ever. Dropping it loses nothing.
pub(crate) async fn run<S: Store>(store: S, shops: watch::Receiver<Arc<Shops>>, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let now = shops.borrow().clone();
        for shop in now.iter().filter(|shop| shop.when_restocked == WhenRestocked::CommitShort) {
            match pass(&store, shop).await {
                Ok(0) => {}
                Ok(orders) => {
                    metrics::counter!("onhand_short_committed_total").increment(orders);
                    tracing::info!(shop.id = %shop.name, orders, "short orders committed");
                }
                // The lanes say so when the store is away; this waits for the next pass.
                Err(error) => {
                    let error = crate::error_chain(&error);
                    tracing::debug!(shop.id = %shop.name, error, "no sweep this time");
                }
            }
        }
    }
}

/// Tries every short order of `shop` once; returns how many are short no more.
async fn pass<S: Store>(store: &S, shop: &Shop) -> Result<u64, StoreError> {
    let mut committed = 0;
    let mut after: Option<ShortOrder> = None;
    loop {
        let page = store.short_orders(&shop.name, after.as_ref(), PAGE).await?;
        let Some(last) = page.last().cloned() else { return Ok(committed) };
        committed += try_again(store, shop, &page).await?;
        after = Some(last);
    }
}

/// Decides a page over one view, in its order, and commits what fits.
async fn try_again<S: Store>(
    store: &S,
    shop: &Shop,
    page: &[ShortOrder],
) -> Result<u64, StoreError> {
    let key = |short: &ShortOrder| OrderKey { shop: shop.name.clone(), order: short.order.clone() };
    let keys = Keys { orders: page.iter().map(key).collect(), ..Keys::default() };
    let mut batch = Batch::new(store.load(&keys).await?);
    let correlation = EnvelopeId(uuid::Uuid::now_v7());
    let mut fitted = 0;
    for short in page {
        let now = clock::now();
        let verdict = batch.retry_order(&key(short), &shop.policy, correlation, REASON, now);
        fitted += u64::from(verdict.is_some_and(|verdict| verdict.outcome == Outcome::Applied));
    }
    let changes = batch.into_changes();
    if changes.ledger.is_empty() {
        return Ok(0);
    }
    match store.commit(&changes).await? {
        Commit::Applied => Ok(fitted),
        Commit::Conflict(_) => Ok(0),
    }
}

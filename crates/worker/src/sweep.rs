//! What is looked after from time to time: what waits for people is counted, and short orders are
//! tried again when units came in, for shops that want it (`when_restocked = "commit_short"`).
//!
//! Each pass goes through a shop's short orders, oldest first, and commits those that fit by now;
//! one that does not fit is passed over. Workers may sweep side by side: a page that was changed
//! meanwhile is decided again, and a pass ends where it cannot go on in turn.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::{Batch, ChangeSet, EnvelopeId, Keys, OrderKey, Outcome, View};
use platforms::{Shop, Shops, WhenRestocked};
use store::{Commit, ShortOrder, Store, StoreError};
use tokio::sync::watch;

use crate::backoff::ConflictBackoff;
use crate::clock;
use crate::pauses::Heard;
use crate::prepare::panic_message;
use crate::unlinked::Unlinked;
use crate::{measure, waiting};

/// Orders decided in one transaction.
const PAGE: i64 = 100;

/// Tries of one page; after the first few it locks before it reads.
const TRIES_MAX: u32 = 12;
const OPTIMISTIC_TRIES: u32 = 3;

/// How often is counted what waits for people.
const COUNT_EVERY: Duration = Duration::from_secs(60);

/// A sweep rests for so many times as long as it took, and no longer than it may be until the next
/// count: many orders may be short for good.
const REST: u32 = 10;

/// What the ledger gives as the reason.
const REASON: &str = "restocked";

/// Why a page was not decided.
enum Failed {
    /// Away, or too busy: the next pass tries again.
    Later(StoreError),
    Busy,
    /// Something in it does not pass.
    Refused(String),
}

/// Sweeps for ever. Dropping it loses nothing.
pub(crate) async fn run<S: Store>(
    store: S,
    shops: watch::Receiver<Arc<Shops>>,
    pauses: Heard,
    every: Duration,
) {
    let mut unlinked = Unlinked::default();
    let mut counted: Option<Instant> = None;
    let mut rest = every;
    loop {
        tokio::time::sleep(rest).await;
        if counted.is_none_or(|at| at.elapsed() >= COUNT_EVERY) {
            unlinked.look(&store).await;
            waiting::look(&store).await;
            counted = Some(Instant::now());
        }
        let began = Instant::now();
        let now = shops.borrow().clone();
        let wanted = |shop: &&Shop| {
            shop.when_restocked == WhenRestocked::CommitShort
                && pauses.now().is_some_and(|paused| !paused.is_paused(&shop.name))
        };
        for shop in now.iter().filter(wanted) {
            match pass(&store, shop).await {
                Ok(()) => {}
                Err(Failed::Later(error)) => {
                    let error = crate::error_chain(&error);
                    tracing::debug!(shop.id = %shop.name, error, "the sweep waits for the store");
                }
                Err(Failed::Busy) => {
                    tracing::debug!(shop.id = %shop.name, "the sweep waits: the rows are busy");
                }
                Err(Failed::Refused(error)) => {
                    tracing::error!(shop.id = %shop.name, error, "cannot list short orders");
                }
            }
        }
        rest = every.max((began.elapsed() * REST).min(COUNT_EVERY));
    }
}

/// Tries every short order of `shop` once.
async fn pass<S: Store>(store: &S, shop: &Shop) -> Result<(), Failed> {
    let mut after: Option<ShortOrder> = None;
    loop {
        let page = store.short_orders(&shop.name, after.as_ref(), PAGE).await?;
        let Some(last) = page.last().cloned() else { return Ok(()) };
        after = Some(last);
        // In halves when something in it does not pass; the stack keeps the order.
        let mut rest = vec![page];
        while let Some(mut orders) = rest.pop() {
            match try_again(store, shop, &orders).await {
                Err(Failed::Refused(error)) => match &orders[..] {
                    [one] => {
                        let order = one.order.as_str();
                        tracing::error!(shop.id = %shop.name, order.id = order, error, "passed over");
                    }
                    _ => {
                        let second = orders.split_off(orders.len() / 2);
                        rest.extend([second, orders]);
                    }
                },
                done => done?,
            }
        }
    }
}

/// Decides orders over one view, in their order, and commits what fits.
async fn try_again<S: Store>(store: &S, shop: &Shop, orders: &[ShortOrder]) -> Result<(), Failed> {
    let key = |short: &ShortOrder| OrderKey { shop: shop.name.clone(), order: short.order.clone() };
    let orders: Vec<OrderKey> = orders.iter().map(key).collect();
    let keys = Keys { orders: orders.iter().cloned().collect(), ..Keys::default() };
    let mut backoff = ConflictBackoff::default();
    for tries in 0..TRIES_MAX {
        let (claim, view) = match tries < OPTIMISTIC_TRIES {
            true => (None, store.load(&keys).await?),
            false => match store.claim(&keys).await {
                Ok((claim, view)) => (Some(claim), view),
                Err(StoreError::TryAgain(_)) => {
                    tokio::time::sleep(backoff.next_wait()).await;
                    continue;
                }
                Err(error) => return Err(error.into()),
            },
        };
        let (changes, fitted) = decide(view, &orders, shop)?;
        if changes.orders.is_empty() {
            return Ok(());
        }
        let answer = match claim {
            None => store.commit(&changes).await,
            Some(claim) => store.commit_claim(claim, &changes).await,
        };
        match answer {
            Ok(Commit::Applied) => {
                measure::short_committed(fitted);
                tracing::info!(shop.id = %shop.name, orders = fitted, "short orders committed");
                return Ok(());
            }
            Ok(Commit::Conflict(_)) | Err(StoreError::TryAgain(_)) => {}
            Err(error) => return Err(error.into()),
        }
        tokio::time::sleep(backoff.next_wait()).await;
    }
    Err(Failed::Busy)
}

/// The changes, and how many orders are short no more.
fn decide(view: View, orders: &[OrderKey], shop: &Shop) -> Result<(ChangeSet, u64), Failed> {
    let correlation = EnvelopeId(uuid::Uuid::now_v7());
    let decided = catch_unwind(AssertUnwindSafe(|| {
        let mut batch = Batch::new(view);
        let mut fitted = 0;
        for key in orders {
            let verdict = batch.retry_order(key, &shop.policy, correlation, REASON, clock::now());
            fitted += u64::from(verdict.is_some_and(|verdict| verdict.outcome == Outcome::Applied));
        }
        (batch.into_changes(), fitted)
    }));
    decided.map_err(|panic| Failed::Refused(panic_message(&*panic)))
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Rejected(_) => Self::Refused(crate::error_chain(&error)),
            StoreError::TryAgain(_) | StoreError::Unavailable(_) | StoreError::Schema(_) => {
                Self::Later(error)
            }
        }
    }
}

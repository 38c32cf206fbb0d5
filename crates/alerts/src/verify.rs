//! Verifies on a schedule, in one process at a time: whoever runs it waits for the end of one
//! before the next. Two processes that are told to do it both do. After each it looks at what takes
//! reading all stock, too: what platforms count otherwise, and what is below zero.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use metrics::Unit;
use operate::below_zero::below_zero;
use operate::verify::{Checks, Failing, Verified, verify};
use platforms::Shops;
use store::{AnyStore, StoreError};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::drift::{self, Gauges};

/// The first comes soon after the start, so that what is seen is soon known, but not at once: a
/// process that keeps restarting must not keep verifying.
const FIRST_MAX: Duration = Duration::from_secs(5 * 60);

/// After one that failed: the database was away, or busy.
const AGAIN_MAX: Duration = Duration::from_secs(15 * 60);

const EVERY: &str = "onhand_verify_every_seconds";
const VIOLATIONS: &str = "onhand_verify_violations";
const TOOK: &str = "onhand_verify_seconds";
const LAST_SUCCESS: &str = "onhand_verify_last_success_timestamp_seconds";
const BELOW_ZERO: &str = "onhand_stock_below_zero_items";

/// However many shops there are, and things in them, or items: looking at them ends then.
const LOOK_MAX: Duration = Duration::from_secs(30 * 60);

/// Verifies about every `every`, for ever, and says what it found. Dropping it is fine at any moment:
/// it only reads.
pub async fn on_schedule(
    every: Duration,
    store: AnyStore,
    shops: watch::Receiver<Arc<Shops>>,
    checks: watch::Sender<Checks>,
) -> Infallible {
    describe();
    drift::describe();
    metrics::gauge!(EVERY).set(every.as_secs_f64());
    let mut gauges = Gauges::default();
    let mut wait = every.min(FIRST_MAX);
    loop {
        sleep(jittered(wait)).await;
        let began = Instant::now();
        let rules = shops.borrow().clone();
        wait = match verify(&store, Some(&rules), |_, _| ()).await {
            Ok(found) => {
                let took = began.elapsed();
                // What is not known anew is as it was.
                let before = checks.borrow().last.clone();
                let (over, below_zero) =
                    before.map(|it| (it.over, it.below_zero)).unwrap_or_default();
                let (at, violations) = (operate::now(), found.violations);
                let mut verified = Verified { at, violations, over, below_zero };
                tell(&verified, took);
                checks.send_replace(verified.clone().into());
                look_at_stock(&mut verified, &mut gauges, &store, &rules, every).await;
                checks.send_replace(verified.into());
                every
            }
            Err(error) => {
                let error = worker::error_chain(&error);
                tracing::warn!(error, "could not verify; tried again later");
                checks.send_modify(|checks| {
                    let since = checks.failing.take().map_or_else(operate::now, |one| one.since);
                    checks.failing = Some(Failing { since, error });
                });
                every.min(AGAIN_MAX)
            }
        };
    }
}

fn describe() {
    metrics::describe_gauge!(EVERY, Unit::Seconds, "How often this process verifies");
    metrics::describe_gauge!(VIOLATIONS, "What the latest verification found");
    metrics::describe_gauge!(TOOK, Unit::Seconds, "How long it took");
    metrics::describe_gauge!(LAST_SUCCESS, Unit::Seconds, "When it ran to its end, since 1970");
    metrics::describe_gauge!(BELOW_ZERO, "Items of which more is committed than is there");
}

/// Where something cannot be looked at, its metric and what was known stay as they were.
async fn look_at_stock(
    verified: &mut Verified,
    gauges: &mut Gauges,
    store: &AnyStore,
    shops: &Shops,
    every: Duration,
) {
    let below = bounded(below_zero(store)).await;
    let below = below
        .inspect_err(|error| tracing::warn!(error, "could not count what is sold below zero"))
        .ok();
    if let Some(below) = below {
        metrics::gauge!(BELOW_ZERO).set(f64::from(u32::try_from(below.items).unwrap_or(u32::MAX)));
        verified.below_zero = Some(below);
    }
    let compare = gauges.look(store, shops, drift::SETTLE.min(every));
    let over = bounded(compare).await;
    let over = over
        .inspect_err(|error| {
            tracing::warn!(error, "could not compare the platforms' quantities with ours");
        })
        .ok();
    verified.over = over.or(verified.over.take());
}

/// `Err`: why it is not known.
async fn bounded<T>(look: impl Future<Output = Result<T, StoreError>>) -> Result<T, String> {
    match timeout(LOOK_MAX, look).await {
        Ok(found) => found.map_err(|error| worker::error_chain(&error)),
        Err(_) => Err("it took too long".to_owned()),
    }
}

/// A little more or less, so that what was started together does not stay together.
fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(rand::random_range(0.8..=1.2))
}

fn tell(verified: &Verified, took: Duration) {
    let count = u32::try_from(verified.violations.len()).unwrap_or(u32::MAX);
    metrics::gauge!(VIOLATIONS).set(f64::from(count));
    metrics::gauge!(TOOK).set(took.as_secs_f64());
    // Microseconds since 1970 are exact in a float for centuries.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let at = verified.at.0 as f64 / 1e6;
    metrics::gauge!(LAST_SUCCESS).set(at);
    let duration_ms = took.as_millis();
    match &verified.violations[..] {
        [] => tracing::info!(duration_ms, "verified: every promise holds"),
        violations => {
            for one in violations {
                tracing::error!(promise = one.promise, detail = one.detail, "a promise is broken");
            }
            tracing::error!(duration_ms, violations = count, "verified: promises are broken");
        }
    }
}

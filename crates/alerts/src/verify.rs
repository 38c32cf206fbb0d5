//! Verifies on a schedule, in one process at a time: whoever runs it waits for the end of one
//! before the next. Two processes that are told to do it both do.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use metrics::Unit;
use operate::verify::{Verified, verify};
use platforms::Shops;
use store::AnyStore;
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

/// However many shops there are, and things in them: comparing them ends then.
const COMPARE_MAX: Duration = Duration::from_secs(30 * 60);

/// Verifies about every `every`, for ever, and says what it found. Dropping it is fine at any moment:
/// it only reads.
pub async fn on_schedule(
    every: Duration,
    store: AnyStore,
    shops: watch::Receiver<Arc<Shops>>,
    latest: watch::Sender<Option<Verified>>,
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
                let verified = Verified { at: operate::now(), violations: found.violations };
                tell(&verified, took);
                latest.send_replace(Some(verified));
                compare(&mut gauges, &store, &rules, every).await;
                every
            }
            Err(error) => {
                let error = worker::error_chain(&error);
                tracing::warn!(error, "could not verify; tried again later");
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
}

/// The platforms' quantities with ours. Where it fails the metric stays as it was.
async fn compare(gauges: &mut Gauges, store: &AnyStore, shops: &Shops, every: Duration) {
    let look = gauges.look(store, shops, drift::SETTLE.min(every));
    let error = match timeout(COMPARE_MAX, look).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => worker::error_chain(&error),
        Err(_) => "it took too long".to_owned(),
    };
    tracing::warn!(error, "could not compare the platforms' quantities with ours");
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

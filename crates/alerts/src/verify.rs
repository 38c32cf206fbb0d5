//! Verifies on a schedule, in one process at a time: whoever runs it waits for the end of one
//! before the next. Two processes that are told to do it both do.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use operate::verify::{Verified, verify};
use platforms::Shops;
use store::AnyStore;
use tokio::sync::watch;
use tokio::time::sleep;

/// The first comes soon after the start, so that what is seen is soon known, but not at once: a
/// process that keeps restarting must not keep verifying.
const FIRST_MAX: Duration = Duration::from_secs(5 * 60);

/// After one that failed: the database was away, or busy.
const AGAIN_MAX: Duration = Duration::from_secs(15 * 60);

/// Verifies about every `every`, for ever, and says what it found. Dropping it is fine at any moment:
/// it only reads.
pub async fn on_schedule(
    every: Duration,
    store: AnyStore,
    shops: watch::Receiver<Arc<Shops>>,
    latest: watch::Sender<Option<Verified>>,
) -> Infallible {
    metrics::gauge!("onhand_verify_every_seconds").set(every.as_secs_f64());
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

/// A little more or less, so that what was started together does not stay together.
fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(rand::random_range(0.8..=1.2))
}

fn tell(verified: &Verified, took: Duration) {
    let count = u32::try_from(verified.violations.len()).unwrap_or(u32::MAX);
    metrics::gauge!("onhand_verify_violations").set(f64::from(count));
    metrics::gauge!("onhand_verify_seconds").set(took.as_secs_f64());
    // Microseconds since 1970 are exact in a float for centuries.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let at = verified.at.0 as f64 / 1e6;
    metrics::gauge!("onhand_verify_last_success_timestamp_seconds").set(at);
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

//! Batches of envelopes in, committed decisions out.
//!
//! A worker is a few lanes. Each takes what its consumer has ([`lane`]), has it decided and
//! committed as one batch ([`batch`]), and settles it. In the store,
//! versions and one lock order keep lanes apart, so more lanes and more processes just work; those of
//! one process take turns beside that ([`turn`]), to have nothing in vain.
//!
//! The error classes and their roads:
//!
//! * *conflict*: another lane was faster. Backoff with full jitter, load again, decide again.
//! * *transient*: the store is away. Hold the batch, probe, go on; no attempts are counted. If the
//!   store answers and one envelope still fails: the retry ladder.
//! * *not yet*: a parcel of a later version. The retry ladder.
//! * *never*: malformed, unknown, refused by the database, a panic. Dead letter, at once.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use platforms::Shops;
use queue::Consumer;
use store::{Activity, Pauses, Redactions, Store};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

mod activity;
mod again;
mod backoff;
mod batch;
pub mod clock;
mod expired;
mod hands;
mod heat;
mod lane;
mod measure;
mod pauses;
mod prepare;
mod redact;
mod strategy;
mod sweep;
mod traced;
mod turn;
mod unlinked;
mod waiting;

pub use self::backoff::ConflictBackoff;
pub use again::Again;
pub use batch::{Done, Processor, RetryReason};
#[cfg(feature = "redis")]
pub use lease;
pub use prepare::Work;
pub use redact::{carry_out_redactions, is_redaction_late};
pub use strategy::{NoRedis, Strategy};
pub use turn::{Thresholds, Turn};
pub use unlinked::unlinked_payments;

/// Limits of a worker.
#[derive(Clone, Debug)]
pub struct Config {
    /// Envelopes that a lane decides at once, at the most (a parcel is not split).
    pub batch_max: usize,
    /// After a stop, how long lanes may take to finish what they hold.
    pub drain_deadline: Duration,
    pub strategy: Strategy,
    /// How often short orders are tried again, for shops that want it, and requests for removal looked
    /// for.
    pub sweep_every: Duration,
}

/// How long a stop waits for the last counts of what came of which shop.
const LAST_NOTE: Duration = Duration::from_secs(2);

/// A lane or a sweep ended by itself: a panic outside the deciding of an envelope. What it held is
/// delivered again; the process should be started anew.
#[derive(Debug, thiserror::Error)]
#[error("a part of the worker died (the panic is in the log), so all of it stopped")]
pub struct Died;

/// Runs one lane per consumer until `stop`, then finishes and settles what they hold. What is not
/// finished by the deadline is given back to the queue by dropping it. When a lane dies the others
/// stop, too: better a restart than a worker that looks alive with fewer and fewer lanes.
pub async fn run<C: Consumer, S: Store + Redactions + Pauses + Activity>(
    consumers: Vec<C>,
    store: S,
    shops: watch::Receiver<Arc<Shops>>,
    config: Config,
    stop: CancellationToken,
) -> Result<(), Died> {
    let lanes = TaskTracker::new();
    let stop = stop.child_token();
    let abandon = CancellationToken::new();
    let ended = CancellationToken::new();
    let turn = Turn::default();
    let hands = hands::Hands::default();
    measure::describe();
    let (pauses, ask) = pauses::listen(store.clone());
    let tally = activity::Tally::default();
    for consumer in consumers {
        let lane = lane::Lane {
            consumer,
            processor: Processor::new(store.clone(), config.strategy.clone())
                .in_turn(turn.clone())
                .counting(tally.clone()),
            shops: shops.clone(),
            pauses: pauses.clone(),
            batch_max: config.batch_max,
            hands: hands.clone(),
            stop: stop.clone(),
        };
        let (abandon, end) = (abandon.clone(), ended.clone().drop_guard());
        lanes.spawn(async move {
            abandon.run_until_cancelled_owned(lane.run()).await;
            drop(end);
        });
    }
    let every = config.sweep_every;
    beside(&lanes, (&stop, &ended), ask);
    beside(&lanes, (&stop, &ended), redact::run(store.clone(), shops.clone(), every));
    beside(&lanes, (&stop, &ended), expired::run(store.clone()));
    beside(&lanes, (&stop, &ended), activity::run(store.clone(), tally.clone()));
    beside(&lanes, (&stop, &ended), sweep::run(store.clone(), shops, pauses, every));
    beside(&lanes, (&stop, &ended), async move { hands.show().await });
    lanes.close();
    let outcome = tokio::select! {
        biased;
        () = stop.cancelled() => Ok(()),
        () = ended.cancelled() => {
            stop.cancel();
            Err(Died)
        }
    };
    if within(config.drain_deadline, lanes.wait()).await.is_none() {
        tracing::warn!("the drain deadline passed; what is unfinished goes back to the queue");
        abandon.cancel();
        lanes.wait().await;
    }
    if let Some(Err(error)) = within(LAST_NOTE, tally.note(&store)).await {
        tracing::debug!(error = error_chain(&error), "the last counts of shops are lost");
    }
    outcome
}

/// Does `work` beside the lanes until the stop; `ended` tells when it is over before.
fn beside(
    lanes: &TaskTracker,
    (stop, ended): (&CancellationToken, &CancellationToken),
    work: impl Future<Output: Send> + Send + 'static,
) {
    let (stop, end) = (stop.clone(), ended.clone().drop_guard());
    lanes.spawn(async move {
        stop.run_until_cancelled_owned(work).await;
        drop(end);
    });
}

async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(limit, work).await.ok()
}

/// An error with all of its causes, for one log line.
pub fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// A count as a metric wants it; exact up to 2^32.
fn as_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

//! One batch: load, decide, commit; again on conflict; in halves when one of it is poison.
//!
//! The answer says what is to be done with each envelope; nothing is settled here. When the process
//! dies before the commit, nothing happened; when it dies after, the envelopes come again and are
//! found in the inbox.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::Batch;
use domain::{DeadReason, Decided, Keys, Meaning, Outcome, ShopId, Timestamp, View, retry};
use platforms::Shops;
use store::{Commit, Store, StoreError};

use crate::activity::Tally;
use crate::backoff::ConflictBackoff;
use crate::prepare::{Prepared, Work, keys, linked, panic_message};
use crate::strategy::Strategy;
use crate::turn::Turn;
use crate::{clock, measure, traced};

mod adaptive;
mod ahead;
mod attempt;

/// Tries after which a batch is given up as stuck, and its envelopes are tried one by one.
pub(crate) const TRIES_MAX: u32 = 30;

/// A try that is to be made again, and took so long, waited for rows that somebody keeps locked: the
/// store does for five seconds, and the try holds other rows meanwhile.
const LOCK_WAIT_MIN: Duration = Duration::from_secs(4);

/// Such tries after which a batch is tried in halves; and, of all its parts together, after which what is
/// still stuck waits on the ladder.
const LOCK_WAITS_MAX: u32 = 2;
const LOCK_WAITS_IN_ALL_MAX: u32 = 8;

/// How often a store that is away is asked again.
const PROBE: Duration = Duration::from_millis(250);

/// How long a batch that is suspected waits for the store before it is handed back: only while the store
/// is there can be seen what it fails with.
const AWAY_MAX: Duration = Duration::from_secs(60);

/// How long waits what the store does not even take as a dead letter.
pub(crate) const UNWRITABLE_WAIT: Duration = retry::RUNGS[retry::RUNGS.len() - 1];

/// What is to be done with an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// It is in the inbox, with its effects.
    Decided(Decided),
    /// It alone keeps failing: try again later.
    RetryIn(Duration, RetryReason),
}

/// Why something is sent to the retry ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryReason {
    /// Its rows are busy: conflicts, deadlocks and lock timeouts, one after another.
    Busy,
    /// The store answers, and fails with it.
    Failing,
    /// The store does not take its dead letter.
    Unwritable,
    /// A later version wrote it.
    Newer,
}

impl RetryReason {
    pub(crate) const ALL: [Self; 4] = [Self::Busy, Self::Failing, Self::Unwritable, Self::Newer];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Failing => "failing",
            Self::Unwritable => "unwritable",
            Self::Newer => "newer",
        }
    }
}

/// Decides batches, for one lane.
#[derive(Debug)]
pub struct Processor<S> {
    store: S,
    strategy: Strategy,
    turn: Turn,
    /// `None`: what is decided here has come before.
    tally: Option<Tally>,
}

/// Why a batch as a whole could not be committed.
enum Failed {
    /// The store is away: the same batch may pass later.
    Outage(StoreError),
    /// Something in it does not pass, while the store is there.
    Refused(StoreError),
    /// Too many conflicts, deadlocks or lock timeouts.
    Stuck,
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Rejected(_) => Self::Refused(error),
            StoreError::TryAgain(_) => Self::Stuck,
            StoreError::Unavailable(_) | StoreError::Schema(_) => Self::Outage(error),
        }
    }
}

impl<S: Store> Processor<S> {
    pub fn new(store: S, strategy: Strategy) -> Self {
        Self { store, strategy, turn: Turn::default(), tally: None }
    }

    /// Takes turns with the others that share `turn`.
    pub fn in_turn(self, turn: Turn) -> Self {
        Self { turn, ..self }
    }

    /// Counts what comes.
    pub(crate) fn counting(self, tally: Tally) -> Self {
        Self { tally: Some(tally), ..self }
    }

    pub fn store(&self) -> &S {
        &self.store
    }

    /// Decides all of `work`, in its order. `Err`: the store is away and nothing is known of what
    /// was not committed before; process the same work again. Not `patient`: it was away for this
    /// very work before and answered in between, so the work itself is suspected.
    pub async fn process(
        &mut self,
        work: Vec<Work>,
        shops: &Arc<Shops>,
        patient: bool,
    ) -> Result<Vec<Done>, StoreError> {
        let prepared = work.into_iter().map(|work| Prepared::new(work, shops)).collect();
        let mut done = Vec::new();
        let mut rest: Vec<Vec<Prepared>> = vec![prepared];
        let mut lock_waits = 0;
        while let Some(mut batch) = rest.pop() {
            match self.commit(&mut batch, &mut lock_waits).await {
                Ok(decided) => done.extend(decided.into_iter().map(Done::Decided)),
                Err(Failed::Outage(error)) if patient || !self.comes_back().await => {
                    return Err(error);
                }
                Err(Failed::Stuck) if lock_waits >= LOCK_WAITS_IN_ALL_MAX => {
                    for one in batch {
                        done.push(self.give_up_one(vec![one], Failed::Stuck).await?);
                    }
                }
                Err(_) if batch.len() > 1 => {
                    // The stack keeps the order: the first half is decided first.
                    let second = batch.split_off(batch.len() / 2);
                    rest.extend([second, batch]);
                }
                Err(failed) => done.push(self.give_up_one(batch, failed).await?),
            }
        }
        Ok(done)
    }

    /// One envelope that does not pass: a dead letter if it never will, else the retry ladder.
    async fn give_up_one(
        &mut self,
        mut batch: Vec<Prepared>,
        failed: Failed,
    ) -> Result<Done, StoreError> {
        let one = &mut batch[0];
        let attempts = one.incoming.attempts;
        match (failed, retry::wait_after(attempts)) {
            (Failed::Refused(error), _) => {
                one.condemn(DeadReason::StoreRejected, crate::error_chain(&error));
            }
            (Failed::Stuck, Some(wait)) => return Ok(Done::RetryIn(wait, RetryReason::Busy)),
            (Failed::Outage(_), Some(wait)) => {
                return Ok(Done::RetryIn(wait, RetryReason::Failing));
            }
            (Failed::Stuck | Failed::Outage(_), None) => {
                let detail = format!("gave up after {attempts} waits on the retry ladder");
                one.condemn(DeadReason::RetriesExhausted, detail);
            }
        }
        match self.commit(&mut batch, &mut 0).await {
            Ok(mut decided) => Ok(Done::Decided(decided.remove(0))),
            Err(Failed::Outage(error)) => Err(error),
            Err(Failed::Refused(_) | Failed::Stuck) => {
                // Not even its dead letter can be written: keep it in the queue, and say so.
                let envelope = &batch[0].envelope;
                tracing::error!(
                    envelope.id = %envelope.id,
                    trace.id = trace::id(envelope.traceparent.as_deref()),
                    "cannot write a dead letter"
                );
                Ok(Done::RetryIn(UNWRITABLE_WAIT, RetryReason::Unwritable))
            }
        }
    }

    /// Whether the store answers, or does so again soon.
    async fn comes_back(&self) -> bool {
        self.store.ping().await.is_ok()
            || tokio::time::timeout(AWAY_MAX, answers(&self.store)).await.is_ok()
    }

    /// `lock_waits`: tries of this batch and of what it is a part of that waited for locks in vain.
    async fn commit(
        &mut self,
        batch: &mut [Prepared],
        lock_waits: &mut u32,
    ) -> Result<Vec<Decided>, Failed> {
        let mut backoff = ConflictBackoff::default();
        let started = Instant::now();
        let waits_before = *lock_waits;
        for tries in 0..TRIES_MAX {
            let tried = tokio::time::Instant::now();
            match self.attempt(batch, tries).await {
                Ok((Commit::Applied, decided)) => {
                    tell(batch, &decided, started);
                    if let Some(tally) = &self.tally {
                        tally.saw(arrived(batch, &decided));
                    }
                    return Ok(decided);
                }
                Ok((Commit::Conflict(conflicts), _)) => {
                    measure::conflict();
                    let first = conflicts.first();
                    tracing::debug!(conflicts = conflicts.len(), ?first, "conflict");
                }
                Err(StoreError::TryAgain(error)) => {
                    tracing::debug!(error = %error, "the database asks to try again");
                    measure::try_again();
                    *lock_waits += u32::from(tried.elapsed() >= LOCK_WAIT_MIN);
                    let waits = *lock_waits - waits_before;
                    if waits >= LOCK_WAITS_MAX
                        || (waits > 0 && *lock_waits >= LOCK_WAITS_IN_ALL_MAX)
                    {
                        break;
                    }
                }
                Err(error) => return Err(error.into()),
            }
            tokio::time::sleep(backoff.next_wait()).await;
        }
        Err(Failed::Stuck)
    }

    /// The rows that the batch needs. A refund or a dispute names its payment alone, so payments are
    /// looked up first for the orders that they pay for; should that change before the commit, the
    /// payment's version tells.
    pub(crate) async fn keys(&self, batch: &[Prepared]) -> Result<Keys, StoreError> {
        let mut keys = keys(batch);
        if !keys.payments.is_empty() {
            let payments = Keys { payments: keys.payments.clone(), ..Keys::default() };
            let view = self.store.load(&payments).await?;
            keys.orders.extend(linked(batch, &view));
        }
        Ok(keys)
    }
}

/// Waits until a store that was away answers.
pub(crate) async fn answers<S: Store>(store: &S) {
    loop {
        tokio::time::sleep(PROBE).await;
        if store.ping().await.is_ok() {
            return;
        }
    }
}

/// Decides all of `batch` over `view`. One that panics is condemned, and the others are decided
/// anew as if it had been condemned before. It stays so, also if what was decided is not committed.
pub(crate) fn decide(batch: &mut [Prepared], view: View) -> (Batch, Vec<Decided>) {
    let now = clock::now();
    loop {
        let mut changes = Batch::new(view.clone());
        let mut decided = Vec::with_capacity(batch.len());
        let panicked = batch.iter().position(|one| {
            let _span = traced::decide(one);
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                changes.webhook(&one.incoming, &one.meaning, &one.policy, now, || one.raw())
            }));
            match outcome {
                Ok(outcome) => {
                    decided.push(Ok(outcome));
                    false
                }
                Err(panic) => {
                    decided.push(Err(panic_message(&*panic)));
                    true
                }
            }
        });
        match (panicked, decided.pop()) {
            (Some(at), Some(Err(message))) => {
                // A dead letter that cannot be made is a bug of ours, not its.
                assert!(!matches!(batch[at].meaning, Meaning::Dead { .. }), "{message}");
                batch[at].condemn(DeadReason::Panic, message);
            }
            (_, last) => {
                batch
                    .iter()
                    .filter(|one| one.suspect)
                    .for_each(|one| changes.clear_suspicion(one.envelope.id));
                let decided: Vec<_> =
                    decided.into_iter().chain(last).filter_map(Result::ok).collect();
                let kept = batch.iter().zip(&decided);
                kept.filter_map(|(one, decided)| one.kept(decided, now))
                    .for_each(|body| changes.keep(body));
                return (changes, decided);
            }
        }
    }
}

/// What came of shops that we know: which, when, and what signed it. A redelivery came before, and what
/// nobody signed, anybody may have sent.
fn arrived<'a>(
    batch: &'a [Prepared],
    decided: &'a [Decided],
) -> impl Iterator<Item = (&'a ShopId, Timestamp, &'a str)> {
    let came = batch.iter().zip(decided).filter(|(_, decided)| **decided != Decided::Redelivered);
    came.filter_map(|(one, _)| {
        let envelope = &one.envelope;
        Some((one.sender.as_ref()?, envelope.received_at, envelope.signed_by.as_deref()?))
    })
}

fn tell(batch: &[Prepared], decided: &[Decided], started: Instant) {
    let now = clock::now();
    measure::committed(batch.len(), started.elapsed());
    let mut first_time = Vec::with_capacity(batch.len());
    for (one, decided) in batch.iter().zip(decided) {
        let outcome = match decided {
            Decided::Verdict(verdict) => verdict.outcome,
            Decided::Duplicate => Outcome::Duplicate,
            Decided::Redelivered => {
                measure::redelivered();
                continue;
            }
        };
        if one.incoming.replay {
            measure::replayed(outcome);
        } else {
            let lag = (now.0 - one.incoming.received_at.0).max(0).unsigned_abs();
            first_time.push((outcome, Duration::from_micros(lag)));
        }
        if outcome == Outcome::Dead
            && let Decided::Verdict(verdict) = decided
        {
            tracing::warn!(
                envelope.id = %one.envelope.id,
                trace.id = trace::id(one.envelope.traceparent.as_deref()),
                shop.id = %one.incoming.shop,
                webhook.id = %one.incoming.key.webhook,
                topic = one.incoming.topic,
                reason = verdict.reason,
                detail = verdict.detail,
                "webhook became a dead letter"
            );
        }
    }
    measure::decided(&first_time);
}

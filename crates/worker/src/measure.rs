//! What a worker counts: there from the first scrape on, so that a rate over it sees the first one.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::Outcome;
use metrics::{Unit, counter, histogram};

use crate::batch::RetryReason;

const WEBHOOKS: &str = "onhand_webhooks_total";
const REPLAYED: &str = "onhand_replayed_total";
const LAG: &str = "onhand_apply_lag_seconds";
const COMMIT: &str = "onhand_commit_seconds";
const BATCH: &str = "onhand_batch_envelopes";
const CONFLICTS: &str = "onhand_conflicts_total";
const TRY_AGAIN: &str = "onhand_commit_try_again_total";
const ADAPTIVE: &str = "onhand_adaptive_tries_total";
const LOOKED_AHEAD: &str = "onhand_looked_ahead_total";
const DECIDED_AHEAD: &str = "onhand_decided_ahead_total";
const RETRIED: &str = "onhand_retried_total";
const REDELIVERED: &str = "onhand_redelivered_total";
const OUTAGES: &str = "onhand_store_outages_total";
const SHORT_COMMITTED: &str = "onhand_short_committed_total";

/// How a try of an adaptive batch went to work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// It read without locks.
    Optimistic,
    /// It locked its items: one of them conflicts often.
    Locking,
    /// It read without locks, while its process had the turn among all.
    InTurn,
    /// It locked its items: another lane kept its turn for too long.
    OutOfTurn,
    /// It was repeats alone, and needed no turn.
    Repeats,
}

impl Way {
    const ALL: [Self; 5] =
        [Self::Optimistic, Self::Locking, Self::InTurn, Self::OutOfTurn, Self::Repeats];

    fn as_str(self) -> &'static str {
        match self {
            Self::Optimistic => "optimistic",
            Self::Locking => "locking",
            Self::InTurn => "in_turn",
            Self::OutOfTurn => "out_of_turn",
            Self::Repeats => "repeats",
        }
    }
}

pub(crate) fn describe() {
    metrics::describe_counter!(WEBHOOKS, "Webhooks decided and committed, by outcome");
    for outcome in Outcome::ALL {
        counter!(WEBHOOKS, "outcome" => outcome.as_str()).increment(0);
        counter!(REPLAYED, "outcome" => outcome.as_str()).increment(0);
    }
    metrics::describe_counter!(REPLAYED, "Webhooks that people had decided again, by outcome");
    metrics::describe_counter!(RETRIED, "Webhooks sent to the retry ladder, by reason");
    for reason in RetryReason::ALL {
        counter!(RETRIED, "reason" => reason.as_str()).increment(0);
    }
    metrics::describe_counter!(ADAPTIVE, "Tries of adaptive batches, by how they went to work");
    for way in Way::ALL {
        counter!(ADAPTIVE, "way" => way.as_str()).increment(0);
    }
    metrics::describe_histogram!(LAG, Unit::Seconds, "From the arrival of a webhook to its commit");
    metrics::describe_histogram!(COMMIT, Unit::Seconds, "From a batch's first load to its commit");
    metrics::describe_histogram!(BATCH, "Webhooks in one committed batch");
    for (name, what) in [
        (CONFLICTS, "Commits that found a row changed, and were decided again"),
        (TRY_AGAIN, "Transactions that the database ended: deadlock, lock timeout"),
        (LOOKED_AHEAD, "Tries that looked up what they could while another lane was at work"),
        (DECIDED_AHEAD, "Tries that were decided while another lane committed"),
        (REDELIVERED, "Deliveries of what was committed before"),
        (OUTAGES, "Times a lane found the database away"),
        (SHORT_COMMITTED, "Short orders committed after stock came"),
    ] {
        metrics::describe_counter!(name, what);
        counter!(name).increment(0);
    }
    crate::waiting::describe();
}

pub(crate) fn committed(envelopes: usize, after: Duration) {
    histogram!(COMMIT).record(after);
    histogram!(BATCH).record(crate::as_f64(envelopes));
}

/// What came of the webhooks of a batch, and how long each was on its way.
pub(crate) fn decided(webhooks: &[(Outcome, Duration)]) {
    let (lags, mut outcomes) = (histogram!(LAG), BTreeMap::new());
    for (outcome, lag) in webhooks {
        lags.record(*lag);
        *outcomes.entry(*outcome).or_default() += 1;
    }
    for (outcome, times) in outcomes {
        counter!(WEBHOOKS, "outcome" => outcome.as_str()).increment(times);
    }
}

/// Apart from the others: it came long ago, and says nothing of how workers do.
pub(crate) fn replayed(outcome: Outcome) {
    counter!(REPLAYED, "outcome" => outcome.as_str()).increment(1);
}

pub(crate) fn retried(reason: RetryReason) {
    counter!(RETRIED, "reason" => reason.as_str()).increment(1);
}

pub(crate) fn redelivered() {
    counter!(REDELIVERED).increment(1);
}

pub(crate) fn conflict() {
    counter!(CONFLICTS).increment(1);
}

pub(crate) fn try_again() {
    counter!(TRY_AGAIN).increment(1);
}

pub(crate) fn adaptive(way: Way) {
    counter!(ADAPTIVE, "way" => way.as_str()).increment(1);
}

pub(crate) fn looked_ahead() {
    counter!(LOOKED_AHEAD).increment(1);
}

pub(crate) fn decided_ahead() {
    counter!(DECIDED_AHEAD).increment(1);
}

pub(crate) fn store_outage() {
    counter!(OUTAGES).increment(1);
}

pub(crate) fn short_committed(orders: u64) {
    counter!(SHORT_COMMITTED).increment(orders);
}

//! What the processes count, summed up in small rows per stretch of time, and which processes are
//! there: the console's charts, which a restart does not empty.
//!
//! No promise rests on any of it: what cannot be written is a point that a chart lacks.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use domain::Timestamp;
use uuid::Uuid;

use crate::StoreError;
use crate::reports::Fields;

/// How many of what, by name. Several of one name are summed up, but where it ends in `_max` the
/// greatest is kept.
pub type Counts = BTreeMap<String, i64>;

/// Webhooks in workers' hands at the end of a step: a sum over processes, as all counts, but none
/// over time, so only [`Span::Recent`] tells it.
pub const HELD: &str = "held";

/// How long a process that is not seen any more is remembered. Whoever asks who is alive asks for a
/// shorter time.
pub(crate) const FORGOTTEN_AFTER: Duration = Duration::from_secs(60 * 60);

/// The rollups' side of a store.
pub trait Rollups {
    /// Adds what a process counted at that time to what others counted then, in every [`Span`], says
    /// that the process is there, and removes what nobody looks at any more.
    fn add_rollup(
        &self,
        process: Process,
        at: Timestamp,
        counts: &Counts,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The sums of a span up to `until`, oldest first. Where nobody counted there is none.
    fn rollups(
        &self,
        span: Span,
        until: Timestamp,
    ) -> impl Future<Output = Result<Vec<Rollup>, StoreError>> + Send;

    /// How many processes of each role were seen within so long.
    fn processes(
        &self,
        within: Duration,
    ) -> impl Future<Output = Result<BTreeMap<String, i64>, StoreError>> + Send;
}

/// One run of one program.
#[derive(Clone, Copy, Debug)]
pub struct Process {
    pub id: Uuid,
    pub role: &'static str,
}

/// What a chart shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// 15 minutes.
    Recent,
    /// 24 hours.
    Day,
}

impl Span {
    pub const ALL: [Self; 2] = [Self::Recent, Self::Day];

    /// How much time one sum stands for.
    #[must_use]
    pub fn step(self) -> Duration {
        match self {
            Self::Recent => Duration::from_secs(10),
            Self::Day => Duration::from_secs(5 * 60),
        }
    }

    #[must_use]
    pub fn length(self) -> Duration {
        match self {
            Self::Recent => Duration::from_secs(15 * 60),
            Self::Day => Duration::from_secs(24 * 60 * 60),
        }
    }

    /// The start of the stretch of time in which `at` lies.
    #[must_use]
    pub fn start(self, at: Timestamp) -> Timestamp {
        Timestamp(at.0 - at.0.rem_euclid(micros(self.step())))
    }

    /// Before this nothing is shown.
    pub(crate) fn since(self, until: Timestamp) -> Timestamp {
        Timestamp(until.0.saturating_sub(micros(self.length())))
    }

    /// Before this nothing is kept: twice as long as shown, so that a process whose clock is ahead
    /// does not remove what the others show.
    pub(crate) fn kept_since(self, at: Timestamp) -> Timestamp {
        Timestamp(at.0.saturating_sub(2 * micros(self.length())))
    }

    pub(crate) fn step_seconds(self) -> i32 {
        i32::try_from(self.step().as_secs()).unwrap_or(i32::MAX)
    }
}

/// What all processes counted from `at` on, for the step of its span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollup {
    pub at: Timestamp,
    pub counts: Counts,
}

pub(crate) fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

pub(crate) fn to_json(counts: &Counts) -> Result<String, StoreError> {
    serde_json::to_string(counts).map_err(|error| StoreError::Rejected(error.into()))
}

/// From (at, counts). What cannot be read is left out: it is only a chart.
pub(crate) fn rollup_row(row: &impl Fields) -> Rollup {
    let counts = serde_json::from_str(&row.text(1)).unwrap_or_default();
    Rollup { at: Timestamp(row.int(0)), counts }
}

//! Dead letters decided again, as if they had come just now, under the rules of now; and what would
//! come of that.
//!
//! A preview decides over what is stored and commits nothing, so it holds as of now: whoever comes in
//! between may change it.

use std::sync::Arc;

use domain::{Decided, Envelope, EnvelopeId, Outcome, Verdict, View};
use platforms::Shops;
use queue::parcel;
use store::reports::{Closed, DeadRow};
use store::{AnyStore, Reports, StoreError};
use worker::{Done, Processor, Strategy, Work};

mod tally;

pub use tally::Tally;

/// What stands in place of a letter's detail once its personal data is removed.
pub const REDACTED: &str = "redacted";

/// What is still a dead letter afterwards.
pub const DEAD: &str = "dead";

/// What became of one webhook of a letter, or would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    pub outcome: &'static str,
    /// Why it is dead still, as a code.
    pub reason: Option<&'static str>,
    pub detail: Option<String>,
}

/// Decides letters, one after another.
#[derive(Debug)]
pub struct Replayer {
    processor: Processor<AnyStore>,
    shops: Arc<Shops>,
    /// What the letters that were previewed would have left behind.
    would_be: View,
}

impl Replayer {
    pub fn new(store: AnyStore, shops: Arc<Shops>) -> Self {
        let processor = Processor::new(store, Strategy::Adaptive);
        Self { processor, shops, would_be: View::default() }
    }

    /// What [`Replayer::replay`] would answer as of now, after the letters that were previewed before.
    pub async fn preview(
        &mut self,
        row: &DeadRow,
        id: EnvelopeId,
    ) -> Result<Vec<Replayed>, StoreError> {
        let envelopes = match self.envelopes(row, id).await? {
            Ok(envelopes) => envelopes,
            Err(nothing) => return Ok(vec![nothing]),
        };
        let work = envelopes.into_iter().map(replayed).collect();
        let carried = std::mem::take(&mut self.would_be);
        let (decided, view) = self.processor.preview(work, &self.shops, carried).await?;
        self.would_be = view;
        Ok(decided.into_iter().map(Replayed::new).collect())
    }

    /// Decides what the letter holds; safe any number of times.
    pub async fn replay(
        &mut self,
        row: &DeadRow,
        id: EnvelopeId,
    ) -> Result<Vec<Replayed>, StoreError> {
        let envelopes = match self.envelopes(row, id).await? {
            Ok(envelopes) => envelopes,
            Err(nothing) => return Ok(vec![nothing]),
        };
        let mut replayed = Vec::with_capacity(envelopes.len());
        for envelope in envelopes {
            replayed.push(replay_one(&mut self.processor, envelope, &self.shops).await?);
        }
        let all_decided = replayed.iter().all(|one| !one.is_dead());
        // Deciding a webhook closes its letter. A whole parcel that could not be read is nobody's.
        if row.webhook.is_none() && all_decided {
            let store = self.processor.store();
            store.close_dead_letter(id, Closed::Replayed, "each of its webhooks").await?;
        }
        Ok(replayed)
    }

    /// What the letter holds, or what becomes of it without.
    async fn envelopes(
        &self,
        row: &DeadRow,
        id: EnvelopeId,
    ) -> Result<Result<Vec<Envelope>, Replayed>, StoreError> {
        let raw = self.processor.store().dead_letter_raw(id).await?.unwrap_or_default();
        Ok(parcel::decode(&raw).map_err(|_| unreplayable(row, raw.is_empty())))
    }
}

/// What becomes of a letter without anything to decide, and why.
fn unreplayable(row: &DeadRow, is_empty: bool) -> Replayed {
    let (outcome, why) = match row.state.as_str() {
        _ if !is_empty => (DEAD, "it is no parcel that this program can read"),
        _ if row.detail == REDACTED => {
            (DEAD, "its body was removed because a customer or the shop asked for it")
        }
        "discarded" => (DEAD, "it was discarded, which removed its body; it cannot be replayed"),
        "replayed" => (Outcome::Unchanged.as_str(), "it was replayed before"),
        _ => (DEAD, "its body is not there any more"),
    };
    let reason = (outcome == DEAD).then_some("no_body");
    Replayed { outcome, reason, detail: Some(why.to_owned()) }
}

impl From<Verdict> for Replayed {
    fn from(verdict: Verdict) -> Self {
        let reason = verdict.reason.filter(|_| verdict.outcome == Outcome::Dead);
        Self { outcome: verdict.outcome.as_str(), reason, detail: verdict.detail }
    }
}

impl Replayed {
    fn new(decided: Decided) -> Self {
        match decided {
            Decided::Verdict(verdict) => verdict.into(),
            Decided::Duplicate | Decided::Redelivered => Self {
                outcome: Outcome::Unchanged.as_str(),
                reason: None,
                detail: Some("it was decided before".to_owned()),
            },
        }
    }

    pub fn is_dead(&self) -> bool {
        self.outcome == DEAD
    }
}

fn replayed(envelope: Envelope) -> Work {
    Work { replay: true, ..Work::new(envelope, 0) }
}

async fn replay_one(
    processor: &mut Processor<AnyStore>,
    envelope: Envelope,
    shops: &Arc<Shops>,
) -> Result<Replayed, StoreError> {
    let mut done = processor.process(vec![replayed(envelope)], shops, true).await?;
    Ok(match done.remove(0) {
        Done::Decided(decided) => Replayed::new(decided),
        Done::RetryIn(..) => {
            let detail = Some("the database is too busy; try again".to_owned());
            Replayed { outcome: DEAD, reason: Some("busy"), detail }
        }
    })
}

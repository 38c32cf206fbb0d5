//! A dead letter decided again, as if it had come just now, under the rules of now.

use std::sync::Arc;

use domain::{Decided, Envelope, EnvelopeId, Outcome};
use platforms::Shops;
use queue::parcel;
use store::reports::{Closed, DeadRow};
use store::{AnyStore, Reports, StoreError};
use worker::{Done, Processor, Strategy, Work};

/// What stands in place of a letter's detail once its personal data is removed.
pub const REDACTED: &str = "redacted";

/// What is still a dead letter afterwards.
pub const DEAD: &str = "dead";

/// What became of one webhook of a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    pub outcome: &'static str,
    pub detail: Option<String>,
}

/// Decides letters, one after another.
#[derive(Debug)]
pub struct Replayer {
    processor: Processor<AnyStore>,
    shops: Arc<Shops>,
}

impl Replayer {
    pub fn new(store: AnyStore, shops: Arc<Shops>) -> Self {
        Self { processor: Processor::new(store, Strategy::Adaptive), shops }
    }

    /// Decides what the letter holds; safe any number of times.
    pub async fn replay(
        &mut self,
        row: &DeadRow,
        id: EnvelopeId,
    ) -> Result<Vec<Replayed>, StoreError> {
        let raw = self.processor.store().dead_letter_raw(id).await?.unwrap_or_default();
        let Ok(envelopes) = parcel::decode(&raw) else {
            return Ok(vec![unreplayable(row, raw.is_empty())]);
        };
        let mut replayed = Vec::with_capacity(envelopes.len());
        for envelope in envelopes {
            replayed.push(replay_one(&mut self.processor, envelope, &self.shops).await?);
        }
        let all_decided = replayed.iter().all(|one| one.outcome != DEAD);
        // Deciding a webhook closes its letter. A whole parcel that could not be read is nobody's.
        if row.webhook.is_none() && all_decided {
            let store = self.processor.store();
            store.close_dead_letter(id, Closed::Replayed, "each of its webhooks").await?;
        }
        Ok(replayed)
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
    Replayed { outcome, detail: Some(why.to_owned()) }
}

async fn replay_one(
    processor: &mut Processor<AnyStore>,
    envelope: Envelope,
    shops: &Arc<Shops>,
) -> Result<Replayed, StoreError> {
    let work = Work { replay: true, ..Work::new(envelope, 0) };
    let mut done = processor.process(vec![work], shops, true).await?;
    let (outcome, detail) = match done.remove(0) {
        Done::Decided(Decided::Verdict(verdict)) => (verdict.outcome.as_str(), verdict.detail),
        Done::Decided(Decided::Duplicate | Decided::Redelivered) => {
            (Outcome::Unchanged.as_str(), Some("it was decided before".to_owned()))
        }
        Done::RetryIn(_) => (DEAD, Some("the database is too busy; try again".to_owned())),
    };
    Ok(Replayed { outcome, detail })
}

//! What a lane does for a webhook, as spans of the webhook's trace.
//!
//! A batch belongs to as many traces as it has sampled envelopes, so each of these has spans of its
//! own, one after the other: consume, with decide and commit under it, for every try. What the batch
//! does for all, the commit, has the same times in each. Which other envelopes it was for, only their
//! number tells: links to all of them would make the spans of a batch grow with its square.

use domain::Decided;
use store::{Commit, StoreError};
use trace::{Kind, Span};

use crate::batch::Done;
use crate::prepare::{Prepared, Work};

/// From the taking of an envelope to its settling. Under its publish, and linked to it, as
/// OpenTelemetry's conventions want for what is consumed in batches.
pub(crate) fn consume(work: &mut Work) -> Span {
    let envelope = &work.envelope;
    let published = trace::sampled(envelope.traceparent.as_deref());
    let mut span = Span::linked(published, Kind::Consumer, "consume", published.as_slice());
    span.tell("messaging.operation.type", || "process");
    span.tell("messaging.message.id", || envelope.id.to_string());
    span.tell("onhand.shop.id", || envelope.shop.to_string());
    span.tell("onhand.webhook.id", || envelope.webhook.to_string());
    span.tell("onhand.webhook.topic", || envelope.topic.clone());
    span.tell("onhand.attempts", || work.attempts);
    work.span = span.context();
    span
}

/// Says what became of the envelopes. `None`: the lane was stopped before anything did.
pub(crate) fn consumed(spans: &mut [Span], done: Option<&[Done]>) {
    let mut done = done.into_iter().flatten();
    for span in spans {
        match done.next() {
            Some(Done::Decided(Decided::Verdict(verdict))) => {
                span.tell("onhand.outcome", || verdict.outcome.as_str());
                if let Some(reason) = verdict.reason {
                    span.tell("onhand.reason", || reason);
                }
            }
            Some(Done::Decided(Decided::Duplicate)) => span.tell("onhand.outcome", || "duplicate"),
            Some(Done::Decided(Decided::Redelivered)) => {
                span.tell("onhand.outcome", || "redelivered");
            }
            Some(Done::RetryIn(..)) => span.failed("it has to wait, and is tried again"),
            None => span.failed("the lane was stopped"),
        }
    }
}

/// The deciding of one envelope.
pub(crate) fn decide(one: &Prepared) -> Span {
    Span::under(one.span, Kind::Internal, "decide")
}

/// The commit of a whole batch, told to each trace in it.
pub(crate) async fn commit(
    batch: &[Prepared],
    commit: impl Future<Output = Result<Commit, StoreError>>,
) -> Result<Commit, StoreError> {
    let mut spans: Vec<Span> = batch
        .iter()
        .filter(|one| one.span.is_some())
        .map(|one| Span::under(one.span, Kind::Client, "commit"))
        .collect();
    let answer = commit.await;
    for span in &mut spans {
        span.tell("messaging.batch.message_count", || batch.len());
        match &answer {
            Ok(Commit::Applied) => {}
            Ok(Commit::Conflict(_)) => span.failed("conflict: another lane was faster"),
            Err(error) => span.failed(error),
        }
    }
    answer
}

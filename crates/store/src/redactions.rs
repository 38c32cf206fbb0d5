//! What a store does so that personal data is removed: requests that are to be carried out, and the
//! bodies that are kept: those of dead letters, and for a while others where a shop wants it.
//!
//! A request is open until everything is gone. Carrying one out again finds less to do, so it may be
//! begun anew after a crash, and by several processes at once.

use std::future::Future;

use domain::privacy::{PrivacyKind, PrivacyRequest};
use domain::{EnvelopeId, ShopId, Timestamp};

use crate::StoreError;
use crate::reports::Fields;

/// The side of a store that removes personal data.
pub trait Redactions: Clone + Send + Sync + 'static {
    /// Requests for removal that are open, the oldest first.
    fn redactions(&self) -> impl Future<Output = Result<Vec<Redaction>, StoreError>> + Send;

    /// Notes that an open request was carried out, and when it is to be once more; `None`: never,
    /// it is closed, and what found the customer is forgotten.
    fn redaction_carried_out(
        &self,
        id: EnvelopeId,
        again_at: Option<Timestamp>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Dead letters of this very shop that have a body still or words about it, oldest first: up to `limit`
    /// after `after`.
    fn dead_ids(
        &self,
        shop: &ShopId,
        after: Option<EnvelopeId>,
        limit: i64,
    ) -> impl Future<Output = Result<Vec<EnvelopeId>, StoreError>> + Send;

    /// Dead letters that are a shop's or nobody's, oldest first: those after `after`, until `limit` or
    /// `bytes_max` is reached, and one at least. Those that are closed have no bodies any more, but
    /// their details may quote them; redacted ones have neither and are left out.
    fn dead_bodies(
        &self,
        shop: &ShopId,
        after: Option<EnvelopeId>,
        limit: i64,
        bytes_max: i64,
    ) -> impl Future<Output = Result<Vec<DeadBody>, StoreError>> + Send;

    /// Removes the bodies of these dead letters for good, and every text that quotes them. Open ones
    /// are discarded: without its body nothing can be replayed.
    fn redact(&self, letters: &[EnvelopeId])
    -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The kept bodies of what this very shop sent and was applied, in pages as of dead letters.
    fn kept_bodies(
        &self,
        shop: &ShopId,
        after: Option<EnvelopeId>,
        limit: i64,
        bytes_max: i64,
    ) -> impl Future<Output = Result<Vec<(EnvelopeId, Vec<u8>)>, StoreError>> + Send;

    /// Removes these kept bodies.
    fn remove_bodies(
        &self,
        shop: &ShopId,
        envelopes: &[EnvelopeId],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Removes up to `limit` of the bodies that were to be kept until before `now`, and says how many.
    fn remove_expired_bodies(
        &self,
        now: Timestamp,
        limit: i64,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;
}

/// What a dead letter has of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadBody {
    pub id: EnvelopeId,
    /// The envelope; nothing if the letter is closed.
    pub raw: Vec<u8>,
    /// It may quote the body.
    pub detail: String,
}

/// An open request for removal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redaction {
    pub id: EnvelopeId,
    pub shop: ShopId,
    pub request: PrivacyRequest,
    /// When it is to be carried out once more; `None`: it never was.
    pub again_at: Option<Timestamp>,
}

/// How a request is noted that was carried out once; a moment follows.
const AGAIN: &str = "carried out, again at ";

/// How one is noted that is closed.
const DONE: &str = "done";

/// The note on a request that was carried out.
pub(crate) fn note(again_at: Option<Timestamp>) -> String {
    let again = again_at.and_then(|at| jiff::Timestamp::from_microsecond(at.0).ok());
    again.map_or_else(|| DONE.to_owned(), |at| format!("{AGAIN}{at}"))
}

/// When a request with this note is to be carried out once more. Of a note that is not ours nobody
/// knows what was done before it, so that counts for nothing.
pub(crate) fn again_at(note: &str) -> Option<Timestamp> {
    let at: jiff::Timestamp = note.strip_prefix(AGAIN)?.parse().ok()?;
    Some(Timestamp(at.as_microsecond()))
}

/// From (id, shop, kind, customer, orders, note). A kind that is of a later program is left to it.
pub(crate) fn redaction(row: &impl Fields) -> Option<Redaction> {
    let kinds = [PrivacyKind::RedactCustomer, PrivacyKind::RedactShop];
    let kind = kinds.into_iter().find(|kind| kind.as_str() == row.text(2))?;
    Some(Redaction {
        id: EnvelopeId(row.text(0).parse().ok()?),
        shop: ShopId::new(row.text(1)),
        request: PrivacyRequest::from_columns(kind, row.text_opt(3), &row.text(4)),
        again_at: row.text_opt(5).as_deref().and_then(again_at),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_says_when_a_request_is_carried_out_again() {
        for at in [0, 1, 1_795_262_400_123_456] {
            let note = note(Some(Timestamp(at)));
            assert_eq!(again_at(&note), Some(Timestamp(at)), "{note}");
        }
        for other in [&note(None), "", "carried out, again at noon", "answered"] {
            assert_eq!(again_at(other), None, "{other}");
        }
    }
}

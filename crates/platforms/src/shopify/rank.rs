//! Which of two bodies of one order is newer: the parts of domain's `Rank` that take work.

use domain::order::{Fulfilment, FulfilmentStatus, RefundLine, Snapshot};
use sha2::{Digest, Sha256};

use super::body::Line;

/// How far the order has come: a sum of what never falls. Of two bodies with the same second in
/// `updated_at`, the one that shows more is the newer.
pub(super) fn progress<'a>(
    ended: bool,
    lines: impl Iterator<Item = &'a Line<'a>>,
    refund_lines: impl Iterator<Item = &'a RefundLine>,
    fulfilments: impl Iterator<Item = &'a Fulfilment>,
) -> i64 {
    let ordered_and_removed: i64 = lines.map(ordered_and_removed).sum();
    let refunded: i64 = refund_lines.map(|line| line.quantity).sum();
    let handled: i64 = fulfilments.map(|fulfilment| 1 + status_rank(fulfilment.status)).sum();
    i64::from(ended) + ordered_and_removed + refunded + handled
}

/// Units ordered, and units taken out since by edits and refunds.
fn ordered_and_removed(line: &Line<'_>) -> i64 {
    let quantity = line.quantity.units();
    let current = line.current_quantity.map_or(quantity, |current| current.units());
    quantity + (quantity - current).max(0)
}

fn status_rank(status: FulfilmentStatus) -> i64 {
    match status {
        FulfilmentStatus::Pending => 0,
        FulfilmentStatus::Open => 1,
        FulfilmentStatus::Success => 2,
        FulfilmentStatus::Error => 3,
        FulfilmentStatus::Failure => 4,
        FulfilmentStatus::Cancelled => 5,
    }
}

/// The first 64 bits of a SHA-256 over all that the snapshot says, its rank left out. Written field
/// by field, so that it stays the same when the stored form of a snapshot changes.
pub(super) fn digest(snapshot: &Snapshot) -> u64 {
    let mut hash = Sha256::new();
    for text in [&snapshot.name, &snapshot.financial_status, &snapshot.fulfillment_status] {
        add(&mut hash, text.as_deref().unwrap_or(ABSENT));
    }
    hash.update([u8::from(snapshot.cancelled), u8::from(snapshot.voided)]);
    for (id, line) in &snapshot.lines {
        add(&mut hash, id.as_str());
        hash.update(line.quantity.to_le_bytes());
        hash.update(line.kept.to_le_bytes());
    }
    add(&mut hash, ABSENT);
    for id in &snapshot.refund_lines {
        add(&mut hash, id.as_str());
    }
    let full: [u8; 32] = hash.finalize().into();
    u64::from_be_bytes(*full.first_chunk().expect("a SHA-256 has more than 8 bytes"))
}

/// No text of a body looks like this: none has control characters.
const ABSENT: &str = "\u{1}";

fn add(hash: &mut Sha256, text: &str) {
    hash.update(text);
    hash.update([0]);
}

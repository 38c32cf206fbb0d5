//! Tells two snapshots apart that have the same moment and the same progress.

use domain::order::Snapshot;
use sha2::{Digest, Sha256};

/// The first 64 bits of a SHA-256 over all that the snapshot says, its rank left out. Written field
/// by field, so that it stays the same when the stored form of a snapshot changes.
pub(crate) fn digest(snapshot: &Snapshot) -> u64 {
    let mut hash = Sha256::new();
    for text in [&snapshot.name, &snapshot.financial_status, &snapshot.fulfillment_status] {
        add(&mut hash, text.as_deref().unwrap_or(ABSENT));
    }
    hash.update([u8::from(snapshot.cancelled), u8::from(snapshot.voided)]);
    // What is not there adds nothing, so that digests made before it could be there stay the same.
    if let Some(moment) = snapshot.completed_at {
        add(&mut hash, "completed");
        hash.update(moment.0.to_le_bytes());
    }
    for (id, line) in &snapshot.lines {
        add(&mut hash, id.as_str());
        hash.update(line.quantity.to_le_bytes());
        hash.update(line.kept.to_le_bytes());
        for units in [line.shipped, line.returned] {
            if units > 0 {
                hash.update(units.to_le_bytes());
            }
        }
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

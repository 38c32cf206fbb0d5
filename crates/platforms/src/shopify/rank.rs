//! Which of two bodies of one order is newer: the parts of domain's `Rank` that take work.

use domain::order::{Fulfilment, FulfilmentStatus, RefundLine};

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

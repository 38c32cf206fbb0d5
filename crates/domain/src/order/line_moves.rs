//! What parts of an order, its fulfilments and refunds, did to each of its lines.

use std::collections::BTreeMap;

use crate::ids::{LineId, LocationId, PlatformLocation};
use crate::order::{FulfilmentStatus, Order, Restock, SnapshotLine, UnknownLocation};
use crate::policy::Policy;
use crate::time::Timestamp;

/// What became of one line's units.
#[derive(Default)]
pub(super) struct LineMoves {
    /// All that left, also before the cut-over.
    pub(super) shipped_total: i64,
    /// Since the cut-over: what counts in on_hand.
    pub(super) shipped: BTreeMap<LocationId, i64>,
    pub(super) returned: BTreeMap<LocationId, i64>,
    /// Cancelled by refund lines; then, of these, by those that the snapshot does not know of.
    pub(super) cancelled: i64,
    cancelled_since: i64,
    /// Refunded since the cut-over, and not put back by the platform.
    pub(super) not_restocked: i64,
}

impl LineMoves {
    /// Of all lines that are stock matters, or may be: a line that was not seen yet. Each part is
    /// walked once: a body may have thousands.
    pub(super) fn of_all<'a>(
        order: &'a Order,
        policy: &Policy,
    ) -> Result<BTreeMap<&'a LineId, Self>, UnknownLocation> {
        let is_stock = |id: &LineId| order.lines.get(id).is_none_or(|line| !line.parts.is_empty());
        let snapshot = order.known.snapshot.as_ref();
        let is_shown = |id| snapshot.is_some_and(|shown| shown.refund_lines.contains(id));
        let mut moves: BTreeMap<&LineId, Self> = BTreeMap::new();
        for fulfilment in order.known.fulfilments.values() {
            if fulfilment.status != FulfilmentStatus::Success {
                continue;
            }
            for (id, &units) in fulfilment.lines.iter().filter(|(id, _)| is_stock(id)) {
                let line = moves.entry(id).or_default();
                line.shipped_total += units;
                let at = fulfilment.created_at;
                count(&mut line.shipped, at, &fulfilment.location, units, policy)?;
            }
        }
        for (refund, part) in &order.known.refund_lines {
            if !is_stock(&part.line) {
                continue;
            }
            let line = moves.entry(&part.line).or_default();
            match part.restock {
                Restock::Return => {
                    let at = part.created_at;
                    count(&mut line.returned, at, &part.location, part.quantity, policy)?;
                }
                Restock::Cancel => {
                    line.cancelled += part.quantity;
                    if !is_shown(refund) {
                        line.cancelled_since += part.quantity;
                    }
                }
                Restock::NoRestock if !policy.before_cut_over(part.created_at) => {
                    line.not_restocked += part.quantity;
                }
                Restock::NoRestock | Restock::LegacyRestock => {}
            }
        }
        Ok(moves)
    }

    /// Units that are meant for the customer and did not leave yet: what the greatest snapshot says,
    /// less what was cancelled and shipped since.
    pub(super) fn owed(&self, line: SnapshotLine, completed: bool) -> i64 {
        let left = self.shipped_total + if completed { line.shipped } else { 0 };
        ((line.kept - self.cancelled_since).max(0) - left).max(0)
    }
}

fn count(
    into: &mut BTreeMap<LocationId, i64>,
    at: Timestamp,
    platform: &Option<PlatformLocation>,
    units: i64,
    policy: &Policy,
) -> Result<(), UnknownLocation> {
    if policy.before_cut_over(at) {
        return Ok(());
    }
    match (policy.location(platform.as_ref()), platform) {
        (Some(location), _) => {
            *into.entry(location.clone()).or_default() += units;
            Ok(())
        }
        (None, Some(id)) => Err(UnknownLocation(id.clone())),
        (None, None) => unreachable!("a policy has at least one location"),
    }
}

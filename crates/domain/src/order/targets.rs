//! What an order should hold, as a pure function of what is known of it.

use std::collections::BTreeMap;

use crate::ids::{LocationId, PlatformLocation, Sku, StockKey};
use crate::order::{FulfilmentStatus, Known, Order, OrderLine, Restock};
use crate::policy::{CommitOn, Policy};
use crate::time::Timestamp;

/// Units that the ledger should show for an order. Zeroes are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Targets {
    /// Committed units, wherever they lie.
    pub owed: BTreeMap<Sku, i64>,
    /// Units that left, per location.
    pub shipped: BTreeMap<StockKey, i64>,
    /// Units that came back, per location.
    pub returned: BTreeMap<StockKey, i64>,
}

/// A location id that the shop does not map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownLocation(pub PlatformLocation);

/// Whether the order's units are to be owed at all.
pub fn is_live(known: &Known, policy: &Policy) -> bool {
    let Some(snapshot) = &known.snapshot else { return false };
    let unpaid_for_good = policy.commit_on == CommitOn::Paid && snapshot.voided;
    !known.deleted && !snapshot.cancelled && !unpaid_for_good
}

/// Whether the moment from which the shop commits was ever reached.
pub fn is_reached(known: &Known, policy: &Policy) -> bool {
    match policy.commit_on {
        CommitOn::Placed => known.snapshot.is_some(),
        CommitOn::Paid => known.paid,
    }
}

impl Order {
    /// The targets of this order under `policy`.
    pub fn targets(&self, policy: &Policy) -> Result<Targets, UnknownLocation> {
        let mut targets = Targets::default();
        if self.known.snapshot.is_none() {
            return Ok(targets);
        }
        let owing = is_live(&self.known, policy) && is_reached(&self.known, policy);
        for (id, line) in &self.lines {
            if line.parts.is_empty() {
                continue;
            }
            let moved = LineMoves::of(id, &self.known, policy)?;
            if owing {
                let kept = kept(id, &self.known);
                add_parts(line, (kept - moved.shipped_total).max(0), |sku, units| {
                    *targets.owed.entry(sku.clone()).or_default() += units;
                });
            }
            for (location, units) in &moved.shipped {
                add_parts(line, *units, |sku, units| {
                    *targets.shipped.entry(StockKey::new(sku, location)).or_default() += units;
                });
            }
            for (location, units) in &moved.returned {
                add_parts(line, *units, |sku, units| {
                    *targets.returned.entry(StockKey::new(sku, location)).or_default() += units;
                });
            }
        }
        Ok(targets)
    }
}

fn add_parts(line: &OrderLine, units: i64, mut add: impl FnMut(&Sku, i64)) {
    if units > 0 {
        for part in &line.parts {
            add(&part.sku, units * part.units);
        }
    }
}

/// Units of a line that are meant for the customer or already went out: what the greatest snapshot
/// says, less what was cancelled by refund lines that it does not know of.
fn kept(id: &crate::ids::LineId, known: &Known) -> i64 {
    let Some(snapshot) = &known.snapshot else { return 0 };
    let Some(line) = snapshot.lines.get(id) else { return 0 };
    let cancelled_since: i64 = known
        .refund_lines
        .iter()
        .filter(|(refund, part)| {
            part.line == *id
                && part.restock == Restock::Cancel
                && !snapshot.refund_lines.contains(*refund)
        })
        .map(|(_, part)| part.quantity)
        .sum();
    (line.kept - cancelled_since).max(0)
}

/// What left and came back of one line.
#[derive(Default)]
struct LineMoves {
    /// All of it, also from before the cut-over.
    shipped_total: i64,
    /// Since the cut-over: what counts in on_hand.
    shipped: BTreeMap<LocationId, i64>,
    returned: BTreeMap<LocationId, i64>,
}

impl LineMoves {
    fn of(
        id: &crate::ids::LineId,
        known: &Known,
        policy: &Policy,
    ) -> Result<Self, UnknownLocation> {
        let mut moves = Self::default();
        for fulfilment in known.fulfilments.values() {
            let Some(&units) = fulfilment.lines.get(id) else { continue };
            if fulfilment.status != FulfilmentStatus::Success {
                continue;
            }
            moves.shipped_total += units;
            count(&mut moves.shipped, fulfilment.created_at, &fulfilment.location, units, policy)?;
        }
        for refund in known.refund_lines.values() {
            if refund.line == *id && refund.restock == Restock::Return {
                let at = refund.created_at;
                count(&mut moves.returned, at, &refund.location, refund.quantity, policy)?;
            }
        }
        Ok(moves)
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

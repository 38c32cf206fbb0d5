//! What a right parser makes of a webhook, told from the site's side.

use std::collections::{BTreeMap, BTreeSet};

use domain::order::{Known, Rank, Snapshot, SnapshotLine};
use domain::{BodyHash, LineClass, LineId, LineRef, OrderFact, OrderId, Sku, Timestamp, Variant};

use super::WooOrder;

impl WooOrder {
    /// What [`WooOrder::webhook`] for `topic` means, if it is sent and received at
    /// [`WooOrder::now`].
    pub fn fact(&self, topic: &str) -> OrderFact {
        let now = Some(Timestamp::from_seconds(self.modified_at));
        let (mut known, mut lines) = (Known::default(), BTreeMap::new());
        if topic == "order.deleted" {
            known.trashed_at = now;
        } else if self.status == "trash" {
            known.trashed_at = now;
            known.paid = self.paid_at.is_some();
        } else {
            known.outside_at = now;
            known.cancelled_at = now.filter(|_| self.status == "cancelled");
            known.put_back_at = now.filter(|_| ["pending", "cancelled"].contains(&self.status()));
            let is_back = known.put_back_at.is_some();
            let completed_at = self.completed_at.filter(|_| is_back);
            known.had_left_at = completed_at.map(Timestamp::from_seconds);
            known.paid = self.paid_at.is_some();
            known.snapshot = Some(self.snapshot());
            lines = self.shown().map(|line| (self.line_key(line), self.line_ref(line))).collect();
        }
        OrderFact { order: OrderId::new(self.id.to_string()), test: false, lines, known }
    }

    /// The key of a line in facts.
    pub fn line_key(&self, line: usize) -> LineId {
        LineId::new(self.line_id(line).to_string())
    }

    /// When everything left, as far as the status agrees.
    fn left_at(&self) -> Option<Timestamp> {
        let is_here = ["pending", "cancelled", "on-hold", "processing"].contains(&self.status());
        self.completed_at.filter(|_| !is_here).map(Timestamp::from_seconds)
    }

    fn snapshot(&self) -> Snapshot {
        let cancelled = self.status == "cancelled";
        let updated_at = Timestamp::from_seconds(self.modified_at);
        let progress = self.progress();
        let lines = self.shown().map(|line| (self.line_key(line), self.snapshot_line(line)));
        let mut snapshot = Snapshot {
            rank: Rank { updated_at, progress, triggered_at: updated_at, digest: 0 },
            name: Some(format!("#{}", self.id)),
            financial_status: Some(self.status.clone()),
            fulfillment_status: self.left_at().map(|_| "fulfilled".to_owned()),
            cancelled,
            voided: false,
            completed_at: self.left_at(),
            lines: lines.collect(),
            refund_lines: BTreeSet::new(),
        };
        let BodyHash(hash) = BodyHash::of(format!("{snapshot:?}").as_bytes());
        snapshot.rank.digest = hash[..8].iter().fold(0, |all, byte| all << 8 | u64::from(*byte));
        snapshot
    }

    fn snapshot_line(&self, line: usize) -> SnapshotLine {
        let line = &self.lines[line];
        let quantity = line.quantity;
        // What the site holds; an order with more edits than the site has followed holds no more
        // than was ordered.
        let held = line.reduced.map(|held| held.clamp(0, quantity));
        let kept = match self.status() {
            "pending" | "cancelled" => 0,
            "on-hold" | "processing" | "completed" => held.unwrap_or(quantity),
            _ => held.unwrap_or(0),
        };
        if self.left_at().is_some() {
            let returned = held.map_or(0, |held| quantity - held);
            return SnapshotLine { quantity, kept, shipped: quantity, returned };
        }
        SnapshotLine { quantity, kept, shipped: 0, returned: 0 }
    }

    /// Refunds, then whether it was ever completed, then whether it was ever paid, then the status.
    fn progress(&self) -> i64 {
        let status = match self.status() {
            "pending" => 1,
            "failed" => 2,
            "on-hold" => 3,
            "completed" => 5,
            "refunded" | "cancelled" => 6,
            _ => 4,
        };
        let refunds = i64::try_from(self.refunds.len()).expect("a handful of refunds");
        let (completed, paid) = (self.completed_at.is_some(), self.paid_at.is_some());
        refunds * 40 + i64::from(completed) * 20 + i64::from(paid) * 10 + status
    }

    fn line_ref(&self, line: usize) -> LineRef {
        LineRef {
            sku: Some(Sku::new(&self.lines[line].sku)),
            variant: Some(Variant::new(self.product_id(line).to_string())),
            class: LineClass::Tracked,
        }
    }

    /// The lines that are still in the order.
    pub(super) fn shown(&self) -> impl Iterator<Item = usize> {
        (0..self.lines.len()).filter(|line| !self.lines[*line].removed)
    }
}

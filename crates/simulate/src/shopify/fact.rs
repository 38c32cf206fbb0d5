//! What a right parser makes of a webhook, told from the platform's side.

use std::collections::BTreeMap;

use domain::order::{
    Fulfilment, FulfilmentStatus, Known, Rank, RefundLine, Restock, Snapshot, SnapshotLine,
};
use domain::{
    BodyHash, FulfilmentId, LineClass, LineId, LineRef, OrderFact, OrderId, PlatformLocation,
    RefundLineId, Sku, Timestamp, Variant,
};

use super::{LineKind, ShopifyOrder};

impl ShopifyOrder {
    /// What [`ShopifyOrder::webhook`] for `topic` means, if it is sent now.
    pub fn fact(&self, topic: &str) -> OrderFact {
        let mut known = Known::default();
        let mut lines = BTreeMap::new();
        match topic {
            "orders/delete" => known.deleted = true,
            "refunds/create" => {
                let last = self.refunds.len().checked_sub(1).expect("a refund happened");
                known.refund_lines = self.refund_lines(last).collect();
            }
            "orders/edited" => known.edited_at = Some(Timestamp::from_seconds(self.updated_at)),
            "order_transactions/create" => known.paid = self.has_been_paid(),
            _ if topic.starts_with("fulfillments/") => {
                known.fulfilments = [self.fulfilment(self.touched)].into();
            }
            _ => {
                known.snapshot = Some(self.snapshot());
                known.paid = self.has_been_paid();
                known.cancelled_at = self.cancelled_at.map(Timestamp::from_seconds);
                known.fulfilments =
                    (0..self.fulfilments.len()).map(|index| self.fulfilment(index)).collect();
                known.refund_lines =
                    (0..self.refunds.len()).flat_map(|index| self.refund_lines(index)).collect();
                lines = (0..self.lines.len())
                    .map(|line| (self.line_key(line), self.line_ref(line)))
                    .collect();
            }
        }
        // Only the order's own body says so.
        let test = self.test && known.snapshot.is_some();
        OrderFact { order: OrderId::new(self.id.to_string()), test, lines, known }
    }

    /// The key of a line in facts.
    pub fn line_key(&self, line: usize) -> LineId {
        LineId::new(self.line_id(line).to_string())
    }

    fn snapshot(&self) -> Snapshot {
        let lines: BTreeMap<LineId, SnapshotLine> = (0..self.lines.len())
            .map(|line| {
                let kept = SnapshotLine::new(
                    self.lines[line].quantity,
                    Some(self.fulfillable(line)),
                    self.active(line),
                    self.refunded(line, |restock| restock == Restock::Cancel),
                );
                (self.line_key(line), kept)
            })
            .collect();
        let refund_lines = (0..self.refunds.len())
            .flat_map(|index| self.refund_lines(index).map(|(id, _)| id))
            .collect();
        let mut snapshot = Snapshot {
            rank: Rank {
                updated_at: Timestamp::from_seconds(self.updated_at),
                progress: self.progress(),
                triggered_at: Timestamp::from_seconds(self.updated_at),
                digest: 0,
            },
            name: Some(self.name()),
            financial_status: Some(self.financial_status.to_owned()),
            fulfillment_status: self.fulfilment_status().map(str::to_owned),
            cancelled: self.is_cancelled(),
            voided: matches!(self.financial_status, "voided" | "expired"),
            completed_at: None,
            lines,
            refund_lines,
        };
        let BodyHash(hash) = BodyHash::of(format!("{snapshot:?}").as_bytes());
        snapshot.rank.digest = hash[..8].iter().fold(0, |all, byte| all << 8 | u64::from(*byte));
        snapshot
    }

    /// Grows with everything that happens to an order and can be counted.
    fn progress(&self) -> i64 {
        let units: i64 = self.lines.iter().map(|line| line.quantity).sum();
        let refunded: i64 = (0..self.lines.len()).map(|line| self.refunded(line, |_| true)).sum();
        let gone: i64 =
            (0..self.lines.len()).map(|line| self.lines[line].quantity - self.current(line)).sum();
        let sent: i64 = self.fulfilments.iter().map(|f| 1 + status_rank(f.status)).sum();
        let ended = self.is_cancelled() || matches!(self.financial_status, "voided" | "expired");
        i64::from(ended) + units + refunded + gone + sent
    }

    fn fulfilment(&self, index: usize) -> (FulfilmentId, Fulfilment) {
        let ours = &self.fulfilments[index];
        let mut lines = BTreeMap::new();
        for (line, units) in &ours.lines {
            *lines.entry(self.line_key(*line)).or_default() += units;
        }
        let fulfilment = Fulfilment {
            updated_at: Timestamp::from_seconds(ours.updated_at),
            status: ours.status,
            created_at: Timestamp::from_seconds(ours.created_at),
            location: ours.location.map(location),
            lines,
        };
        (FulfilmentId::new(self.fulfilment_id(index).to_string()), fulfilment)
    }

    fn refund_lines(&self, index: usize) -> impl Iterator<Item = (RefundLineId, RefundLine)> {
        let refund = &self.refunds[index];
        refund.lines.iter().enumerate().map(move |(at, (line, quantity))| {
            let part = RefundLine {
                line: self.line_key(*line),
                quantity: *quantity,
                restock: refund.restock,
                location: refund.location.map(location),
                created_at: Timestamp::from_seconds(refund.created_at),
            };
            (RefundLineId::new(self.refund_line_id(index, at).to_string()), part)
        })
    }

    fn line_ref(&self, line: usize) -> LineRef {
        LineRef {
            sku: self.lines[line].sku.as_deref().map(Sku::new),
            variant: self.variant(line).map(|id| Variant::new(id.to_string())),
            class: match self.lines[line].kind {
                LineKind::Tracked => LineClass::Tracked,
                LineKind::Untracked => LineClass::Untracked,
                LineKind::Tip | LineKind::GiftCard | LineKind::Custom => LineClass::NotStock,
            },
        }
    }
}

fn location(id: u64) -> PlatformLocation {
    PlatformLocation::new(id.to_string())
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

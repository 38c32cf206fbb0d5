//! What is known of an order: a join of every snapshot and part that ever arrived.
//!
//! `join` is commutative, associative and idempotent, so the order and number of arrivals do not
//! matter. A snapshot is replaced by a greater one only; parts (refund lines, fulfilments) are kept
//! by id, each in its newest form; `paid`, `deleted` and moments (edited, in the bin, out of it, put
//! back) never go back.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::ids::{FulfilmentId, LineId, PlatformLocation, RefundLineId};
use crate::payment::LinkedPayment;
use crate::time::Timestamp;

/// Everything known about one order. A webhook's fact is a small one of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<Snapshot>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refund_lines: BTreeMap<RefundLineId, RefundLine>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fulfilments: BTreeMap<FulfilmentId, Fulfilment>,
    /// It is a test order: nothing else is kept of it, and nothing that comes counts.
    #[serde(default, skip_serializing_if = "is_false")]
    pub test: bool,
    /// Some snapshot or transaction, however old, said that money had come in.
    #[serde(default, skip_serializing_if = "is_false")]
    pub paid: bool,
    /// When the order was last edited, as an edit that does not say what the order is now tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Timestamp>,
    /// The platform deleted the order. Wins for ever.
    #[serde(default, skip_serializing_if = "is_false")]
    pub deleted: bool,
    /// When the order was last thrown into a bin, and when it was last seen outside. What tells of
    /// the bin has no date of its own, so that moment is the one when we received it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trashed_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outside_at: Option<Timestamp>,
    /// When the platform was first seen to have it cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled_at: Option<Timestamp>,
    /// The latest of the other moments when it was seen cancelled, as [`Known::cancelled_since`]
    /// asks for the last time: some platforms revive an order and cancel it again.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub cancelled_again_at: BTreeSet<Timestamp>,
    /// When it was last seen not cancelled; only beside a snapshot that is, as any other says it
    /// itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncancelled_at: Option<Timestamp>,
    /// When the platform last showed that all units are back in its stock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub put_back_at: Option<Timestamp>,
    /// When everything in it first left, as what shows it put back still tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub had_left_at: Option<Timestamp>,
    /// The payments for this order, by [`PaymentKey`] as text.
    ///
    /// [`PaymentKey`]: crate::PaymentKey
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub payments: BTreeMap<String, LinkedPayment>,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// The order as one webhook showed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    pub rank: Rank,
    /// The order's name for people, such as `#1001`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub financial_status: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fulfillment_status: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub cancelled: bool,
    /// The payment was voided or expired.
    #[serde(default, skip_serializing_if = "is_false")]
    pub voided: bool,
    /// When everything in it left, on platforms that tell of shipments by a status alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
    pub lines: BTreeMap<LineId, SnapshotLine>,
    /// The refund lines this snapshot already takes into account.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub refund_lines: BTreeSet<RefundLineId>,
}

/// Which of two snapshots is newer.
///
/// `updated_at` has one second, and bodies are built when they are sent, so content (`progress`,
/// which never falls) says more than `triggered_at`. The digest only makes the order total.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rank {
    pub updated_at: Timestamp,
    pub progress: i64,
    /// When the body was made; where the platform does not say, when it was received, if it is made as
    /// it is sent.
    pub triggered_at: Timestamp,
    pub digest: u64,
}

impl Rank {
    /// Same state of the order, whenever it was sent.
    fn same_state(&self, other: &Rank) -> bool {
        (self.updated_at, self.progress, self.digest)
            == (other.updated_at, other.progress, other.digest)
    }
}

/// One line in one snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotLine {
    /// As ordered at first; never reduced.
    pub quantity: i64,
    /// Units that are still meant for the customer or already went out, as of this snapshot.
    pub kept: i64,
    /// Units that left, and units that came back, where the snapshot itself tells and not its
    /// fulfilments and refund lines. Nobody says from where.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub shipped: i64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub returned: i64,
}

// Serde hands out references.
#[expect(clippy::trivially_copy_pass_by_ref)]
fn is_zero(units: &i64) -> bool {
    *units == 0
}

impl SnapshotLine {
    /// * `fulfillable`: what the platform says can still be fulfilled
    /// * `in_fulfilments`: units in the snapshot's own successful, pending or open fulfilments
    /// * `cancelled`: units of `cancel` refund lines that the snapshot contains
    pub fn new(
        quantity: i64,
        fulfillable: Option<i64>,
        in_fulfilments: i64,
        cancelled: i64,
    ) -> Self {
        let left = quantity - cancelled;
        let kept = fulfillable.map_or(left, |fulfillable| left.min(fulfillable + in_fulfilments));
        Self { quantity, kept: kept.max(0), ..Self::default() }
    }
}

/// One line of a refund. Never changes once it exists.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RefundLine {
    pub line: LineId,
    pub quantity: i64,
    pub restock: Restock,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<PlatformLocation>,
    pub created_at: Timestamp,
}

/// What the platform did with the units of a refund line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Restock {
    /// Nothing by itself.
    NoRestock,
    /// Units that were not sent any more are no longer owed.
    Cancel,
    /// Units came back.
    Return,
    /// The old way, which does not tell cancel from return: moves nothing, flags the order.
    LegacyRestock,
}

/// One fulfilment in its newest known form. The derived order decides which form is newest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fulfilment {
    pub updated_at: Timestamp,
    pub status: FulfilmentStatus,
    pub created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<PlatformLocation>,
    pub lines: BTreeMap<LineId, i64>,
}

/// How far a fulfilment is; a later variant never becomes an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FulfilmentStatus {
    Pending,
    Open,
    Success,
    Error,
    Failure,
    Cancelled,
}

impl FulfilmentStatus {
    /// Its units are on their way or gone: the platform no longer counts them as fulfillable.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Pending | Self::Open | Self::Success)
    }
}

/// How a fact's snapshot stood against the one we had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotJoin {
    /// The fact had none.
    None,
    /// It is the greatest now.
    Newer { content_changed: bool },
    /// It says what we knew.
    Same,
    /// We have a greater one.
    Older,
}

/// What a join changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joined {
    pub snapshot: SnapshotJoin,
    /// A part, an edit, `paid` or `deleted` was news.
    pub parts_changed: bool,
}

impl Known {
    /// Adds `fact` to what is known.
    pub fn join(&mut self, fact: Known) -> Joined {
        let was_trashed = self.is_trashed();
        let edit_is_news = fact.edited_at > self.edited_at && fact.edited_at > self.snapshot_at();
        let mut parts_changed =
            (fact.paid && !self.paid) || (fact.deleted && !self.deleted) || edit_is_news;
        self.paid |= fact.paid;
        self.deleted |= fact.deleted;
        self.edited_at = self.edited_at.max(fact.edited_at);
        self.trashed_at = self.trashed_at.max(fact.trashed_at);
        self.outside_at = self.outside_at.max(fact.outside_at);
        parts_changed |= was_trashed != self.is_trashed();
        let uncancelled_at = self.seen_uncancelled_at().max(fact.seen_uncancelled_at());
        self.join_cancelled(fact.cancelled_at, fact.cancelled_again_at);
        // The first moment; of no moment and one, the one.
        self.had_left_at = self.had_left_at.into_iter().chain(fact.had_left_at).min();
        let had_left = self.completed_at();
        self.put_back_at = self.put_back_at.max(fact.put_back_at);
        parts_changed |= had_left != self.completed_at();
        for (id, line) in fact.refund_lines {
            parts_changed |= keep_greater(self.refund_lines.entry(id), line);
        }
        for (id, fulfilment) in fact.fulfilments {
            parts_changed |= keep_greater(self.fulfilments.entry(id), fulfilment);
        }
        for (id, payment) in fact.payments {
            parts_changed |= keep_greater(self.payments.entry(id), payment);
        }
        let snapshot = self.join_snapshot(fact.snapshot);
        let is_cancelled = self.snapshot.as_ref().is_some_and(|shown| shown.cancelled);
        self.uncancelled_at = uncancelled_at.filter(|_| is_cancelled);
        Joined { snapshot, parts_changed }
    }

    fn snapshot_at(&self) -> Option<Timestamp> {
        self.snapshot.as_ref().map(|snapshot| snapshot.rank.updated_at)
    }

    /// The order was edited, and no snapshot of it as it is since has come.
    pub fn is_edit_pending(&self) -> bool {
        self.edited_at > self.snapshot_at()
    }

    /// When everything left, if it did and was not put back since.
    pub fn completed_at(&self) -> Option<Timestamp> {
        let completed_at = self.snapshot.as_ref()?.completed_at?;
        (Some(completed_at) >= self.put_back_at).then_some(completed_at)
    }

    /// It lies in the platform's bin, from where it may come back.
    pub fn is_trashed(&self) -> bool {
        self.trashed_at.is_some() && self.trashed_at > self.outside_at
    }

    fn join_snapshot(&mut self, theirs: Option<Snapshot>) -> SnapshotJoin {
        let Some(theirs) = theirs else { return SnapshotJoin::None };
        let Some(ours) = &mut self.snapshot else {
            self.snapshot = Some(theirs);
            return SnapshotJoin::Newer { content_changed: true };
        };
        if theirs.rank.same_state(&ours.rank) {
            // Sent again or under another topic: keep the later of the two moments.
            ours.rank.triggered_at = ours.rank.triggered_at.max(theirs.rank.triggered_at);
            return SnapshotJoin::Same;
        }
        if theirs.rank < ours.rank {
            return SnapshotJoin::Older;
        }
        let content_changed = theirs.rank.digest != ours.rank.digest;
        *ours = theirs;
        SnapshotJoin::Newer { content_changed }
    }
}

fn keep_greater<K: Ord, V: Ord>(entry: Entry<'_, K, V>, value: V) -> bool {
    match entry {
        Entry::Vacant(slot) => {
            slot.insert(value);
            true
        }
        Entry::Occupied(mut slot) if value > *slot.get() => {
            slot.insert(value);
            true
        }
        Entry::Occupied(_) => false,
    }
}

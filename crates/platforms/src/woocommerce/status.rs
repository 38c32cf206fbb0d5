//! What an order's status says about its units.
//!
//! The set is open: plugins add statuses, and WooCommerce itself does now and then. What is not
//! named here counts as the shop counts it, by each line's `_reduced_stock`: the shop takes units
//! out of its stock on the way to on-hold, processing and completed, puts them back on the way to
//! pending and cancelled, and leaves them as they are on every other way.
//!
//! There are no fulfilments either: a completed order is an order whose units left. A refund that
//! restocks units lowers `_reduced_stock` by them and leaves the quantity alone.

use domain::Timestamp;
use domain::order::SnapshotLine;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// Still in the making; why it is not looked at.
    Draft(&'static str),
    Pending,
    Failed,
    OnHold,
    Processing,
    /// Anything that WooCommerce does not know by itself, such as `ready-for-pickup`.
    Custom,
    Completed,
    Refunded,
    Cancelled,
    /// In the bin, which is all that such a body says.
    Trash,
}

impl Status {
    pub(super) fn of(text: &str) -> Self {
        match text {
            "checkout-draft" => Self::Draft("checkout_draft"),
            "auto-draft" | "draft" | "new" => Self::Draft("draft"),
            "pending" => Self::Pending,
            "failed" => Self::Failed,
            "on-hold" => Self::OnHold,
            "processing" => Self::Processing,
            "completed" => Self::Completed,
            "refunded" => Self::Refunded,
            "cancelled" => Self::Cancelled,
            "trash" => Self::Trash,
            _ => Self::Custom,
        }
    }

    /// When everything left. The date of completion stays with an order for ever, so the status has
    /// to agree: nothing left if the order is on its way (again), or if the shop put the units
    /// back.
    pub(super) fn completed_at(
        self,
        date_completed: Option<Timestamp>,
        updated_at: Timestamp,
    ) -> Option<Timestamp> {
        match self {
            Self::Completed => Some(date_completed.unwrap_or(updated_at)),
            Self::Failed | Self::Custom | Self::Refunded => date_completed,
            Self::Pending | Self::OnHold | Self::Processing | Self::Cancelled => None,
            Self::Draft(_) | Self::Trash => None,
        }
    }

    /// The shop puts all units back on the way to it; a later completion takes them again.
    pub(super) fn puts_back(self) -> bool {
        matches!(self, Self::Pending | Self::Cancelled)
    }

    /// One line: `quantity` units ordered, of which the shop itself holds `reduced`.
    pub(super) fn line(self, completed: bool, quantity: i64, reduced: Option<i64>) -> SnapshotLine {
        // As if nothing had left: that is for the order to know, which may have seen it put back.
        let kept = match self {
            Self::OnHold | Self::Processing | Self::Completed => reduced.unwrap_or(quantity),
            Self::Failed | Self::Custom | Self::Refunded => reduced.unwrap_or(0),
            Self::Draft(_) | Self::Pending | Self::Cancelled | Self::Trash => 0,
        };
        let (shipped, returned) = match completed {
            true => (quantity, reduced.map_or(0, |reduced| (quantity - reduced).max(0))),
            false => (0, 0),
        };
        SnapshotLine { quantity, kept: kept.min(quantity), shipped, returned }
    }

    /// How far an order has come: of two bodies with the same second in `date_modified_gmt`, the
    /// one that shows more is taken for the newer.
    ///
    /// Refunds, the date of completion and the date of payment stay once they are there, so they
    /// say more than the status, in this order: money is paid, then the order completed, then
    /// refunded; and a late payment revives a cancelled order. Statuses may go anywhere at any
    /// time; their usual way is all that is left to tell by.
    pub(super) fn progress(self, refunds: usize, completed: bool, paid: bool) -> i64 {
        let refunds = i64::try_from(refunds).unwrap_or(i64::MAX / REFUND_WEIGHT - 1);
        refunds * REFUND_WEIGHT
            + i64::from(completed) * COMPLETED_WEIGHT
            + i64::from(paid) * PAID_WEIGHT
            + self.rank()
    }

    fn rank(self) -> i64 {
        match self {
            Self::Draft(_) | Self::Trash => 0,
            Self::Pending => 1,
            Self::Failed => 2,
            Self::OnHold => 3,
            Self::Processing | Self::Custom => 4,
            Self::Completed => 5,
            Self::Refunded | Self::Cancelled => 6,
        }
    }
}

/// Each above the sum of all that is below it.
const PAID_WEIGHT: i64 = 10;
const COMPLETED_WEIGHT: i64 = 20;
const REFUND_WEIGHT: i64 = 40;

//! An order's state in one word, for people.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::order::{FulfilmentStatus, Order, Restock, is_reached};
use crate::payment::LinkedPayment;
use crate::policy::Policy;

/// Where an order stands. The first that fits, top down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// The platform deleted it.
    Deleted,
    /// It lies in the platform's bin.
    Trashed,
    /// Parts of it came, but no snapshot yet.
    Partial,
    Cancelled,
    /// Cancelled, but money came in afterwards: somebody has to give it back or serve the order.
    PaidAfterCancel,
    /// Nothing in it is a stock matter.
    NotStock,
    /// It asked for more than there was.
    Short,
    /// Units are owed and some went out.
    PartiallyShipped,
    /// Units are owed.
    Committed,
    /// All that is kept went out.
    Shipped,
    /// The shop commits on payment, and none was seen.
    AwaitingPayment,
    /// Nothing is owed any more: refunded or edited away.
    Released,
}

impl OrderState {
    pub fn as_str(self) -> &'static str {
        match self {
            OrderState::Deleted => "deleted",
            OrderState::Trashed => "trashed",
            OrderState::Partial => "partial",
            OrderState::Cancelled => "cancelled",
            OrderState::PaidAfterCancel => "paid_after_cancel",
            OrderState::NotStock => "not_stock",
            OrderState::Short => "short",
            OrderState::PartiallyShipped => "partially_shipped",
            OrderState::Committed => "committed",
            OrderState::Shipped => "shipped",
            OrderState::AwaitingPayment => "awaiting_payment",
            OrderState::Released => "released",
        }
    }
}

impl fmt::Display for OrderState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Something about an order that a person should look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderFlag {
    /// Shipped by the platform when we had no units to take.
    Uncovered,
    /// Shipped by the platform from where all units were meant for others; its own were taken instead.
    TakenElsewhere,
    /// A `legacy_restock` refund: the platform does not say whether units came back.
    LegacyRestock,
    /// Refunded without restocking before they left: here they are available again.
    NotRestocked,
    /// A fulfilment from before the cut-over changed after it.
    CrossesCutOver,
    /// Short, but what fitted is committed.
    Held,
    /// Edited, and the platform has not yet shown what it is now.
    EditPending,
    /// Paid, but not served.
    PaidButShort,
    /// A payment for it was disputed, charged back or did not come about after all.
    PaymentContested,
    /// Cancelled, deleted or in the bin, but a payment for it still holds money.
    HoldsMoney,
    /// A payment for it holds money, but what the platform says of it asks for no units.
    PaidNotOwed,
}

impl Order {
    /// The state in one word, under the shop's rules.
    pub fn state(&self, policy: &Policy) -> OrderState {
        let Some(snapshot) = &self.known.snapshot else {
            return match () {
                () if self.known.test => OrderState::NotStock,
                () if self.known.deleted => OrderState::Deleted,
                () => OrderState::Partial,
            };
        };
        let committed = self.holdings.values().any(|holding| holding.committed > 0);
        // Also what went out before the cut-over, which no holding shows.
        let shipped = self.known.completed_at().is_some()
            || self
                .known
                .fulfilments
                .values()
                .any(|fulfilment| fulfilment.status == FulfilmentStatus::Success);
        match () {
            () if self.known.deleted => OrderState::Deleted,
            () if self.known.is_trashed() => OrderState::Trashed,
            () if self.is_paid_after_cancel() => OrderState::PaidAfterCancel,
            () if snapshot.cancelled => OrderState::Cancelled,
            () if !self.has_stock_lines() => OrderState::NotStock,
            () if self.short.is_some() => OrderState::Short,
            () if committed && shipped => OrderState::PartiallyShipped,
            () if committed => OrderState::Committed,
            () if shipped => OrderState::Shipped,
            () if !is_reached(&self.known, policy) => OrderState::AwaitingPayment,
            () => OrderState::Released,
        }
    }

    /// A payment that still holds money came in after the platform had cancelled the order.
    fn is_paid_after_cancel(&self) -> bool {
        self.known.cancelled_since().is_some_and(|since| {
            self.known
                .payments
                .values()
                .any(|payment| payment.state.holds_money() && payment.captured_at >= Some(since))
        })
    }

    /// It will not be served, whatever its lines are.
    fn is_ended(&self) -> bool {
        let known = &self.known;
        let is_cancelled = known.snapshot.as_ref().is_some_and(|shown| shown.cancelled);
        known.deleted || known.is_trashed() || is_cancelled
    }

    /// Some payment for it holds money that could be given back. What is disputed is not to be: the
    /// bank may take it, too.
    fn holds_money(&self) -> bool {
        let holds =
            |payment: &LinkedPayment| payment.state.holds_money() && !payment.state.is_contested();
        self.known.payments.values().any(holds)
    }

    pub fn flags(&self, policy: &Policy) -> Vec<OrderFlag> {
        let uncovered = self.holdings.values().any(|holding| holding.uncovered > 0);
        let legacy =
            self.known.refund_lines.values().any(|line| line.restock == Restock::LegacyRestock);
        let crosses = self.known.crosses_cut_over(policy);
        let held = self.short.is_some() && self.holdings.values().any(|h| h.committed > 0);
        let contested = self.known.payments.values().any(|payment| payment.state.is_contested());
        let not_owed = self.state(policy) == OrderState::Released;
        [
            (uncovered, OrderFlag::Uncovered),
            (!self.taken_elsewhere.is_empty(), OrderFlag::TakenElsewhere),
            (legacy, OrderFlag::LegacyRestock),
            (!self.not_restocked(policy).is_empty(), OrderFlag::NotRestocked),
            (crosses, OrderFlag::CrossesCutOver),
            (held, OrderFlag::Held),
            (self.known.is_edit_pending(), OrderFlag::EditPending),
            (self.short.is_some() && self.known.paid, OrderFlag::PaidButShort),
            (contested, OrderFlag::PaymentContested),
            (self.is_ended() && self.holds_money(), OrderFlag::HoldsMoney),
            (not_owed && self.holds_money(), OrderFlag::PaidNotOwed),
        ]
        .into_iter()
        .filter_map(|(raised, flag)| raised.then_some(flag))
        .collect()
    }
}

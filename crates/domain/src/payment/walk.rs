//! The state of a payment, found by walking over its events in the order of their own moments.

use super::{PaymentEvent, PaymentEventKind, PaymentState};

/// The state so far, and the sums that it follows from.
#[derive(Default)]
pub(super) struct Walk {
    state: PaymentState,
    authorised: i64,
    captured: i64,
    refunded: i64,
    disputed: bool,
}

impl Walk {
    pub(super) fn step(&mut self, event: &PaymentEvent) -> PaymentState {
        use PaymentEventKind as Kind;
        use PaymentState as State;
        let minor = event.money.as_ref().map(|money| money.minor);
        let came_in = self.state.holds_money()
            || matches!(self.state, State::Refunded | State::CaptureFailed | State::ChargedBack);
        if event.kind == Kind::Authorised {
            self.authorised = self.authorised.max(minor.unwrap_or(0));
        }
        self.state = match event.kind {
            // The capture that failed was not tried again.
            Kind::Cancelled if self.state == State::CaptureFailed => State::Cancelled,
            // A try that failed, or news of the beginning, says nothing once money came in.
            Kind::Pending | Kind::Failed | Kind::Authorised | Kind::Cancelled if came_in => {
                self.state
            }
            Kind::Pending if self.state == State::Authorised => State::Authorised,
            Kind::Pending => State::Pending,
            Kind::Failed => State::Failed,
            Kind::Authorised => State::Authorised,
            Kind::Cancelled => State::Cancelled,
            Kind::Captured => {
                self.captured = self.captured.saturating_add(minor.unwrap_or(0));
                self.after_refunds()
            }
            Kind::CapturedInAll => {
                self.captured = self.captured.max(minor.unwrap_or(0));
                self.after_refunds()
            }
            // Nobody had set anything aside, so nothing can have been taken.
            Kind::CaptureFailed
                if !came_in && self.authorised == 0 && self.state != State::Authorised =>
            {
                State::Cancelled
            }
            Kind::CaptureFailed => {
                self.captured = self.captured.saturating_sub(minor.unwrap_or(i64::MAX)).max(0);
                if self.captured > 0 { self.after_refunds() } else { State::CaptureFailed }
            }
            Kind::Refunded => {
                self.refunded = minor.map_or(i64::MAX, |units| self.refunded.saturating_add(units));
                self.after_refunds()
            }
            Kind::RefundedInAll => {
                self.refunded = minor.map_or(i64::MAX, |units| self.refunded.max(units));
                self.after_refunds()
            }
            Kind::RefundFailed => {
                self.refunded = self.refunded.saturating_sub(minor.unwrap_or(i64::MAX)).max(0);
                // A refund that was refused says nothing of money that never came or is contested.
                let refunded = matches!(self.state, State::Refunded | State::PartiallyRefunded);
                if refunded { self.after_refunds() } else { self.state }
            }
            Kind::Disputed => {
                self.disputed = true;
                State::Disputed
            }
            Kind::DisputeWon => {
                self.disputed = false;
                self.after_refunds()
            }
            Kind::DisputeLost => {
                self.disputed = false;
                State::ChargedBack
            }
        };
        self.state
    }

    /// Where nobody told of a capture, all that was authorised counts: some capture in silence. A
    /// dispute lasts until it is decided, whatever else happens.
    fn after_refunds(&self) -> PaymentState {
        if self.disputed {
            return PaymentState::Disputed;
        }
        let taken = if self.captured > 0 { self.captured } else { self.authorised };
        match self.refunded {
            0 => PaymentState::Captured,
            some if some < taken => PaymentState::PartiallyRefunded,
            _ => PaymentState::Refunded,
        }
    }
}

//! A payment: what its provider told of it, in any order, and the state that follows.
//!
//! What is known is a set of events, and joining sets is commutative, associative and idempotent;
//! so repeated, late, early and contradictory callbacks converge. The state is a walk over the
//! events in the order of their own moments, not of their arrival.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{OrderId, PaymentEventId, PaymentId, Version};
use crate::time::Timestamp;

mod walk;

use walk::Walk;

/// What one callback says of one payment: a piece of knowledge of the same shape as all of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PaymentFact {
    pub payment: PaymentId,
    /// Its provider says that no money is moved: somebody tries things out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub test: bool,
    #[serde(flatten)]
    pub known: PaymentKnown,
}

impl PaymentFact {
    /// As an account tells it that takes money as soon as it is authorised, without a word.
    #[must_use]
    pub fn captured_at_once(mut self) -> Self {
        for event in self.known.events.values_mut() {
            event.kind = match event.kind {
                PaymentEventKind::Authorised => PaymentEventKind::CapturedInAll,
                // Then what was taken with it did not come about.
                PaymentEventKind::Cancelled => PaymentEventKind::CaptureFailed,
                other => other,
            };
        }
        self
    }
}

/// Everything known of one payment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentKnown {
    /// The orders that it was said to pay for: all are told. More than one is the sender's mistake,
    /// for a person to see.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub references: BTreeSet<OrderId>,
    pub events: BTreeMap<PaymentEventId, PaymentEvent>,
}

/// Something that happened to a payment. Never changes once it has happened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PaymentEvent {
    pub at: Timestamp,
    pub kind: PaymentEventKind,
    /// Of this event: authorised, captured, refunded, disputed. 0 where it moved nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub money: Option<Money>,
}

/// An amount in the currency's smallest unit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Money {
    pub minor: i64,
    /// Three letters, upper case.
    pub currency: String,
}

/// What happened. Of two events of one moment, the later variant counts as the later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentEventKind {
    /// It began, or waits for somebody.
    Pending,
    /// This try failed; another may succeed.
    Failed,
    /// The money is set aside, not taken.
    Authorised,
    /// Given up, or run out: no money will come.
    Cancelled,
    /// The money came in: this much by this event.
    Captured,
    /// The money came in: this much so far. For providers that tell of one capture twice.
    CapturedInAll,
    /// A capture that was reported before did not come about.
    CaptureFailed,
    /// Part or all of it went back: this much by this event.
    Refunded,
    /// Part or all of it went back: this much so far.
    RefundedInAll,
    /// A refund that was reported before did not come about.
    RefundFailed,
    /// The payer's bank asks for it back.
    Disputed,
    DisputeWon,
    /// The payer's bank took it back.
    DisputeLost,
}

impl PaymentEventKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Failed => "failed",
            Self::Authorised => "authorised",
            Self::Cancelled => "cancelled",
            Self::Captured => "captured",
            Self::CapturedInAll => "captured_in_all",
            Self::CaptureFailed => "capture_failed",
            Self::Refunded => "refunded",
            Self::RefundedInAll => "refunded_in_all",
            Self::RefundFailed => "refund_failed",
            Self::Disputed => "disputed",
            Self::DisputeWon => "dispute_won",
            Self::DisputeLost => "dispute_lost",
        }
    }

    fn brings_money(self) -> bool {
        matches!(self, Self::Captured | Self::CapturedInAll)
    }
}

/// Where a payment stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    #[default]
    Pending,
    Failed,
    Authorised,
    Cancelled,
    Captured,
    CaptureFailed,
    PartiallyRefunded,
    Refunded,
    Disputed,
    ChargedBack,
}

impl PaymentState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Failed => "failed",
            Self::Authorised => "authorised",
            Self::Cancelled => "cancelled",
            Self::Captured => "captured",
            Self::CaptureFailed => "capture_failed",
            Self::PartiallyRefunded => "partially_refunded",
            Self::Refunded => "refunded",
            Self::Disputed => "disputed",
            Self::ChargedBack => "charged_back",
        }
    }

    /// Money is there, or some of it.
    pub fn holds_money(self) -> bool {
        matches!(self, Self::Captured | Self::PartiallyRefunded | Self::Disputed)
    }

    /// Money that had come in went, or may go, without the merchant's will.
    pub fn is_contested(self) -> bool {
        matches!(self, Self::CaptureFailed | Self::Disputed | Self::ChargedBack)
    }
}

impl fmt::Display for PaymentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One payment as we keep it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// How often it was written; a column of its own.
    #[serde(skip)]
    pub version: Version,
    /// How often news of it came: what an order was told of it later is the newer.
    #[serde(default)]
    pub revision: u64,
    #[serde(flatten)]
    pub known: PaymentKnown,
}

impl Payment {
    /// Adds `fact` to what is known; whether anything was news.
    pub fn join(&mut self, fact: PaymentKnown) -> bool {
        let news = self.known.join(fact);
        self.revision += u64::from(news);
        news
    }

    /// What the order that it pays for is to know.
    pub fn linked(&self) -> LinkedPayment {
        let captures = self.known.events.values().filter(|event| event.kind.brings_money());
        LinkedPayment {
            revision: self.revision,
            state: self.known.state(),
            captured_at: captures.map(|event| event.at).max(),
        }
    }
}

/// What an order knows of a payment for it: the later revision is the newer knowledge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LinkedPayment {
    pub revision: u64,
    pub state: PaymentState,
    /// When money came in last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub captured_at: Option<Timestamp>,
}

/// One step of a payment: an event, and the state after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition<'a> {
    pub id: &'a PaymentEventId,
    pub event: &'a PaymentEvent,
    pub state: PaymentState,
}

impl PaymentKnown {
    /// Adds `fact` to what is known; whether anything was news.
    pub fn join(&mut self, fact: PaymentKnown) -> bool {
        let mut news = false;
        for reference in fact.references {
            news |= self.references.insert(reference);
        }
        for (id, event) in fact.events {
            // One event told twice in two ways: the greater one, so that the order does not matter.
            let known = self.events.get(&id);
            if known.is_none_or(|known| event > *known) {
                self.events.insert(id, event);
                news = true;
            }
        }
        news
    }

    /// The order that it pays for; the first of several in their order.
    pub fn reference(&self) -> Option<&OrderId> {
        self.references.first()
    }

    /// Every event in the order of its own moment, with the state after it.
    pub fn transitions(&self) -> Vec<Transition<'_>> {
        let mut events: Vec<_> = self.events.iter().collect();
        events.sort_by_key(|(id, event)| (event.at, event.kind, *id));
        let mut walk = Walk::default();
        events
            .into_iter()
            .map(|(id, event)| Transition { id, event, state: walk.step(event) })
            .collect()
    }

    pub fn state(&self) -> PaymentState {
        self.transitions().last().map(|last| last.state).unwrap_or_default()
    }

    /// Money came in at some time, whatever became of it.
    pub fn was_captured(&self) -> bool {
        self.events.values().any(|event| event.kind.brings_money())
    }
}

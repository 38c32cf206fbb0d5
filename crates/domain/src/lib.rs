//! The rules of Onhand, pure: what webhooks say, what is known of an order, and how stock follows.
//!
//! Nothing here reads a clock, does IO, logs or waits, so nothing here can fail for an outside
//! reason; time, ids and policy come in as arguments. The heart is one sentence: **an order is a
//! join of everything known about it, targets are pure functions of that knowledge, and the ledger
//! gets target − recorded.** Because joining is commutative, associative and idempotent, late,
//! repeated and reordered webhooks end in the same place.
//!
//! Read in this order: [`ids`], [`stock`], [`order`] (knowledge, targets), [`payment`], [`fact`]
//! (what one webhook says), [`mod@decide`] (knowledge + fact → moves), [`batch`] (decisions over one
//! evolving [`view`] → one [`ChangeSet`]).
//!
//! These types derive serde because a store keeps an order's knowledge as one document; platform
//! payloads are never deserialised into them directly (crate `platforms` does that).

pub mod batch;
pub mod change;
pub mod decide;
pub mod envelope;
pub mod fact;
pub mod ids;
pub mod order;
pub mod payment;
pub mod policy;
pub mod privacy;
pub mod retry;
pub mod sighting;
pub mod stock;
pub mod time;
pub mod view;
pub mod webhook;

mod allocate;
mod resolve;

pub use batch::{Batch, Decided, Incoming};
pub use change::{ChangeSet, KeptBody, Keys, Operation, OrderChange, PaymentChange, StockChange};
pub use decide::{Decision, decide};
pub use envelope::{Envelope, Platform, Provider};
pub use fact::{Fact, LineClass, LineRef, Meaning, OrderFact};
pub use ids::{
    BodyHash, EnvelopeId, FulfilmentId, LineId, ListingKey, LocationId, OrderId, OrderKey,
    PaymentEventId, PaymentId, PaymentKey, PlatformLocation, RefundLineId, ShopId, Sku, StockKey,
    Variant, Version, WebhookId,
};
pub use order::Order;
pub use payment::{Payment, PaymentFact};
pub use policy::Policy;
pub use sighting::Sighting;
pub use stock::{LedgerRow, Move, MoveKind, Stock};
pub use time::Timestamp;
pub use view::View;
pub use webhook::{DeadLetter, DeadReason, Outcome, Repeat, Verdict, WebhookKey, WebhookRecord};

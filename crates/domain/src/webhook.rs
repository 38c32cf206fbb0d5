//! What became of a webhook.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::{BodyHash, EnvelopeId, OrderId, ShopId, WebhookId};
use crate::time::Timestamp;

/// The identity of a webhook: the same key again is a duplicate.
///
/// The body's hash is part of it, because a webhook id with another body is another message and is
/// never dropped.
#[derive(Clone, Debug)]
pub struct WebhookKey {
    pub webhook: WebhookId,
    pub shop: ShopId,
    pub body: BodyHash,
    /// The order that the body is about, where it names one: says where the row lies in a store that
    /// keeps rows of one time together, and is no part of the identity.
    pub scope: Option<OrderId>,
}

impl WebhookKey {
    fn identity(&self) -> (&WebhookId, &ShopId, &BodyHash) {
        (&self.webhook, &self.shop, &self.body)
    }
}

impl PartialEq for WebhookKey {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for WebhookKey {}

impl PartialOrd for WebhookKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for WebhookKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.identity().cmp(&other.identity())
    }
}

impl Hash for WebhookKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

/// The terminal result of a webhook (promise P6). `Duplicate` is never stored: a repeat adds to a
/// row's deliveries and to the counter of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It moved stock or taught us something about an order.
    Applied,
    /// Another webhook, but nothing was left to do.
    Unchanged,
    /// The same webhook again.
    Duplicate,
    /// Older than what we have; its parts still joined.
    Superseded,
    /// It asked for more units than there were.
    Short,
    /// Not a stock matter.
    Ignored,
    /// Cannot be applied; kept as a dead letter.
    Dead,
}

impl Outcome {
    pub const ALL: [Outcome; 7] = [
        Outcome::Applied,
        Outcome::Unchanged,
        Outcome::Duplicate,
        Outcome::Superseded,
        Outcome::Short,
        Outcome::Ignored,
        Outcome::Dead,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Applied => "applied",
            Outcome::Unchanged => "unchanged",
            Outcome::Duplicate => "duplicate",
            Outcome::Superseded => "superseded",
            Outcome::Short => "short",
            Outcome::Ignored => "ignored",
            Outcome::Dead => "dead",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Outcome {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Outcome::ALL
            .into_iter()
            .find(|outcome| outcome.as_str() == text)
            .ok_or_else(|| format!("{text:?} is not an outcome"))
    }
}

/// An outcome with the reason for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub outcome: Outcome,
    /// A snake_case code; always there for `ignored` and `dead`.
    pub reason: Option<&'static str>,
    /// For people: names the field, the SKU, the number.
    pub detail: Option<String>,
}

impl Verdict {
    pub fn plain(outcome: Outcome) -> Self {
        Self { outcome, reason: None, detail: None }
    }

    pub fn ignored(reason: &'static str) -> Self {
        Self { outcome: Outcome::Ignored, reason: Some(reason), detail: None }
    }

    pub fn dead(reason: DeadReason, detail: impl Into<String>) -> Self {
        Self { outcome: Outcome::Dead, reason: Some(reason.as_str()), detail: Some(detail.into()) }
    }
}

/// Why a webhook cannot be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadReason {
    /// Signed by a known shop's secret, but for a domain that the shops file does not name.
    UnknownShop,
    /// Not JSON, or a field is missing or has an unusable value.
    Malformed,
    /// The body is not what its topic says it is.
    TopicMismatch,
    /// A line names an item that has no stock row.
    UnknownSku,
    /// A line has part of a unit, which no stock row can hold.
    FractionalQuantity,
    /// The shop sent an error in an order's place: the owner of its webhook may not read orders.
    RestCannotView,
    /// A shipment or return names a location that the shop does not map.
    UnknownLocation,
    /// Handling it made the program panic.
    Panic,
    /// Handling it killed the process again and again.
    Poison,
    /// The database refuses it, whatever is tried.
    StoreRejected,
    /// It failed for passing reasons on every rung of the retry ladder.
    RetriesExhausted,
    /// The broker gave up on it, or could not route it.
    BrokerDeadLetter,
}

impl DeadReason {
    pub const ALL: [DeadReason; 12] = [
        DeadReason::UnknownShop,
        DeadReason::Malformed,
        DeadReason::TopicMismatch,
        DeadReason::UnknownSku,
        DeadReason::FractionalQuantity,
        DeadReason::RestCannotView,
        DeadReason::UnknownLocation,
        DeadReason::Panic,
        DeadReason::Poison,
        DeadReason::StoreRejected,
        DeadReason::RetriesExhausted,
        DeadReason::BrokerDeadLetter,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            DeadReason::UnknownShop => "unknown_shop",
            DeadReason::Malformed => "malformed",
            DeadReason::TopicMismatch => "topic_mismatch",
            DeadReason::UnknownSku => "unknown_sku",
            DeadReason::FractionalQuantity => "fractional_quantity",
            // WooCommerce's own name for it.
            DeadReason::RestCannotView => "woocommerce_rest_cannot_view",
            DeadReason::UnknownLocation => "unknown_location",
            DeadReason::Panic => "panic",
            DeadReason::Poison => "poison",
            DeadReason::StoreRejected => "store_rejected",
            DeadReason::RetriesExhausted => "retries_exhausted",
            DeadReason::BrokerDeadLetter => "broker_dead_letter",
        }
    }
}

/// The inbox row of a webhook: written once, with its outcome, in the transaction of its effects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookRecord {
    pub key: WebhookKey,
    /// The envelope that was decided; the same one again is a redelivery and is not counted.
    pub envelope: EnvelopeId,
    pub topic: String,
    pub order: Option<OrderId>,
    pub verdict: Verdict,
    pub received_at: Timestamp,
    pub decided_at: Timestamp,
    /// How often it waited on the retry ladder.
    pub attempts: u32,
    /// A dead row that is decided again; every other row stays as it is.
    pub replaces_dead: bool,
}

/// Deliveries of a webhook beyond the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeat {
    pub key: WebhookKey,
    /// Their envelopes, oldest first.
    pub envelopes: Vec<EnvelopeId>,
}

/// What could not be applied, with all that is needed to try again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The envelope it came in: also the dead letter's own id.
    pub envelope: EnvelopeId,
    pub shop: Option<ShopId>,
    pub webhook: Option<WebhookKey>,
    pub topic: String,
    pub reason: DeadReason,
    pub detail: String,
    pub attempts: u32,
    pub received_at: Timestamp,
    pub died_at: Timestamp,
    /// The envelope as it travelled, raw body and all.
    pub raw: Vec<u8>,
}

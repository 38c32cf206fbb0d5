//! What a batch reads, and what it writes: the two ends of a store's transaction.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{EnvelopeId, ListingKey, OrderKey, PaymentKey, ShopId, Sku, StockKey, Version};
use crate::order::{Order, OrderState};
use crate::payment::Payment;
use crate::privacy::KeptRequest;
use crate::sighting::ShopSighting;
use crate::stock::{LedgerRow, Stock};
use crate::webhook::{DeadLetter, Outcome, Repeat, WebhookKey, WebhookRecord};

/// The rows a batch must see before it can decide. Sets, so every store reads and locks in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    pub webhooks: BTreeSet<WebhookKey>,
    pub orders: BTreeSet<OrderKey>,
    /// Items, at all of their locations. Items of the orders' lines are loaded too.
    pub skus: BTreeSet<Sku>,
    pub payments: BTreeSet<PaymentKey>,
    /// What lines may stand for; the items behind it are loaded, too.
    pub listings: BTreeSet<ListingKey>,
}

/// Everything that one transaction writes, all or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeSet {
    pub webhooks: Vec<WebhookRecord>,
    pub repeats: Vec<Repeat>,
    pub payments: BTreeMap<PaymentKey, PaymentChange>,
    pub orders: BTreeMap<OrderKey, OrderChange>,
    pub stock: BTreeMap<StockKey, StockChange>,
    pub ledger: Vec<LedgerRow>,
    pub sightings: Vec<ShopSighting>,
    pub requests: Vec<KeptRequest>,
    pub dead: Vec<DeadLetter>,
    /// Bodies that are kept for a while, of shops that ask for it.
    pub kept: Vec<KeptBody>,
    pub effects: Vec<Effect>,
    pub operation: Option<Operation>,
    /// Envelopes that are under suspicion no longer (see `Store::suspect`).
    pub cleared: Vec<EnvelopeId>,
}

/// An order, from the version that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderChange {
    pub expected: Version,
    pub state: OrderState,
    pub order: Order,
}

/// A payment, from the version that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentChange {
    pub expected: Version,
    pub payment: Payment,
    /// The order that it pays for, as far as anybody said.
    pub order: Option<OrderKey>,
}

/// A stock row, from the version that was read. Equal versions: only read, but must be unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StockChange {
    pub expected: Version,
    pub stock: Stock,
}

impl StockChange {
    pub fn is_write(&self) -> bool {
        self.stock.version != self.expected
    }
}

/// The body of a webhook that was decided and is not dead, kept for people to look at and to decide again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptBody {
    pub envelope: EnvelopeId,
    /// Who sent it, as its webhook's key has it.
    pub shop: ShopId,
    pub until: crate::Timestamp,
    /// The envelope as it travelled, raw body and all.
    pub raw: Vec<u8>,
}

/// Something to tell the outside, once. Only collected where a consumer is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    pub kind: EffectKind,
    pub order: OrderKey,
    pub correlation: EnvelopeId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EffectKind {
    /// An order could not be committed.
    OrderShort,
    /// A short order is short no longer.
    OrderServed,
    /// Money came in for an order, for the first time.
    OrderPaid,
}

impl EffectKind {
    pub fn as_str(self) -> &'static str {
        match self {
            EffectKind::OrderShort => "order_short",
            EffectKind::OrderServed => "order_served",
            EffectKind::OrderPaid => "order_paid",
        }
    }
}

/// An operator's command, with the key under which it happens once only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    pub key: String,
    pub what: String,
    pub at: crate::Timestamp,
}

impl ChangeSet {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What this transaction adds to the counters of outcomes.
    pub fn outcome_counts(&self) -> BTreeMap<Outcome, i64> {
        let mut counts = BTreeMap::new();
        for record in &self.webhooks {
            *counts.entry(record.verdict.outcome).or_default() += 1;
            if record.replaces_dead {
                *counts.entry(Outcome::Dead).or_default() -= 1;
            }
        }
        for repeat in &self.repeats {
            let times = i64::try_from(repeat.envelopes.len()).unwrap_or(i64::MAX);
            *counts.entry(Outcome::Duplicate).or_default() += times;
        }
        counts.retain(|_, count| *count != 0);
        counts
    }
}

//! The rows that a batch decides over, as they were at one moment.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use crate::ids::{EnvelopeId, ListingKey, LocationId, OrderKey, PaymentKey, Sku, StockKey};
use crate::order::{LinePart, Order};
use crate::payment::Payment;
use crate::stock::Stock;
use crate::webhook::{Outcome, WebhookKey};

/// How many envelope ids of repeats a webhook's row remembers, to tell a redelivery from a repeat.
pub const RECENT_ENVELOPES: usize = 16;

/// The rows that a batch's keys name, as they were at one moment. What is not there is absent.
#[derive(Clone, Debug, Default)]
pub struct View {
    pub webhooks: HashMap<WebhookKey, Seen>,
    pub orders: HashMap<OrderKey, Order>,
    pub payments: HashMap<PaymentKey, Payment>,
    pub listings: HashMap<ListingKey, Listing>,
    pub stock: StockView,
}

/// What is not there yet.
fn fill<K: Eq + Hash, V>(map: &mut HashMap<K, V>, later: HashMap<K, V>) {
    for (key, value) in later {
        map.entry(key).or_insert(value);
    }
}

impl View {
    /// Takes in what was read later; what is there already stays.
    pub fn add(&mut self, later: View) {
        let View { webhooks, orders, payments, listings, stock } = later;
        fill(&mut self.webhooks, webhooks);
        fill(&mut self.orders, orders);
        fill(&mut self.payments, payments);
        fill(&mut self.listings, listings);
        fill(&mut self.stock.items, stock.items);
    }

    /// The items of its orders' lines, which is all that an order can hold, and those that its
    /// listings stand for: what has to be known of stock, beside what the webhooks name.
    pub fn items(&self) -> impl Iterator<Item = &Sku> {
        let lines = self.orders.values().flat_map(|order| order.lines.values());
        let listed = self.listings.values().flat_map(|listing| &listing.parts);
        lines.flat_map(|line| &line.parts).chain(listed).map(|part| &part.sku)
    }

    /// Whether the orders hold more than is committed: then orders and stock were read at different
    /// moments, and somebody committed in between. Nothing can be decided over that.
    pub fn is_torn(&self) -> bool {
        let mut held: HashMap<&StockKey, i64> = HashMap::new();
        for (key, holding) in self.orders.values().flat_map(|order| &order.holdings) {
            *held.entry(key).or_default() += holding.committed;
        }
        held.into_iter().any(|(key, units)| units > self.stock.get(key).committed)
    }
}

/// What a shop's variant stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The items of one unit (several: a kit).
    pub parts: Vec<LinePart>,
    /// An operator made it; otherwise it is what the platform's catalogue says.
    pub by_hand: bool,
}

/// A webhook that was decided before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub outcome: Outcome,
    /// The envelopes that brought it: the first, and the latest repeats.
    pub envelopes: Vec<EnvelopeId>,
}

/// Stock rows by item and location.
#[derive(Clone, Debug, Default)]
pub struct StockView {
    items: HashMap<Sku, BTreeMap<LocationId, Stock>>,
}

impl StockView {
    /// The row, or an absent one: zero units at version 0.
    pub fn get(&self, key: &StockKey) -> Stock {
        self.items
            .get(&key.sku)
            .and_then(|locations| locations.get(&key.location))
            .copied()
            .unwrap_or_default()
    }

    /// The item's rows that are there, by location.
    pub fn rows(&self, sku: &Sku) -> impl Iterator<Item = (&LocationId, &Stock)> {
        self.items.get(sku).into_iter().flatten()
    }

    /// Whether the item exists: it has a stock row somewhere.
    pub fn knows(&self, sku: &Sku) -> bool {
        self.items.contains_key(sku)
    }

    pub fn insert(&mut self, key: StockKey, stock: Stock) {
        self.items.entry(key.sku).or_default().insert(key.location, stock);
    }
}

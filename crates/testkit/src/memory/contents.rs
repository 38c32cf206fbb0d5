//! What a store in memory holds, and how a change set is checked and written: all or nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{SystemTime, UNIX_EPOCH};

use domain::change::Effect;
use domain::order::LinePart;
use domain::payment::PaymentState;
use domain::privacy::KeptRequest;
use domain::sighting::{ShopSighting, Thing};
use domain::view::{Listing, RECENT_ENVELOPES};
use domain::{
    ChangeSet, DeadLetter, EnvelopeId, KeptBody, LedgerRow, ListingKey, Operation, OrderChange,
    OrderKey, Outcome, PaymentChange, PaymentKey, ShopId, Sighting, Stock, StockKey, Timestamp,
    Version, WebhookKey, WebhookRecord,
};
use store::activity::Hour;
use store::{Pause, ReasonRow, StoreError, Waiting};

use super::{Commit, ConflictKey, Fault, WebhookRow, check};

#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) webhooks: BTreeMap<WebhookKey, WebhookRow>,
    pub(super) payments: BTreeMap<PaymentKey, PaymentChange>,
    /// When each was first written, by our clock.
    pub(super) payments_seen: BTreeMap<PaymentKey, Timestamp>,
    pub(super) listings: BTreeMap<ListingKey, Listing>,
    pub(super) sightings: BTreeMap<(ShopId, &'static str, String, String), Sighting>,
    pub(super) requests: BTreeMap<EnvelopeId, KeptRequest>,
    /// When open requests for removal that were carried out are to be once more.
    pub(super) again: BTreeMap<EnvelopeId, Timestamp>,
    pub(super) orders: BTreeMap<OrderKey, OrderChange>,
    /// When each was first written, counted.
    pub(super) first_seen: BTreeMap<OrderKey, i64>,
    pub(super) stock: BTreeMap<StockKey, Stock>,
    pub(super) ledger: Vec<LedgerRow>,
    pub(super) dead: BTreeMap<EnvelopeId, DeadLetter>,
    pub(super) kept: BTreeMap<EnvelopeId, KeptBody>,
    pub(super) effects: Vec<Effect>,
    pub(super) operations: BTreeMap<String, Operation>,
    pub(super) hours: BTreeMap<(ShopId, Hour), i64>,
    pub(super) signers: BTreeMap<(ShopId, String), Timestamp>,
    pub(super) pauses: BTreeMap<Option<ShopId>, Pause>,
    pub(super) suspects: BTreeMap<EnvelopeId, u32>,
    pub(super) counters: BTreeMap<Outcome, i64>,
    pub(super) faults: VecDeque<Fault>,
}

impl Contents {
    /// What an operator says, else what the platform's catalogue does.
    pub(super) fn listing(&self, key: &ListingKey) -> Option<Listing> {
        if let Some(listing) = self.listings.get(key) {
            return Some(listing.clone());
        }
        let seen = (key.shop.clone(), "variant", key.variant.to_string(), String::new());
        match self.sightings.get(&seen) {
            Some(Sighting {
                thing: Thing::Variant { sku: Some(sku), product, .. },
                gone: false,
                seen_at,
            }) if !product.as_ref().is_some_and(|of| self.went_with(&key.shop, of, *seen_at)) => {
                let parts = vec![LinePart { sku: sku.clone(), units: 1 }];
                Some(Listing { parts, by_hand: false })
            }
            _ => None,
        }
    }

    /// Payments that hold or promise money, first heard of before `before`, without their orders.
    pub(super) fn unlinked(&self, before: Timestamp) -> usize {
        let has_come = |key: &OrderKey| {
            let row = self.orders.get(key);
            row.is_some_and(|row| row.order.known.snapshot.is_some())
        };
        let matters =
            |state: PaymentState| state.holds_money() || matches!(state, PaymentState::Authorised);
        let unlinked = self.payments.iter().filter(|(key, row)| {
            self.payments_seen[*key] < before
                && matters(row.payment.known.state())
                && !row.order.as_ref().is_some_and(has_come)
        });
        unlinked.count()
    }

    pub(super) fn waiting(&self) -> Waiting {
        let mut dead: BTreeMap<&str, (i64, Timestamp)> = BTreeMap::new();
        for letter in self.dead.values() {
            let (count, oldest) = dead.entry(letter.reason.as_str()).or_insert((0, letter.died_at));
            *count += 1;
            *oldest = letter.died_at.min(*oldest);
        }
        let dead = dead.into_iter().map(|(reason, (count, oldest))| ReasonRow {
            reason: reason.to_owned(),
            count,
            oldest,
        });
        let short = self.orders.values().filter(|row| row.order.short.is_some()).count();
        Waiting { dead: dead.collect(), short: i64::try_from(short).unwrap_or(i64::MAX) }
    }

    /// Whether a variant that was seen at `seen_at` is no more, by what its product showed since.
    fn went_with(&self, shop: &ShopId, product: &str, seen_at: Timestamp) -> bool {
        let key = (shop.clone(), "product", product.to_owned(), String::new());
        let product = self.sightings.get(&key);
        product.is_some_and(|seen| (seen.seen_at, seen.gone) > (seen_at, false))
    }

    pub(super) fn commit(&mut self, changes: &ChangeSet) -> Result<Commit, StoreError> {
        let conflicts = self.conflicts(changes);
        if !conflicts.is_empty() {
            return Ok(Commit::Conflict(conflicts.into_iter().collect()));
        }
        check::constraints(changes).map_err(|why| StoreError::Rejected(why.into()))?;
        self.write(changes);
        Ok(Commit::Applied)
    }

    pub(super) fn conflicts(&self, changes: &ChangeSet) -> BTreeSet<ConflictKey> {
        let mut conflicts = BTreeSet::new();
        if let Some(operation) = &changes.operation
            && self.operations.contains_key(&operation.key)
        {
            conflicts.insert(ConflictKey::Operation(operation.key.clone()));
        }
        let mut fresh = BTreeSet::new();
        for record in &changes.webhooks {
            let stored = self.webhooks.get(&record.key).map(|row| row.record.verdict.outcome);
            let as_read = match (record.replaces_dead, stored) {
                (false, stored) => stored.is_none(),
                (true, Some(outcome)) => outcome == Outcome::Dead,
                // It died earlier in this very batch.
                (true, None) => fresh.contains(&record.key),
            };
            if !as_read {
                conflicts.insert(ConflictKey::Webhook(record.key.clone()));
            }
            fresh.insert(&record.key);
        }
        for repeat in &changes.repeats {
            let seen = self.webhooks.get(&repeat.key).map(WebhookRow::seen);
            if seen.is_some_and(|seen| repeat.envelopes.iter().any(|e| seen.envelopes.contains(e)))
            {
                conflicts.insert(ConflictKey::Webhook(repeat.key.clone()));
            }
        }
        for (key, change) in &changes.payments {
            let stored = self.payments.get(key).map_or(Version::ABSENT, |row| row.payment.version);
            if stored != change.expected {
                conflicts.insert(ConflictKey::Payment(key.clone()));
            }
        }
        for (key, change) in &changes.orders {
            let stored = self.orders.get(key).map_or(Version::ABSENT, |row| row.order.version);
            if stored != change.expected {
                conflicts.insert(ConflictKey::Order(key.clone()));
            }
        }
        for (key, change) in &changes.stock {
            let stored = self.stock.get(key).map_or(Version::ABSENT, |row| row.version);
            if stored != change.expected {
                conflicts.insert(ConflictKey::Stock(key.clone()));
            }
        }
        conflicts
    }

    pub(super) fn write(&mut self, changes: &ChangeSet) {
        for record in &changes.webhooks {
            let row = self.webhooks.entry(record.key.clone()).or_insert_with(|| WebhookRow {
                record: record.clone(),
                deliveries: 1,
                repeats: Vec::new(),
            });
            // What it waited for is of when it was first decided.
            row.record = WebhookRecord { attempts: row.record.attempts, ..record.clone() };
            if record.verdict.outcome != Outcome::Dead {
                self.dead.retain(|_, letter| letter.webhook.as_ref() != Some(&record.key));
            }
        }
        for repeat in &changes.repeats {
            let row = self.webhooks.get_mut(&repeat.key).expect("a repeat was seen before");
            for envelope in &repeat.envelopes {
                row.deliveries += 1;
                row.repeats.insert(0, *envelope);
            }
            row.repeats.truncate(RECENT_ENVELOPES);
        }
        for key in changes.orders.keys() {
            let next = i64::try_from(self.first_seen.len()).unwrap_or(i64::MAX);
            self.first_seen.entry(key.clone()).or_insert(next);
        }
        for key in changes.payments.keys() {
            self.payments_seen.entry(key.clone()).or_insert_with(now);
        }
        self.payments.extend(changes.payments.clone());
        for ShopSighting { shop, sighting } in &changes.sightings {
            let (kind, id, place) = sighting.thing.key();
            let key = (shop.clone(), kind, id.to_owned(), place.to_owned());
            let known = self.sightings.get(&key);
            if known.is_none_or(|known| known.seen_at <= sighting.seen_at) {
                self.sightings.insert(key, sighting.clone());
            }
        }
        for request in &changes.requests {
            self.requests.entry(request.id).or_insert_with(|| request.clone());
        }
        self.orders.extend(changes.orders.clone());
        let written = changes.stock.iter().filter(|(_, change)| change.is_write());
        self.stock.extend(written.map(|(key, change)| (key.clone(), change.stock)));
        self.ledger.extend(changes.ledger.iter().cloned());
        for letter in &changes.dead {
            // One that was redacted while it was decided stays as it is.
            let known = self.dead.get(&letter.envelope);
            if known.is_none_or(|known| !known.raw.is_empty()) {
                self.dead.insert(letter.envelope, letter.clone());
            }
        }
        self.kept.extend(changes.kept.iter().map(|kept| (kept.envelope, kept.clone())));
        self.effects.extend(changes.effects.iter().cloned());
        if let Some(operation) = &changes.operation {
            self.operations.insert(operation.key.clone(), operation.clone());
        }
        for envelope in &changes.cleared {
            self.suspects.remove(envelope);
        }
        for (outcome, count) in changes.outcome_counts() {
            *self.counters.entry(outcome).or_default() += count;
        }
    }
}

fn now() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
    Timestamp(i64::try_from(now.as_micros()).expect("it is before the year 290000"))
}

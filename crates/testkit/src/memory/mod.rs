//! A store in memory, with the contract of the real ones.
//!
//! Commits are all or nothing, compare every version that the change set names, and refuse what
//! the databases' constraints refuse. Faults can be planted, also the nasty one: the commit
//! happened, but its caller learns of an error. [`MemoryStore::check`] is `onhand verify`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::change::Effect;
use domain::order::LinePart;
use domain::privacy::KeptRequest;
use domain::stock::Cause;
use domain::view::{Listing, Seen, StockView};
use domain::{
    Batch, ChangeSet, DeadLetter, EnvelopeId, KeptBody, Keys, LedgerRow, ListingKey, LocationId,
    Move, MoveKind, OrderChange, OrderKey, Outcome, PaymentChange, PaymentKey, ShopId, Sighting,
    Sku, Stock, StockKey, Timestamp, Version, View, WebhookKey, WebhookRecord,
};
use store::{ProcessTurn, ShortOrder, Store, StoreError, Waiting};
use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;

mod activity;
mod check;
mod contents;
mod pauses;
mod redactions;

use contents::Contents;

pub use check::Violation;
pub use store::{Commit, ConflictKey};

/// From where a view of a store that is [`MemoryStore::far_away`] comes.
const FARTHEST_MS: u64 = 4;

/// What goes wrong with a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is written; the database asks to try again.
    TryAgain,
    /// Nothing is written; the database is away.
    Unavailable,
    /// All is written, but the answer is lost.
    AppliedUnavailable,
}

/// The store. Clones share their contents.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    contents: Arc<Mutex<Contents>>,
    /// Held by a claim: everybody else's commit waits, as it would for the row locks.
    gate: Arc<tokio::sync::Mutex<()>>,
    /// Held by whoever has the turn among processes.
    turn: Arc<tokio::sync::Mutex<()>>,
    is_far: bool,
}

/// The inbox row of a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookRow {
    pub record: WebhookRecord,
    pub deliveries: i64,
    /// The latest envelopes that repeated it, newest first.
    pub repeats: Vec<EnvelopeId>,
}

impl MemoryStore {
    /// As far away as a database, by tokio's clock: what is read is milliseconds old when its reader
    /// has it. Next to that a wait after a conflict is not so long that everybody else is done.
    pub fn far_away() -> Self {
        Self { is_far: true, ..Self::default() }
    }

    /// Others get on before the reader does, as they do with a database.
    async fn travel(&self) {
        if self.is_far {
            let milliseconds = rand::random_range(0..=FARTHEST_MS);
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        } else {
            tokio::task::yield_now().await;
        }
    }

    /// Opens a stock row, as `onhand stock set` does.
    pub fn open_stock(&self, sku: &str, location: &str, on_hand: i64, floor: i64) {
        let key = StockKey::new(&Sku::new(sku), &LocationId::new(location));
        let cause = Cause {
            shop: None,
            order: None,
            webhook: None,
            correlation: EnvelopeId(Uuid::nil()),
            reason: "opening".to_owned(),
        };
        let change = Move {
            key: key.clone(),
            kind: MoveKind::Opening,
            on_hand_delta: on_hand,
            committed_delta: 0,
        };
        let mut contents = self.contents();
        let stock = Stock { on_hand, committed: 0, floor, version: Version(1) };
        let before = contents.stock.insert(key, stock);
        assert!(before.is_none(), "a stock row is opened once");
        contents.ledger.push(LedgerRow { version: Version(1), change, cause, at: Timestamp(0) });
    }

    /// A shop's variant stands for these items, as `onhand listing set` has it.
    pub fn list(&self, shop: &str, variant: &str, parts: &[(&str, i64)]) {
        let key = ListingKey { shop: ShopId::new(shop), variant: variant.into() };
        let part = |(sku, units): &(&str, i64)| LinePart { sku: Sku::new(sku), units: *units };
        let listing = Listing { parts: parts.iter().map(part).collect(), by_hand: true };
        self.contents().listings.insert(key, listing);
    }

    /// All payments, as they were written last.
    pub fn payments(&self) -> BTreeMap<PaymentKey, PaymentChange> {
        self.contents().payments.clone()
    }

    /// The newest sighting of each thing of a shop.
    pub fn sightings(&self, shop: &str) -> Vec<Sighting> {
        let contents = self.contents();
        let of_shop = contents.sightings.iter().filter(|(key, _)| key.0.as_str() == shop);
        of_shop.map(|(_, sighting)| sighting.clone()).collect()
    }

    pub fn privacy_requests(&self) -> BTreeMap<EnvelopeId, KeptRequest> {
        self.contents().requests.clone()
    }

    /// Units come in, as `onhand stock adjust` has them.
    pub fn receive(&self, sku: &str, location: &str, units: i64) {
        let key = StockKey::new(&Sku::new(sku), &LocationId::new(location));
        let keys = Keys { skus: [key.sku.clone()].into(), ..Keys::default() };
        let mut batch = Batch::new(self.load_now(&keys));
        let cause = Cause {
            shop: None,
            order: None,
            webhook: None,
            correlation: EnvelopeId(Uuid::nil()),
            reason: "received".to_owned(),
        };
        let change = Move { key, kind: MoveKind::Adjust, on_hand_delta: units, committed_delta: 0 };
        batch.move_stock(change, &cause, Timestamp(0)).expect("more is always possible");
        let answer = self.commit_now(&batch.into_changes()).expect("nothing is planted for it");
        assert_eq!(answer, Commit::Applied, "nobody is between");
    }

    /// The next commits fail, one fault each.
    pub fn fail_next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.contents().faults.extend(faults);
    }

    /// Faults that no commit has met yet.
    pub fn faults_left(&self) -> usize {
        self.contents().faults.len()
    }

    /// All stock rows.
    pub fn stock(&self) -> BTreeMap<StockKey, Stock> {
        self.contents().stock.clone()
    }

    /// One stock row, or an absent one.
    pub fn stock_view(&self) -> StockView {
        let rows = self.stock();
        rows.into_iter().fold(StockView::default(), |mut view, (key, stock)| {
            view.insert(key, stock);
            view
        })
    }

    pub fn stock_of(&self, sku: &str, location: &str) -> Stock {
        let key = StockKey::new(&Sku::new(sku), &LocationId::new(location));
        self.contents().stock.get(&key).copied().unwrap_or_default()
    }

    /// The ledger, oldest first.
    pub fn ledger(&self) -> Vec<LedgerRow> {
        self.contents().ledger.clone()
    }

    /// All orders, as they were written last.
    pub fn orders(&self) -> BTreeMap<OrderKey, OrderChange> {
        self.contents().orders.clone()
    }

    /// The whole inbox.
    pub fn webhooks(&self) -> BTreeMap<WebhookKey, WebhookRow> {
        self.contents().webhooks.clone()
    }

    /// All dead letters by their envelopes.
    pub fn dead_letters(&self) -> BTreeMap<EnvelopeId, DeadLetter> {
        self.contents().dead.clone()
    }

    /// All bodies that are kept of webhooks that were decided.
    pub fn kept_bodies(&self) -> BTreeMap<EnvelopeId, KeptBody> {
        self.contents().kept.clone()
    }

    pub fn effects(&self) -> Vec<Effect> {
        self.contents().effects.clone()
    }

    /// Distinct webhooks by outcome, and repeats.
    pub fn counts(&self) -> BTreeMap<Outcome, i64> {
        self.contents().counters.clone()
    }

    /// The rows that `keys` name, and the stock of the items of the named orders' lines.
    pub fn load_now(&self, keys: &Keys) -> View {
        let contents = self.contents();
        let mut view = View::default();
        // As the real stores have it: found where it is asked for or with what names no order, and what
        // is read says where it was.
        for key in &keys.webhooks {
            let row = contents.webhooks.get_key_value(key);
            let is_there =
                |stored: &WebhookKey| stored.scope.is_none() || stored.scope == key.scope;
            if let Some((stored, row)) = row.filter(|(stored, _)| is_there(stored)) {
                view.webhooks.insert(stored.clone(), row.seen());
            }
        }
        let mut skus: BTreeSet<&Sku> = keys.skus.iter().collect();
        for key in &keys.orders {
            if let Some(row) = contents.orders.get(key) {
                let parts = row.order.lines.values().flat_map(|line| &line.parts);
                skus.extend(parts.map(|part| &part.sku));
                view.orders.insert(key.clone(), row.order.clone());
            }
        }
        for key in &keys.payments {
            if let Some(row) = contents.payments.get(key) {
                view.payments.insert(key.clone(), row.payment.clone());
            }
        }
        let listed: Vec<(ListingKey, Listing)> = keys
            .listings
            .iter()
            .filter_map(|key| Some((key.clone(), contents.listing(key)?)))
            .collect();
        skus.extend(listed.iter().flat_map(|(_, listing)| &listing.parts).map(|part| &part.sku));
        for (key, stock) in &contents.stock {
            if skus.contains(&key.sku) {
                view.stock.insert(key.clone(), *stock);
            }
        }
        view.listings = listed.into_iter().collect();
        view
    }

    /// Writes `changes`, or says why not. Planted faults are for [`Store::commit`] only.
    pub fn commit_now(&self, changes: &ChangeSet) -> Result<Commit, StoreError> {
        self.contents().commit(changes)
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        // Every commit checks before it writes, so a panic elsewhere leaves the contents whole.
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn commit_with_faults(&self, changes: &ChangeSet) -> Result<Commit, StoreError> {
        let mut contents = self.contents();
        match contents.faults.pop_front() {
            None => contents.commit(changes),
            Some(Fault::TryAgain) => Err(StoreError::TryAgain("planted".into())),
            Some(Fault::Unavailable) => Err(StoreError::Unavailable("planted".into())),
            Some(Fault::AppliedUnavailable) => match contents.commit(changes)? {
                Commit::Applied => Err(StoreError::Unavailable("planted: answer lost".into())),
                conflict => Ok(conflict),
            },
        }
    }
}

impl Store for MemoryStore {
    type Claim = OwnedMutexGuard<()>;

    async fn load(&self, keys: &Keys) -> Result<View, StoreError> {
        let view = self.load_now(keys);
        self.travel().await;
        Ok(view)
    }

    async fn claim(&self, keys: &Keys) -> Result<(Self::Claim, View), StoreError> {
        let claim = Arc::clone(&self.gate).lock_owned().await;
        self.travel().await;
        Ok((claim, self.load_now(keys)))
    }

    async fn process_turn(&self) -> Result<ProcessTurn, StoreError> {
        Ok(match Arc::clone(&self.turn).try_lock_owned() {
            Ok(held) => ProcessTurn::new(0, held),
            Err(_) => ProcessTurn::new(1, Arc::clone(&self.turn).lock_owned().await),
        })
    }

    async fn commit(&self, changes: &ChangeSet) -> Result<Commit, StoreError> {
        self.travel().await;
        let _gate = self.gate.lock().await;
        self.commit_with_faults(changes)
    }

    async fn commit_claim(
        &self,
        claim: Self::Claim,
        changes: &ChangeSet,
    ) -> Result<Commit, StoreError> {
        let answer = self.commit_with_faults(changes);
        drop(claim);
        answer
    }

    async fn suspect(&self, envelope: EnvelopeId) -> Result<u32, StoreError> {
        let mut contents = self.contents();
        let times = contents.suspects.entry(envelope).or_default();
        *times += 1;
        Ok(*times)
    }

    async fn short_orders(
        &self,
        shop: &ShopId,
        after: Option<&ShortOrder>,
        limit: i64,
    ) -> Result<Vec<ShortOrder>, StoreError> {
        let contents = self.contents();
        let is_there = |sku: &Sku| {
            let mut rows = contents.stock.iter().filter(|(key, _)| key.sku == *sku);
            rows.any(|(_, stock)| stock.available() > stock.floor)
        };
        let all = contents.orders.iter().filter(|(key, row)| {
            let short = row.order.short.as_ref();
            key.shop == *shop && short.is_some_and(|short| short.demand.keys().any(is_there))
        });
        let mut short: Vec<ShortOrder> = all
            .map(|(key, _)| ShortOrder {
                first_seen_at: Timestamp(contents.first_seen[key]),
                order: key.order.clone(),
            })
            .filter(|order| after.is_none_or(|after| order > after))
            .collect();
        short.sort();
        short.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(short)
    }

    async fn unlinked_payments(&self, before: Timestamp) -> Result<i64, StoreError> {
        let count = i64::try_from(self.contents().unlinked(before)).unwrap_or(i64::MAX);
        Ok(count.min(store::pages::LETTERS_MAX))
    }

    async fn waiting(&self) -> Result<Waiting, StoreError> {
        Ok(self.contents().waiting())
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

impl WebhookRow {
    fn seen(&self) -> Seen {
        let envelopes = std::iter::once(self.record.envelope).chain(self.repeats.clone()).collect();
        Seen { outcome: self.record.verdict.outcome, envelopes }
    }
}

#[cfg(test)]
mod tests;

//! Where orders, stock and the ledger live: one transaction per batch, in one fixed order.
//!
//! Two implementations of one contract, and the only crate that names tokio-postgres and deadpool:
//!
//! * [`postgres`]: deadpool-postgres, the whole commit pipelined in one flight
//! * [`sqlite`]: sqlx, one writer connection, synchronous = FULL
//!
//! [`AnyStore`] is the one that the settings name.
//!
//! The contract (the conformance suite in `tests/` runs it on both):
//!
//! * `commit` is all or nothing. It applies only if every row that the change set names still has
//!   the version that was read; otherwise it changes nothing and names the rows: all stock rows that
//!   changed, and the others as well or if it is none of stock.
//! * When `commit` fails with a transient error the outcome is *unknown*: load again, and the inbox
//!   tells whether it had happened.
//! * Every commit takes its locks in one order (stock, webhooks, payments, orders, then the rest;
//!   each by key), so lanes never deadlock, whichever mode they are in.

use std::future::{Future, ready};

use domain::{
    ChangeSet, EnvelopeId, Keys, OrderId, OrderKey, PaymentKey, ShopId, StockKey, Timestamp, View,
    WebhookKey,
};

pub mod activity;
pub mod alerts;
mod any;
pub mod channels;
mod listings;
mod measure;
pub mod migrations;
pub mod pages;
pub mod pauses;
pub mod postgres;
pub mod prune;
pub mod redactions;
pub mod reports;
pub mod rollups;
pub mod sqlite;
mod turn;

pub use activity::Activity;
pub use alerts::{Alert, Alerts};
pub use any::{AnyClaim, AnyStore, Database};
pub use channels::Channels;
pub use pages::{Pages, ReasonRow};
pub use pauses::{Pause, Pauses};
pub use prune::Bodies;
pub use redactions::{DeadBody, Redaction, Redactions};
pub use reports::Reports;
pub use rollups::Rollups;
pub use turn::ProcessTurn;

/// The worker's side of a store.
pub trait Store: Clone + Send + Sync + 'static {
    /// A transaction that holds the locks of a batch.
    type Claim: Send;

    /// Reads the rows that `keys` name, without locks.
    fn load(&self, keys: &Keys) -> impl Future<Output = Result<View, StoreError>> + Send;

    /// Takes the locks of the items that `keys` lead to, in key order, then reads. For hot rows: nobody
    /// can get in between, so the commit does not conflict on them.
    fn claim(
        &self,
        keys: &Keys,
    ) -> impl Future<Output = Result<(Self::Claim, View), StoreError>> + Send;

    /// As [`Store::claim`], but where the database has locks of its own naming (advisory locks), the
    /// items that `keys` name are held by those and not by their rows. Only who claims the same way is
    /// kept out; against all others, and for items that come by listings, orders and payments, the
    /// versions of the rows stay the fence.
    fn claim_by_name(
        &self,
        keys: &Keys,
    ) -> impl Future<Output = Result<(Self::Claim, View), StoreError>> + Send {
        self.claim(keys)
    }

    /// Waits for the turn among all processes that ask for one: for batches of so many items that they
    /// would meet others on some, whatever they are. It keeps nobody out who does not ask, so the
    /// versions of rows stay the fence. Where one writes at a time anyway, there is nobody to wait for.
    fn process_turn(&self) -> impl Future<Output = Result<ProcessTurn, StoreError>> + Send {
        ready(Ok(ProcessTurn::new(0, ())))
    }

    /// Writes `changes`, all or nothing.
    fn commit(
        &self,
        changes: &ChangeSet,
    ) -> impl Future<Output = Result<Commit, StoreError>> + Send;

    /// Writes `changes` in the claim's transaction, all or nothing.
    fn commit_claim(
        &self,
        claim: Self::Claim,
        changes: &ChangeSet,
    ) -> impl Future<Output = Result<Commit, StoreError>> + Send;

    /// Notes durably that an envelope under suspicion is about to be decided alone, and returns how
    /// often that was noted, this time included. Forgotten when it is committed under suspicion.
    fn suspect(&self, envelope: EnvelopeId)
    -> impl Future<Output = Result<u32, StoreError>> + Send;

    /// A shop's short orders, oldest first: up to `limit` after `after`. Left out are those that
    /// certainly cannot be served: there is nothing of any item that they ask for.
    fn short_orders(
        &self,
        shop: &ShopId,
        after: Option<&ShortOrder>,
        limit: i64,
    ) -> impl Future<Output = Result<Vec<ShortOrder>, StoreError>> + Send;

    /// How many payments that hold or promise money name no order that has come, of those first
    /// heard of before that moment, however long before. No more than [`pages::LETTERS_MAX`] count.
    fn unlinked_payments(
        &self,
        before: Timestamp,
    ) -> impl Future<Output = Result<i64, StoreError>> + Send;

    /// What waits for people.
    fn waiting(&self) -> impl Future<Output = Result<Waiting, StoreError>> + Send;

    /// Whether the store answers and takes writes: a standby, a read-only server and a full disk
    /// answer, and no work gets done there. Writes to find out.
    fn ping(&self) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// What waits for people to mend it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Open dead letters by reason.
    pub dead: Vec<ReasonRow>,
    /// Short orders, counted up to [`SHORT_COUNT_MAX`].
    pub short: i64,
}

/// A sale that sold out may leave very many short orders, and nobody needs to know how many.
pub const SHORT_COUNT_MAX: i64 = 10_000;

/// An order that could not be committed, and when it was first seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShortOrder {
    pub first_seen_at: Timestamp,
    pub order: OrderId,
}

/// The answer to a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Commit {
    Applied,
    /// Nothing was written: these rows are not as they were read.
    Conflict(Vec<ConflictKey>),
}

/// A row that changed since it was read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConflictKey {
    Webhook(WebhookKey),
    Payment(PaymentKey),
    Order(OrderKey),
    Stock(StockKey),
    Operation(String),
}

/// A store that did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Not reachable, restarting, out of time: the same call may work later.
    #[error("the database is not available")]
    Unavailable(#[source] Source),
    /// A deadlock or a lock timeout: nothing was written, and trying again at once is right.
    #[error("the database asks to try again")]
    TryAgain(#[source] Source),
    /// It refuses this very data, whatever is tried.
    #[error("the database refuses the data")]
    Rejected(#[source] Source),
    /// The schema is not the one that this program needs; says what to do.
    #[error("{0}")]
    Schema(String),
}

/// The error underneath, of whichever driver.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

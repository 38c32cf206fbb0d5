//! The store that the settings name, chosen at run time.
//!
//! Programs use this one, so that everything above the store is compiled once and not once per
//! database. Each call costs one allocation, and a call is a whole batch.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use domain::order::LinePart;
use domain::{
    ChangeSet, EnvelopeId, Keys, ListingKey, Operation, OrderKey, ShopId, Sku, Stock, StockKey,
    Timestamp, Version, View, WebhookId,
};

use crate::activity::{ActivityNotes, Hour, ShopHour, ShopSigner};
use crate::channels::{PaymentFilter, PaymentRow, PrivacyRow, SightingRow};
use crate::measure;
use crate::migrations::SchemaVersions;
use crate::pages::{
    ActivityRow, DeadPage, HotRow, Letters, OperationRow, OrderPage, OrderRow, Page, ReasonRow,
    Shortage, WebhookPage,
};
use crate::postgres::{self, Postgres, PostgresConfig};
use crate::reports::{
    Closed, DeadFilter, DeadRow, HistoryRow, Totals, Verification, WebhookFilter, WebhookRow,
};
use crate::rollups::{Counts, Process, Rollup, Span};
use crate::sqlite::{self, Sqlite};
use crate::{
    Activity, Alert, Alerts, Channels, Commit, DeadBody, Pages, Pause, Pauses, ProcessTurn,
    Redaction, Redactions, Reports, Rollups, ShortOrder, Store, StoreError, Waiting,
};

/// What a call will answer.
pub(crate) type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Where a store is.
#[derive(Clone, Debug)]
pub enum Database {
    Postgres(PostgresConfig),
    /// A file.
    Sqlite(PathBuf),
}

impl Database {
    /// Opens what is there already, with the schema that this program needs.
    pub fn open(&self) -> Answer<'_, AnyStore> {
        Box::pin(async move {
            let (store, schema) = match self {
                Self::Postgres(config) => {
                    let store = Postgres::new(config)?;
                    let schema = store.schema_versions().await?;
                    (AnyStore::Postgres(store), schema)
                }
                Self::Sqlite(path) => {
                    let store = Sqlite::open(path, false).await?;
                    let schema = store.schema_versions().await?;
                    (AnyStore::Sqlite(store), schema)
                }
            };
            schema.check()?;
            Ok(store)
        })
    }

    /// Applies the migrations that are missing, to a new file if there is none; returns the versions
    /// before.
    pub fn migrate(&self) -> Answer<'_, SchemaVersions> {
        Box::pin(async move {
            match self {
                Self::Postgres(config) => Postgres::migrate(config).await,
                Self::Sqlite(path) => {
                    let store = Sqlite::open(path, true).await?;
                    let before = store.migrate().await?;
                    store.close().await;
                    Ok(before)
                }
            }
        })
    }
}

/// One of the stores. Clones share its connections.
#[derive(Clone, Debug)]
pub enum AnyStore {
    Postgres(Postgres),
    Sqlite(Sqlite),
}

/// A claim of one of the stores.
#[derive(Debug)]
pub enum AnyClaim {
    Postgres(Box<postgres::Claim>),
    Sqlite(sqlite::Claim),
}

/// A claim of a store, and what it has read.
type Claimed<C> = Result<(C, View), StoreError>;

impl AnyClaim {
    async fn postgres(
        claimed: impl Future<Output = Claimed<postgres::Claim>>,
    ) -> Claimed<AnyClaim> {
        claimed.await.map(|(claim, view)| (Self::Postgres(Box::new(claim)), view))
    }

    async fn sqlite(claimed: impl Future<Output = Claimed<sqlite::Claim>>) -> Claimed<AnyClaim> {
        claimed.await.map(|(claim, view)| (Self::Sqlite(claim), view))
    }
}

impl AnyStore {
    /// Shows as metrics how many connections are in use, for as long as it is polled.
    pub async fn show_connections(&self) -> Infallible {
        measure::describe();
        let mut ticks = tokio::time::interval(measure::SHOW_EVERY);
        loop {
            ticks.tick().await;
            match self {
                Self::Postgres(store) => store.connections().into_iter().for_each(measure::show),
                Self::Sqlite(store) => store.connections().into_iter().for_each(measure::show),
            }
        }
    }

    /// Finishes what is running and closes the connections.
    pub fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            match self {
                Self::Postgres(store) => store.close(),
                Self::Sqlite(store) => store.close().await,
            }
        })
    }
}

/// Calls whichever store it is. Boxed: callers hold one small future, not room for both.
macro_rules! whichever {
    ($any:expr, $store:ident => $call:expr) => {{
        let answer: Answer<'_, _> = match $any {
            Self::Postgres($store) => Box::pin($call),
            Self::Sqlite($store) => Box::pin($call),
        };
        answer.await
    }};
}

// After the macro, which it uses.
mod bodies;
mod shown;

impl Store for AnyStore {
    type Claim = AnyClaim;

    async fn load(&self, keys: &Keys) -> Result<View, StoreError> {
        whichever!(self, store => store.load(keys))
    }

    async fn claim(&self, keys: &Keys) -> Result<(AnyClaim, View), StoreError> {
        let answer: Answer<'_, _> = match self {
            Self::Postgres(store) => Box::pin(AnyClaim::postgres(store.claim(keys))),
            Self::Sqlite(store) => Box::pin(AnyClaim::sqlite(store.claim(keys))),
        };
        answer.await
    }

    async fn claim_by_name(&self, keys: &Keys) -> Result<(AnyClaim, View), StoreError> {
        let answer: Answer<'_, _> = match self {
            Self::Postgres(store) => Box::pin(AnyClaim::postgres(store.claim_by_name(keys))),
            Self::Sqlite(store) => Box::pin(AnyClaim::sqlite(store.claim_by_name(keys))),
        };
        answer.await
    }

    async fn process_turn(&self) -> Result<ProcessTurn, StoreError> {
        whichever!(self, store => store.process_turn())
    }

    async fn commit(&self, changes: &ChangeSet) -> Result<Commit, StoreError> {
        whichever!(self, store => store.commit(changes))
    }

    async fn commit_claim(
        &self,
        claim: AnyClaim,
        changes: &ChangeSet,
    ) -> Result<Commit, StoreError> {
        let answer: Answer<'_, _> = match (self, claim) {
            (Self::Postgres(store), AnyClaim::Postgres(claim)) => {
                Box::pin(store.commit_claim(*claim, changes))
            }
            (Self::Sqlite(store), AnyClaim::Sqlite(claim)) => {
                Box::pin(store.commit_claim(claim, changes))
            }
            _ => unreachable!("a claim comes from the store that made it"),
        };
        answer.await
    }

    async fn suspect(&self, envelope: EnvelopeId) -> Result<u32, StoreError> {
        whichever!(self, store => store.suspect(envelope))
    }

    async fn short_orders(
        &self,
        shop: &ShopId,
        after: Option<&ShortOrder>,
        limit: i64,
    ) -> Result<Vec<ShortOrder>, StoreError> {
        whichever!(self, store => store.short_orders(shop, after, limit))
    }

    async fn unlinked_payments(&self, before: Timestamp) -> Result<i64, StoreError> {
        whichever!(self, store => store.unlinked_payments(before))
    }

    async fn waiting(&self) -> Result<Waiting, StoreError> {
        whichever!(self, store => store.waiting())
    }

    async fn ping(&self) -> Result<(), StoreError> {
        whichever!(self, store => store.ping())
    }
}

impl Redactions for AnyStore {
    async fn redactions(&self) -> Result<Vec<Redaction>, StoreError> {
        whichever!(self, store => store.redactions())
    }

    async fn redaction_carried_out(
        &self,
        id: EnvelopeId,
        again_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        whichever!(self, store => store.redaction_carried_out(id, again_at))
    }

    async fn dead_ids(
        &self,
        shop: &ShopId,
        after: Option<EnvelopeId>,
        limit: i64,
    ) -> Result<Vec<EnvelopeId>, StoreError> {
        whichever!(self, store => store.dead_ids(shop, after, limit))
    }

    async fn dead_bodies(
        &self,
        shop: &ShopId,
        after: Option<EnvelopeId>,
        limit: i64,
        bytes_max: i64,
    ) -> Result<Vec<DeadBody>, StoreError> {
        whichever!(self, store => store.dead_bodies(shop, after, limit, bytes_max))
    }

    async fn redact(&self, letters: &[EnvelopeId]) -> Result<(), StoreError> {
        whichever!(self, store => store.redact(letters))
    }

    async fn kept_bodies(
        &self,
        shop: &ShopId,
        after: Option<EnvelopeId>,
        limit: i64,
        bytes_max: i64,
    ) -> Result<Vec<(EnvelopeId, Vec<u8>)>, StoreError> {
        whichever!(self, store => store.kept_bodies(shop, after, limit, bytes_max))
    }

    async fn remove_bodies(
        &self,
        shop: &ShopId,
        envelopes: &[EnvelopeId],
    ) -> Result<(), StoreError> {
        whichever!(self, store => store.remove_bodies(shop, envelopes))
    }

    async fn remove_expired_bodies(&self, now: Timestamp, limit: i64) -> Result<u64, StoreError> {
        whichever!(self, store => store.remove_expired_bodies(now, limit))
    }
}

impl Pauses for AnyStore {
    async fn pauses(&self) -> Result<Vec<Pause>, StoreError> {
        whichever!(self, store => store.pauses())
    }

    async fn pause(&self, pause: &Pause, operation: &Operation) -> Result<bool, StoreError> {
        whichever!(self, store => store.pause(pause, operation))
    }

    async fn resume(
        &self,
        shop: Option<&ShopId>,
        operation: &Operation,
    ) -> Result<bool, StoreError> {
        whichever!(self, store => store.resume(shop, operation))
    }
}

impl Alerts for AnyStore {
    async fn alerts(&self) -> Result<Vec<Alert>, StoreError> {
        whichever!(self, store => store.alerts())
    }

    async fn keep_alerts(&self, told: &[Alert], over: &[String]) -> Result<(), StoreError> {
        whichever!(self, store => store.keep_alerts(told, over))
    }
}

impl Activity for AnyStore {
    async fn note_activity(&self, notes: &ActivityNotes) -> Result<(), StoreError> {
        whichever!(self, store => store.note_activity(notes))
    }

    async fn forget_activity(&self, now: Hour, hours_kept: i64) -> Result<(), StoreError> {
        whichever!(self, store => store.forget_activity(now, hours_kept))
    }

    async fn shop_hours(&self) -> Result<Vec<ShopHour>, StoreError> {
        whichever!(self, store => store.shop_hours())
    }

    async fn shop_signers(&self) -> Result<Vec<ShopSigner>, StoreError> {
        whichever!(self, store => store.shop_signers())
    }
}

impl Reports for AnyStore {
    async fn stock(&self, skus: &[Sku]) -> Result<Vec<(StockKey, Stock)>, StoreError> {
        whichever!(self, store => store.stock(skus))
    }

    async fn history(&self, sku: &Sku, limit: i64) -> Result<Vec<HistoryRow>, StoreError> {
        whichever!(self, store => store.history(sku, limit))
    }

    async fn order_history(
        &self,
        order: &OrderKey,
        limit: i64,
    ) -> Result<Vec<HistoryRow>, StoreError> {
        whichever!(self, store => store.order_history(order, limit))
    }

    async fn webhooks(&self, filter: &WebhookFilter) -> Result<Vec<WebhookRow>, StoreError> {
        whichever!(self, store => store.webhooks(filter))
    }

    async fn deliveries(
        &self,
        webhooks: &[WebhookId],
    ) -> Result<Vec<(WebhookId, i64)>, StoreError> {
        whichever!(self, store => store.deliveries(webhooks))
    }

    async fn dead_letters(&self, filter: &DeadFilter) -> Result<Vec<DeadRow>, StoreError> {
        whichever!(self, store => store.dead_letters(filter))
    }

    async fn dead_letter_raw(&self, id: EnvelopeId) -> Result<Option<Vec<u8>>, StoreError> {
        whichever!(self, store => store.dead_letter_raw(id))
    }

    async fn close_dead_letter(
        &self,
        id: EnvelopeId,
        how: Closed,
        note: &str,
    ) -> Result<bool, StoreError> {
        whichever!(self, store => store.close_dead_letter(id, how, note))
    }

    async fn operation(&self, key: &str) -> Result<Option<String>, StoreError> {
        whichever!(self, store => store.operation(key))
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        whichever!(self, store => store.totals())
    }

    async fn clock(&self) -> Result<Option<Timestamp>, StoreError> {
        whichever!(self, store => store.clock())
    }

    async fn verify(&self) -> Result<Verification, StoreError> {
        whichever!(self, store => store.verify())
    }

    async fn order_keys(
        &self,
        after: Option<&OrderKey>,
        limit: i64,
    ) -> Result<Vec<OrderKey>, StoreError> {
        whichever!(self, store => store.order_keys(after, limit))
    }
}

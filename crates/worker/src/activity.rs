//! What comes of each shop: counted in memory by the lanes, and noted in the store from time to time
//! by one task of the process, so that it costs a batch next to nothing.
//!
//! A process that is killed takes what it has not noted with it, and a note whose answer was lost is
//! made twice: people see a few webhooks less or more.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::{ShopId, Timestamp};
use store::activity::{ActivityNotes, Hour, ShopHour, ShopSigner};
use store::{Activity, StoreError};

use crate::clock;

/// How often it is noted.
const NOTE_EVERY: Duration = Duration::from_secs(10);

/// Hours of a shop that are kept, back from its last: a silence is told by the same time of the days
/// before it, however long it lasts (`onhand shop list`).
const HOURS_KEPT: i64 = 12 * 24;

/// Distinct secrets of a shop that are remembered between two notes; a file names no more.
const SECRETS_MAX: usize = 16;

/// Shared by the lanes of a process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally(Arc<Mutex<BTreeMap<ShopId, Seen>>>);

/// What came of a shop since the last note.
#[derive(Clone, Debug, Default)]
struct Seen {
    hours: BTreeMap<Hour, i64>,
    signers: BTreeMap<String, Timestamp>,
}

impl Tally {
    /// Counts webhooks: of which shop, when it came, and what signed it.
    pub(crate) fn saw<'a>(&self, webhooks: impl Iterator<Item = (&'a ShopId, Timestamp, &'a str)>) {
        let mut shops = self.shops();
        for (shop, at, secret) in webhooks {
            if !shops.contains_key(shop) {
                shops.insert(shop.clone(), Seen::default());
            }
            let Some(seen) = shops.get_mut(shop) else { continue };
            *seen.hours.entry(Hour::of(at)).or_default() += 1;
            if let Some(last) = seen.signers.get_mut(secret) {
                *last = (*last).max(at);
            } else if seen.signers.len() < SECRETS_MAX {
                seen.signers.insert(secret.to_owned(), at);
            }
        }
    }

    fn take(&self) -> ActivityNotes {
        let mut notes = ActivityNotes::default();
        for (shop, seen) in std::mem::take(&mut *self.shops()) {
            let hour = |(hour, webhooks)| ShopHour { shop: shop.clone(), hour, webhooks };
            notes.hours.extend(seen.hours.into_iter().map(hour));
            let signer = |(secret, last_at)| ShopSigner { shop: shop.clone(), secret, last_at };
            notes.signers.extend(seen.signers.into_iter().map(signer));
        }
        notes
    }

    fn put_back(&self, notes: ActivityNotes) {
        let mut shops = self.shops();
        for ShopHour { shop, hour, webhooks } in notes.hours {
            *shops.entry(shop).or_default().hours.entry(hour).or_default() += webhooks;
        }
        for ShopSigner { shop, secret, last_at } in notes.signers {
            let last = shops.entry(shop).or_default().signers.entry(secret).or_insert(last_at);
            *last = (*last).max(last_at);
        }
    }

    /// Notes what came since the last time; what the store does not take is kept for the next.
    pub(crate) async fn note<S: Activity>(&self, store: &S) -> Result<(), StoreError> {
        let notes = self.take();
        if notes.hours.is_empty() {
            return Ok(());
        }
        match store.note_activity(&notes).await {
            Ok(()) => Ok(()),
            Err(error) => {
                if !matches!(error, StoreError::Rejected(_)) {
                    self.put_back(notes);
                }
                Err(error)
            }
        }
    }

    fn shops(&self) -> MutexGuard<'_, BTreeMap<ShopId, Seen>> {
        // Counts are whole after every step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes it for ever. Dropping it loses what came since the last note.
pub(crate) async fn run<S: Activity>(store: S, tally: Tally) {
    let mut forgot: Option<Hour> = None;
    loop {
        tokio::time::sleep(NOTE_EVERY).await;
        let noted = tally.note(&store).await;
        let now = Hour::of(clock::now());
        let done = match (noted, forgot == Some(now)) {
            (Ok(()), false) => store.forget_activity(now, HOURS_KEPT).await,
            (noted, _) => noted,
        };
        match done {
            Ok(()) => forgot = Some(now),
            Err(error) => {
                let error = crate::error_chain(&error);
                tracing::debug!(error, "cannot note what came of which shop");
            }
        }
    }
}

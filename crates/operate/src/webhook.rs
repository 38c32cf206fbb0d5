//! A webhook whose body is kept: what it meant, and decided once more.

use std::sync::Arc;

use domain::{Envelope, EnvelopeId, Operation, Outcome, ShopId};
use platforms::Shops;
use queue::parcel;
use store::reports::{DeadFilter, WebhookRow};
use store::{AnyStore, Bodies, Reports, StoreError};
use worker::{Again, Processor, Strategy, Work};

use crate::dead::{Replayed, Replayer};

/// The envelope of a webhook: kept because the shop wants it, or in its dead letter.
pub async fn body(store: &AnyStore, row: &WebhookRow) -> Result<Option<Envelope>, StoreError> {
    let Ok(id) = row.envelope.parse().map(EnvelopeId) else { return Ok(None) };
    let mut raw = store.kept_body(&(row.shop.clone(), id)).await?;
    if raw.is_none() && is_dead(row) {
        raw = store.dead_letter_raw(id).await?;
    }
    let envelopes = raw.and_then(|raw| parcel::decode(&raw).ok()).unwrap_or_default();
    Ok(envelopes.into_iter().find(|envelope| envelope.shop == row.shop))
}

/// What is to be said where no body is kept.
pub fn not_kept(shop: &ShopId, shops: &Shops) -> String {
    let set = shops.get(shop).and_then(|shop| shop.keep_bodies);
    match set {
        None => format!(
            "no body of it is kept: the shop {shop} has no `keep_bodies` in the shops file; \
             `keep_bodies = \"7d\"` there keeps those of webhooks that are decided from then on"
        ),
        Some(_) => {
            "no body of it is kept: it was decided before `keep_bodies` was set, or so long \
                    ago that its time is over, or a redaction or `onhand prune` has removed it"
                .to_owned()
        }
    }
}

/// How a replay came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replay {
    Decided(Replayed),
    NotKept,
    /// Under this very key it was begun before; a dead letter is replayed after the row that says so.
    BegunBefore,
}

/// Decides it as if it had come just now, under the rules of now; safe any number of times. A dead one
/// becomes what it then is; any other keeps its first outcome in the inbox, and what moves now is told
/// by the ledger.
pub async fn replay(
    store: &AnyStore,
    shops: &Arc<Shops>,
    row: &WebhookRow,
    operation: Operation,
) -> Result<Replay, StoreError> {
    if is_dead(row) {
        return replay_letter(store, shops, row, operation).await;
    }
    let Some(envelope) = body(store, row).await? else { return Ok(Replay::NotKept) };
    let processor = Processor::new(store.clone(), Strategy::Adaptive);
    Ok(match processor.again(Work::new(envelope, 0), shops, &operation).await? {
        Again::DoneBefore => Replay::BegunBefore,
        Again::Decided(verdict) => Replay::Decided(Replayed::from(verdict)),
    })
}

async fn replay_letter(
    store: &AnyStore,
    shops: &Arc<Shops>,
    row: &WebhookRow,
    operation: Operation,
) -> Result<Replay, StoreError> {
    let Ok(id) = row.envelope.parse().map(EnvelopeId) else { return Ok(Replay::NotKept) };
    let filter = DeadFilter { id: Some(id), closed_too: true, limit: 1, ..DeadFilter::default() };
    let Some(letter) = store.dead_letters(&filter).await?.pop() else { return Ok(Replay::NotKept) };
    if !crate::audit::note(store, operation).await? {
        return Ok(Replay::BegunBefore);
    }
    let mut replayed = Replayer::new(store.clone(), shops.clone()).replay(&letter, id).await?;
    Ok(replayed.pop().map_or(Replay::NotKept, Replay::Decided))
}

fn is_dead(row: &WebhookRow) -> bool {
    row.outcome == Outcome::Dead.as_str()
}

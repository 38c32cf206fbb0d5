//! Removes personal data when a platform passes on that a customer, or a shop, asks for it.
//!
//! Onhand keeps bodies in dead letters, whose details may quote them and stay when they are closed; and
//! for a while those of what was applied, where a shop wants that (`keep_bodies`). A request is committed
//! as open, like any other webhook; here it is carried out, beside the lanes, in pages, at once and once
//! more when whatever came before it has left the retry ladder and may have become a dead letter
//! meanwhile. Then it is closed. A crash in between makes it begin anew and find less to do, and so do
//! several workers that carry out the same one.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use domain::privacy::{PrivacyKind, PrivacyRequest};
use domain::{Envelope, EnvelopeId, ShopId, Timestamp, retry};
use platforms::shops::UNKNOWN_SHOP;
use platforms::{Shop, Shops, shopify};
use store::channels::PrivacyRow;
use store::{Redaction, Redactions, StoreError};
use tokio::sync::watch;

use crate::backoff::ConflictBackoff;
use crate::clock;

/// A page of dead letters. Bodies may be megabytes, and these are compressed.
const PAGE_LETTERS: i64 = 256;
const PAGE_BYTES: i64 = 1 << 20;

/// Tries of one page that meets locks.
const TRIES_MAX: u32 = 12;

/// For what waits in the queue before and after its waits on the ladder.
const IN_QUEUE: Duration = Duration::from_secs(15 * 60);

/// For workers that have much to do.
const SPARE: Duration = Duration::from_secs(60 * 60);

/// Whether an open request for removal should have been carried out by now, once or, if it was, twice:
/// if not, it was refused, and needs somebody.
pub fn is_redaction_late(request: &PrivacyRow, now: Timestamp) -> bool {
    let due = request.again_at().unwrap_or_else(|| {
        // For all that its webhook may have waited itself.
        clock::after(request.received_at, retry::length() + IN_QUEUE)
    });
    clock::after(due, SPARE) < now
}

/// Carries out what is open, for ever. Dropping it loses nothing.
pub(crate) async fn run<S: Redactions>(
    store: S,
    shops: watch::Receiver<Arc<Shops>>,
    every: Duration,
) {
    loop {
        tokio::time::sleep(every).await;
        let now = shops.borrow().clone();
        if let Err(error) = carry_out_redactions(&store, &now, clock::now()).await {
            let error = crate::error_chain(&error);
            tracing::debug!(error, "requests for removal wait for the store");
        }
    }
}

/// Carries out every open request for removal that is due by `now`, and closes those that have been
/// before. `Err`: what was not done stays open.
pub async fn carry_out_redactions<S: Redactions>(
    store: &S,
    shops: &Shops,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut failed = None;
    let due = |one: &Redaction| one.again_at.is_none_or(|at| at <= now);
    for redaction in store.redactions().await?.into_iter().filter(due) {
        match carry_out(store, shops, &redaction, now).await {
            Ok(()) => {}
            Err(error @ StoreError::Rejected(_)) => {
                // It must not keep the others waiting; people see that it stays open.
                let error = crate::error_chain(&error);
                tracing::error!(request.id = %redaction.id, error, "cannot remove what is asked for");
            }
            Err(error) => failed = Some(error),
        }
    }
    failed.map_or(Ok(()), Err)
}

async fn carry_out<S: Redactions>(
    store: &S,
    shops: &Shops,
    redaction: &Redaction,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Redaction { id, shop, request, again_at } = redaction;
    // What came before the shops file named the shop is kept under its domain.
    let domain = ShopId::new(&request.domain);
    let payers = shops.payers(shop);
    let mut removed = 0;
    for own in [shop, &domain].into_iter().chain(&payers).collect::<BTreeSet<_>>() {
        if request.kind == PrivacyKind::RedactShop {
            removed += remove_all(store, own).await?;
        }
        let sought = Sought { under: own, request, signer: None };
        removed += remove(store, sought).await?;
        removed += remove_kept(store, sought).await?;
    }
    // What named no shop is kept under none, and its signature.
    if let Some(shop) = shops.get(shop) {
        let under = &ShopId::new(UNKNOWN_SHOP);
        let signer = Some(Signer { shop, is_shared: shops.share_a_secret_with(shop) });
        removed += remove(store, Sought { under, request, signer }).await?;
    }
    let next = match again_at {
        None => Some(clock::after(now, retry::length() + IN_QUEUE)),
        Some(_) => None,
    };
    store.redaction_carried_out(*id, next).await?;
    let (kind, closed) = (request.kind.as_str(), next.is_none());
    tracing::info!(request.id = %id, shop.id = %shop, kind, removed, closed, "bodies removed");
    Ok(())
}

/// Removes all of a shop's bodies without reading one.
async fn remove_all<S: Redactions>(store: &S, shop: &ShopId) -> Result<usize, StoreError> {
    let mut removed = 0;
    let mut after = None;
    loop {
        let letters = store.dead_ids(shop, after, PAGE_LETTERS).await?;
        let Some(last) = letters.last() else { return Ok(removed) };
        after = Some(*last);
        redact(store, &letters).await?;
        removed += letters.len();
    }
}

/// What of the bodies that are kept under a name a request is about.
#[derive(Clone, Copy)]
struct Sought<'a> {
    under: &'a ShopId,
    request: &'a PrivacyRequest,
    /// Where the name does not tell whose they are.
    signer: Option<Signer<'a>>,
}

/// Who must have signed what named no shop.
#[derive(Clone, Copy)]
struct Signer<'a> {
    shop: &'a Shop,
    /// So may others have: shops of one app have one secret.
    is_shared: bool,
}

impl Sought<'_> {
    fn covers(self, envelope: &Envelope) -> bool {
        if envelope.shop != *self.under {
            return false;
        }
        let body = String::from_utf8_lossy(&envelope.body);
        let of_shop = self.request.kind == PrivacyKind::RedactShop;
        let Some(signer) = self.signer else { return of_shop || names(&body, self.request) };
        let url = format!("://{}/", self.request.domain);
        let is_about = match of_shop {
            true => !signer.is_shared || body.to_lowercase().contains(&url),
            false => names(&body, self.request),
        };
        is_about && shopify::is_signed_by(envelope, signer.shop)
    }

    /// Of a letter that named no shop, the detail is our own words.
    fn is_quoted_in(self, detail: &str) -> bool {
        self.signer.is_none() && names(detail, self.request)
    }
}

/// Removes the bodies of dead letters that the request concerns, and what of them is quoted.
async fn remove<S: Redactions>(store: &S, sought: Sought<'_>) -> Result<usize, StoreError> {
    let mut removed = 0;
    let mut after = None;
    loop {
        let page = store.dead_bodies(sought.under, after, PAGE_LETTERS, PAGE_BYTES).await?;
        let Some(last) = page.last() else { return Ok(removed) };
        after = Some(last.id);
        let bodies = page.iter().map(|body| (body.id, &body.raw[..], &body.detail[..]));
        let letters = concerned(bodies, sought).await;
        redact(store, &letters).await?;
        removed += letters.len();
    }
}

/// Removes the kept bodies of what was decided, as far as the request concerns them.
async fn remove_kept<S: Redactions>(store: &S, sought: Sought<'_>) -> Result<usize, StoreError> {
    let mut removed = 0;
    let mut after = None;
    loop {
        let page = store.kept_bodies(sought.under, after, PAGE_LETTERS, PAGE_BYTES).await?;
        let Some((last, _)) = page.last() else { return Ok(removed) };
        after = Some(*last);
        let bodies = page.iter().map(|(id, raw)| (*id, &raw[..], ""));
        let bodies = concerned(bodies, sought).await;
        if !bodies.is_empty() {
            patiently(|| store.remove_bodies(sought.under, &bodies)).await?;
        }
        removed += bodies.len();
    }
}

/// Those of a page that the request is about: by their bodies, or by what is quoted of them.
async fn concerned<'a>(
    page: impl Iterator<Item = (EnvelopeId, &'a [u8], &'a str)> + Send,
    sought: Sought<'_>,
) -> Vec<EnvelopeId> {
    let mut ids = Vec::new();
    for (id, raw, quoted) in page {
        if sought.is_quoted_in(quoted) || (!raw.is_empty() && is_concerned(raw, sought)) {
            ids.push(id);
        }
        // The lanes have the same threads.
        tokio::task::yield_now().await;
    }
    ids
}

async fn redact<S: Redactions>(store: &S, letters: &[EnvelopeId]) -> Result<(), StoreError> {
    if letters.is_empty() {
        return Ok(());
    }
    patiently(|| store.redact(letters)).await
}

/// Tries again what meets locks.
async fn patiently<F: Future<Output = Result<(), StoreError>> + Send>(
    mut act: impl FnMut() -> F,
) -> Result<(), StoreError> {
    let mut backoff = ConflictBackoff::default();
    for _ in 1..TRIES_MAX {
        match act().await {
            Err(StoreError::TryAgain(_)) => tokio::time::sleep(backoff.next_wait()).await,
            done => return done,
        }
    }
    act().await
}

/// What is shorter is found by chance.
const WORD_BYTES_MIN: usize = 3;

/// Whether any of a parcel is sought. What nobody can read may be.
fn is_concerned(raw: &[u8], sought: Sought<'_>) -> bool {
    match queue::parcel::decode(raw) {
        Ok(envelopes) => envelopes.iter().any(|envelope| sought.covers(envelope)),
        Err(_) => true,
    }
}

fn names(text: &str, request: &PrivacyRequest) -> bool {
    let text = text.to_lowercase();
    let orders = request.orders.iter().map(|order| order.as_str());
    let traces = request.traces.iter().map(String::as_str);
    let mut words = orders.chain(request.customer.as_deref()).chain(traces);
    words.any(|word| word.len() >= WORD_BYTES_MIN && has_word(&text, &word.to_lowercase()))
}

/// Whether `word` stands in `text` by itself: an id is not found inside a longer one.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        ![before, after].into_iter().flatten().any(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use super::has_word;

    #[test]
    fn an_id_is_not_found_inside_a_longer_one() {
        for (text, found) in [
            (r#"{"id":123}"#, true),
            (r#"{"id":"123"}"#, true),
            (r#"{"id":1234,"other":9123}"#, false),
            (r#"{"id":1234,"other":123}"#, true),
            ("", false),
        ] {
            assert_eq!(has_word(text, "123"), found, "{text}");
        }
    }
}

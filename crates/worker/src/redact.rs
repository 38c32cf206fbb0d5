//! Removes personal data when a platform passes on that a customer, or a shop, asks for it.
//!
//! The only place where Onhand keeps bodies is dead letters. They are gone through before the
//! request is noted as done; a crash in between makes the request come again and find less to do.

use std::collections::BTreeSet;

use domain::privacy::{PrivacyKind, PrivacyRequest};
use domain::{Envelope, EnvelopeId, Fact, Meaning, ShopId};
use store::{Store, StoreError};

use crate::prepare::Prepared;

/// Dead letters looked at in one go: bodies may be megabytes.
const PAGE: i64 = 4;

/// Does what `one` asks, if it asks that something be removed.
pub(crate) async fn carry_out<S: Store>(store: &S, one: &Prepared) -> Result<(), StoreError> {
    let Meaning::Fact(Fact::Privacy(request)) = &one.meaning else { return Ok(()) };
    if request.kind == PrivacyKind::DataRequest {
        return Ok(());
    }
    // What came before the shops file named the shop is kept under its domain.
    let domain = ShopId::new(&request.domain);
    let own = [&one.incoming.shop, &one.incoming.key.shop, &domain];
    for shop in own.into_iter().chain(&one.payers).collect::<BTreeSet<_>>() {
        let removed = remove(store, shop, request).await?;
        tracing::info!(shop.id = %shop, kind = request.kind.as_str(), removed, "bodies removed");
    }
    Ok(())
}

async fn remove<S: Store>(
    store: &S,
    shop: &ShopId,
    request: &PrivacyRequest,
) -> Result<usize, StoreError> {
    let mut removed = 0;
    let mut after: Option<EnvelopeId> = None;
    loop {
        let page = store.dead_bodies(shop, after, PAGE).await?;
        let Some((last, _)) = page.last() else { return Ok(removed) };
        after = Some(*last);
        let concerned = |(_, raw): &&(EnvelopeId, Vec<u8>)| is_concerned(raw, shop, request);
        let letters: Vec<EnvelopeId> = page.iter().filter(concerned).map(|(id, _)| *id).collect();
        if !letters.is_empty() {
            store.redact(&letters).await?;
            removed += letters.len();
        }
    }
}

/// What is shorter is found by chance.
const WORD_BYTES_MIN: usize = 3;

/// Whether the body is about whom the request is about. One that nobody can read may be, and nobody
/// can tell of which shop it is: it is compressed, so that not even a search would find anybody.
fn is_concerned(raw: &[u8], shop: &ShopId, request: &PrivacyRequest) -> bool {
    let Ok(envelopes) = queue::parcel::decode(raw) else { return true };
    let all = request.kind == PrivacyKind::RedactShop;
    envelopes.iter().any(|envelope| envelope.shop == *shop && (all || names(envelope, request)))
}

fn names(envelope: &Envelope, request: &PrivacyRequest) -> bool {
    let body = String::from_utf8_lossy(&envelope.body).to_lowercase();
    let orders = request.orders.iter().map(|order| order.as_str());
    let traces = request.traces.iter().map(String::as_str);
    let mut words = orders.chain(request.customer.as_deref()).chain(traces);
    words.any(|word| word.len() >= WORD_BYTES_MIN && has_word(&body, &word.to_lowercase()))
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

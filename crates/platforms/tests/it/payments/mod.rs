//! Callbacks of payment providers: requests in, envelopes and facts out.

use base64::prelude::{BASE64_STANDARD, Engine};
use bytes::Bytes;
use domain::payment::{Money, PaymentEvent, PaymentEventKind};
use domain::{
    DeadReason, Envelope, EnvelopeId, Fact, Meaning, PaymentFact, Platform, Provider, ShopId,
    Timestamp, WebhookId,
};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue};
use platforms::{Refused, Shop, Shops, payments};
use sha2::Sha256;
use uuid::Uuid;

mod adyen;
mod mollie;
mod random;
mod standard;
mod stripe;
mod values;

/// 2023-11-14T22:13:20Z.
pub(crate) const NOW: i64 = 1_700_000_000;

pub(crate) const NOT_SIGNED: Refused =
    Refused::Unauthorized("the signature is missing or unusable");
pub(crate) const WRONGLY_SIGNED: Refused =
    Refused::Unauthorized("no known secret made this signature");

pub(crate) fn shop(secrets: &[&str]) -> Shop {
    let secrets: Vec<String> = secrets.iter().map(|secret| format!("plain:{secret}")).collect();
    let file =
        format!("[[shop]]\nname = \"pay\"\nplatform = \"payments\"\nsecrets = {secrets:?}\n");
    let shops = Shops::parse(&file, |entry| Err(format!("{entry} is not there")));
    shops.expect("the file is good").get(&ShopId::new("pay")).expect("it is there").clone()
}

pub(crate) fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("a header value");
        headers.append(HeaderName::from_static(name), value);
    }
    headers
}

/// Envelope ids count from 1.
pub(crate) fn receive(
    provider: Provider,
    secrets: &[&str],
    seconds: i64,
    pairs: &[(&'static str, &str)],
    body: &[u8],
) -> Result<Vec<Envelope>, Refused> {
    let mut count = 0;
    let mut new_id = || {
        count += 1;
        EnvelopeId(Uuid::from_u128(count))
    };
    let body = Bytes::copy_from_slice(body);
    let now = Timestamp::from_seconds(seconds);
    payments::receive(provider, &headers(pairs), body, &shop(secrets), &mut new_id, now)
}

pub(crate) fn mac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("keys of any length");
    mac.chain_update(message).finalize().into_bytes().into()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

pub(crate) fn envelope(provider: Provider, topic: &str, body: impl Into<Bytes>) -> Envelope {
    Envelope {
        id: EnvelopeId(Uuid::nil()),
        platform: Platform::Payments,
        provider: Some(provider),
        shop: ShopId::new("pay"),
        webhook: WebhookId::new("w1"),
        topic: topic.to_owned(),
        event: None,
        api_version: None,
        triggered_at: None,
        received_at: Timestamp::from_seconds(NOW),
        signature: None,
        signed_by: None,
        traceparent: None,
        body: body.into(),
    }
}

/// What a body means whose topic the edge could not tell.
pub(crate) fn meaning(provider: Provider, body: impl ToString) -> Meaning {
    platforms::parse(&envelope(provider, "unknown", body.to_string()))
}

#[track_caller]
pub(crate) fn fact(provider: Provider, body: impl ToString) -> PaymentFact {
    match meaning(provider, body) {
        Meaning::Fact(Fact::Payment(fact)) => *fact,
        other => panic!("not a payment: {other:?}"),
    }
}

/// The one event of a fact, by its id.
#[track_caller]
pub(crate) fn event(fact: &PaymentFact) -> (String, PaymentEvent) {
    assert_eq!(fact.known.events.len(), 1);
    let (id, event) = fact.known.events.first_key_value().expect("there is one");
    (id.as_str().to_owned(), event.clone())
}

/// What happened, and the money of it.
#[track_caller]
pub(crate) fn told(provider: Provider, body: impl ToString) -> (PaymentEventKind, Option<i64>) {
    let (_, event) = event(&fact(provider, body));
    (event.kind, event.money.map(|money| money.minor))
}

pub(crate) fn references(fact: &PaymentFact) -> Vec<&str> {
    fact.known.references.iter().map(|reference| reference.as_str()).collect()
}

#[track_caller]
pub(crate) fn dead(provider: Provider, body: impl ToString) -> (DeadReason, String) {
    match meaning(provider, body) {
        Meaning::Dead { reason, detail } => (reason, detail),
        other => panic!("not dead: {other:?}"),
    }
}

pub(crate) fn money(minor: i64, currency: &str) -> Option<Money> {
    Some(Money { minor, currency: currency.to_owned() })
}

#[test]
fn only_adyen_reads_the_answer() {
    for provider in Provider::ALL {
        let expected = if provider == Provider::Adyen { "[accepted]" } else { "" };
        assert_eq!(payments::answer(provider), expected);
    }
}

#[test]
fn an_envelope_without_a_provider_means_nothing() {
    let mut envelope = envelope(Provider::Stripe, "charge.succeeded", "{}");
    envelope.provider = None;
    assert_eq!(platforms::parse(&envelope), Meaning::Ignored("unsupported_platform"));
}

#[test]
fn a_body_under_another_topic_is_a_mismatch() {
    for (provider, body) in [
        (Provider::Stripe, r#"{"type":"charge.failed"}"#),
        (Provider::Mollie, r#"{"type":"payment.paid"}"#),
        (Provider::Standard, r#"{"type":"payment.paid"}"#),
        (Provider::Adyen, r#"{"eventCode":"CAPTURE"}"#),
    ] {
        match platforms::parse(&envelope(provider, "something.else", body)) {
            Meaning::Dead { reason: DeadReason::TopicMismatch, detail } => {
                assert_eq!(detail, "something.else does not bring an event of another type");
            }
            other => panic!("{provider:?}: {other:?}"),
        }
    }
}

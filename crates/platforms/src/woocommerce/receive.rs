//! At the edge: a request becomes an envelope, once the shop's own secret has signed its body.

use bytes::Bytes;
use domain::{Envelope, EnvelopeId, Platform, Timestamp, WebhookId};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde::Deserialize;

use super::scalar::{Id, gmt};
use super::secret;
use crate::header::{Header, TRACEPARENT};
use crate::signature::Claim;
use crate::value::{Object, Text};
use crate::{Refused, Shop};

const SIGNATURE: Header = Header { names: &["x-wc-webhook-signature"], bytes_max: 64 };
const TOPIC: Header = Header { names: &["x-wc-webhook-topic"], bytes_max: 128 };
const DELIVERY: Header = Header { names: &["x-wc-webhook-delivery-id"], bytes_max: 128 };

/// Makes a request to `shop` an envelope. `None`: the unsigned ping, which is answered and nothing
/// else. Of everything else the signature is checked before anything is said.
pub fn receive(
    headers: &HeaderMap,
    body: Bytes,
    shop: &Shop,
    id: EnvelopeId,
    now: Timestamp,
) -> Result<Option<Envelope>, Refused> {
    if is_ping(headers, &body) {
        return Ok(None);
    }
    let claim = SIGNATURE
        .of(headers)
        .and_then(Claim::from_base64)
        .ok_or(Refused::Unauthorized("the X-WC-Webhook-Signature header is missing or unusable"))?;
    let signer = secret::signer(&shop.secrets, &claim, &body)
        .ok_or(Refused::Unauthorized("no secret of the shop made this signature"))?;
    let topic = TOPIC.of(headers).ok_or(Refused::MissingHeader("X-WC-Webhook-Topic"))?;
    let owned = |header: Header| header.of(headers).map(str::to_owned);
    Ok(Some(Envelope {
        id,
        platform: Platform::WooCommerce,
        provider: None,
        shop: shop.name.clone(),
        webhook: webhook_id(topic, &body, id),
        topic: topic.to_owned(),
        event: owned(DELIVERY),
        api_version: None,
        triggered_at: None,
        received_at: now,
        signature: None,
        signed_by: shop.secret_source(signer),
        traceparent: owned(TRACEPARENT),
        body,
    }))
}

/// Whether this is what WooCommerce sends to see that somebody is there. It carries no signature,
/// and unless it is answered 200 it comes again with every webhook, for ever.
fn is_ping(headers: &HeaderMap, body: &[u8]) -> bool {
    let is_form =
        headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|it| {
            let kind = it.split(';').next().unwrap_or_default();
            kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
        });
    // A proxy or a plugin may add headers of that family; these two alone make it a webhook.
    let mut telling = SIGNATURE.names.iter().chain(TOPIC.names);
    let claims_more = telling.any(|name| headers.contains_key(*name));
    is_form && !claims_more && is_ping_body(body)
}

/// Whether this is the body of the ping: a form with the webhook's number and nothing else.
pub fn is_ping_body(body: &[u8]) -> bool {
    let digits = body.strip_prefix(b"webhook_id=").unwrap_or_default();
    (1..=20).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
}

/// The fields of any resource that name a state of it.
#[derive(Deserialize)]
struct Dated<'a> {
    id: Option<Id>,
    #[serde(borrow)]
    date_modified_gmt: Option<Text<'a>>,
}

/// What names the webhook: the resource and the second of its last change; the body's hash, which
/// is part of a webhook's identity, tells apart what happened within that second.
///
/// The delivery id is of no use here. It is a hash of the subscription and the second of sending:
/// two orders sent in one second share it, and one order sent again gets another.
///
/// What has no date looks the same every time that it happens (a deletion is an id and nothing
/// else), so each delivery of it is a webhook of its own; else throwing an order into the bin a
/// second time would pass for a repetition of the first.
fn webhook_id(topic: &str, body: &[u8], envelope: EnvelopeId) -> WebhookId {
    if let Ok(Object(Dated { id: Some(id), date_modified_gmt: Some(date) })) =
        serde_json::from_slice::<Object<Dated<'_>>>(body)
        && let date = date.as_str()
        && gmt(date).is_some()
    {
        return WebhookId::new(format!("{topic}/{id}/{date}"));
    }
    WebhookId::new(envelope.to_string())
}

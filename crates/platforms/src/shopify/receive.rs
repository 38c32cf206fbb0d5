//! At the edge: a request becomes an envelope, once a known secret has signed its body.

use bytes::Bytes;
use domain::{BodyHash, Envelope, EnvelopeId, Platform, ShopId, Timestamp, WebhookId};
use http::HeaderMap;

use crate::header::{Header, TRACEPARENT};
use crate::shops::{UNKNOWN_SHOP, clean_domain};
use crate::signature::Claim;
use crate::{Refused, Shop, Shops, moment};

const SIGNATURE: Header =
    Header { names: &["x-shopify-hmac-sha256", "shopify-hmac-sha256"], bytes_max: 64 };
const SHOP_DOMAIN: Header =
    Header { names: &["x-shopify-shop-domain", "shopify-shop-domain"], bytes_max: 253 };
const TOPIC: Header = Header { names: &["x-shopify-topic", "shopify-topic"], bytes_max: 128 };
const WEBHOOK_ID: Header =
    Header { names: &["x-shopify-webhook-id", "shopify-webhook-id"], bytes_max: 128 };
const EVENT_ID: Header =
    Header { names: &["x-shopify-event-id", "shopify-event-id"], bytes_max: 128 };
const API_VERSION: Header =
    Header { names: &["x-shopify-api-version", "shopify-api-version"], bytes_max: 32 };
const TRIGGERED_AT: Header =
    Header { names: &["x-shopify-triggered-at", "shopify-triggered-at"], bytes_max: 64 };

/// Makes a request an envelope. The signature is checked before anything else is said.
pub fn receive(
    headers: &HeaderMap,
    body: Bytes,
    shops: &Shops,
    id: EnvelopeId,
    now: Timestamp,
) -> Result<Envelope, Refused> {
    let Sender { shop, known, signed_by } = authenticate(headers, &body, shops)?;
    let topic = TOPIC.of(headers).ok_or(Refused::MissingHeader("X-Shopify-Topic"))?;
    let webhook = match WEBHOOK_ID.of(headers) {
        Some(webhook) => WebhookId::new(webhook),
        None => WebhookId::new(BodyHash::of(&body).to_string()),
    };
    let owned = |header: Header| header.of(headers).map(str::to_owned);
    Ok(Envelope {
        id,
        platform: Platform::Shopify,
        provider: None,
        shop,
        webhook,
        topic: topic.to_owned(),
        event: owned(EVENT_ID),
        api_version: owned(API_VERSION),
        triggered_at: TRIGGERED_AT.of(headers).and_then(moment::parse),
        received_at: now,
        signature: owned(SIGNATURE).filter(|_| !known),
        signed_by,
        traceparent: owned(TRACEPARENT),
        body,
    })
}

/// Whether `shop` made the signature that an envelope carries.
pub fn is_signed_by(envelope: &Envelope, shop: &Shop) -> bool {
    let claim = envelope.signature.as_deref().and_then(Claim::from_base64);
    claim.is_some_and(|claim| claim.is_by_any(&shop.secrets, &envelope.body))
}

struct Sender {
    shop: ShopId,
    /// The shops file names it, and its own secret signed.
    known: bool,
    /// Where that secret is from.
    signed_by: Option<String>,
}

/// Who sent `body`. A domain that the shops file does not name is let in where any
/// Shopify secret has signed, so that a shop somebody forgot to add loses nothing: its webhooks
/// become dead letters. The claimed domain has a dot or is [`UNKNOWN_SHOP`], and so never is the
/// name of a shop.
fn authenticate(headers: &HeaderMap, body: &[u8], shops: &Shops) -> Result<Sender, Refused> {
    let claim = SIGNATURE
        .of(headers)
        .and_then(Claim::from_base64)
        .ok_or(Refused::Unauthorized("the X-Shopify-Hmac-Sha256 header is missing or unusable"))?;
    let domain = SHOP_DOMAIN.of(headers).and_then(clean_domain);
    let known = domain.as_deref().and_then(|domain| shops.shopify(domain));
    let secrets = known.map_or(shops.shopify_secrets(), |shop| &shop.secrets);
    let signer = claim
        .signer(secrets, body)
        .ok_or(Refused::Unauthorized("no known secret made this signature"))?;
    let shop = match known {
        Some(shop) => shop.name.clone(),
        None => ShopId::new(domain.as_deref().unwrap_or(UNKNOWN_SHOP)),
    };
    let signed_by = known.and_then(|shop| shop.secret_source(signer));
    Ok(Sender { shop, known: known.is_some(), signed_by })
}

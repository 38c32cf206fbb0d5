//! A webhook as the platform puts it on the wire.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use domain::{Envelope, EnvelopeId, Platform, ShopId, Timestamp, WebhookId};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

use super::ShopifyOrder;
use crate::request::Request;

/// The version of the platform's API that the bodies look like.
const API_VERSION: &str = "2026-10";

/// A body with its signature. Sending it twice is a duplicate; [`SignedWebhook::with_id`] makes it
/// another webhook with the same body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedWebhook {
    pub topic: String,
    pub domain: String,
    pub webhook_id: String,
    pub event_id: String,
    /// RFC 3339.
    pub triggered_at: String,
    /// Base64 of the HMAC-SHA256 of the body.
    pub signature: String,
    pub body: Bytes,
}

impl ShopifyOrder {
    /// What the platform sends for `topic` if it sends now.
    pub fn webhook(&self, topic: &str) -> SignedWebhook {
        let body = serde_json::to_vec(&self.body(topic)).expect("values are JSON");
        let body = Bytes::from(body);
        SignedWebhook {
            topic: topic.to_owned(),
            domain: self.domain.clone(),
            webhook_id: Uuid::now_v7().to_string(),
            event_id: Uuid::now_v7().to_string(),
            triggered_at: self.triggered_at(),
            signature: sign(&self.secret, &body),
            body,
        }
    }
}

impl SignedWebhook {
    /// Any body, signed: for what the platform never sends.
    pub fn raw(topic: &str, domain: &str, secret: &str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let mut webhook = ShopifyOrder::new(1).of(domain, secret).webhook("orders/delete");
        (webhook.signature, webhook.body) = (sign(secret, &body), body);
        topic.clone_into(&mut webhook.topic);
        webhook
    }

    /// The same body under another webhook id.
    #[must_use]
    pub fn with_id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.webhook_id);
        self
    }

    /// The same body under another topic: headers are not signed.
    #[must_use]
    pub fn under(mut self, topic: &str) -> Self {
        topic.clone_into(&mut self.topic);
        self
    }

    /// The same webhook, signed with another secret.
    #[must_use]
    pub fn signed_with(mut self, secret: &str) -> Self {
        self.signature = sign(secret, &self.body);
        self
    }

    /// The request that brings it.
    pub fn request(&self) -> Request {
        let path = "/webhooks/shopify".to_owned();
        Request { path, headers: self.headers(), body: self.body.clone() }
    }

    /// The headers of the request.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        vec![
            ("Content-Type", "application/json".to_owned()),
            ("X-Shopify-Topic", self.topic.clone()),
            ("X-Shopify-Hmac-Sha256", self.signature.clone()),
            ("X-Shopify-Shop-Domain", self.domain.clone()),
            ("X-Shopify-API-Version", API_VERSION.to_owned()),
            ("X-Shopify-Webhook-Id", self.webhook_id.clone()),
            ("X-Shopify-Event-Id", self.event_id.clone()),
            ("X-Shopify-Triggered-At", self.triggered_at.clone()),
        ]
    }

    /// The envelope that an ingress makes of it, for the shop of that name.
    pub fn envelope(&self, shop: &str, received_at: Timestamp) -> Envelope {
        let triggered: jiff::Timestamp = self.triggered_at.parse().expect("made by us");
        Envelope {
            provider: None,
            id: EnvelopeId(Uuid::now_v7()),
            platform: Platform::Shopify,
            shop: ShopId::new(shop),
            webhook: WebhookId::new(&self.webhook_id),
            topic: self.topic.clone(),
            event: Some(self.event_id.clone()),
            api_version: Some(API_VERSION.to_owned()),
            triggered_at: Some(Timestamp(triggered.as_microsecond())),
            received_at,
            signature: None,
            signed_by: None,
            traceparent: None,
            body: self.body.clone(),
        }
    }
}

fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("keys of any length");
    mac.update(body);
    BASE64_STANDARD.encode(mac.finalize().into_bytes())
}

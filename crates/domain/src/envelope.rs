//! An envelope: one HTTP delivery of a webhook, verified, on its way from ingress to worker.
//!
//! The raw signed bytes travel, so a parser's bug loses nothing: mend it and replay.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::ids::{BodyHash, EnvelopeId, ShopId, WebhookId};
use crate::time::Timestamp;
use crate::webhook::WebhookKey;

/// What ingress knows about a webhook, and its body. New fields must have a serde default, because
/// old ingresses and new workers run side by side for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    pub id: EnvelopeId,
    pub platform: Platform,
    /// Who tells of payments; only there where the platform is `payments`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Provider>,
    /// The shop's name; where the shops file names none, the domain that the sender claims.
    pub shop: ShopId,
    /// The sender's own id for the webhook, or the body's hash where it gave none.
    pub webhook: WebhookId,
    pub topic: String,
    /// Shared by all webhooks of one action at the sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// The version of the platform's API that made the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub triggered_at: Option<Timestamp>,
    pub received_at: Timestamp,
    /// The signature as it came, where the shops file named no such shop: when it does, that shop's
    /// own secrets must have made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// Which of the shop's secrets made the signature: where the shops file has it from, as
    /// `env:DEMO_SECRET`, never the secret. Not there where an earlier version received it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    /// W3C trace context of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The raw body, as signed. Beside the JSON, not in it.
    #[serde(skip)]
    pub body: Bytes,
}

impl Envelope {
    /// The identity of the webhook that this envelope brings.
    pub fn key(&self) -> WebhookKey {
        WebhookKey {
            shop: self.shop.clone(),
            webhook: self.webhook.clone(),
            body: BodyHash::of(&self.body),
            scope: None,
        }
    }
}

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    Shopify,
    WooCommerce,
    Payments,
}

impl Platform {
    pub fn as_str(self) -> &'static str {
        match self {
            Platform::Shopify => "shopify",
            Platform::WooCommerce => "woocommerce",
            Platform::Payments => "payments",
        }
    }
}

/// Who tells of payments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    Stripe,
    Adyen,
    Mollie,
    /// Any sender that follows the Standard Webhooks specification.
    Standard,
}

impl Provider {
    pub const ALL: [Provider; 4] =
        [Provider::Stripe, Provider::Adyen, Provider::Mollie, Provider::Standard];

    /// As in the path of its callbacks.
    pub fn as_str(self) -> &'static str {
        match self {
            Provider::Stripe => "stripe",
            Provider::Adyen => "adyen",
            Provider::Mollie => "mollie",
            Provider::Standard => "standard",
        }
    }

    pub fn from_path(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.as_str() == text)
    }
}

//! A webhook as the site puts it on the wire.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::WooOrder;
use super::body::php_json;
use crate::request::Request;

/// The number of the site's subscription. One serves all topics here.
const SUBSCRIPTION: u64 = 7;

impl WooOrder {
    /// What the site sends for `topic` if it sends now.
    pub fn webhook(&self, topic: &str) -> Request {
        let body = php_json(&self.body(topic));
        sent_at(&self.shop, &self.secret, topic, self.modified_at, body.into())
    }
}

/// What a site sends in an order's place once the webhook's owner may no longer read it: signed
/// like any other.
pub fn cannot_view(shop: &str, secret: &str, topic: &str, at: i64) -> Request {
    let body = php_json(&json!({
        "code": "woocommerce_rest_cannot_view",
        "message": "Sorry, you cannot view this resource.",
        "data": { "status": 401 }
    }));
    sent_at(shop, secret, topic, at, body.into())
}

/// Any body, signed: for what no order of ours sends.
pub fn signed(shop: &str, secret: &str, topic: &str, body: Bytes) -> Request {
    sent_at(shop, secret, topic, 0, body)
}

/// What a site sends to see that somebody is there: a form, not signed.
pub fn ping(shop: &str) -> Request {
    Request {
        path: path(shop),
        headers: vec![
            ("Content-Type", "application/x-www-form-urlencoded".to_owned()),
            ("User-Agent", AGENT.to_owned()),
        ],
        body: Bytes::from(format!("webhook_id={SUBSCRIPTION}")),
    }
}

const AGENT: &str = "WooCommerce/11.3.0 Hookshot (WordPress/6.9)";

fn path(shop: &str) -> String {
    format!("/webhooks/woocommerce/{shop}")
}

fn sent_at(shop: &str, secret: &str, topic: &str, at: i64, body: Bytes) -> Request {
    let (resource, event) = topic.split_once('.').unwrap_or((topic, ""));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("keys of any length");
    mac.update(&body);
    Request {
        path: path(shop),
        headers: vec![
            ("Content-Type", "application/json".to_owned()),
            ("User-Agent", AGENT.to_owned()),
            ("X-WC-Webhook-Source", "https://shop.example/".to_owned()),
            ("X-WC-Webhook-Topic", topic.to_owned()),
            ("X-WC-Webhook-Resource", resource.to_owned()),
            ("X-WC-Webhook-Event", event.to_owned()),
            ("X-WC-Webhook-Signature", BASE64_STANDARD.encode(mac.finalize().into_bytes())),
            ("X-WC-Webhook-ID", SUBSCRIPTION.to_string()),
            ("X-WC-Webhook-Delivery-ID", delivery_id(at)),
        ],
        body,
    }
}

/// Of the subscription and the second, and nothing else: whatever is sent in one second has the
/// same.
fn delivery_id(at: i64) -> String {
    let hash = Sha256::digest(format!("{SUBSCRIPTION}{at}"));
    hash[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

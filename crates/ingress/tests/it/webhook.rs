//! Webhooks as platforms send them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

pub(crate) const SECRET: &str = "shpss_of_the_demo_shop";
pub(crate) const WOO_SECRET: &str = "the key that WooCommerce made";
/// What Stripe takes as it is and Standard Webhooks as base64 of a key.
pub(crate) const PAY_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub(crate) const ADYEN_SECRET: &str =
    "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";

pub(crate) struct Webhook {
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Webhook {
    pub(crate) fn new(body: impl Into<Vec<u8>>) -> Webhook {
        Webhook::signed_by(SECRET, body)
    }

    pub(crate) fn signed_by(secret: &str, body: impl Into<Vec<u8>>) -> Webhook {
        let body = body.into();
        let signature = STANDARD.encode(hmac(secret.as_bytes(), &body));
        Webhook::unsigned("/webhooks/shopify", body)
            .with("X-Shopify-Hmac-Sha256", &signature)
            .with("X-Shopify-Shop-Domain", "demo.myshopify.com")
            .with("X-Shopify-Topic", "orders/create")
            .with("X-Shopify-Webhook-Id", "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043")
    }

    /// Without any header of a platform.
    pub(crate) fn unsigned(path: &str, body: impl Into<Vec<u8>>) -> Webhook {
        Webhook { path: path.to_owned(), headers: Vec::new(), body: body.into() }
    }

    /// As WooCommerce's shop `woo` sends it.
    pub(crate) fn woocommerce_by(secret: &str, body: impl Into<Vec<u8>>) -> Webhook {
        let body = body.into();
        let signature = STANDARD.encode(hmac(secret.as_bytes(), &body));
        Webhook::unsigned("/webhooks/woocommerce/woo", body)
            .with("X-WC-Webhook-Source", "https://woo.example/")
            .with("X-WC-Webhook-Topic", "order.updated")
            .with("X-WC-Webhook-Resource", "order")
            .with("X-WC-Webhook-Event", "updated")
            .with("X-WC-Webhook-Signature", &signature)
            .with("X-WC-Webhook-ID", "7")
            .with("X-WC-Webhook-Delivery-ID", "0e5ae5bd5f8f0a6d84d1e1c1ea9d9e2c")
    }

    /// As Stripe signs it at this moment, in seconds.
    pub(crate) fn stripe_at(moment: i64, body: &str) -> Webhook {
        let signature = hmac(PAY_SECRET.as_bytes(), format!("{moment}.{body}").as_bytes());
        Webhook::unsigned("/webhooks/payments/stripe/pay", body)
            .with("Stripe-Signature", &format!("t={moment},v1={}", hex(&signature)))
    }

    /// As Standard Webhooks have it signed at this moment, in seconds.
    pub(crate) fn standard_at(moment: i64, body: &str) -> Webhook {
        let key = STANDARD.decode(PAY_SECRET.trim_start_matches("whsec_")).expect("base64");
        let signature = hmac(&key, format!("msg_1.{moment}.{body}").as_bytes());
        Webhook::unsigned("/webhooks/payments/standard/pay", body)
            .with("webhook-id", "msg_1")
            .with("webhook-timestamp", &moment.to_string())
            .with("webhook-signature", &format!("v1,{}", STANDARD.encode(signature)))
    }

    /// As Adyen sends items, which carry their signatures themselves.
    pub(crate) fn adyen(items: &[String]) -> Webhook {
        let items: Vec<_> =
            items.iter().map(|item| format!(r#"{{"NotificationRequestItem":{item}}}"#)).collect();
        let body = format!(r#"{{"live":"false","notificationItems":[{}]}}"#, items.join(","));
        Webhook::unsigned("/webhooks/payments/adyen/adyen", body)
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Webhook {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Webhook {
        self.headers.retain(|(have, _)| *have != name);
        self
    }

    /// The request, with the length of its body declared.
    pub(crate) fn request(&self) -> Vec<u8> {
        [self.head(), self.body.clone()].concat()
    }

    /// All of the request but its body.
    pub(crate) fn head(&self) -> Vec<u8> {
        self.head_with(&format!("Content-Length: {}", self.body.len()))
    }

    /// The request, its body in chunks of 1,000 bytes.
    pub(crate) fn chunked(&self) -> Vec<u8> {
        let mut request = self.head_with("Transfer-Encoding: chunked");
        for chunk in self.body.chunks(1_000) {
            request.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
            request.extend(chunk);
            request.extend(b"\r\n");
        }
        request.extend(b"0\r\n\r\n");
        request
    }

    fn head_with(&self, framing: &str) -> Vec<u8> {
        let headers: String =
            self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let path = &self.path;
        format!("POST {path} HTTP/1.1\r\nHost: test\r\n{framing}\r\n{headers}\r\n").into_bytes()
    }
}

pub(crate) fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length is fine");
    mac.update(text);
    mac.finalize().into_bytes().into()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn now_seconds() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// An authorisation, signed over eight of its fields.
pub(crate) fn adyen_item(psp_reference: &str) -> String {
    let key: Vec<u8> = (0..ADYEN_SECRET.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&ADYEN_SECRET[at..at + 2], 16).expect("hexadecimal"))
        .collect();
    let signed = format!("{psp_reference}::Merchant:5001:4999:EUR:AUTHORISATION:true");
    let signature = STANDARD.encode(hmac(&key, signed.as_bytes()));
    format!(
        r#"{{"pspReference": "{psp_reference}", "merchantAccountCode": "Merchant",
            "merchantReference": "5001", "amount": {{"value": 4999, "currency": "EUR"}},
            "eventCode": "AUTHORISATION", "success": "true",
            "eventDate": "2026-11-21T12:00:00+00:00",
            "additionalData": {{"hmacSignature": "{signature}"}}}}"#
    )
}

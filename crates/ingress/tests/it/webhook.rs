//! Webhooks as Shopify sends them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

pub(crate) const SECRET: &str = "shpss_of_the_demo_shop";

pub(crate) struct Webhook {
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Webhook {
    pub(crate) fn new(body: impl Into<Vec<u8>>) -> Webhook {
        Webhook::signed_by(SECRET, body)
    }

    pub(crate) fn signed_by(secret: &str, body: impl Into<Vec<u8>>) -> Webhook {
        let body = body.into();
        let mut mac =
            Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length is fine");
        mac.update(&body);
        let headers = vec![
            ("X-Shopify-Hmac-Sha256", STANDARD.encode(mac.finalize().into_bytes())),
            ("X-Shopify-Shop-Domain", "demo.myshopify.com".to_owned()),
            ("X-Shopify-Topic", "orders/create".to_owned()),
            ("X-Shopify-Webhook-Id", "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043".to_owned()),
        ];
        Webhook { headers, body }
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
        format!("POST /webhooks/shopify HTTP/1.1\r\nHost: test\r\n{framing}\r\n{headers}\r\n")
            .into_bytes()
    }
}

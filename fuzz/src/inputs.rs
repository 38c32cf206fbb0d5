//! One input of each fuzz target that reads what platforms and people send.
//!
//! Requests are `name: value` lines, an empty line and the body; bodies for `parse` have their topic
//! in the first line. So seeds can be read and written by hand.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::{Envelope, EnvelopeId, Platform, Provider, ShopId, Timestamp, WebhookId};
use http::{HeaderMap, HeaderName, HeaderValue};
use platforms::signature::sign;
use platforms::{Shop, Shops, payments, shopify, woocommerce};
use uuid::Uuid;

use crate::check::check;

/// A target by its name, which is also that of its folder of seeds.
type Target = (&'static str, fn(&[u8]));

pub(crate) const TARGETS: [Target; 7] = [
    ("shopify_receive", shopify_receive),
    ("shopify_parse", shopify_parse),
    ("woocommerce_receive", woocommerce_receive),
    ("woocommerce_parse", woocommerce_parse),
    ("payments_receive", payments_receive),
    ("payments_parse", payments_parse),
    ("shops_file", shops_file),
];

const SHOPS: &str = r#"
[[shop]]
name = "demo"
platform = "shopify"
domain = "demo.myshopify.com"
secrets = ["plain:onhand-fuzz-secret-24bytes"]

[[shop]]
name = "woo"
platform = "woocommerce"
secrets = ["plain:onhand-fuzz-secret-24bytes"]

[[shop]]
name = "pay"
platform = "payments"
pays_for = "demo"
secrets = [
    "plain:whsec_b25oYW5kLWZ1enotc2VjcmV0LTI0Ynl0ZXM=",
    "plain:44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056",
]
"#;

const SECRET: &str = "onhand-fuzz-secret-24bytes";
/// The same as providers write it: Stripe's and Mollie's key is this text, Standard Webhooks' key
/// is what it says in base64.
const WRITTEN_SECRET: &str = "whsec_b25oYW5kLWZ1enotc2VjcmV0LTI0Ynl0ZXM=";

const ID: EnvelopeId = EnvelopeId(Uuid::nil());
const NOW_SECONDS: i64 = 1_800_000_000;
const NOW: Timestamp = Timestamp(NOW_SECONDS * 1_000_000);

/// The request as it is, and again signed: a fuzzer cannot guess signatures.
fn shopify_receive(input: &[u8]) {
    let (headers, body) = request(input);
    let shops = shops();
    let signed = with(&headers, "x-shopify-hmac-sha256", &sign(SECRET, &body));
    for headers in [&headers, &signed] {
        if let Ok(envelope) = shopify::receive(headers, body.clone(), &shops, ID, NOW) {
            accepted(&envelope, &body);
        }
    }
}

fn woocommerce_receive(input: &[u8]) {
    let (headers, body) = request(input);
    let shop = shop("woo");
    let signed = with(&headers, "x-wc-webhook-signature", &sign(SECRET, &body));
    for headers in [&headers, &signed] {
        if let Ok(Some(envelope)) = woocommerce::receive(headers, body.clone(), &shop, ID, NOW) {
            accepted(&envelope, &body);
        }
    }
}

/// The first line names the provider.
fn payments_receive(input: &[u8]) {
    let (first, rest) = first_line(input);
    let Some(provider) = Provider::from_path(first) else { return };
    let (headers, body) = request(rest);
    let shop = shop("pay");
    let signed = signed_payment(provider, &headers, &body);
    for headers in [&headers, &signed] {
        let envelopes = payments::receive(provider, headers, body.clone(), &shop, &mut || ID, NOW);
        // Some send many items in one body: each is an envelope with a body of its own.
        for envelope in envelopes.unwrap_or_default() {
            accepted(&envelope, &envelope.body);
        }
    }
}

fn shopify_parse(input: &[u8]) {
    let (topic, body) = first_line(input);
    check(&platforms::parse(&envelope(Platform::Shopify, None, topic, body)));
}

fn woocommerce_parse(input: &[u8]) {
    let (topic, body) = first_line(input);
    check(&platforms::parse(&envelope(Platform::WooCommerce, None, topic, body)));
}

/// The first line is the provider and the topic.
fn payments_parse(input: &[u8]) {
    let (first, body) = first_line(input);
    let (provider, topic) = first.split_once(' ').unwrap_or((first, ""));
    let provider = Provider::from_path(provider);
    check(&platforms::parse(&envelope(Platform::Payments, provider, topic, body)));
}

/// No text makes reading panic, and none makes it tell a secret.
fn shops_file(input: &[u8]) {
    const BEHIND: &str = "what-is-behind-an-entry";
    let Ok(text) = str::from_utf8(input) else { return };
    let resolve = |entry: &str| match entry.split_once(':') {
        Some(("env", _)) => Ok(BEHIND.to_owned()),
        _ => Err("it is not there".to_owned()),
    };
    match Shops::parse(text, resolve) {
        Ok(shops) => {
            assert!(!format!("{shops:?}").contains(BEHIND) && shops.iter().next().is_some());
            for shop in shops.iter() {
                assert_eq!(shops.get(&shop.name).map(|found| &found.name), Some(&shop.name));
            }
        }
        Err(error) => {
            let error = error.to_string();
            assert!(!error.is_empty() && !error.contains(BEHIND));
        }
    }
}

/// What every envelope keeps; its body is parsed at once, as a worker would.
fn accepted(envelope: &Envelope, body: &Bytes) {
    assert_eq!(&envelope.body, body);
    let texts = [envelope.shop.as_str(), envelope.webhook.as_str(), &envelope.topic];
    assert!(texts.iter().all(|text| text.len() <= 253 && !text.contains(char::is_control)));
    check(&platforms::parse(envelope));
}

fn shops() -> Shops {
    let nothing = |entry: &str| Err(format!("{entry} is not there"));
    Shops::parse(SHOPS, nothing).expect("the shops of the targets are well-formed")
}

fn shop(name: &str) -> Shop {
    shops().get(&ShopId::new(name)).expect("the shops of the targets have it").clone()
}

fn envelope(platform: Platform, provider: Option<Provider>, topic: &str, body: &[u8]) -> Envelope {
    Envelope {
        id: ID,
        platform,
        provider,
        shop: ShopId::new("demo"),
        webhook: WebhookId::new("w1"),
        topic: topic.to_owned(),
        event: None,
        api_version: None,
        triggered_at: None,
        received_at: NOW,
        signature: None,
        signed_by: None,
        traceparent: None,
        body: Bytes::copy_from_slice(body),
    }
}

/// The first line, empty if it is no text, and what is below it.
fn first_line(input: &[u8]) -> (&str, &[u8]) {
    let end = input.iter().position(|&byte| byte == b'\n').unwrap_or(input.len());
    let (first, rest) = input.split_at(end);
    (str::from_utf8(first).unwrap_or_default(), rest.get(1..).unwrap_or_default())
}

/// Headers that HTTP would not let through are left out.
fn request(input: &[u8]) -> (HeaderMap, Bytes) {
    let (head, body) = match input.windows(2).position(|pair| pair == b"\n\n") {
        Some(end) => (&input[..end], &input[end + 2..]),
        None => (&input[..0], input),
    };
    let header = |line: &[u8]| {
        let colon = line.iter().position(|&byte| byte == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?;
        Some((name, value))
    };
    let headers = head.split(|&byte| byte == b'\n').filter_map(header).collect();
    (headers, Bytes::copy_from_slice(body))
}

fn signed_payment(provider: Provider, headers: &HeaderMap, body: &[u8]) -> HeaderMap {
    let now = NOW_SECONDS.to_string();
    let after = |prefix: String| [prefix.as_bytes(), body].concat();
    match provider {
        Provider::Stripe => {
            let signature = hex(&sign(WRITTEN_SECRET, &after(format!("{now}."))));
            with(headers, "stripe-signature", &format!("t={now},v1={signature}"))
        }
        Provider::Mollie => {
            let signature = hex(&sign(WRITTEN_SECRET, body));
            with(headers, "x-mollie-signature", &format!("sha256={signature}"))
        }
        Provider::Standard => {
            let signature = sign(SECRET, &after(format!("w1.{now}.")));
            let headers = with(headers, "webhook-id", "w1");
            let headers = with(&headers, "webhook-timestamp", &now);
            with(&headers, "webhook-signature", &format!("v1,{signature}"))
        }
        // Signs a few of its fields, in the body; seeds bring signatures of their own.
        Provider::Adyen => headers.clone(),
    }
}

fn hex(base64: &str) -> String {
    let bytes = STANDARD.decode(base64).expect("signatures are base64");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn with(headers: &HeaderMap, name: &'static str, value: &str) -> HeaderMap {
    let value = HeaderValue::from_str(value).expect("signatures are visible text");
    let mut headers = headers.clone();
    headers.insert(name, value);
    headers
}

use bytes::Bytes;
use domain::{BodyHash, Envelope, EnvelopeId, Platform, Timestamp};
use http::{HeaderMap, HeaderValue};
use platforms::signature::sign;
use platforms::{Refused, Shops, shopify};
use uuid::Uuid;

const SHOPS: &str = r#"
[[shop]]
name = "demo"
platform = "shopify"
domain = "Demo.myshopify.com"
secrets = ["plain:new", "plain:old"]

[[shop]]
name = "other"
platform = "shopify"
domain = "other.myshopify.com"
secrets = ["plain:others"]

[[shop]]
name = "woo"
platform = "woocommerce"
domain = "woo.example.com"
secrets = ["plain:woos"]
"#;

const BODY: &[u8] = br#"{"id":1}"#;
const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

fn shops() -> Shops {
    Shops::parse(SHOPS, |entry| Err(format!("{entry} is not there"))).expect("the file is good")
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            let value = HeaderValue::from_bytes(value.as_bytes()).expect("a header value");
            (http::HeaderName::from_static(name), value)
        })
        .collect()
}

fn receive(headers: &HeaderMap) -> Result<Envelope, Refused> {
    let body = Bytes::from_static(BODY);
    shopify::receive(headers, body, &shops(), EnvelopeId(Uuid::nil()), NOW)
}

/// What Shopify sends, signed with `secret` for `domain`, with `more` in place of its defaults.
fn request(domain: &str, secret: &str, more: &[(&'static str, &str)]) -> HeaderMap {
    let signature = sign(secret, BODY);
    let mut all = headers(&[
        ("x-shopify-topic", "orders/create"),
        ("x-shopify-hmac-sha256", &signature),
        ("x-shopify-shop-domain", domain),
        ("x-shopify-webhook-id", "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043"),
    ]);
    all.extend(headers(more));
    all
}

#[test]
fn a_signed_request_becomes_an_envelope_with_all_we_need() {
    let envelope = receive(&request(
        "demo.myshopify.com",
        "new",
        &[
            ("x-shopify-event-id", "98880550-7158-44d4-b7cd-2c97c8a091b5"),
            ("x-shopify-api-version", "2026-10"),
            ("x-shopify-triggered-at", "2026-03-30T14:30:00.123456789Z"),
            ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ],
    ))
    .expect("it is signed");
    assert_eq!(envelope.platform, Platform::Shopify);
    assert_eq!(envelope.shop.as_str(), "demo");
    assert_eq!(envelope.webhook.as_str(), "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043");
    assert_eq!(envelope.topic, "orders/create");
    assert_eq!(envelope.event.as_deref(), Some("98880550-7158-44d4-b7cd-2c97c8a091b5"));
    assert_eq!(envelope.api_version.as_deref(), Some("2026-10"));
    assert_eq!(envelope.triggered_at, Some(Timestamp(1_774_881_000_123_456)));
    assert_eq!(envelope.received_at, NOW);
    assert!(envelope.traceparent.is_some());
    assert_eq!(&envelope.body[..], BODY);
}

#[test]
fn the_names_without_x_serve_as_well() {
    let signature = sign("old", BODY);
    let envelope = receive(&headers(&[
        ("shopify-topic", "orders/paid"),
        ("shopify-hmac-sha256", &signature),
        ("shopify-shop-domain", "DEMO.myshopify.com"),
        ("shopify-webhook-id", "w7"),
        ("shopify-event-id", "e7"),
        ("shopify-triggered-at", "2026-03-30T14:30:00Z"),
    ]))
    .expect("it is signed");
    assert_eq!(envelope.shop.as_str(), "demo");
    assert_eq!(envelope.topic, "orders/paid");
    assert_eq!(envelope.webhook.as_str(), "w7");
    assert_eq!(envelope.event.as_deref(), Some("e7"));
    assert_eq!(envelope.triggered_at, Some(Timestamp(1_774_881_000_000_000)));
}

#[test]
fn a_known_shop_is_believed_only_with_its_own_secrets() {
    for (secret, source) in [("new", "plain, number 1"), ("old", "plain, number 2")] {
        let envelope = receive(&request("demo.myshopify.com", secret, &[])).expect("it is signed");
        assert_eq!(envelope.signed_by.as_deref(), Some(source));
    }
    for secret in ["others", "woos", "", "plain:new"] {
        let refused = receive(&request("demo.myshopify.com", secret, &[]));
        assert!(matches!(refused, Err(Refused::Unauthorized(_))), "{secret:?}: {refused:?}");
    }
}

#[test]
fn an_unknown_domain_needs_the_secret_of_some_shopify_shop() {
    for (domain, shop) in [
        ("New-Shop.myshopify.com", "new-shop.myshopify.com"),
        ("woo.example.com", "woo.example.com"),
        // None of these may pass for a shop's name, nor reach a log as it is.
        ("demo", "unknown"),
        ("other", "unknown"),
        ("unknown", "unknown"),
        ("a..b", "unknown"),
        ("evil.com/<script>", "unknown"),
        ("d\u{e9}mo.myshopify.com", "unknown"),
        ("", "unknown"),
    ] {
        for secret in ["new", "old", "others"] {
            let envelope = receive(&request(domain, secret, &[])).expect("it is signed");
            assert_eq!(envelope.shop.as_str(), shop, "{domain:?}");
            // Whoever this turns out to be must have signed it.
            let signer = if secret == "others" { "other" } else { "demo" };
            for shop in shops().iter().filter(|shop| shop.name.as_str() != "woo") {
                let signed = shopify::is_signed_by(&envelope, shop);
                assert_eq!(signed, shop.name.as_str() == signer, "{} {secret}", shop.name);
            }
        }
        for secret in ["woos", "guess"] {
            let refused = receive(&request(domain, secret, &[]));
            assert!(matches!(refused, Err(Refused::Unauthorized(_))), "{domain:?} {secret}");
        }
    }
    let long = format!("{}.com", "a".repeat(300));
    assert_eq!(receive(&request(&long, "new", &[])).unwrap().shop.as_str(), "unknown");
    let mut none = request("", "new", &[]);
    none.remove("x-shopify-shop-domain");
    assert_eq!(receive(&none).unwrap().shop.as_str(), "unknown");
}

#[test]
fn nothing_is_said_before_the_signature_is_checked() {
    let mut unsigned = request("demo.myshopify.com", "new", &[]);
    unsigned.remove("x-shopify-hmac-sha256");
    unsigned.remove("x-shopify-topic");
    assert!(matches!(receive(&unsigned), Err(Refused::Unauthorized(_))));

    let mut forged = request("demo.myshopify.com", "guess", &[]);
    forged.remove("x-shopify-topic");
    assert!(matches!(receive(&forged), Err(Refused::Unauthorized(_))));

    let mut signed = request("demo.myshopify.com", "new", &[]);
    signed.remove("x-shopify-topic");
    let missing = Refused::MissingHeader("X-Shopify-Topic");
    assert_eq!(receive(&signed), Err(missing));
    assert_eq!(missing.to_string(), "the X-Shopify-Topic header is missing");
}

#[test]
fn without_a_usable_webhook_id_the_body_names_the_webhook() {
    let of_body = BodyHash::of(BODY).to_string();
    let long = "w".repeat(1_000);
    for id in ["", " ", "a b", "\u{e9}", &long] {
        let headers = request("demo.myshopify.com", "new", &[("x-shopify-webhook-id", id)]);
        let envelope = receive(&headers).expect("it is signed");
        assert_eq!(envelope.webhook.as_str(), of_body, "{id:?}");
    }
    let mut none = request("demo.myshopify.com", "new", &[]);
    none.remove("x-shopify-webhook-id");
    assert_eq!(receive(&none).unwrap().webhook.as_str(), of_body);
}

#[test]
fn header_values_that_make_no_sense_count_as_missing() {
    for moment in ["yesterday", "2026-03-30T14:30:00", "-000001-01-01T00:00:00Z", "1774881000"] {
        let headers = request("demo.myshopify.com", "new", &[("x-shopify-triggered-at", moment)]);
        assert_eq!(receive(&headers).unwrap().triggered_at, None, "{moment}");
    }
    let long = "t".repeat(1_000);
    for topic in ["", "orders create", "orders/cr\u{e9}ate", &long] {
        let headers = request("demo.myshopify.com", "new", &[("x-shopify-topic", topic)]);
        assert_eq!(receive(&headers), Err(Refused::MissingHeader("X-Shopify-Topic")), "{topic}");
    }
}

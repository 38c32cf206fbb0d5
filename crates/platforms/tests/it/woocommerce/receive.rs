use bytes::Bytes;
use domain::{Envelope, EnvelopeId, Platform, ShopId, Timestamp};
use http::{HeaderMap, HeaderName, HeaderValue};
use platforms::signature::sign;
use platforms::{Refused, Shop, Shops, woocommerce};
use serde_json::json;
use uuid::Uuid;

use super::body;

const NOW: Timestamp = Timestamp(1_795_262_410_000_000);
const ID: EnvelopeId = EnvelopeId(Uuid::from_u128(0x0193_4f6e_0000_7000_8000_0000_0000_0001));

fn shop(secrets: &[&str]) -> Shop {
    let secrets: Vec<String> = secrets.iter().map(|it| format!("plain:{it}")).collect();
    let file =
        format!("[[shop]]\nname = \"site\"\nplatform = \"woocommerce\"\nsecrets = {secrets:?}\n");
    let shops = Shops::parse(&file, |entry| Err(format!("{entry} is not there"))).expect("good");
    shops.get(&ShopId::new("site")).expect("it was just read").clone()
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let header = |value: &str| HeaderValue::from_bytes(value.as_bytes()).expect("a header value");
    pairs.iter().map(|(name, value)| (HeaderName::from_static(name), header(value))).collect()
}

fn receive(headers: &HeaderMap, body: &[u8]) -> Result<Option<Envelope>, Refused> {
    let shop = shop(&["new", "old"]);
    woocommerce::receive(headers, Bytes::copy_from_slice(body), &shop, ID, NOW)
}

/// What WooCommerce sends.
fn request(topic: &str, body: &[u8], secret: &str) -> HeaderMap {
    headers(&[
        ("content-type", "application/json"),
        ("x-wc-webhook-source", "https://shop.example/"),
        ("x-wc-webhook-topic", topic),
        ("x-wc-webhook-resource", "order"),
        ("x-wc-webhook-event", "updated"),
        ("x-wc-webhook-signature", &sign(secret, body)),
        ("x-wc-webhook-id", "7"),
        ("x-wc-webhook-delivery-id", "0f7a5b1b4c4df2bb0ce2b9d31cf4ffb5"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ])
}

#[track_caller]
fn webhook(topic: &str, body: &[u8]) -> String {
    let envelope = receive(&request(topic, body, "new"), body).expect("signed").expect("no ping");
    envelope.webhook.as_str().to_owned()
}

#[test]
fn a_signed_request_becomes_an_envelope_with_all_we_need() {
    let body = body("processing").to_string();
    for secret in ["new", "old"] {
        let headers = request("order.updated", body.as_bytes(), secret);
        let envelope = receive(&headers, body.as_bytes()).unwrap().unwrap();
        assert_eq!((envelope.id, envelope.platform), (ID, Platform::WooCommerce));
        assert_eq!((envelope.provider, envelope.shop.as_str()), (None, "site"));
        assert_eq!(envelope.webhook.as_str(), "order.updated/897/2026-11-21T12:00:05");
        assert_eq!(envelope.topic, "order.updated");
        assert_eq!(envelope.event.as_deref(), Some("0f7a5b1b4c4df2bb0ce2b9d31cf4ffb5"));
        assert_eq!((envelope.triggered_at, envelope.received_at), (None, NOW));
        assert_eq!((envelope.api_version, envelope.signature), (None, None));
        assert!(envelope.traceparent.is_some());
        assert_eq!(envelope.body, body.as_bytes());
    }
}

/// Computed by the rule with other programs, over the raw bytes with PHP's escapes in them.
#[test]
fn the_key_is_the_secret_without_html_entities() {
    const BODY: &[u8] = br#"{"id":897,"status":"processing","note":"caf\u00e9 \/ tea"}"#;
    const SIGNATURE: &str = "UTPRK3TEK06Xevod72iaT5j+xnb1vKbTRhfAHud37tI=";
    let headers =
        headers(&[("x-wc-webhook-signature", SIGNATURE), ("x-wc-webhook-topic", "order.updated")]);
    let plain = "s3cr3t&\"'<>";
    for (secrets, source) in [
        (&[plain][..], "plain, number 1"),
        (&["s3cr3t&amp;&quot;&#039;&lt;&gt;"], "plain, number 1"),
        (&["s3cr3t&#38;&#x22;&#39;&#60;&#62;", "another"], "plain, number 1"),
        (&["another", "s3cr3t&amp;\"'<&gt;"], "plain, number 2"),
        (&["an&amp;other", "s3cr3t&amp;\"'<&gt;"], "plain, number 2"),
    ] {
        let received =
            woocommerce::receive(&headers, Bytes::from_static(BODY), &shop(secrets), ID, NOW);
        let envelope = received.expect("it is signed").expect("it is no ping");
        assert_eq!(envelope.signed_by.as_deref(), Some(source), "{secrets:?}");
    }
    for secrets in [&["s3cr3t"][..], &["s3cr3t&amp;amp;\"'<>"], &["s3cr3t&apos;&\"<>"], &["x"]] {
        let received =
            woocommerce::receive(&headers, Bytes::from_static(BODY), &shop(secrets), ID, NOW);
        assert!(matches!(received, Err(Refused::Unauthorized(_))), "{secrets:?}");
    }
    // Read and written anew, the body is another one.
    let rewritten = "{\"id\":897,\"status\":\"processing\",\"note\":\"caf\u{e9} / tea\"}";
    let received = woocommerce::receive(
        &headers,
        Bytes::from_static(rewritten.as_bytes()),
        &shop(&[plain]),
        ID,
        NOW,
    );
    assert!(matches!(received, Err(Refused::Unauthorized(_))));
}

#[test]
fn nothing_is_said_before_the_signature_is_checked() {
    let body = b"{}";
    let mut forged = request("order.updated", body, "guess");
    forged.remove("x-wc-webhook-topic");
    assert!(matches!(receive(&forged, body), Err(Refused::Unauthorized(_))));
    for signature in ["", "=", "AAAA", &"A".repeat(44), &"A".repeat(100)] {
        let mut headers = request("order.updated", body, "new");
        headers.insert("x-wc-webhook-signature", HeaderValue::from_str(signature).unwrap());
        assert!(matches!(receive(&headers, body), Err(Refused::Unauthorized(_))), "{signature}");
    }
    let mut unsigned = request("order.updated", body, "new");
    unsigned.remove("x-wc-webhook-signature");
    assert!(matches!(receive(&unsigned, body), Err(Refused::Unauthorized(_))));

    let mut signed = request("order.updated", body, "new");
    signed.remove("x-wc-webhook-topic");
    let missing = Refused::MissingHeader("X-WC-Webhook-Topic");
    assert_eq!(receive(&signed, body), Err(missing));
    let long = "t".repeat(200);
    for topic in ["", "order updated", &long] {
        assert_eq!(receive(&request(topic, body, "new"), body), Err(missing), "{topic}");
    }
}

#[test]
fn the_ping_is_the_one_thing_that_needs_no_signature() {
    const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
    let utf8 = ("content-type", "Application/X-WWW-Form-Urlencoded; charset=UTF-8");
    let agent = ("user-agent", "WooCommerce/11.3.0 Hookshot (WordPress/6.9)");
    let source = ("x-wc-webhook-source", "https://shop.example/");
    for pairs in [&[FORM][..], &[utf8], &[FORM, agent], &[FORM, source]] {
        for body in ["webhook_id=2", "webhook_id=18446744073709551615"] {
            assert_eq!(receive(&headers(pairs), body.as_bytes()), Ok(None), "{pairs:?} {body}");
        }
    }
    let json = ("content-type", "application/json");
    let topic = ("x-wc-webhook-topic", "order.updated");
    let empty = ("x-wc-webhook-signature", "");
    for (pairs, body) in [
        (&[][..], "webhook_id=2"),
        (&[json], "webhook_id=2"),
        (&[FORM, topic], "webhook_id=2"),
        (&[FORM, empty], "webhook_id=2"),
        (&[FORM], "webhook_id="),
        (&[FORM], "webhook_id=2x"),
        (&[FORM], "webhook_id=-2"),
        (&[FORM], "webhook_id=2&x=1"),
        (&[FORM], "webhook_id=2\n"),
        (&[FORM], "WEBHOOK_ID=2"),
        (&[FORM], "id=2"),
        (&[FORM], ""),
        (&[FORM], "webhook_id=111111111111111111111"),
        (&[FORM], "{\"id\":2}"),
    ] {
        let received = receive(&headers(pairs), body.as_bytes());
        assert!(matches!(received, Err(Refused::Unauthorized(_))), "{pairs:?} {body}");
    }
    // Signed, it is a webhook like any other, and a poor one.
    let signed = request("order.updated", b"webhook_id=2", "new");
    assert!(receive(&signed, b"webhook_id=2").unwrap().is_some());
}

#[test]
fn a_state_of_a_resource_names_the_webhook() {
    let state = |id, date| json!({ "more": [], "date_modified_gmt": date, "id": id }).to_string();
    let order = state(json!(5), json!("2026-11-21T12:00:05"));
    assert_eq!(webhook("order.updated", order.as_bytes()), "order.updated/5/2026-11-21T12:00:05");
    assert_eq!(webhook("order.created", order.as_bytes()), "order.created/5/2026-11-21T12:00:05");
    let product = state(json!("5"), json!("2026-11-21T12:00:05Z"));
    assert_eq!(
        webhook("product.updated", product.as_bytes()),
        "product.updated/5/2026-11-21T12:00:05Z"
    );
    let topic = "t".repeat(128);
    assert!(webhook(&topic, order.as_bytes()).len() < 200);
}

#[test]
fn what_has_no_date_is_a_webhook_of_its_own_each_time() {
    let long = format!("2026-11-21T12:00:05{}", "0".repeat(200));
    for body in [
        json!({ "id": 5 }).to_string(),
        json!({ "id": "5" }).to_string(),
        json!({ "action": "woocommerce_order_status_changed", "arg": 5 }).to_string(),
        json!({ "code": "woocommerce_rest_cannot_view", "data": { "status": 401 } }).to_string(),
        json!({ "id": 5, "date_modified_gmt": null }).to_string(),
        json!({ "id": 5, "date_modified_gmt": "yesterday" }).to_string(),
        json!({ "id": 5, "date_modified_gmt": long }).to_string(),
        json!({ "id": 5, "date_modified_gmt": 1_795_262_405 }).to_string(),
        json!({ "id": [5], "date_modified_gmt": "2026-11-21T12:00:05" }).to_string(),
        json!([5, "2026-11-21T12:00:05"]).to_string(),
        "{\"id\":5,\"date_modified_gmt\":\"2026-11-21T12:00:05\"".to_owned(),
        String::new(),
        "[".repeat(100_000),
    ] {
        assert_eq!(webhook("order.deleted", body.as_bytes()), ID.to_string());
    }
}

use domain::payment::PaymentEventKind as Kind;
use domain::{BodyHash, DeadReason, Envelope, Meaning, Provider, Timestamp};
use platforms::Refused;
use serde_json::{Value, json};

use super::{NOT_SIGNED, NOW, WRONGLY_SIGNED};

const HEADER: &str = "x-mollie-signature";
const BODY: &str = r#"{"id":"event_1"}"#;

fn receive(
    secrets: &[&str],
    pairs: &[(&'static str, &str)],
    body: &str,
) -> Result<Envelope, Refused> {
    let envelopes = super::receive(Provider::Mollie, secrets, NOW, pairs, body.as_bytes())?;
    assert_eq!(envelopes.len(), 1);
    Ok(envelopes.into_iter().next().expect("there is one"))
}

fn signature(secret: &str, body: &str) -> String {
    format!("sha256={}", super::hex(&super::mac(secret.as_bytes(), body.as_bytes())))
}

fn about(topic: &str, status: Value) -> Value {
    let entity = json!({"resource": "payment", "id": "tr_1", "status": status,
        "amount": {"value": "49.99", "currency": "EUR"}, "metadata": {"order_id": 5001}});
    json!({"resource": "event", "id": "event_1", "type": topic, "entityId": "tr_1",
           "createdAt": "2026-11-21T12:00:00+00:00", "_embedded": {"entity": entity}})
}

#[test]
fn the_published_rule_is_followed() {
    // Computed from the rule in mollie-api-php's SignatureValidator.
    let value = "sha256=34fcd94eb19e8529064e3b914d8e2155ead161b22118717c9de5ba276c6163a6";
    let envelope = receive(&["foobar"], &[(HEADER, value)], BODY).expect("it is signed");
    assert_eq!((envelope.webhook.as_str(), envelope.topic.as_str()), ("event_1", "unknown"));
    assert_eq!(receive(&["foobaz"], &[(HEADER, value)], BODY), Err(WRONGLY_SIGNED));
}

#[test]
fn the_header_may_repeat_while_secrets_rotate() {
    let body = about("payment.paid", json!("paid")).to_string();
    let [old, new] = ["old", "new"].map(|secret| signature(secret, &body));
    let both = format!("{old}, {new}");
    for pairs in [
        vec![(HEADER, &*old), (HEADER, &*new)],
        vec![(HEADER, &*new), (HEADER, &*old)],
        vec![(HEADER, &*both)],
        vec![(HEADER, "nonsense"), (HEADER, &*new), (HEADER, &*old)],
    ] {
        for secrets in [&["old"][..], &["new"], &["newer", "old"]] {
            let envelope = receive(secrets, &pairs, &body).expect("it is signed");
            assert_eq!(envelope.topic, "payment.paid");
        }
        assert_eq!(receive(&["newer"], &pairs, &body), Err(WRONGLY_SIGNED));
    }
}

#[test]
fn without_its_signature_an_event_is_refused() {
    let body = about("payment.paid", json!("paid")).to_string();
    assert_eq!(receive(&["s"], &[], &body), Err(NOT_SIGNED));
    let bare = signature("s", &body).replace("sha256=", "");
    let md5 = signature("s", &body).replace("sha256=", "md5=");
    for value in ["", "sha256=", "sha256=00", &bare, &md5] {
        assert_eq!(receive(&["s"], &[(HEADER, value)], &body), Err(NOT_SIGNED), "{value:?}");
    }
    // A signature that is wrong is worse than none.
    assert_eq!(receive(&["s"], &[(HEADER, "sha256=")], "id=tr_1"), Err(NOT_SIGNED));
    let wrong = signature("x", "id=tr_1");
    assert_eq!(receive(&["s"], &[(HEADER, &wrong)], "id=tr_1"), Err(WRONGLY_SIGNED));
    let good = signature("s", &body);
    for place in 0..body.len() {
        let mut forged = body.clone().into_bytes();
        forged[place] ^= 1;
        let forged = String::from_utf8(forged).unwrap();
        assert_eq!(receive(&["s"], &[(HEADER, &good)], &forged), Err(WRONGLY_SIGNED));
    }
}

#[test]
fn a_classic_callback_needs_no_signature_and_the_same_again_is_a_repeat() {
    for body in [
        "id=tr_5B8cwPMGnU6qLbRvo7qEZo",
        "id=ord_kEn1PlbGa",
        "id=sub_rVKGtNd6s3",
        "id=tr_1&testByMollie=1",
        "testByMollie&id=tr_1",
        "testByMollie=true",
        "testByMollie",
    ] {
        let envelope = receive(&[], &[], body).expect("it is classic");
        assert_eq!(envelope.topic, "classic");
        assert_eq!(envelope.webhook.as_str(), BodyHash::of(body.as_bytes()).to_string());
        assert_eq!(&envelope.body[..], body.as_bytes());
        assert_eq!(platforms::parse(&envelope), Meaning::Ignored("needs_fetch"));
    }
}

#[test]
fn nothing_else_comes_in_without_a_signature() {
    let long = format!("id=tr_{}", "x".repeat(200));
    for body in [
        "",
        "id=",
        "id=tr_",
        "id=tr_1&",
        "&id=tr_1",
        "id=tr_1&id=tr_2",
        "id=tr_1&amount=5",
        "id=tr_1\n",
        " id=tr_1",
        "id=tr_1%00",
        "id=tr_a/b",
        "id=_1",
        "id=1_1",
        "id=tr1",
        "id=tr_1_2",
        "id=TR_1",
        "ID=tr_1",
        "testByMollie=<b>",
        "testByMollies=1",
        "{\"id\":\"tr_1\"}",
        "{\"testByMollie\":1}",
        &long,
    ] {
        assert_eq!(receive(&["s"], &[], body), Err(NOT_SIGNED), "{body:?}");
    }
    let bytes = super::receive(Provider::Mollie, &["s"], NOW, &[], b"id=tr_\xff");
    assert_eq!(bytes, Err(NOT_SIGNED));
}

#[test]
fn without_an_id_the_body_names_the_event() {
    let body = "{}";
    let envelope = receive(&["s"], &[(HEADER, &signature("s", body))], body).unwrap();
    assert_eq!(envelope.webhook.as_str(), BodyHash::of(body.as_bytes()).to_string());
}

#[test]
fn events_say_what_became_of_a_payment() {
    for (change, kind, minor) in [
        ("paid", Kind::Captured, Some(4_999)),
        ("authorized", Kind::Authorised, Some(4_999)),
        ("failed", Kind::Failed, None),
        ("canceled", Kind::Cancelled, None),
        ("expired", Kind::Cancelled, None),
    ] {
        for of in ["payment", "payment-link"] {
            let body = about(&format!("{of}.{change}"), json!(change));
            assert_eq!(super::told(Provider::Mollie, &body), (kind, minor), "{change}");
            let fact = super::fact(Provider::Mollie, &body);
            assert_eq!(fact.payment.as_str(), "mollie:tr_1");
            assert_eq!(super::references(&fact), ["5001"]);
            let (id, event) = super::event(&fact);
            assert_eq!((&*id, event.at), ("event_1", Timestamp::from_seconds(1_795_262_400)));
        }
    }
    // A payment link has no status.
    let mut link = about("payment-link.paid", json!(null));
    link["_embedded"]["entity"]["paidAt"] = json!("2026-11-21T12:00:00+00:00");
    assert_eq!(super::told(Provider::Mollie, &link).0, Kind::Captured);
}

#[test]
fn what_the_event_does_not_show_needs_a_fetch() {
    let mut bare = about("payment.paid", json!("paid"));
    bare.as_object_mut().unwrap().remove("_embedded");
    let mut empty = about("payment.paid", json!("paid"));
    empty["_embedded"] = json!({});
    for body in [
        bare,
        empty,
        about("payment.paid", json!("open")),
        about("payment.paid", json!(null)),
        about("payment-link.failed", json!(null)),
    ] {
        let meaning = super::meaning(Provider::Mollie, &body);
        assert_eq!(meaning, Meaning::Ignored("needs_fetch"), "{body}");
    }
    for topic in ["payment.created", "sales-invoice.paid", "profile.blocked", "paid", "", "."] {
        let meaning = super::meaning(Provider::Mollie, about(topic, json!("paid")));
        assert_eq!(meaning, Meaning::Ignored("unsupported_topic"), "{topic}");
    }
}

#[test]
fn amounts_follow_the_currency() {
    let paid = |value: &str, currency: &str| {
        let mut body = about("payment.paid", json!("paid"));
        body["_embedded"]["entity"]["amount"] = json!({"value": value, "currency": currency});
        body
    };
    for (value, currency, minor) in [
        ("10.00", "EUR", 1_000),
        ("0.05", "EUR", 5),
        ("10", "EUR", 1_000),
        ("10.5", "eur", 1_050),
        ("10.5000", "EUR", 1_050),
        ("1000", "JPY", 1_000),
        ("1000.00", "KRW", 1_000),
        ("10.123", "KWD", 10_123),
        ("10.1", "BHD", 10_100),
        ("90071992547409.91", "EUR", 9_007_199_254_740_991),
    ] {
        let told = super::told(Provider::Mollie, paid(value, currency));
        assert_eq!(told, (Kind::Captured, Some(minor)), "{value} {currency}");
    }
    for (value, currency) in [
        ("10.005", "EUR"),
        ("10.50", "JPY"),
        ("-1.00", "EUR"),
        ("+1.00", "EUR"),
        ("1,000.00", "EUR"),
        ("1e3", "EUR"),
        (".50", "EUR"),
        ("10.", "EUR"),
        ("", "EUR"),
        ("1.0.0", "EUR"),
        ("90071992547409.92", "EUR"),
        ("99999999999999999999", "JPY"),
        ("\u{665}", "JPY"),
    ] {
        let (reason, detail) = super::dead(Provider::Mollie, paid(value, currency));
        assert_eq!(reason, DeadReason::Malformed);
        assert!(detail.starts_with("_embedded.entity.amount.value: "), "{detail}");
    }
}

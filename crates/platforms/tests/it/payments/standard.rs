use domain::payment::PaymentEventKind as Kind;
use domain::{DeadReason, Envelope, Meaning, Provider, Timestamp};
use platforms::Refused;
use serde_json::{Value, json};

use super::{NOT_SIGNED, NOW, WRONGLY_SIGNED};

const BODY: &str = r#"{"type":"payment.captured","data":{"payment_id":"p-1"}}"#;
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// What the secret stands for.
const KEY: [u8; 24] = [
    49, 242, 144, 246, 191, 6, 41, 138, 171, 79, 8, 212, 60, 63, 8, 44, 246, 72, 163, 98, 218, 45,
    164, 176,
];

fn receive(
    secrets: &[&str],
    seconds: i64,
    (id, timestamp, signature): (&str, &str, &str),
    body: &str,
) -> Result<Envelope, Refused> {
    let pairs =
        [("webhook-id", id), ("webhook-timestamp", timestamp), ("webhook-signature", signature)];
    let envelopes = super::receive(Provider::Standard, secrets, seconds, &pairs, body.as_bytes())?;
    assert_eq!(envelopes.len(), 1);
    Ok(envelopes.into_iter().next().expect("there is one"))
}

fn v1(key: &[u8], id: &str, timestamp: &str, body: &str) -> String {
    let signed = format!("{id}.{timestamp}.{body}");
    format!("v1,{}", super::base64(&super::mac(key, signed.as_bytes())))
}

/// What a sender with `KEY` sends, `offset` seconds from now.
fn sent(offset: i64) -> (String, String) {
    let timestamp = (NOW + offset).to_string();
    let signature = v1(&KEY, "msg_1", &timestamp, BODY);
    (timestamp, signature)
}

#[test]
fn the_specifications_own_vector_verifies() {
    // Of standard-webhooks' libraries/go/webhook_test.go.
    let headers = (
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "1614265330",
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    );
    let body = r#"{"test": 2432232314}"#;
    for secret in [SECRET, &SECRET["whsec_".len()..]] {
        let envelope = receive(&[secret], 1_614_265_330, headers, body).expect("it is signed");
        assert_eq!(envelope.webhook.as_str(), "msg_p5jXN8AQM9LWM0D4loKWxJek");
        assert_eq!(envelope.topic, "unknown");
        assert_eq!(envelope.triggered_at, Some(Timestamp::from_seconds(1_614_265_330)));
    }
    assert_eq!(receive(&[SECRET], NOW, headers, body), Err(Refused::Stale));
}

#[test]
fn a_secret_counts_decoded_and_as_it_is() {
    let timestamp = NOW.to_string();
    for secret in ["no base64!", "polar_whs_abc", "whsec_not/b64?", "abcdabcd"] {
        let signature = v1(secret.as_bytes(), "msg_1", &timestamp, BODY);
        let headers = ("msg_1", &*timestamp, &*signature);
        assert!(receive(&[secret], NOW, headers, BODY).is_ok(), "{secret}");
        assert!(receive(&["other", SECRET, secret], NOW, headers, BODY).is_ok(), "{secret}");
        assert_eq!(receive(&["other", SECRET], NOW, headers, BODY), Err(WRONGLY_SIGNED));
    }
    // The padding is lost easily.
    let key = b"0123456789abcdef";
    let signature = v1(key, "msg_1", &timestamp, BODY);
    for secret in ["whsec_MDEyMzQ1Njc4OWFiY2RlZg==", "whsec_MDEyMzQ1Njc4OWFiY2RlZg"] {
        assert!(receive(&[secret], NOW, ("msg_1", &timestamp, &signature), BODY).is_ok());
    }
    // Nobody signs with nothing.
    let empty = v1(b"", "msg_1", &timestamp, BODY);
    for secrets in [&["whsec_"][..], &[]] {
        let answer = receive(secrets, NOW, ("msg_1", &timestamp, &empty), BODY);
        assert_eq!(answer, Err(WRONGLY_SIGNED));
    }
}

#[test]
fn any_signature_of_the_list_will_do() {
    let (timestamp, good) = sent(0);
    let bad = v1(b"other", "msg_1", &timestamp, BODY);
    for list in [
        format!("{bad} {good}"),
        format!("{good} {bad}"),
        format!("v1a,AAAA nonsense  v2,x {good}"),
    ] {
        assert!(receive(&[SECRET], NOW, ("msg_1", &timestamp, &list), BODY).is_ok(), "{list}");
    }
    let answer = receive(&[SECRET], NOW, ("msg_1", &timestamp, &bad), BODY);
    assert_eq!(answer, Err(WRONGLY_SIGNED));
    let asymmetric = good.replace("v1,", "v1a,");
    for list in ["", "v1,", &good[3..], &asymmetric, &format!("{good}{}", " x".repeat(3_000))] {
        let answer = receive(&[SECRET], NOW, ("msg_1", &timestamp, list), BODY);
        assert_eq!(answer, Err(NOT_SIGNED), "{list:.80}");
    }
}

#[test]
fn five_minutes_to_either_side_are_taken() {
    for (offset, taken) in [(-300, true), (300, true), (-301, false), (301, false)] {
        let (timestamp, good) = sent(offset);
        let answer = receive(&[SECRET], NOW, ("msg_1", &timestamp, &good), BODY);
        assert_eq!(answer.map(|_| ()), if taken { Ok(()) } else { Err(Refused::Stale) });
        let answer = receive(&["other"], NOW, ("msg_1", &timestamp, &good), BODY);
        assert_eq!(answer, Err(WRONGLY_SIGNED));
    }
    for timestamp in ["", "now", "-1", "+1", "1e9", "1700000000.0", "99999999999999999999"] {
        let good = v1(&KEY, "msg_1", timestamp, BODY);
        let answer = receive(&[SECRET], NOW, ("msg_1", timestamp, &good), BODY);
        assert_eq!(answer, Err(NOT_SIGNED), "{timestamp}");
    }
    let far = u64::MAX.to_string();
    let good = v1(&KEY, "msg_1", &far, BODY);
    assert_eq!(receive(&[SECRET], NOW, ("msg_1", &far, &good), BODY), Err(Refused::Stale));
}

#[test]
fn everything_is_signed() {
    let (timestamp, good) = sent(0);
    let headers = ("msg_1", &*timestamp, &*good);
    let envelope = receive(&[SECRET], NOW, headers, BODY).expect("it is signed");
    assert_eq!(envelope.topic, "payment.captured");
    assert_eq!(envelope.webhook.as_str(), "msg_1");
    for place in 0..BODY.len() {
        let mut forged = BODY.as_bytes().to_vec();
        forged[place] ^= 1;
        let forged = String::from_utf8(forged).unwrap();
        assert_eq!(receive(&[SECRET], NOW, headers, &forged), Err(WRONGLY_SIGNED));
    }
    let later = (NOW + 1).to_string();
    for headers in [("msg_2", &*timestamp, &*good), ("msg_1", &*later, &*good)] {
        assert_eq!(receive(&[SECRET], NOW, headers, BODY), Err(WRONGLY_SIGNED));
    }
    let long = "m".repeat(129);
    for id in ["", "a b", "\u{e9}", &long] {
        let good = v1(&KEY, id, &timestamp, BODY);
        assert_eq!(receive(&[SECRET], NOW, (id, &timestamp, &good), BODY), Err(NOT_SIGNED));
    }
}

#[test]
fn every_type_means_what_it_says() {
    for (change, kind) in [
        ("pending", Kind::Pending),
        ("authorised", Kind::Authorised),
        ("authorized", Kind::Authorised),
        ("captured", Kind::Captured),
        ("succeeded", Kind::Captured),
        ("paid", Kind::Captured),
        ("failed", Kind::Failed),
        ("cancelled", Kind::Cancelled),
        ("canceled", Kind::Cancelled),
        ("expired", Kind::Cancelled),
        ("refunded", Kind::Refunded),
        ("capture_failed", Kind::CaptureFailed),
        ("refund_failed", Kind::RefundFailed),
        ("disputed", Kind::Disputed),
        ("dispute_won", Kind::DisputeWon),
        ("dispute_lost", Kind::DisputeLost),
    ] {
        let body = json!({"type": format!("payment.{change}"), "timestamp": "2026-11-21T12:00:00Z",
            "data": {"payment_id": "p-1", "order_id": "5001", "amount": 4_999, "currency": "eur"}});
        let fact = super::fact(Provider::Standard, &body);
        assert_eq!(fact.payment.as_str(), "standard:p-1");
        assert_eq!(super::references(&fact), ["5001"]);
        let (id, event) = super::event(&fact);
        assert_eq!((&*id, event.kind, event.money), ("w1", kind, super::money(4_999, "EUR")));
        assert_eq!(event.at, Timestamp::from_seconds(1_795_262_400));
    }
    for topic in ["payment", "payment.", "payment.made", "order.paid", ""] {
        let meaning = super::meaning(Provider::Standard, json!({"type": topic}));
        assert_eq!(meaning, Meaning::Ignored("unsupported_topic"));
    }
}

#[test]
fn the_moment_is_the_bodys_own_or_that_of_the_signature() {
    let mut envelope = super::envelope(Provider::Standard, "payment.captured", BODY);
    let at = |envelope: &Envelope| match platforms::parse(envelope) {
        Meaning::Fact(domain::Fact::Payment(fact)) => super::event(&fact).1.at,
        other => panic!("{other:?}"),
    };
    assert_eq!(at(&envelope), Timestamp::from_seconds(NOW));
    envelope.triggered_at = Some(Timestamp(7));
    assert_eq!(at(&envelope), Timestamp(7));
}

#[test]
fn with_a_moment_of_its_own_an_event_is_the_same_whichever_attempt_comes() {
    let body = json!({"type": "payment.captured", "timestamp": "2026-11-21T12:00:00Z",
        "data": {"payment_id": "p-1", "amount": 4_999, "currency": "EUR"}});
    let attempt = |seconds: i64| {
        let mut envelope =
            super::envelope(Provider::Standard, "payment.captured", body.to_string());
        envelope.triggered_at = Some(Timestamp::from_seconds(seconds));
        envelope.received_at = Timestamp::from_seconds(seconds + 1);
        platforms::parse(&envelope)
    };
    assert_eq!(attempt(NOW), attempt(NOW + 3_600));
}

#[test]
fn malformed_bodies_name_the_field() {
    let body = |data: Value| json!({"type": "payment.paid", "data": data});
    for (data, path) in [
        (json!(null), "data"),
        (json!({}), "data"),
        (json!({"payment_id": ""}), "data.payment_id"),
        (json!({"payment_id": "p", "amount": 5}), "data.currency: missing"),
        (json!({"payment_id": "p", "amount": "5", "currency": "EUR"}), "data.amount"),
        (json!({"payment_id": "p", "amount": -5, "currency": "EUR"}), "data.amount"),
        (json!({"payment_id": "p", "order_id": []}), "data.order_id"),
    ] {
        let (reason, detail) = super::dead(Provider::Standard, body(data));
        assert_eq!(reason, DeadReason::Malformed);
        assert!(detail.starts_with(path), "{detail}");
    }
    let (_, detail) =
        super::dead(Provider::Standard, json!({"type": "payment.paid", "timestamp": "now"}));
    assert!(detail.starts_with("timestamp"), "{detail}");
}

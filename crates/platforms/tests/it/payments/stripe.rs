use domain::payment::PaymentEventKind as Kind;
use domain::{BodyHash, Envelope, Meaning, Provider, Timestamp};
use platforms::Refused;
use serde_json::{Value, json};

use super::{NOT_SIGNED, NOW, WRONGLY_SIGNED};

const BODY: &str = r#"{"id":"evt_7","type":"charge.failed","api_version":"2024-06-20"}"#;
const SECRET: &str = "whsec_test_secret";

fn v1(secret: &str, seconds: i64, body: &str) -> String {
    super::hex(&super::mac(secret.as_bytes(), format!("{seconds}.{body}").as_bytes()))
}

fn receive(secrets: &[&str], header: &str, body: &str) -> Result<Envelope, Refused> {
    let pairs = [("stripe-signature", header)];
    let envelopes = super::receive(Provider::Stripe, secrets, NOW, &pairs, body.as_bytes())?;
    assert_eq!(envelopes.len(), 1);
    Ok(envelopes.into_iter().next().expect("there is one"))
}

fn fact(body: &Value) -> domain::PaymentFact {
    super::fact(Provider::Stripe, body)
}

fn told(body: &Value) -> (Kind, Option<i64>) {
    super::told(Provider::Stripe, body)
}

fn about(topic: &str, object: Value) -> Value {
    json!({"id": "evt_1", "object": "event", "type": topic, "created": 1_699_999_000,
           "livemode": false, "data": {"object": object}})
}

fn intent() -> Value {
    json!({"id": "pi_1", "object": "payment_intent", "amount": 4_999, "amount_received": 4_000,
           "amount_capturable": 4_500, "currency": "eur", "metadata": {"order_id": "5001"}})
}

fn charge(captured: bool, intent: Value) -> Value {
    json!({"id": "ch_1", "object": "charge", "amount": 4_999, "amount_captured": 4_000,
           "amount_refunded": 1_000, "currency": "eur", "captured": captured,
           "payment_intent": intent, "metadata": {"order_id": " 5001 "}})
}

fn dispute(status: &str, intent: Value) -> Value {
    json!({"id": "dp_1", "object": "dispute", "amount": 3_000, "currency": "eur", "charge": "ch_1",
           "payment_intent": intent, "status": status, "metadata": {"order_id": "999"}})
}

fn refund(status: &str) -> Value {
    json!({"id": "re_1", "object": "refund", "amount": 700, "currency": "eur", "charge": "ch_1",
           "payment_intent": "pi_1", "status": status, "metadata": {"order_id": "999"}})
}

#[test]
fn only_an_event_that_says_so_is_of_the_test_mode() {
    let is_test = |livemode: Option<Value>| {
        let mut body = about("payment_intent.succeeded", intent());
        body.as_object_mut().expect("an object").remove("livemode");
        body.as_object_mut().expect("an object").extend(livemode.map(|is| ("livemode".into(), is)));
        fact(&body).test
    };
    assert!(is_test(Some(json!(false))));
    for live in [Some(json!(true)), Some(json!(null)), Some(json!("false")), None] {
        assert!(!is_test(live));
    }
}

#[test]
fn the_published_rule_is_followed() {
    // Computed from the rule in stripe-node's src/Webhooks.ts.
    let body = r#"{"id":"evt_1","object":"event"}"#;
    let header = "t=1700000000,v1=0c8670ed117751cc551a20e35839447075c42800ea3cf3e8a2fbda99cd1e6edd";
    let envelope = receive(&["whsec_test_secret"], header, body).expect("it is signed");
    assert_eq!(envelope.webhook.as_str(), "evt_1");
    assert_eq!(envelope.topic, "unknown");
}

#[test]
fn a_signed_request_becomes_an_envelope() {
    let header = format!("t={NOW},v1={}", v1(SECRET, NOW, BODY));
    let envelope = receive(&[SECRET], &header, BODY).expect("it is signed");
    assert_eq!(envelope.provider, Some(Provider::Stripe));
    assert_eq!((envelope.shop.as_str(), envelope.webhook.as_str()), ("pay", "evt_7"));
    assert_eq!(envelope.topic, "charge.failed");
    assert_eq!(envelope.api_version.as_deref(), Some("2024-06-20"));
    assert_eq!(envelope.triggered_at, Some(Timestamp::from_seconds(NOW)));
    assert_eq!(envelope.received_at, Timestamp::from_seconds(NOW));
    assert_eq!((envelope.event, envelope.signature), (None, None));
    assert_eq!(&envelope.body[..], BODY.as_bytes());
}

#[test]
fn several_signatures_and_several_secrets_rotate() {
    let [good, other] = [SECRET, "whsec_other"].map(|secret| v1(secret, NOW, BODY));
    for header in [
        format!("t={NOW},v1={other},v1={good}"),
        format!("t={NOW},v1={good},v1={other}"),
        format!("v1=nonsense,v0={other},v1={good},t={NOW},more"),
    ] {
        assert!(receive(&[SECRET], &header, BODY).is_ok(), "{header}");
        assert!(receive(&["whsec_new", SECRET], &header, BODY).is_ok(), "{header}");
        assert_eq!(receive(&["whsec_new", "x"], &header, BODY), Err(WRONGLY_SIGNED));
    }
    // The secret's text is the key, prefix and all, and other schemes prove nothing.
    assert!(receive(&["test_secret"], &format!("t={NOW},v1={good}"), BODY).is_err());
    assert_eq!(receive(&[SECRET], &format!("t={NOW},v0={good}"), BODY), Err(NOT_SIGNED));
}

#[test]
fn unusable_headers_are_refused() {
    let good = v1(SECRET, NOW, BODY);
    for header in [
        String::new(),
        format!("v1={good}"),
        format!("t={NOW}"),
        format!("t=,v1={good}"),
        format!("t=+{NOW},v1={good}"),
        format!("t=99999999999999999999999,v1={good}"),
        format!("t={NOW},t={NOW},v1={good}"),
        format!("t={NOW};v1={good}"),
        format!("t={NOW},v1={}", &good[1..]),
        format!("t={NOW},v1={good}00"),
        format!("t={NOW},v1={}", "\u{e9}".repeat(32)),
        format!("t={NOW},v1={good},{}", "x".repeat(5_000)),
    ] {
        assert_eq!(receive(&[SECRET], &header, BODY), Err(NOT_SIGNED), "{header:?}");
    }
    let none = super::receive(Provider::Stripe, &[SECRET], NOW, &[], BODY.as_bytes());
    assert_eq!(none, Err(NOT_SIGNED));
}

#[test]
fn five_minutes_to_either_side_are_taken() {
    for (offset, taken) in [(0, true), (-300, true), (300, true), (-301, false), (301, false)] {
        let seconds = NOW + offset;
        let header = format!("t={seconds},v1={}", v1(SECRET, seconds, BODY));
        let answer = receive(&[SECRET], &header, BODY);
        assert_eq!(answer.map(|_| ()), if taken { Ok(()) } else { Err(Refused::Stale) });
        // Whoever cannot sign is not told about the clock.
        let forged = format!("t={seconds},v1={}", v1("whsec_guess", seconds, BODY));
        assert_eq!(receive(&[SECRET], &forged, BODY), Err(WRONGLY_SIGNED));
    }
    let header = format!("t={},v1={}", u64::MAX, {
        super::hex(&super::mac(SECRET.as_bytes(), format!("{}.{BODY}", u64::MAX).as_bytes()))
    });
    assert_eq!(receive(&[SECRET], &header, BODY), Err(Refused::Stale));
}

#[test]
fn every_changed_byte_is_noticed() {
    let header = format!("t={NOW},v1={}", v1(SECRET, NOW, BODY));
    let pairs = [("stripe-signature", header.as_str())];
    for place in 0..BODY.len() {
        let mut body = BODY.as_bytes().to_vec();
        body[place] ^= 1;
        let answer = super::receive(Provider::Stripe, &[SECRET], NOW, &pairs, &body);
        assert_eq!(answer, Err(WRONGLY_SIGNED), "byte {place}");
    }
    for place in header.find("v1=").unwrap() + 3..header.len() {
        let mut forged = header.clone().into_bytes();
        forged[place] = if forged[place] == b'0' { b'1' } else { b'0' };
        let forged = String::from_utf8(forged).unwrap();
        assert_eq!(receive(&[SECRET], &forged, BODY), Err(WRONGLY_SIGNED), "{forged}");
    }
    let moved = header.replace(&NOW.to_string(), &(NOW + 1).to_string());
    assert_eq!(receive(&[SECRET], &moved, BODY), Err(WRONGLY_SIGNED));
}

#[test]
fn labels_that_cannot_be_shown_count_as_missing() {
    for body in [
        "not JSON".to_owned(),
        "[\"evt_1\",\"charge.failed\"]".to_owned(),
        json!({"id": "", "type": ""}).to_string(),
        json!({"id": "e v", "type": "a b"}).to_string(),
        json!({"id": "x".repeat(129), "type": "\u{e9}"}).to_string(),
        json!({"id": ["x"], "type": {}}).to_string(),
    ] {
        let header = format!("t={NOW},v1={}", v1(SECRET, NOW, &body));
        let envelope = receive(&[SECRET], &header, &body).expect("it is signed");
        assert_eq!(envelope.topic, "unknown");
        assert_eq!(envelope.webhook.as_str(), BodyHash::of(body.as_bytes()).to_string());
    }
}

#[test]
fn intents_tell_the_whole_way() {
    for (change, expected) in [
        ("created", (Kind::Pending, None)),
        ("processing", (Kind::Pending, None)),
        ("requires_action", (Kind::Pending, None)),
        ("amount_capturable_updated", (Kind::Authorised, Some(4_500))),
        ("succeeded", (Kind::CapturedInAll, Some(4_000))),
        ("payment_failed", (Kind::Failed, None)),
        ("canceled", (Kind::Cancelled, None)),
    ] {
        let body = about(&format!("payment_intent.{change}"), intent());
        assert_eq!(told(&body), expected, "{change}");
        let fact = fact(&body);
        assert_eq!(fact.payment.as_str(), "stripe:pi_1");
        assert_eq!(super::references(&fact), ["5001"]);
        let (id, event) = super::event(&fact);
        assert_eq!((id.as_str(), event.at), ("evt_1", Timestamp::from_seconds(1_699_999_000)));
    }
    let captured = fact(&about("payment_intent.succeeded", intent()));
    assert_eq!(super::event(&captured).1.money, super::money(4_000, "EUR"));
}

#[test]
fn charges_tell_of_their_intent() {
    for (topic, captured, expected) in [
        ("charge.succeeded", true, (Kind::CapturedInAll, Some(4_000))),
        ("charge.succeeded", false, (Kind::Authorised, Some(4_999))),
        ("charge.captured", true, (Kind::CapturedInAll, Some(4_000))),
        ("charge.failed", false, (Kind::Failed, None)),
        ("charge.refunded", true, (Kind::RefundedInAll, Some(1_000))),
    ] {
        for (of, payment) in [(json!("pi_1"), "pi_1"), (json!(null), "ch_1")] {
            let body = about(topic, charge(captured, of));
            assert_eq!(told(&body), expected, "{topic}");
            let fact = fact(&body);
            assert_eq!(fact.payment.as_str(), format!("stripe:{payment}"));
            assert_eq!(super::references(&fact), ["5001"]);
        }
    }
}

#[test]
fn one_capture_told_by_intent_and_charge_counts_once() {
    let mut known = fact(&about("payment_intent.succeeded", intent())).known;
    let mut other = about("charge.succeeded", charge(true, json!("pi_1")));
    other["id"] = json!("evt_2");
    known.join(fact(&other).known);
    let mut refunded = charge(true, json!("pi_1"));
    refunded["amount_refunded"] = json!(4_000);
    let mut last = about("charge.refunded", refunded);
    last["id"] = json!("evt_3");
    known.join(fact(&last).known);
    assert_eq!(known.state(), domain::payment::PaymentState::Refunded);
}

#[test]
fn disputes_and_refunds_have_no_reference_of_the_order() {
    for (topic, object, expected) in [
        ("charge.dispute.created", dispute("needs_response", json!("pi_1")), Kind::Disputed),
        ("charge.dispute.closed", dispute("won", json!("pi_1")), Kind::DisputeWon),
        ("charge.dispute.closed", dispute("warning_closed", json!("pi_1")), Kind::DisputeWon),
        ("charge.dispute.closed", dispute("lost", json!("pi_1")), Kind::DisputeLost),
        ("refund.failed", refund("failed"), Kind::RefundFailed),
        ("refund.updated", refund("failed"), Kind::RefundFailed),
        ("charge.refund.updated", refund("canceled"), Kind::RefundFailed),
    ] {
        let fact = fact(&about(topic, object));
        assert_eq!(fact.payment.as_str(), "stripe:pi_1");
        assert!(fact.known.references.is_empty(), "{topic}");
        let (id, event) = super::event(&fact);
        assert_eq!(event.kind, expected, "{topic}");
        // However many events tell of one refund's failure.
        let expected = if expected == Kind::RefundFailed { "re_1:failed" } else { "evt_1" };
        assert_eq!(id, expected);
    }
    let of_charge = fact(&about("charge.dispute.created", dispute("x", json!(null))));
    assert_eq!(of_charge.payment.as_str(), "stripe:ch_1");
    for (topic, object) in [
        ("charge.dispute.closed", dispute("under_review", json!(null))),
        ("refund.updated", refund("succeeded")),
        ("charge.refund.updated", refund("pending")),
    ] {
        let meaning = super::meaning(Provider::Stripe, about(topic, object));
        assert_eq!(meaning, Meaning::Ignored("unsupported_status"), "{topic}");
    }
}

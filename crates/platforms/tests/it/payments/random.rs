//! Whatever comes, it is answered; and nobody comes in without a secret.

use bytes::Bytes;
use domain::{EnvelopeId, Fact, Meaning, Provider, Timestamp};
use http::{HeaderMap, HeaderName, HeaderValue};
use platforms::payments;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use uuid::Uuid;

use super::{NOW, envelope, shop};

const NAMES: [&str; 6] = [
    "stripe-signature",
    "x-mollie-signature",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "traceparent",
];

const BODIES: [(Provider, &str); 4] = [
    (
        Provider::Stripe,
        r#"{"id":"evt_1","type":"charge.refunded","created":1700000000,"data":{"object":{"id":
        "ch_1","object":"charge","amount_refunded":100,"currency":"eur","payment_intent":null,
        "metadata":{"order_id":"5001"}}}}"#,
    ),
    (
        Provider::Adyen,
        r#"{"pspReference":"P1","originalReference":"P0","eventCode":"CAPTURE","success":"true",
        "merchantReference":"5001","amount":{"value":100,"currency":"EUR"},"eventDate":
        "2026-11-21T12:00:00+01:00","additionalData":{"hmacSignature":"x"}}"#,
    ),
    (
        Provider::Mollie,
        r#"{"id":"event_1","type":"payment.paid","entityId":"tr_1","createdAt":
        "2026-11-21T12:00:00Z","_embedded":{"entity":{"id":"tr_1","status":"paid","amount":
        {"value":"10.00","currency":"EUR"},"metadata":{"order_id":5001}}}}"#,
    ),
    (
        Provider::Standard,
        r#"{"type":"payment.paid","timestamp":"2026-11-21T12:00:00Z","data":{"payment_id":"p-1",
        "order_id":"5001","amount":100,"currency":"EUR"}}"#,
    ),
];

fn any_value() -> impl Strategy<Value = Vec<u8>> {
    let likely =
        "(t=[0-9]{1,12},)?(v1=[0-9a-f]{64},?|v1,[A-Za-z0-9+/]{43}=|sha256=[0-9a-f]{64}){1,3}";
    prop_oneof![
        likely.prop_map(String::into_bytes),
        Just(NOW.to_string().into_bytes()),
        vec(any::<u8>(), 0..80),
    ]
}

fn check(meaning: &Meaning) {
    match meaning {
        Meaning::Ignored(reason) => assert!(!reason.is_empty()),
        Meaning::Dead { detail, .. } => {
            assert!(!detail.is_empty() && detail.chars().count() <= 300);
            assert!(!detail.contains(char::is_control));
        }
        Meaning::Fact(Fact::Payment(fact)) => {
            let ids = fact.known.events.keys().map(|id| id.as_str());
            let references = fact.known.references.iter().map(|reference| reference.as_str());
            for text in ids.chain(references).chain([fact.payment.as_str()]) {
                assert!((1..=262).contains(&text.len()) && !text.contains(char::is_control));
            }
            for money in fact.known.events.values().filter_map(|event| event.money.as_ref()) {
                assert!((0..1 << 53).contains(&money.minor));
                assert!(money.currency.bytes().all(|byte| byte.is_ascii_uppercase()));
            }
            // Whatever it says, its state can be found.
            let _ = fact.known.state();
        }
        Meaning::Fact(other) => panic!("not a payment: {other:?}"),
    }
}

proptest! {
    #[test]
    fn nobody_guesses_a_signature(
        provider in select(&Provider::ALL[..]),
        pairs in vec((select(&NAMES[..]), any_value()), 0..8),
        body in prop_oneof![
            vec(any::<u8>(), 0..200),
            select(&BODIES[..]).prop_map(|(_, body)| body.as_bytes().to_vec()),
            select(&BODIES[..]).prop_map(|(_, body)| {
                format!(r#"{{"notificationItems":[{{"NotificationRequestItem":{body}}}]}}"#).into()
            }),
        ],
    ) {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                headers.append(HeaderName::from_static(name), value);
            }
        }
        let shop = shop(&["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "00ff"]);
        let mut new_id = || EnvelopeId(Uuid::nil());
        let now = Timestamp::from_seconds(NOW);
        let body = Bytes::from(body);
        let answer = payments::receive(provider, &headers, body, &shop, &mut new_id, now);
        prop_assert!(answer.is_err(), "{answer:?}");
    }

    #[test]
    fn arbitrary_bytes_get_an_answer(
        provider in select(&Provider::ALL[..]),
        topic in select(vec!["unknown", "classic", "payment.paid", "CAPTURE"]),
        body in vec(any::<u8>(), 0..300),
    ) {
        check(&platforms::parse(&envelope(provider, topic, body)));
    }

    #[test]
    fn changed_bodies_get_an_answer(
        (provider, body) in select(&BODIES[..]),
        changes in vec((any::<Index>(), any::<u8>()), 0..4),
        end in proptest::option::of(any::<Index>()),
    ) {
        let mut body = body.as_bytes().to_vec();
        for (place, byte) in changes {
            let place = place.index(body.len());
            body[place] = byte;
        }
        if let Some(end) = end {
            body.truncate(end.index(body.len()));
        }
        check(&platforms::parse(&envelope(provider, "unknown", body)));
    }
}

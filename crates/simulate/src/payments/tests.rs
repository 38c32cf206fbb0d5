//! What is sent here is what `platforms` takes and understands.

use domain::payment::{PaymentEventKind as Kind, PaymentKnown, PaymentState};
use domain::{EnvelopeId, Fact, Meaning, ShopId};
use http::{HeaderMap, HeaderName, HeaderValue};
use platforms::{Refused, Shops};

use super::*;

const NOW: Timestamp = Timestamp(1_795_262_400_000_000);
const HEX_KEY: &str = "74F490DD33F7327BAECC88B2947C011FC02D014A473AAA33A8EC93E4DC069174";

fn secret(provider: Provider) -> &'static str {
    match provider {
        Provider::Stripe => "whsec_of_stripe",
        Provider::Adyen => HEX_KEY,
        Provider::Mollie => "of_mollie",
        Provider::Standard => "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    }
}

fn life(provider: Provider) -> PaymentLife {
    PaymentLife::new(provider, "pay", secret(provider), "5001")
}

/// What the other side makes of `request`, if its secret is `secret`.
fn received(
    request: &Request,
    provider: Provider,
    secret: &str,
) -> Result<Vec<domain::Envelope>, Refused> {
    assert_eq!(request.path, format!("/webhooks/payments/{}/pay", provider.as_str()));
    let file = format!(
        "[[shop]]\nname = \"pay\"\nplatform = \"payments\"\nsecrets = [\"plain:{secret}\"]\n"
    );
    let shops = Shops::parse(&file, |entry| Err(entry.to_owned())).unwrap();
    let shop = shops.get(&ShopId::new("pay")).unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_str(value).unwrap());
    }
    let mut new_id = || EnvelopeId(Uuid::now_v7());
    platforms::payments::receive(provider, &headers, request.body.clone(), shop, &mut new_id, NOW)
}

#[track_caller]
fn understood(request: &Request, life: &PaymentLife) -> PaymentKnown {
    let envelopes = received(request, life.provider, secret(life.provider)).expect("it is signed");
    assert_eq!(envelopes.len(), 1);
    match platforms::parse(&envelopes[0]) {
        Meaning::Fact(Fact::Payment(fact)) => {
            assert_eq!(fact.payment.as_str(), format!("{}:{}", life.provider.as_str(), life.id()));
            assert_eq!(fact.known.events.values().next().map(|event| event.at), Some(NOW));
            fact.known
        }
        other => panic!("{:?}: {other:?}", life.provider),
    }
}

fn kind(known: &PaymentKnown) -> Kind {
    known.events.values().next().expect("there is one").kind
}

#[test]
fn every_step_is_taken_and_understood() {
    for provider in Provider::ALL {
        let mut life = life(provider);
        let steps = [
            (life.fail(NOW), Kind::Failed),
            (life.authorise(NOW), Kind::Authorised),
            (life.cancel(NOW), Kind::Cancelled),
            (life.capture(NOW), Kind::Captured),
        ];
        for (request, expected) in steps {
            let known = understood(&request, &life);
            let in_all = provider == Provider::Stripe && expected == Kind::Captured;
            assert_eq!(kind(&known), if in_all { Kind::CapturedInAll } else { expected });
            // Adyen tells of what is done to a payment by the payment's id alone.
            let is_told =
                provider != Provider::Adyen || matches!(expected, Kind::Failed | Kind::Authorised);
            let reference = known.reference().map(|order| order.as_str());
            assert_eq!(reference, is_told.then_some("5001"));
        }
        let back = [
            (life.refund(999, NOW), Kind::Refunded),
            (life.step(Step::RefundFailed(999), NOW), Kind::RefundFailed),
            (life.dispute(NOW), Kind::Disputed),
            (life.step(Step::DisputeWon, NOW), Kind::DisputeWon),
            (life.step(Step::DisputeLost, NOW), Kind::DisputeLost),
            (life.step(Step::CaptureFailed, NOW), Kind::CaptureFailed),
        ];
        for (request, expected) in back {
            if provider == Provider::Mollie {
                let envelopes = received(&request, provider, "any").expect("it is classic");
                assert_eq!(platforms::parse(&envelopes[0]), Meaning::Ignored("needs_fetch"));
                continue;
            }
            let expected = match expected {
                Kind::Refunded if provider == Provider::Stripe => Kind::RefundedInAll,
                // It knows no capture that fails later.
                Kind::CaptureFailed if provider == Provider::Stripe => Kind::Failed,
                other => other,
            };
            assert_eq!(kind(&understood(&request, &life)), expected);
        }
    }
}

#[test]
fn a_whole_life_ends_as_it_was_lived() {
    for provider in [Provider::Stripe, Provider::Adyen, Provider::Standard] {
        let mut life = life(provider).of(10_000, "USD");
        let mut known = PaymentKnown::default();
        let requests = [
            life.authorise(NOW),
            life.capture(NOW),
            life.refund(3_000, NOW),
            life.refund(2_000, NOW),
        ];
        for request in &requests {
            assert!(known.join(understood(request, &life)));
        }
        assert_eq!(known.state(), PaymentState::PartiallyRefunded);
        assert!(known.join(understood(&life.refund(5_000, NOW), &life)));
        assert_eq!(known.state(), PaymentState::Refunded);
        assert!(!known.join(understood(&requests[1], &life)), "sent again, it is no news");
    }
}

#[test]
fn another_secret_is_not_believed() {
    for provider in Provider::ALL {
        let request = life(provider).capture(NOW);
        let other = HEX_KEY.replace('7', "1");
        assert!(received(&request, provider, &other).is_err(), "{provider:?}");
    }
}

#[test]
fn no_two_payments_share_an_id() {
    for provider in Provider::ALL {
        let [mut one, mut other] = [life(provider), life(provider)];
        assert_ne!(one.id(), other.id());
        assert_ne!(one.capture(NOW).body, other.capture(NOW).body);
    }
}

#[test]
fn sent_again_it_is_the_same_signed_anew() {
    let later = Timestamp(NOW.0 + Timestamp::from_seconds(3600).0);
    for provider in Provider::ALL {
        let callback = life(provider).callback(Step::Capture, NOW);
        let (first, again) = (callback.signed_at(NOW), callback.signed_at(later));
        assert_eq!(first.body, again.body, "else it would be another one");
        let timed = matches!(provider, Provider::Stripe | Provider::Standard);
        assert_eq!(first.headers != again.headers, timed, "{provider:?}");
        let key = secret(provider);
        assert!(received(&first, provider, key).is_ok(), "{provider:?}");
        assert_eq!(received(&again, provider, key).is_err(), timed, "an hour ahead of its time");
    }
}

#[test]
fn a_payment_that_is_lived_again_says_the_same() {
    for provider in Provider::ALL {
        let tell = || life(provider).known_by(Uuid::from_u128(7)).callback(Step::Capture, NOW);
        assert_eq!(tell(), tell());
    }
}

#[test]
fn secrets_have_their_providers_form() {
    for provider in Provider::ALL {
        assert_eq!(check_secret(provider, secret(provider)), Ok(()));
        let any = check_secret(provider, "anything");
        assert_eq!(any.is_ok(), matches!(provider, Provider::Stripe | Provider::Mollie));
    }
    assert!(check_secret(Provider::Adyen, "ABC").is_err(), "half a byte");
    assert!(check_secret(Provider::Standard, "whsec_!").is_err());
}

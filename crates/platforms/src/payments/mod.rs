//! Payment providers: signed callbacks in, payment facts out.
//!
//! `receive` believes nothing before one of the shop's secrets has signed it; the one exception is
//! Mollie's classic callback, which says nothing but an id. All that `parse` reads is signed, too,
//! with the exceptions that [`adyen`] names. Both are pure.

use bytes::Bytes;
use domain::payment::{PaymentEvent, PaymentKnown};
use domain::{
    BodyHash, Envelope, EnvelopeId, Fact, Meaning, OrderId, PaymentEventId, PaymentFact, PaymentId,
    Platform, Provider, Timestamp, WebhookId,
};
use http::HeaderMap;
use serde::Deserialize;

use crate::header::TRACEPARENT;
use crate::signature::{Claim, KeyForm, signer_of_any};
use crate::unfit::Unfit;
use crate::value::{self, Object, Text};
use crate::{Refused, Shop};

mod adyen;
mod mollie;
mod standard;
mod stripe;
mod values;

use values::Scalar;

/// How far the moment of a signature may be from now, to either side. The providers' own libraries
/// take this much.
const TOLERANCE_SECONDS: u64 = 300;

/// Longer topics and webhook ids are not believed.
const LABEL_BYTES_MAX: usize = 128;

/// The topic of a body that names none, or none that can be shown.
const UNKNOWN_TOPIC: &str = "unknown";

/// Why PayPal's callbacks are refused.
pub const PAYPAL: &str = "PayPal signs with certificates that must be fetched, which Onhand does not \
    do yet; send through a Standard Webhooks relay";

const NOT_SIGNED: Refused = Refused::Unauthorized("the signature is missing or unusable");
const WRONGLY_SIGNED: Refused = Refused::Unauthorized("no known secret made this signature");

/// Makes a request to `shop` envelopes: one for most providers, one per item for Adyen.
pub fn receive(
    provider: Provider,
    headers: &HeaderMap,
    body: Bytes,
    shop: &Shop,
    new_id: &mut dyn FnMut() -> EnvelopeId,
    now: Timestamp,
) -> Result<Vec<Envelope>, Refused> {
    let call = Call { provider, headers, body, shop, now };
    match provider {
        Provider::Stripe => Ok(vec![stripe::receive(&call, new_id())?]),
        Provider::Adyen => adyen::receive(&call, new_id),
        Provider::Mollie => Ok(vec![mollie::receive(&call, new_id())?]),
        Provider::Standard => Ok(vec![standard::receive(&call, new_id())?]),
    }
}

/// What the body of a payment provider's envelope means.
pub fn parse(envelope: &Envelope) -> Meaning {
    let Some(provider) = envelope.provider else {
        return Meaning::Ignored("unsupported_platform");
    };
    let told = match provider {
        Provider::Stripe => stripe::parse(envelope),
        Provider::Adyen => adyen::parse(envelope),
        Provider::Mollie => mollie::parse(envelope),
        Provider::Standard => standard::parse(envelope),
    };
    match told {
        Ok(Told::Payment(mut fact)) => {
            // One account may hear of several providers, and two of them may use one id.
            fact.payment = PaymentId::new(format!("{}:{}", provider.as_str(), fact.payment));
            Meaning::Fact(Fact::Payment(fact))
        }
        Ok(Told::Ignored(reason)) => Meaning::Ignored(reason),
        Err(unfit) => unfit.meaning(&envelope.topic),
    }
}

/// The topic under which a body without a signature comes in: Mollie's classic callbacks say nothing
/// but that something changed. `None`: it does not come in.
pub fn unsigned_topic(provider: Provider, body: &[u8]) -> Option<&'static str> {
    (provider == Provider::Mollie && mollie::is_classic(body)).then_some(mollie::CLASSIC)
}

/// What the provider wants to read in the answer to a callback that was taken.
pub fn answer(provider: Provider) -> &'static str {
    match provider {
        // Its older integrations repeat, and hold back all others, until they read this.
        Provider::Adyen => "[accepted]",
        Provider::Stripe | Provider::Mollie | Provider::Standard => "",
    }
}

/// Where the secret is from that signed.
type Signer = Option<String>;

/// A request as it came.
struct Call<'a> {
    provider: Provider,
    headers: &'a HeaderMap,
    body: Bytes,
    shop: &'a Shop,
    now: Timestamp,
}

impl Call<'_> {
    /// Fails unless one of the shop's secrets made one of `claims`; says which.
    fn check(&self, claims: &[Claim], form: KeyForm, parts: &[&[u8]]) -> Result<Signer, Refused> {
        let signer = signer_of_any(claims, &self.shop.secrets, form, parts);
        signer.map(|place| self.shop.secret_source(place)).ok_or(WRONGLY_SIGNED)
    }

    /// The signed moment, unless it is too far from now. To be asked once the signature is right:
    /// whoever cannot sign learns nothing.
    fn moment(&self, seconds: u64) -> Result<Timestamp, Refused> {
        let now = self.now.0.div_euclid(1_000_000);
        i64::try_from(seconds)
            .ok()
            .filter(|seconds| seconds.abs_diff(now) <= TOLERANCE_SECONDS)
            .and_then(|seconds| seconds.checked_mul(1_000_000))
            .map(Timestamp)
            .ok_or(Refused::Stale)
    }

    /// What the request becomes where its body is `body`. Unusable labels count as missing: then
    /// the body's hash names the webhook.
    fn envelope(
        &self,
        id: EnvelopeId,
        body: Bytes,
        webhook: Option<&str>,
        topic: Option<&str>,
    ) -> Envelope {
        let webhook = match webhook.filter(|text| is_label(text)) {
            Some(webhook) => WebhookId::new(webhook),
            None => WebhookId::new(BodyHash::of(&body).to_string()),
        };
        Envelope {
            id,
            platform: Platform::Payments,
            provider: Some(self.provider),
            shop: self.shop.name.clone(),
            webhook,
            topic: topic.filter(|text| is_label(text)).unwrap_or(UNKNOWN_TOPIC).to_owned(),
            event: None,
            api_version: None,
            triggered_at: None,
            received_at: self.now,
            signature: None,
            signed_by: None,
            traceparent: TRACEPARENT.of(self.headers).map(str::to_owned),
            body,
        }
    }
}

fn is_label(text: &str) -> bool {
    (1..=LABEL_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What most providers write at the top of a body. Nothing is amiss at the edge where it cannot be
/// read: the worker says what is wrong with it.
#[derive(Debug, Default, Deserialize)]
struct Head {
    id: Option<Scalar>,
    #[serde(rename = "type")]
    topic: Option<Scalar>,
    api_version: Option<Scalar>,
}

impl Head {
    fn of(body: &[u8]) -> Self {
        serde_json::from_slice(body).map(|Object(head)| head).unwrap_or_default()
    }

    fn id(&self) -> Option<&str> {
        self.id.as_ref().map(Scalar::as_str)
    }

    fn topic(&self) -> Option<&str> {
        self.topic.as_ref().map(Scalar::as_str)
    }
}

/// Why most events are ignored: they are not about a payment's money.
const UNSUPPORTED: &str = "unsupported_topic";

/// What a body says, once it is understood.
enum Told {
    Payment(Box<PaymentFact>),
    /// Nothing that a payment's state could follow from; the code says why.
    Ignored(&'static str),
}

impl Told {
    fn payment(
        payment: PaymentId,
        reference: Option<OrderId>,
        id: PaymentEventId,
        event: PaymentEvent,
    ) -> Self {
        let references = reference.into_iter().collect();
        let known = PaymentKnown { references, events: [(id, event)].into() };
        Self::Payment(Box::new(PaymentFact { payment, test: false, known }))
    }

    /// The same, in a provider's test mode or not.
    fn in_test_mode(mut self, test: bool) -> Self {
        if let Self::Payment(fact) = &mut self {
            fact.test = test;
        }
        self
    }
}

/// The event type that the body itself names. It decides what the rest is read as, so it is read
/// first, and alone.
fn event_type(envelope: &Envelope) -> Result<Text<'_>, Unfit> {
    #[derive(Deserialize)]
    struct Typed<'a> {
        #[serde(borrow, rename = "type")]
        topic: Option<Text<'a>>,
    }
    let topic = value::read::<Typed<'_>>(&envelope.body)?.topic.ok_or("type: missing")?;
    check_topic(envelope, topic.as_str())?;
    Ok(topic)
}

/// Fails where the envelope's topic is not the body's own: somebody else wrote it there.
fn check_topic(envelope: &Envelope, topic: &str) -> Result<(), Unfit> {
    if envelope.topic == topic || envelope.topic == UNKNOWN_TOPIC {
        return Ok(());
    }
    Err(Unfit::Other("an event of another type"))
}

//! Stripe: one event in every request, signed together with the moment of sending.
//!
//! One payment is told of by two kinds of objects, its intent and the intent's charges, and both
//! tell of the same money. So what came in is what came in so far ([`Kind::CapturedInAll`]), and
//! the payment is the intent; the charge only where there is none.

use domain::payment::{Money, PaymentEvent, PaymentEventKind as Kind};
use domain::{Envelope, EnvelopeId, PaymentEventId, PaymentId};
use serde::Deserialize;
use serde_json::Value;

use super::values::{Amount, Currency, Id, Reference, Scalar, Seconds};
use super::{Call, Head, NOT_SIGNED, Told, UNSUPPORTED, event_type, is_label};
use crate::Refused;
use crate::header::Header;
use crate::signature::{Claim, KeyForm};
use crate::unfit::Unfit;
use crate::value::{self, Object, number};

const SIGNATURE: Header = Header { names: &["stripe-signature"], bytes_max: 4096 };

/// Makes a request an envelope. Stripe signs `moment.body` with the whole text of the secret.
pub(super) fn receive(call: &Call<'_>, id: EnvelopeId) -> Result<Envelope, Refused> {
    let signed = SIGNATURE.of(call.headers).and_then(Signed::read).ok_or(NOT_SIGNED)?;
    let parts = [signed.moment.as_bytes(), b".", &call.body];
    let signed_by = call.check(&signed.claims, KeyForm::Text, &parts)?;
    let triggered_at = Some(call.moment(signed.seconds)?);
    let head = Head::of(&call.body);
    let envelope = call.envelope(id, call.body.clone(), head.id(), head.topic());
    let api_version = head.api_version.map(|Scalar(text)| text).filter(|text| is_label(text));
    Ok(Envelope { triggered_at, api_version, signed_by, ..envelope })
}

/// A `Stripe-Signature` header: `t=1700000000,v1=…,v1=…`. There is one `v1` for every secret that
/// is in use; other schemes are for tests or of the future.
struct Signed<'a> {
    /// As it was signed, digit for digit.
    moment: &'a str,
    seconds: u64,
    claims: Vec<Claim>,
}

impl<'a> Signed<'a> {
    fn read(header: &'a str) -> Option<Self> {
        let mut moment = None;
        let mut claims = Vec::new();
        for (scheme, value) in header.split(',').filter_map(|part| part.split_once('=')) {
            match scheme {
                // Which of two was signed, nobody could tell.
                "t" if moment.is_some() => return None,
                "t" => moment = Some((value, number(value)?)),
                "v1" => claims.extend(Claim::from_hex(value)),
                _ => {}
            }
        }
        let (moment, seconds) = moment?;
        (!claims.is_empty()).then_some(Self { moment, seconds, claims })
    }
}

/// What an event means.
pub(super) fn parse(envelope: &Envelope) -> Result<Told, Unfit> {
    let topic = event_type(envelope)?;
    let Some(kind) = object_of(topic.as_str()) else { return Ok(Told::Ignored(UNSUPPORTED)) };
    let event: Event = value::read(&envelope.body)?;
    let Object(Data { object: Object(object) }) = &event.data;
    if object.object.as_ref().is_some_and(|Scalar(name)| name != kind) {
        return Err(Unfit::Other("an object of another kind"));
    }
    let Some((what, money)) = object.happening(topic.as_str())? else {
        return Ok(Told::Ignored("unsupported_status"));
    };
    // One refund's failure is told by up to three events; it must count once.
    let id = match what {
        Kind::RefundFailed => PaymentEventId::new(format!("{}:failed", object.id.as_str())),
        _ => PaymentEventId::new(event.id.as_str()),
    };
    let payment = object.payment(kind)?;
    let at = event.created.0;
    let event_of = PaymentEvent { at, kind: what, money };
    let told = Told::payment(payment, object.reference(kind), id, event_of);
    Ok(told.in_test_mode(event.livemode == Some(Value::Bool(false))))
}

/// The kind of object that an event brings, if the event matters.
fn object_of(topic: &str) -> Option<&'static str> {
    Some(match topic {
        "payment_intent.created"
        | "payment_intent.processing"
        | "payment_intent.requires_action"
        | "payment_intent.amount_capturable_updated"
        | "payment_intent.succeeded"
        | "payment_intent.payment_failed"
        | "payment_intent.canceled" => "payment_intent",
        "charge.succeeded" | "charge.captured" | "charge.failed" | "charge.refunded" => "charge",
        "charge.dispute.created" | "charge.dispute.closed" => "dispute",
        "refund.failed" | "refund.updated" | "charge.refund.updated" => "refund",
        _ => return None,
    })
}

#[derive(Deserialize)]
struct Event {
    id: Id,
    created: Seconds,
    data: Object<Data>,
    /// A live endpoint of a platform (Connect) is sent its accounts' test events, too.
    livemode: Option<Value>,
}

#[derive(Deserialize)]
struct Data {
    object: Object<Thing>,
}

/// The fields of payment intents, charges, disputes and refunds that matter.
#[derive(Deserialize)]
struct Thing {
    id: Id,
    object: Option<Scalar>,
    amount: Option<Amount>,
    amount_capturable: Option<Amount>,
    amount_captured: Option<Amount>,
    amount_received: Option<Amount>,
    amount_refunded: Option<Amount>,
    captured: Option<bool>,
    charge: Option<Id>,
    currency: Option<Currency>,
    metadata: Option<Object<Metadata>>,
    payment_intent: Option<Id>,
    status: Option<Scalar>,
}

#[derive(Deserialize)]
struct Metadata {
    order_id: Option<Reference>,
}

impl Thing {
    /// What happened, and the money of it. `None`: a status from which nothing follows.
    fn happening(&self, topic: &str) -> Result<Option<(Kind, Option<Money>)>, Unfit> {
        let status = self.status.as_ref().map_or("", |Scalar(status)| status);
        let money = |amount, field| self.money(amount, field).map(Some);
        Ok(Some(match (topic, status) {
            ("payment_intent.amount_capturable_updated", _) => {
                (Kind::Authorised, money(self.amount_capturable, "amount_capturable")?)
            }
            ("payment_intent.succeeded", _) => {
                (Kind::CapturedInAll, money(self.amount_received, "amount_received")?)
            }
            // Not the end: the payer may try again.
            ("payment_intent.payment_failed" | "charge.failed", _) => (Kind::Failed, None),
            ("payment_intent.canceled", _) => (Kind::Cancelled, None),
            ("charge.succeeded", _) if self.captured != Some(true) => {
                (Kind::Authorised, money(self.amount, "amount")?)
            }
            // Older versions write no `amount_captured`.
            ("charge.succeeded" | "charge.captured", _) => {
                (Kind::CapturedInAll, money(self.amount_captured.or(self.amount), "amount")?)
            }
            ("charge.refunded", _) => {
                (Kind::RefundedInAll, money(self.amount_refunded, "amount_refunded")?)
            }
            ("charge.dispute.created", _) => (Kind::Disputed, money(self.amount, "amount")?),
            // An inquiry that ends with a warning took no money.
            ("charge.dispute.closed", "won" | "warning_closed") => {
                (Kind::DisputeWon, money(self.amount, "amount")?)
            }
            ("charge.dispute.closed", "lost") => (Kind::DisputeLost, money(self.amount, "amount")?),
            ("charge.dispute.closed", _) => return Ok(None),
            ("refund.failed", _)
            | ("refund.updated" | "charge.refund.updated", "failed" | "canceled") => {
                (Kind::RefundFailed, money(self.amount, "amount")?)
            }
            ("refund.updated" | "charge.refund.updated", _) => return Ok(None),
            _ => (Kind::Pending, None),
        }))
    }

    fn money(&self, amount: Option<Amount>, field: &str) -> Result<Money, String> {
        let missing = |field: &str| format!("data.object.{field}: missing");
        let Amount(minor) = amount.ok_or_else(|| missing(field))?;
        let currency = self.currency.clone().ok_or_else(|| missing("currency"))?;
        Ok(currency.money(minor))
    }

    fn payment(&self, kind: &str) -> Result<PaymentId, &'static str> {
        let id = match kind {
            "payment_intent" => Some(&self.id),
            "charge" => Some(self.payment_intent.as_ref().unwrap_or(&self.id)),
            _ => self.payment_intent.as_ref().or(self.charge.as_ref()),
        };
        id.map(|id| PaymentId::new(id.as_str())).ok_or("data.object.charge: missing")
    }

    /// Disputes and refunds have metadata of their own, which may mean anything.
    fn reference(&self, kind: &str) -> Option<domain::OrderId> {
        let Object(metadata) =
            self.metadata.as_ref().filter(|_| matches!(kind, "payment_intent" | "charge"))?;
        metadata.order_id.as_ref()?.0.clone()
    }
}

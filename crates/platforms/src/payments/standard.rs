//! Any sender that follows Standard Webhooks 1.0.0, with a body of our own definition:
//!
//! ```json
//! {
//!   "type": "payment.captured",
//!   "timestamp": "2026-11-21T12:00:00Z",
//!   "data": { "payment_id": "p-1", "order_id": "5001", "amount": 4999, "currency": "EUR" }
//! }
//! ```
//!
//! `amount` is in the currency's smallest unit and is that of this event. `timestamp`, `order_id`,
//! and amount with currency may be left out. Events are ordered by `timestamp`; without it by when
//! they were sent, and then of several attempts of one event the first that came decides.

use domain::payment::{Money, PaymentEvent, PaymentEventKind as Kind};
use domain::{Envelope, EnvelopeId, PaymentEventId, PaymentId};
use serde::Deserialize;

use super::values::{Amount, Currency, Id, Reference};
use super::{Call, Head, LABEL_BYTES_MAX, NOT_SIGNED, Told, UNSUPPORTED, event_type};
use crate::Refused;
use crate::header::Header;
use crate::signature::{Claim, KeyForm};
use crate::unfit::Unfit;
use crate::value::{self, Moment, Object, number};

const ID: Header = Header { names: &["webhook-id"], bytes_max: LABEL_BYTES_MAX };
const TIMESTAMP: Header = Header { names: &["webhook-timestamp"], bytes_max: 20 };
const SIGNATURE: &str = "webhook-signature";
const SIGNATURE_BYTES_MAX: usize = 4096;

/// Makes a request an envelope. What is signed is `id.timestamp.body`.
pub(super) fn receive(call: &Call<'_>, id: EnvelopeId) -> Result<Envelope, Refused> {
    let webhook = ID.of(call.headers).ok_or(NOT_SIGNED)?;
    let timestamp = TIMESTAMP.of(call.headers).ok_or(NOT_SIGNED)?;
    let seconds = number(timestamp).ok_or(NOT_SIGNED)?;
    let claims = claims(call).filter(|claims| !claims.is_empty()).ok_or(NOT_SIGNED)?;
    let parts = [webhook.as_bytes(), b".", timestamp.as_bytes(), b".", &call.body];
    let signed_by = call.check(&claims, KeyForm::Webhook, &parts)?;
    let triggered_at = Some(call.moment(seconds)?);
    let head = Head::of(&call.body);
    let envelope = call.envelope(id, call.body.clone(), Some(webhook), head.topic());
    Ok(Envelope { triggered_at, signed_by, ..envelope })
}

/// The signatures of the header: `v1,…` one behind the other, with spaces between. `v1a` is made
/// with a key pair, and other versions are of the future.
fn claims(call: &Call<'_>) -> Option<Vec<Claim>> {
    let header = call.headers.get(SIGNATURE)?;
    let text = header.to_str().ok().filter(|text| text.len() <= SIGNATURE_BYTES_MAX)?;
    let claim = |signature: &str| Claim::from_base64(signature.strip_prefix("v1,")?);
    Some(text.split(' ').filter_map(claim).collect())
}

/// What an event means.
pub(super) fn parse(envelope: &Envelope) -> Result<Told, Unfit> {
    let topic = event_type(envelope)?;
    let Some(kind) = kind(topic.as_str()) else { return Ok(Told::Ignored(UNSUPPORTED)) };
    let Event { timestamp, data: Object(data) } = value::read(&envelope.body)?;
    // Each attempt is signed at another moment; the body's own is that of the event.
    let at = timestamp.map(|Moment(at)| at).or(envelope.triggered_at);
    let event = PaymentEvent { at: at.unwrap_or(envelope.received_at), kind, money: data.money()? };
    let payment = PaymentId::new(data.payment_id.as_str());
    let reference = data.order_id.and_then(|reference| reference.0);
    let id = PaymentEventId::new(envelope.webhook.as_str());
    Ok(Told::payment(payment, reference, id, event))
}

fn kind(topic: &str) -> Option<Kind> {
    Some(match topic.strip_prefix("payment.")? {
        "pending" => Kind::Pending,
        "authorised" | "authorized" => Kind::Authorised,
        "captured" | "succeeded" | "paid" => Kind::Captured,
        "failed" => Kind::Failed,
        "cancelled" | "canceled" | "expired" => Kind::Cancelled,
        "refunded" => Kind::Refunded,
        "capture_failed" => Kind::CaptureFailed,
        "refund_failed" => Kind::RefundFailed,
        "disputed" => Kind::Disputed,
        "dispute_won" => Kind::DisputeWon,
        "dispute_lost" => Kind::DisputeLost,
        _ => return None,
    })
}

#[derive(Deserialize)]
struct Event {
    timestamp: Option<Moment>,
    data: Object<Data>,
}

#[derive(Deserialize)]
struct Data {
    payment_id: Id,
    order_id: Option<Reference>,
    amount: Option<Amount>,
    currency: Option<Currency>,
}

impl Data {
    fn money(&self) -> Result<Option<Money>, &'static str> {
        match (self.amount, self.currency.clone()) {
            (Some(Amount(minor)), Some(currency)) => Ok(Some(currency.money(minor))),
            (Some(_), None) => Err("data.currency: missing"),
            (None, _) => Ok(None),
        }
    }
}

//! Mollie, in both of its ways to call.
//!
//! A classic callback is `id=tr_…` (`ord_…`, `sub_…`: whatever changed), unsigned, and the same for
//! every change of that thing: what changed, only a fetch can tell, so a forged one does no harm.
//! The same again is a repeat: anybody could send it for ever, and one line in the inbox is enough.
//! A next-gen event is JSON and signed. Only what looks exactly like a classic callback may come
//! without a signature; Mollie's own validator lets anything in that has none.

use domain::payment::{Money, PaymentEvent, PaymentEventKind as Kind};
use domain::{Envelope, EnvelopeId, PaymentEventId, PaymentId};
use serde::Deserialize;
use serde_json::Value;

use super::values::{AMOUNT_MAX, Currency, Id, Reference, Scalar};
use super::{Call, Head, NOT_SIGNED, Told, UNSUPPORTED, event_type};
use crate::Refused;
use crate::signature::{Claim, KeyForm};
use crate::unfit::Unfit;
use crate::value::{self, Moment, Object};

/// It may be there more than once: for a day after a change of secrets both sign.
const SIGNATURE: &str = "x-mollie-signature";
const SIGNATURES_MAX: usize = 16;

/// The topic of an envelope that brings an id and nothing else.
pub(super) const CLASSIC: &str = "classic";
const CLASSIC_BYTES_MAX: usize = 128;

/// Makes a request an envelope.
pub(super) fn receive(call: &Call<'_>, id: EnvelopeId) -> Result<Envelope, Refused> {
    if !call.headers.contains_key(SIGNATURE) {
        if !is_classic(&call.body) {
            return Err(NOT_SIGNED);
        }
        return Ok(call.envelope(id, call.body.clone(), None, Some(CLASSIC)));
    }
    let claims = claims(call);
    if claims.is_empty() {
        return Err(NOT_SIGNED);
    }
    let signed_by = call.check(&claims, KeyForm::Text, &[&call.body])?;
    let head = Head::of(&call.body);
    let envelope = call.envelope(id, call.body.clone(), head.id(), head.topic());
    Ok(Envelope { signed_by, ..envelope })
}

fn claims(call: &Call<'_>) -> Vec<Claim> {
    let lines = call.headers.get_all(SIGNATURE).iter().filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split(','))
        .filter_map(|value| Claim::from_hex(value.trim().strip_prefix("sha256=")?))
        .take(SIGNATURES_MAX)
        .collect()
}

/// A form with the id of a thing and nothing else, such as `id=tr_…` for a payment and `id=ord_…` for
/// an order of the Orders API. `testByMollie` comes from Mollie's own check of the address, with or
/// without an id.
pub(super) fn is_classic(body: &[u8]) -> bool {
    let Ok(form) = str::from_utf8(body) else { return false };
    let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_kind = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_id = |field: &str| {
        let id = field.strip_prefix("id=").and_then(|id| id.split_once('_'));
        id.is_some_and(|(kind, rest)| {
            !kind.is_empty() && is_kind(kind) && !rest.is_empty() && is_word(rest)
        })
    };
    let is_test = |field: &str| {
        field
            .strip_prefix("testByMollie")
            .is_some_and(|rest| rest.is_empty() || rest.strip_prefix('=').is_some_and(is_word))
    };
    let ids = form.split('&').filter(|field| is_id(field)).count();
    form.len() <= CLASSIC_BYTES_MAX
        && ids <= 1
        && form.split('&').all(|field| is_id(field) || is_test(field))
}

/// What an event means.
pub(super) fn parse(envelope: &Envelope) -> Result<Told, Unfit> {
    if envelope.topic == CLASSIC {
        return Ok(Told::Ignored("needs_fetch"));
    }
    let topic = event_type(envelope)?;
    let Some((entity_kind, change)) = topic.as_str().split_once('.') else {
        return Ok(Told::Ignored(UNSUPPORTED));
    };
    let kind = match (entity_kind, change) {
        ("payment" | "payment-link", "paid") => Kind::Captured,
        ("payment" | "payment-link", "authorized") => Kind::Authorised,
        ("payment" | "payment-link", "failed") => Kind::Failed,
        ("payment" | "payment-link", "canceled" | "expired") => Kind::Cancelled,
        _ => return Ok(Told::Ignored(UNSUPPORTED)),
    };
    let event: Event = value::read(&envelope.body)?;
    let Some(Object(Embedded { entity: Some(Object(entity)) })) = event.embedded else {
        return Ok(Told::Ignored("needs_fetch"));
    };
    if entity.id.as_str() != event.entity_id.as_str() {
        return Err(Unfit::Other("an entity of another id"));
    }
    if !entity.is(change) {
        return Ok(Told::Ignored("needs_fetch"));
    }
    let Moment(at) = event.created_at;
    let event_id = PaymentEventId::new(event.id.as_str());
    let money =
        if kind == Kind::Failed || kind == Kind::Cancelled { None } else { entity.money()? };
    let happened = PaymentEvent { at, kind, money };
    let payment = PaymentId::new(entity.id.as_str());
    Ok(Told::payment(payment, entity.reference()?.0, event_id, happened))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    id: Id,
    entity_id: Id,
    created_at: Moment,
    #[serde(rename = "_embedded")]
    embedded: Option<Object<Embedded>>,
}

#[derive(Deserialize)]
struct Embedded {
    entity: Option<Object<Entity>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entity {
    id: Id,
    status: Option<Scalar>,
    paid_at: Option<Moment>,
    amount: Option<Object<Amount>>,
    /// Whatever the merchant wanted to keep: an object, a text, a list.
    metadata: Option<Value>,
}

#[derive(Deserialize)]
struct Amount {
    value: Scalar,
    currency: Currency,
}

impl Entity {
    /// Whether it shows what the event says. Payment links have no status, only a moment.
    fn is(&self, change: &str) -> bool {
        match &self.status {
            Some(Scalar(status)) => status == change,
            None => change == "paid" && self.paid_at.is_some(),
        }
    }

    fn money(&self) -> Result<Option<Money>, String> {
        let Some(Object(amount)) = &self.amount else { return Ok(None) };
        let text = amount.value.as_str();
        let minor = minor(text, &amount.currency).ok_or_else(|| {
            let Currency(currency) = &amount.currency;
            format!("_embedded.entity.amount.value: {text:?} is not an amount of {currency}")
        })?;
        Ok(Some(amount.currency.clone().money(minor)))
    }

    fn reference(&self) -> Result<Reference, String> {
        let order = self.metadata.as_ref().and_then(|metadata| metadata.get("order_id"));
        let text = match order {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) if !number.is_f64() => number.to_string(),
            _ => return Ok(Reference::default()),
        };
        Reference::of(&text)
            .map_err(|expected| format!("_embedded.entity.metadata.order_id: not {expected}"))
    }
}

/// `10.00` in the currency's smallest unit. More digits than the currency has must be zeros.
fn minor(text: &str, currency: &Currency) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 16 || fraction.len() > 8 || text.ends_with('.') {
        return None;
    }
    if !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let digits = digits(&currency.0);
    let (kept, rest) = fraction.split_at(digits.min(fraction.len()));
    if rest.bytes().any(|byte| byte != b'0') {
        return None;
    }
    let minor: i64 = format!("{whole}{kept:0<digits$}").parse().ok()?;
    (minor <= AMOUNT_MAX).then_some(minor)
}

/// How many digits a currency has behind the point (ISO 4217).
fn digits(currency: &str) -> usize {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX"
        | "UYI" | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        "CLF" | "UYW" => 4,
        _ => 2,
    }
}

//! Adyen: a list of items in every request, each signed over eight of its fields.
//!
//! The signature stands in the item itself. `eventDate` and the rest of `additionalData` are not
//! signed: whoever holds a signed item could change when it happened, and whether a
//! `CANCEL_OR_REFUND` was the one or the other, but not what, how much or for which order. Events are
//! ordered by `eventDate`; without a readable one by when the first attempt of an item came.
//!
//! An authorisation is no capture. Merchants who capture automatically, which sends no `CAPTURE`,
//! see their payments as authorised; a refund of one still is a refund.

use bytes::Bytes;
use domain::payment::{Money, PaymentEvent, PaymentEventKind as Kind};
use domain::{Envelope, EnvelopeId, PaymentEventId, PaymentId};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::values::{AMOUNT_MAX, Currency, Id, Reference, Scalar};
use super::{Call, NOT_SIGNED, Signer, Told, UNSUPPORTED, check_topic};
use crate::signature::{Claim, KeyForm};
use crate::unfit::Unfit;
use crate::value::{self, Object, number};
use crate::{Refused, moment};

/// Adyen sends up to six.
const ITEMS_MAX: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Notification<'a> {
    #[serde(borrow)]
    notification_items: Vec<Object<Wrapped<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Wrapped<'a> {
    #[serde(borrow)]
    notification_request_item: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    psp_reference: Option<Scalar>,
    original_reference: Option<Scalar>,
    merchant_account_code: Option<Scalar>,
    merchant_reference: Option<Scalar>,
    amount: Option<Object<Amount>>,
    event_code: Option<Scalar>,
    event_date: Option<Scalar>,
    success: Option<Scalar>,
    additional_data: Option<Object<AdditionalData>>,
}

#[derive(Deserialize)]
struct Amount {
    value: Option<Scalar>,
    currency: Option<Scalar>,
}

#[derive(Deserialize)]
struct AdditionalData {
    #[serde(rename = "hmacSignature")]
    signature: Option<Scalar>,
    #[serde(rename = "modification.action")]
    action: Option<Scalar>,
}

/// Makes a request envelopes, one per item. All items must be signed, or none is taken.
pub(super) fn receive(
    call: &Call<'_>,
    new_id: &mut dyn FnMut() -> EnvelopeId,
) -> Result<Vec<Envelope>, Refused> {
    let Object(list) =
        serde_json::from_slice::<Object<Notification<'_>>>(&call.body).map_err(|_| NOT_SIGNED)?;
    let items = list.notification_items;
    if !(1..=ITEMS_MAX).contains(&items.len()) {
        return Err(NOT_SIGNED);
    }
    let mut envelopes = Vec::with_capacity(items.len());
    for Object(Wrapped { notification_request_item: raw }) in items {
        let raw = raw.get().as_bytes();
        let Object(item) = serde_json::from_slice::<Object<Item>>(raw).map_err(|_| NOT_SIGNED)?;
        let signed_by = item.check(call)?;
        let body: Bytes = call.body.slice_ref(raw);
        let code = text(&item.event_code);
        let envelope = call.envelope(new_id(), body, Some(&item.event_id()), Some(code));
        envelopes.push(Envelope { signed_by, ..envelope });
    }
    Ok(envelopes)
}

/// What an item means.
pub(super) fn parse(envelope: &Envelope) -> Result<Told, Unfit> {
    let item: Item = value::read(&envelope.body)?;
    let code = item.event_code.as_ref().ok_or("eventCode: missing")?;
    check_topic(envelope, &code.0)?;
    let (kind, moved) = match item.happening()? {
        Happening::Moved(kind) => (kind, true),
        Happening::Nothing(kind) => (kind, false),
        Happening::Ignored(reason) => return Ok(Told::Ignored(reason)),
    };
    let own = text(&item.psp_reference);
    let event_id = Id::of(own).and_then(|_| Id::of(&item.event_id()));
    let event_id = event_id.ok_or("pspReference: missing or unusable")?;
    let original = text(&item.original_reference);
    let payment = Id::of(if original.is_empty() { own } else { original })
        .ok_or("originalReference: unusable")?;
    let money = item.money()?;
    let event = PaymentEvent {
        at: moment::parse(text(&item.event_date)).unwrap_or(envelope.received_at),
        kind,
        money: if moved { money } else { money.map(|money| Money { minor: 0, ..money }) },
    };
    let id = PaymentEventId::new(event_id.as_str());
    let reference = item.reference()?.0;
    Ok(Told::payment(PaymentId::new(payment.as_str()), reference, id, event))
}

/// A field's text as it is signed: one that is missing is empty.
fn text(field: &Option<Scalar>) -> &str {
    field.as_ref().map_or("", |Scalar(text)| text)
}

/// What an item tells.
enum Happening {
    /// Its amount is money that went somewhere, now or as it was told before.
    Moved(Kind),
    /// It came to nothing: no money went anywhere, whatever its amount is.
    Nothing(Kind),
    Ignored(&'static str),
}

impl Item {
    /// Fails unless one of the shop's secrets signed the eight fields. They are joined with colons
    /// and nothing is escaped; so that the joined text can be taken apart in one way only, none but
    /// the merchant's own reference may hold one.
    fn check(&self, call: &Call<'_>) -> Result<Signer, Refused> {
        let amount = self.amount.as_ref().map(|Object(amount)| amount);
        let reference = text(&self.merchant_reference);
        let before =
            [&self.psp_reference, &self.original_reference, &self.merchant_account_code].map(text);
        let after = [
            amount.map_or("", |amount| text(&amount.value)),
            amount.map_or("", |amount| text(&amount.currency)),
            text(&self.event_code),
            text(&self.success),
        ];
        if before.iter().chain(&after).any(|field| field.contains(':')) {
            return Err(NOT_SIGNED);
        }
        let signed = [&before[..], &[reference], &after[..]].concat().join(":");
        let data = self.additional_data.as_ref().map(|Object(data)| data);
        let claim =
            data.and_then(|data| Claim::from_base64(text(&data.signature))).ok_or(NOT_SIGNED)?;
        call.check(&[claim], KeyForm::Hex, &[signed.as_bytes()])
    }

    /// What one item's repeats have in common.
    fn event_id(&self) -> String {
        let [own, code, success] = [&self.psp_reference, &self.event_code, &self.success].map(text);
        format!("{own}:{code}:{success}")
    }

    fn happening(&self) -> Result<Happening, Unfit> {
        use Happening::{Ignored, Moved, Nothing};
        let succeeded = || match text(&self.success) {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(Unfit::from("success: neither true nor false")),
        };
        let data = self.additional_data.as_ref().map(|Object(data)| data);
        Ok(match text(&self.event_code) {
            "AUTHORISATION" if succeeded()? => Moved(Kind::Authorised),
            "AUTHORISATION" => Nothing(Kind::Failed),
            "CAPTURE" if succeeded()? => Moved(Kind::Captured),
            // Unlike the capture of CAPTURE_FAILED, this one was never told as done.
            "CAPTURE" => Nothing(Kind::CaptureFailed),
            "CAPTURE_FAILED" => Moved(Kind::CaptureFailed),
            "CANCELLATION" | "TECHNICAL_CANCEL" | "OFFER_CLOSED" if succeeded()? => {
                Moved(Kind::Cancelled)
            }
            // What was asked for was refused: nothing changed.
            "CANCELLATION" | "TECHNICAL_CANCEL" | "OFFER_CLOSED" => Ignored("request_refused"),
            "CANCEL_OR_REFUND" if !succeeded()? => Ignored("request_refused"),
            "CANCEL_OR_REFUND" => match data.map_or("", |data| text(&data.action)) {
                "cancel" => Moved(Kind::Cancelled),
                "refund" => Moved(Kind::Refunded),
                _ => Ignored("needs_fetch"),
            },
            "REFUND" if succeeded()? => Moved(Kind::Refunded),
            // Unlike the refund of REFUND_FAILED, this one was never told as done.
            "REFUND" => Nothing(Kind::RefundFailed),
            "REFUND_FAILED" | "REFUNDED_REVERSED" => Moved(Kind::RefundFailed),
            "NOTIFICATION_OF_CHARGEBACK" => Moved(Kind::Disputed),
            "CHARGEBACK" | "SECOND_CHARGEBACK" => Moved(Kind::DisputeLost),
            "CHARGEBACK_REVERSED" => Moved(Kind::DisputeWon),
            _ => Ignored(UNSUPPORTED),
        })
    }

    fn money(&self) -> Result<Option<Money>, &'static str> {
        let Some(Object(amount)) = &self.amount else { return Ok(None) };
        let minor = number(text(&amount.value))
            .and_then(|minor| i64::try_from(minor).ok())
            .filter(|minor| *minor <= AMOUNT_MAX)
            .ok_or("amount.value: not an amount that can be paid")?;
        let currency =
            Currency::of(text(&amount.currency)).ok_or("amount.currency: not three letters")?;
        Ok(Some(currency.money(minor)))
    }

    /// A modification may carry a reference of its own, which names it and not the order: an ERP's
    /// number could be that of a stranger's order. Its `originalReference` names the payment, and
    /// the payment's row the order.
    fn reference(&self) -> Result<Reference, String> {
        let code = text(&self.event_code);
        let is_refund = code.starts_with("REFUND") || code == "CANCEL_OR_REFUND";
        if is_refund || !text(&self.original_reference).is_empty() {
            return Ok(Reference::default());
        }
        Reference::of(text(&self.merchant_reference))
            .map_err(|expected| format!("merchantReference: not {expected}"))
    }
}

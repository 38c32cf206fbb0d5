//! What Adyen sends: a list with one item, signed over eight of its fields.

use domain::Timestamp;
use serde_json::{Value, json};

use super::callback::{Callback, Proof};
use super::secret::from_hex;
use super::{PaymentLife, Step, base64, mac, moment};

const ACCOUNT: &str = "SimulatedShop";

pub(super) fn callback(life: &PaymentLife, step: Step, at: Timestamp) -> Callback {
    let (code, success, amount) = match step {
        Step::Authorise => ("AUTHORISATION", "true", life.amount),
        Step::Fail => ("AUTHORISATION", "false", life.amount),
        Step::Capture => ("CAPTURE", "true", life.amount),
        Step::Cancel => ("CANCELLATION", "true", life.amount),
        Step::Refund(minor) => ("REFUND", "true", minor),
        Step::Dispute => ("NOTIFICATION_OF_CHARGEBACK", "true", life.amount),
        Step::CaptureFailed => ("CAPTURE_FAILED", "true", life.amount),
        Step::RefundFailed(minor) => ("REFUND_FAILED", "true", minor),
        Step::DisputeWon => ("CHARGEBACK_REVERSED", "true", life.amount),
        Step::DisputeLost => ("CHARGEBACK", "true", life.amount),
    };
    // What is done to a payment has a reference of its own.
    let (own, original) = match step {
        Step::Authorise | Step::Fail => (life.id.clone(), String::new()),
        _ => (life.numbered("M"), life.id.clone()),
    };
    let minor = amount.to_string();
    let reference = &life.reference;
    let signed =
        [&own, &original, ACCOUNT, reference, &minor, &life.currency, code, success].join(":");
    let signature = base64(&mac(&key(&life.secret), signed.as_bytes()));
    let mut item = json!({
        "additionalData": { "hmacSignature": signature, "cardSummary": "1111" },
        "amount": { "currency": life.currency, "value": amount },
        "eventCode": code,
        "eventDate": moment(at),
        "merchantAccountCode": ACCOUNT,
        "merchantReference": reference,
        "paymentMethod": "visa",
        "pspReference": &own,
        "reason": "",
        "success": success,
    });
    if !original.is_empty() {
        item["originalReference"] = Value::from(original);
    }
    let list =
        json!({ "live": "false", "notificationItems": [{ "NotificationRequestItem": item }] });
    life.tells(format!("{own}:{code}:{success}"), list.to_string(), Proof::InBody)
}

/// A secret that is not hexadecimal signs as it is, which nobody believes.
fn key(secret: &str) -> Vec<u8> {
    from_hex(secret).unwrap_or_else(|| secret.as_bytes().to_vec())
}

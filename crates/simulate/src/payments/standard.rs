//! What a sender after Standard Webhooks sends, with the body that `platforms` defines for it.

use domain::Timestamp;
use serde_json::json;

use super::callback::{Callback, Proof};
use super::secret::from_whsec;
use super::{PaymentLife, Step, base64, mac, moment, seconds};

pub(super) fn callback(life: &PaymentLife, step: Step, at: Timestamp) -> Callback {
    let amount = match step {
        Step::Refund(minor) | Step::RefundFailed(minor) => minor,
        _ => life.amount,
    };
    let body = json!({
        "type": format!("payment.{}", step.as_str()),
        "timestamp": moment(at),
        "data": {
            "payment_id": life.id,
            "order_id": life.reference,
            "amount": amount,
            "currency": life.currency,
        },
    })
    .to_string();
    let id = life.numbered("msg_");
    let proof = Proof::Standard { id: id.clone(), secret: life.secret.clone() };
    life.tells(id, body, proof)
}

/// The headers of a request that is sent now.
pub(super) fn signature(
    secret: &str,
    id: &str,
    body: &[u8],
    now: Timestamp,
) -> [(&'static str, String); 3] {
    let timestamp = seconds(now).to_string();
    let signed = [format!("{id}.{timestamp}.").as_bytes(), body].concat();
    let signature = base64(&mac(&key(secret), &signed));
    [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", timestamp),
        ("webhook-signature", format!("v1,{signature}")),
    ]
}

/// A secret that is not base64 is the key itself.
fn key(secret: &str) -> Vec<u8> {
    from_whsec(secret).unwrap_or_else(|| secret.as_bytes().to_vec())
}

//! What a sender after Standard Webhooks sends, with the body that `platforms` defines for it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use domain::Timestamp;
use serde_json::json;

use super::{PaymentLife, Step, base64, json_header, mac, moment, seconds};
use crate::request::Request;

pub(super) fn request(life: &PaymentLife, step: Step, now: Timestamp) -> Request {
    let (change, amount) = match step {
        Step::Authorise => ("authorised", life.amount),
        Step::Capture => ("captured", life.amount),
        Step::Fail => ("failed", life.amount),
        Step::Cancel => ("cancelled", life.amount),
        Step::Refund(minor) => ("refunded", minor),
        Step::Dispute => ("disputed", life.amount),
    };
    let body = json!({
        "type": format!("payment.{change}"),
        "timestamp": moment(now),
        "data": {
            "payment_id": life.id,
            "order_id": life.reference,
            "amount": amount,
            "currency": life.currency,
        },
    })
    .to_string();
    let (id, timestamp) = (life.numbered("msg_"), seconds(now));
    let signed = format!("{id}.{timestamp}.{body}");
    let signature = base64(&mac(&key(&life.secret), signed.as_bytes()));
    let headers = vec![
        json_header(),
        ("webhook-id", id),
        ("webhook-timestamp", timestamp.to_string()),
        ("webhook-signature", format!("v1,{signature}")),
    ];
    life.request(headers, body)
}

/// A secret that is not base64 is the key itself.
fn key(secret: &str) -> Vec<u8> {
    let encoded = secret.strip_prefix("whsec_").unwrap_or(secret);
    BASE64_STANDARD.decode(encoded).unwrap_or_else(|_| secret.as_bytes().to_vec())
}

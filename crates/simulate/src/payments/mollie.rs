//! What Mollie sends: signed events with the whole payment in them, and, where it has no events
//! yet, classic callbacks.

use domain::{BodyHash, Timestamp};
use serde_json::json;

use super::callback::{Callback, Proof};
use super::{PaymentLife, Step, hex, mac, moment};

pub(super) fn callback(life: &PaymentLife, step: Step, at: Timestamp) -> Callback {
    let status = match step {
        Step::Authorise => "authorized",
        Step::Capture => "paid",
        Step::Fail => "failed",
        Step::Cancel => "canceled",
        Step::Refund(_) | Step::RefundFailed(_) | Step::CaptureFailed => return classic(life),
        Step::Dispute | Step::DisputeWon | Step::DisputeLost => return classic(life),
    };
    let id = life.numbered("event_");
    let body = json!({
        "resource": "event",
        "id": &id,
        "type": format!("payment.{status}"),
        "entityId": life.id,
        "createdAt": moment(at),
        "_embedded": { "entity": {
            "resource": "payment",
            "id": life.id,
            "mode": "test",
            "amount": { "value": decimal(life.amount), "currency": life.currency },
            "description": "Order",
            "metadata": { "order_id": life.reference },
            "method": "ideal",
            "status": status,
        }},
        "_links": { "self": { "href": "https://api.mollie.example/v2/events" } },
    })
    .to_string();
    let signature = hex(&mac(life.secret.as_bytes(), body.as_bytes()));
    let proof = Proof::Header("X-Mollie-Signature", format!("sha256={signature}"));
    life.tells(id, body, proof)
}

fn classic(life: &PaymentLife) -> Callback {
    let body = format!("id={}", life.id);
    let id = BodyHash::of(body.as_bytes()).to_string();
    life.tells(id, body, Proof::None)
}

/// Of a currency with two digits behind the point, as nearly all are.
fn decimal(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

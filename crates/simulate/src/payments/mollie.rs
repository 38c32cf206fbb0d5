//! What Mollie sends: signed events with the whole payment in them, and, where it has no events
//! yet, classic callbacks.

use domain::Timestamp;
use serde_json::json;

use super::{PaymentLife, Step, hex, json_header, mac, moment};
use crate::request::Request;

pub(super) fn request(life: &PaymentLife, step: Step, now: Timestamp) -> Request {
    let status = match step {
        Step::Authorise => "authorized",
        Step::Capture => "paid",
        Step::Fail => "failed",
        Step::Cancel => "canceled",
        Step::Refund(_) | Step::Dispute => return classic(life),
    };
    let at = moment(now);
    let body = json!({
        "resource": "event",
        "id": life.numbered("event_"),
        "type": format!("payment.{status}"),
        "entityId": life.id,
        "createdAt": at,
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
    let header = ("X-Mollie-Signature", format!("sha256={signature}"));
    life.request(vec![json_header(), header], body)
}

fn classic(life: &PaymentLife) -> Request {
    let header = ("Content-Type", "application/x-www-form-urlencoded".to_owned());
    life.request(vec![header], format!("id={}", life.id))
}

/// Of a currency with two digits behind the point, as nearly all are.
fn decimal(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

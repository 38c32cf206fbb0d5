//! What Stripe sends: one event, of the intent, its charge, or a dispute.

use domain::Timestamp;
use serde_json::{Value, json};

use super::callback::{Callback, Proof};
use super::{PaymentLife, Step, hex, mac, seconds};

pub(super) fn callback(life: &PaymentLife, step: Step, at: Timestamp) -> Callback {
    let created = seconds(at);
    let (topic, object) = match step {
        Step::Authorise => {
            ("payment_intent.amount_capturable_updated", intent(life, "requires_capture", created))
        }
        Step::Capture => ("payment_intent.succeeded", intent(life, "succeeded", created)),
        Step::Fail | Step::CaptureFailed => {
            ("payment_intent.payment_failed", intent(life, "requires_payment_method", created))
        }
        Step::Cancel => ("payment_intent.canceled", intent(life, "canceled", created)),
        Step::Refund(_) => ("charge.refunded", charge(life, created)),
        Step::RefundFailed(minor) => ("refund.failed", failed_refund(life, minor, created)),
        Step::Dispute => ("charge.dispute.created", dispute(life, "needs_response", created)),
        Step::DisputeWon => ("charge.dispute.closed", dispute(life, "won", created)),
        Step::DisputeLost => ("charge.dispute.closed", dispute(life, "lost", created)),
    };
    let id = life.numbered("evt_");
    let body = json!({
        "id": &id,
        "object": "event",
        "api_version": "2024-06-20",
        "created": created,
        "data": { "object": object },
        "livemode": false,
        "pending_webhooks": 1,
        "request": { "id": null, "idempotency_key": null },
        "type": topic,
    })
    .to_string();
    life.tells(id, body, Proof::Stripe(life.secret.clone()))
}

/// The header of a request that is sent now.
pub(super) fn signature(secret: &str, body: &[u8], now: Timestamp) -> (&'static str, String) {
    let timestamp = seconds(now);
    let signed = [format!("{timestamp}.").as_bytes(), body].concat();
    let signature = hex(&mac(secret.as_bytes(), &signed));
    ("Stripe-Signature", format!("t={timestamp},v1={signature}"))
}

fn charge_id(life: &PaymentLife) -> String {
    life.id.replacen("pi_", "ch_", 1)
}

fn intent(life: &PaymentLife, status: &str, created: i64) -> Value {
    let capturable = if status == "requires_capture" { life.amount } else { 0 };
    json!({
        "id": life.id,
        "object": "payment_intent",
        "amount": life.amount,
        "amount_capturable": capturable,
        "amount_received": life.captured,
        "capture_method": "automatic",
        "created": created,
        "currency": life.currency.to_lowercase(),
        "latest_charge": charge_id(life),
        "livemode": false,
        "metadata": { "order_id": life.reference },
        "payment_method_types": ["card"],
        "status": status,
    })
}

fn charge(life: &PaymentLife, created: i64) -> Value {
    json!({
        "id": charge_id(life),
        "object": "charge",
        "amount": life.amount,
        "amount_captured": life.captured,
        "amount_refunded": life.refunded,
        "captured": true,
        "created": created,
        "currency": life.currency.to_lowercase(),
        "livemode": false,
        "metadata": { "order_id": life.reference },
        "paid": true,
        "payment_intent": life.id,
        "refunded": life.refunded >= life.captured,
        "status": "succeeded",
    })
}

fn failed_refund(life: &PaymentLife, minor: i64, created: i64) -> Value {
    json!({
        "id": life.numbered("re_"),
        "object": "refund",
        "amount": minor,
        "charge": charge_id(life),
        "created": created,
        "currency": life.currency.to_lowercase(),
        "failure_reason": "lost_or_stolen_card",
        "metadata": {},
        "payment_intent": life.id,
        "status": "failed",
    })
}

/// There is one for each payment, which begins and is closed.
fn dispute(life: &PaymentLife, status: &str, created: i64) -> Value {
    json!({
        "id": life.id.replacen("pi_", "dp_", 1),
        "object": "dispute",
        "amount": life.amount,
        "charge": charge_id(life),
        "created": created,
        "currency": life.currency.to_lowercase(),
        "livemode": false,
        "metadata": {},
        "payment_intent": life.id,
        "reason": "fraudulent",
        "status": status,
    })
}

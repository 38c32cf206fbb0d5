use serde_json::Value;

use super::*;

fn json(webhook: &SignedWebhook) -> Value {
    serde_json::from_slice(&webhook.body).unwrap()
}

#[test]
fn bodies_show_the_state_at_the_time_of_sending() {
    let mut order = ShopifyOrder::new(5001).line("BOWL", 3);
    let placed = json(&order.webhook("orders/create"));
    assert_eq!(placed["updated_at"], "2026-11-21T07:00:00-05:00");
    assert_eq!(placed["line_items"][0]["fulfillable_quantity"], 3);

    order.pay().fulfil_at(LOCATION, FulfilmentStatus::Success, &[(0, 2)]);
    let sent = json(&order.webhook("orders/updated"));
    assert_eq!(sent["updated_at"], "2026-11-21T07:00:02-05:00");
    assert_eq!(sent["financial_status"], "paid");
    assert_eq!(sent["fulfillment_status"], "partial");
    assert_eq!(sent["line_items"][0]["quantity"], 3);
    assert_eq!(sent["line_items"][0]["fulfillable_quantity"], 1);
    assert_eq!(sent["fulfillments"][0]["line_items"][0]["quantity"], 2);

    order.refund(Restock::Return, Some(LOCATION), &[(0, 1)]).cancel(Some(LOCATION));
    let ended = json(&order.webhook("orders/cancelled"));
    assert_eq!(ended["line_items"][0]["quantity"], 3, "never reduced");
    assert_eq!(ended["line_items"][0]["current_quantity"], 1);
    assert_eq!(ended["line_items"][0]["fulfillable_quantity"], 0);
    assert_eq!(ended["refunds"][0]["refund_line_items"][0]["restock_type"], "return");
    assert_eq!(ended["refunds"][1]["refund_line_items"][0]["restock_type"], "cancel");
    assert_eq!(ended["financial_status"], "refunded");
}

#[test]
fn parts_have_bodies_of_their_own() {
    let mut order = ShopifyOrder::new(5001).line("BOWL", 2);
    order.fulfil().refund(Restock::Return, Some(LOCATION), &[(0, 1)]).edit(0, 4);
    assert_eq!(json(&order.webhook("fulfillments/create"))["order_id"], 5001);
    assert_eq!(json(&order.webhook("refunds/create"))["refund_line_items"][0]["quantity"], 1);
    let edit = json(&order.webhook("orders/edited"));
    assert_eq!(edit["order_edit"]["line_items"]["additions"][0]["delta"], 4);
    assert_eq!(json(&order.webhook("orders/delete")), serde_json::json!({ "id": 5001 }));
}

#[test]
fn a_signature_is_the_hmac_of_the_raw_body() {
    // RFC 4231, test case 2, in base64.
    let webhook = SignedWebhook::raw("a/b", DOMAIN, "Jefe", &b"what do ya want for nothing?"[..]);
    assert_eq!(webhook.signature, "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
}

#[test]
fn progress_never_falls_and_facts_of_one_state_are_equal() {
    let mut order = ShopifyOrder::new(7).line("BOWL", 5);
    let mut last = 0;
    let actions: [fn(&mut ShopifyOrder) -> &mut ShopifyOrder; 7] = [
        |order| order.pay(),
        |order| order.edit(0, 2),
        |order| order.edit(0, -1),
        |order| order.fulfil_at(1, FulfilmentStatus::Open, &[(0, 2)]),
        |order| order.fulfilment_becomes(0, FulfilmentStatus::Success),
        |order| order.refund(Restock::Return, Some(1), &[(0, 1)]),
        |order| order.cancel(Some(1)),
    ];
    for action in actions {
        action(&mut order);
        let fact = order.fact("orders/updated");
        assert_eq!(fact, order.fact("orders/create"), "the topic does not matter");
        let progress = fact.known.snapshot.unwrap().rank.progress;
        assert!(progress >= last);
        last = progress;
    }
}

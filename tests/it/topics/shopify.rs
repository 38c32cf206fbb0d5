//! Shopify's topics. Bodies are our own, each with the fields that Shopify's have.

use domain::order::{FulfilmentStatus, Restock};
use serde_json::{Value, json};
use testkit::request::Request;
use testkit::shopify::{DOMAIN, LOCATION, ShopifyOrder, SignedWebhook};

use super::{APPLIED, Fate, MISMATCH, NEEDS_FETCH, Row, UNSUPPORTED, row};

/// (on hand, committed) of CAP in the end, of 1000. Shipped: all of one order of 2, and 1 of
/// another; committed: 2 each of three orders, and the 1 that is left.
pub(super) const STOCK: (i64, i64) = (997, 7);

const AT: &str = "2026-11-21T12:00:00Z";

pub(super) fn sign(row: &Row, secret: &str) -> Request {
    SignedWebhook::raw(&row.topic, DOMAIN, secret, row.body.clone()).request()
}

pub(super) fn rows() -> Vec<Row> {
    [orders(), parts(), to_be_fetched(), sightings(), of_the_shop(), of_nobody()]
        .into_iter()
        .flatten()
        .collect()
}

fn of_order(order: &ShopifyOrder, topic: &str) -> Row {
    Row { topic: topic.to_owned(), body: order.webhook(topic).body, fate: APPLIED }
}

fn orders() -> Vec<Row> {
    let order = |id| ShopifyOrder::new(id).line("CAP", 2);
    let part = [(0, 1)];
    vec![
        of_order(&order(1), "orders/create"),
        of_order(&order(2), "orders/updated"),
        of_order(order(3).pay(), "orders/paid"),
        of_order(order(4).cancel(Some(LOCATION)), "orders/cancelled"),
        of_order(order(5).fulfil(), "orders/fulfilled"),
        of_order(
            order(6).fulfil_at(LOCATION, FulfilmentStatus::Success, &part),
            "orders/partially_fulfilled",
        ),
        of_order(order(7).edit(0, 1), "orders/edited"),
        of_order(&order(8), "orders/delete"),
    ]
}

/// Of orders that are not known yet: they wait for them.
fn parts() -> Vec<Row> {
    let order = |id| ShopifyOrder::new(id).line("CAP", 2);
    let shipped = [(0, 1)];
    let mut cancelled = order(13);
    cancelled
        .fulfil_at(LOCATION, FulfilmentStatus::Success, &shipped)
        .fulfilment_becomes(0, FulfilmentStatus::Cancelled);
    let authorised = json!({
        "id": 900, "admin_graphql_api_id": "gid://shopify/OrderTransaction/900", "order_id": 14,
        "kind": "authorization", "status": "success", "test": false, "amount": "199.00",
    });
    vec![
        of_order(order(10).refund(Restock::Cancel, Some(LOCATION), &shipped), "refunds/create"),
        of_order(order(11).pay(), "order_transactions/create"),
        row("order_transactions/create", &authorised, ("ignored", Some("no_money_came_in"))),
        of_order(order(12).fulfil(), "fulfillments/create"),
        of_order(&cancelled, "fulfillments/update"),
    ]
}

/// They name things of their own kind only: which units are meant, nobody can tell from the body.
fn to_be_fetched() -> Vec<Row> {
    const TOPICS: [&str; 26] = [
        "fulfillment_orders/cancellation_request_accepted",
        "fulfillment_orders/cancellation_request_rejected",
        "fulfillment_orders/cancellation_request_submitted",
        "fulfillment_orders/cancelled",
        "fulfillment_orders/fulfillment_request_accepted",
        "fulfillment_orders/fulfillment_request_rejected",
        "fulfillment_orders/fulfillment_request_submitted",
        "fulfillment_orders/fulfillment_service_failed_to_complete",
        "fulfillment_orders/hold_released",
        "fulfillment_orders/line_items_prepared_for_local_delivery",
        "fulfillment_orders/line_items_prepared_for_pickup",
        "fulfillment_orders/manually_reported_progress_stopped",
        "fulfillment_orders/merged",
        "fulfillment_orders/moved",
        "fulfillment_orders/order_routing_complete",
        "fulfillment_orders/placed_on_hold",
        "fulfillment_orders/rescheduled",
        "fulfillment_orders/split",
        "returns/approve",
        "returns/cancel",
        "returns/close",
        "returns/decline",
        "returns/reopen",
        "returns/request",
        "returns/update",
        "reverse_fulfillment_orders/dispose",
    ];
    let body = |(number, topic): (u64, &str)| {
        let thing = match topic.split_once('/') {
            Some(("returns", _)) => json!({
                "id": number, "admin_graphql_api_id": format!("gid://shopify/Return/{number}"),
                "status": "open", "order": { "id": 1 }, "total_return_line_items": 1,
            }),
            Some(("reverse_fulfillment_orders", _)) => json!({
                "id": number, "return_id": number, "dispositions": [{ "type": "restocked" }],
            }),
            _ => json!({ "fulfillment_order": {
                "id": format!("gid://shopify/FulfillmentOrder/{number}"), "status": "open",
            } }),
        };
        row(topic, &thing, NEEDS_FETCH)
    };
    (3000..).zip(TOPICS).map(body).collect()
}

/// What Shopify shows of its own catalogue and stock: kept, and moving nothing.
fn sightings() -> Vec<Row> {
    let level = |item: u64, available: Option<i64>| {
        json!({
            "admin_graphql_api_id":
                format!("gid://shopify/InventoryLevel/{LOCATION}?inventory_item_id={item}"),
            "inventory_item_id": item, "location_id": LOCATION, "available": available,
            "updated_at": AT,
        })
    };
    let item = |id: u64| {
        json!({
            "admin_graphql_api_id": format!("gid://shopify/InventoryItem/{id}"), "id": id,
            "sku": "CAP", "tracked": true, "created_at": AT, "updated_at": AT,
        })
    };
    let product = |id: u64| {
        json!({
            "admin_graphql_api_id": format!("gid://shopify/Product/{id}"), "id": id,
            "title": "A cap", "updated_at": AT,
            "variants": [{
                "id": id + 1, "product_id": id, "sku": "CAP", "inventory_item_id": id + 2,
                "inventory_quantity": 7, "updated_at": AT,
            }],
        })
    };
    let mut without_variants = product(530);
    without_variants["variants"] = Value::Null;
    vec![
        row("inventory_levels/connect", &level(501, None), APPLIED),
        row("inventory_levels/update", &level(502, Some(6)), APPLIED),
        row(
            "inventory_levels/disconnect",
            &json!({ "inventory_item_id": 503, "location_id": LOCATION }),
            APPLIED,
        ),
        row("inventory_items/create", &item(504), APPLIED),
        row("inventory_items/update", &item(505), APPLIED),
        row("inventory_items/delete", &json!({ "id": 506 }), APPLIED),
        row("products/create", &product(510), APPLIED),
        row("products/update", &product(520), APPLIED),
        row("products/update", &without_variants, ("ignored", Some("no_variants"))),
        row("products/delete", &json!({ "id": 540 }), APPLIED),
    ]
}

/// What concerns the shop and its customers.
fn of_the_shop() -> Vec<Row> {
    let customer = json!({ "id": 70, "email": "kim@mail.example", "phone": null });
    let asks = json!({
        "shop_id": 1, "shop_domain": DOMAIN, "customer": customer, "orders_requested": [1, 2],
        "data_request": { "id": 9 },
    });
    let redact = json!({
        "shop_id": 1, "shop_domain": DOMAIN, "customer": customer, "orders_to_redact": [1, 2],
    });
    let removed = json!({
        "id": 1, "name": "demo", "domain": DOMAIN, "myshopify_domain": DOMAIN, "email": null,
    });
    vec![
        row("customers/data_request", &asks, APPLIED),
        row("customers/redact", &redact, APPLIED),
        row("shop/redact", &json!({ "shop_id": 1, "shop_domain": DOMAIN }), APPLIED),
        row("app/uninstalled", &removed, APPLIED),
    ]
}

/// Topics that nobody here knows, and bodies that are not what their topic says.
fn of_nobody() -> Vec<Row> {
    let of = |topic: &str, id: u64, fate: Fate| row(topic, &json!({ "id": id, "note": "" }), fate);
    vec![
        of("carts/update", 601, UNSUPPORTED),
        of("customers/update", 602, UNSUPPORTED),
        of("reverse_deliveries/attach_deliverable", 603, UNSUPPORTED),
        of("fulfillments/create", 611, MISMATCH),
        of("refunds/create", 612, MISMATCH),
        of("order_transactions/create", 613, MISMATCH),
        of("orders/delete", 614, MISMATCH),
        of("orders/edited", 615, MISMATCH),
        of("inventory_levels/update", 616, MISMATCH),
        of("inventory_items/update", 617, MISMATCH),
        of("inventory_items/delete", 618, MISMATCH),
        of("products/update", 619, MISMATCH),
        of("products/delete", 620, MISMATCH),
        of("app/uninstalled", 621, MISMATCH),
        of("customers/redact", 622, MISMATCH),
        of("shop/redact", 623, MISMATCH),
    ]
}

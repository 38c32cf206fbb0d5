//! WooCommerce's topics. Bodies are our own, each with the fields that a site's have.

use serde_json::{Value, json};
use testkit::request::Request;
use testkit::woocommerce::{self, WooOrder};

use super::{APPLIED, MISMATCH, NEEDS_FETCH, Row, UNSUPPORTED, row};

pub(super) const SECRET: &str = "site-secret";

/// (on hand, committed) of CAP in the end, of 1000: 2 each of the two orders that were paid, and of
/// the one that is out of the bin again.
pub(super) const STOCK: (i64, i64) = (1000, 6);

pub(super) fn sign(row: &Row, secret: &str) -> Request {
    woocommerce::signed("site", secret, &row.topic, row.body.clone())
}

pub(super) fn rows() -> Vec<Row> {
    [orders(), products(), actions(), of_nobody()].into_iter().flatten().collect()
}

fn orders() -> Vec<Row> {
    let order = |id| WooOrder::new(id).of("site", SECRET).line("CAP", 2);
    let of_order = |order: &WooOrder, topic: &str| row(topic, &order.body(topic), APPLIED);
    let mut deleted = order(4);
    deleted.pay().trash();
    let mut restored = order(5);
    restored.pay().trash().restore();
    vec![
        // Nothing is owed before it is paid.
        of_order(&order(1), "order.created"),
        of_order(order(2).pay(), "order.created"),
        of_order(order(3).pay(), "order.updated"),
        of_order(&deleted, "order.deleted"),
        of_order(&restored, "order.restored"),
    ]
}

/// What the site shows of its own catalogue and stock: kept, and moving nothing.
fn products() -> Vec<Row> {
    let product = |id: u64| {
        json!({
            "id": id, "name": "A cap", "type": "simple", "status": "publish", "sku": "CAP",
            "manage_stock": true, "stock_quantity": 7, "stock_status": "instock",
            "date_modified_gmt": "2026-11-21T12:00:00",
        })
    };
    vec![
        row("product.created", &product(801), APPLIED),
        row("product.updated", &product(802), APPLIED),
        row("product.restored", &product(803), APPLIED),
        row("product.published", &product(804), APPLIED),
        row("product.deleted", &json!({ "id": 805 }), APPLIED),
    ]
}

/// Hooks of the site's own code, told with an id and nothing else.
fn actions() -> Vec<Row> {
    const HOOKS: [&str; 4] = [
        "woocommerce_order_refunded",
        "woocommerce_payment_complete",
        "woocommerce_order_status_completed",
        "woocommerce_low_stock",
    ];
    let body = |(number, hook): (u64, &str)| {
        let body = json!({ "action": hook, "arg": number });
        row(&format!("action.{hook}"), &body, NEEDS_FETCH)
    };
    (900..).zip(HOOKS).map(body).collect()
}

/// Topics that nobody here knows, and bodies that are not what their topic says.
fn of_nobody() -> Vec<Row> {
    let plain = |id: u64| json!({ "id": id, "date_modified_gmt": "2026-11-21T12:00:00" });
    let error: Value = json!({
        "code": "woocommerce_rest_cannot_view", "message": "Sorry, you cannot view this resource.",
        "data": { "status": 401 },
    });
    vec![
        row("coupon.created", &plain(701), UNSUPPORTED),
        row("customer.updated", &plain(702), UNSUPPORTED),
        row("order.updated", &plain(711), MISMATCH),
        row("order.deleted", &plain(712), MISMATCH),
        row("product.updated", &plain(713), MISMATCH),
        row("product.deleted", &plain(714), MISMATCH),
        row("order.updated", &error, ("dead", Some("woocommerce_rest_cannot_view"))),
    ]
}

//! One body for each Shopify topic that means something, written by hand after what Shopify sends.

use domain::Meaning;
use serde_json::{Value, json};

use crate::bodies::{PAID, PARTIALLY_FULFILLED, PARTLY_REFUNDED, envelope};

const ORDER: u64 = 6_142_057_283_910;

/// A topic and a body that it brings.
pub(crate) struct Sample {
    pub(crate) topic: &'static str,
    /// Topics of one shape bring the same body, and nobody can tell them apart.
    pub(crate) shape: &'static str,
    pub(crate) body: Value,
}

pub(crate) fn meaning(topic: &str, body: &Value) -> Meaning {
    platforms::parse(&envelope(topic, body.to_string()))
}

/// Every topic whose body is read.
pub(crate) fn samples() -> Vec<Sample> {
    let shapes = [
        ("order", whole(PAID), &ORDERS[..]),
        ("edit", edit(), &["orders/edited"]),
        ("bare id", json!({ "id": ORDER }), &["orders/delete", "products/delete"]),
        ("refund", part(PARTLY_REFUNDED, "/refunds/0"), &["refunds/create"]),
        (
            "fulfilment",
            part(PARTIALLY_FULFILLED, "/fulfillments/0"),
            &["fulfillments/create", "fulfillments/update"],
        ),
        ("transaction", transaction(), &["order_transactions/create"]),
        ("level", level(), &["inventory_levels/update", "inventory_levels/connect"]),
        ("level gone", level_gone(), &["inventory_levels/disconnect"]),
        ("item", inventory_item(), &["inventory_items/create", "inventory_items/update"]),
        ("item gone", inventory_item_gone(), &["inventory_items/delete"]),
        ("product", product(), &["products/create", "products/update"]),
        ("shop", shop(), &["app/uninstalled"]),
        ("data request", data_request(), &["customers/data_request"]),
        ("redact customer", redact_customer(), &["customers/redact"]),
        ("redact shop", redact_shop(), &["shop/redact"]),
    ];
    let of_shape = |(shape, body, topics): (&'static str, Value, &[&'static str])| {
        let sample = |topic: &&'static str| Sample { topic, shape, body: body.clone() };
        topics.iter().map(sample).collect::<Vec<_>>()
    };
    shapes.into_iter().flat_map(of_shape).collect()
}

const ORDERS: [&str; 6] = [
    "orders/create",
    "orders/updated",
    "orders/paid",
    "orders/cancelled",
    "orders/fulfilled",
    "orders/partially_fulfilled",
];

fn whole(body: &str) -> Value {
    serde_json::from_str(body).expect("the fixture is JSON")
}

fn part(order: &str, pointer: &str) -> Value {
    let mut part = whole(order).pointer(pointer).expect("the part is there").clone();
    part["order_id"] = json!(ORDER);
    part
}

fn edit() -> Value {
    json!({"order_edit": {
        "id": 78912328793_u64, "app_id": null, "order_id": ORDER, "user_id": 548380009,
        "notify_customer": false, "staff_note": "", "created_at": "2026-03-02T09:12:00+01:00",
        "committed_at": "2026-03-02T09:14:10+01:00",
        "line_items": {"additions": [{"id": 15208437252422_u64, "delta": 1}], "removals": []},
        "discounts": {"line_item": {"additions": [], "removals": []}},
        "shipping_lines": {"additions": [], "removals": []},
    }})
}

fn transaction() -> Value {
    json!({
        "id": 7301155914054_u64, "order_id": ORDER, "kind": "sale", "status": "success",
        "gateway": "shopify_payments", "message": null, "created_at": "2026-03-02T09:14:08+01:00",
        "test": false, "parent_id": null, "location_id": null, "device_id": null,
        "amount": "149.50", "currency": "EUR", "payment_id": "#1001.1",
        "total_unsettled_set": {"shop_money": {"amount": "0.0", "currency": "EUR"}},
        "admin_graphql_api_id": "gid://shopify/OrderTransaction/7301155914054",
    })
}

pub(crate) fn level() -> Value {
    json!({
        "inventory_item_id": 49148385001_u64, "location_id": 77310459, "available": 41,
        "updated_at": "2026-03-02T09:14:11+01:00",
        "admin_graphql_api_id":
            "gid://shopify/InventoryLevel/113000459?inventory_item_id=49148385001",
    })
}

pub(crate) fn level_gone() -> Value {
    json!({"inventory_item_id": 49148385001_u64, "location_id": 77310459})
}

pub(crate) fn inventory_item() -> Value {
    json!({
        "id": 49148385001_u64, "sku": "CAP-RED", "created_at": "2025-11-20T08:00:00+01:00",
        "updated_at": "2026-03-01T12:30:00+01:00", "requires_shipping": true, "cost": "4.20",
        "country_code_of_origin": null, "province_code_of_origin": null,
        "harmonized_system_code": null, "tracked": true, "country_harmonized_system_codes": [],
        "weight_value": 0.2, "weight_unit": "kg",
        "admin_graphql_api_id": "gid://shopify/InventoryItem/49148385001",
    })
}

pub(crate) fn inventory_item_gone() -> Value {
    json!({
        "id": 49148385001_u64, "country_code_of_origin": null, "province_code_of_origin": null,
        "harmonized_system_code": null, "country_harmonized_system_codes": [],
        "admin_graphql_api_id": "gid://shopify/InventoryItem/49148385001",
    })
}

pub(crate) fn product() -> Value {
    json!({
        "id": 8124600385_u64, "title": "Cap", "body_html": "<p>It fits.</p>", "vendor": "Onhand",
        "product_type": "", "handle": "cap", "tags": "cap, red", "status": "active",
        "created_at": "2025-11-20T08:00:00+01:00", "updated_at": "2026-03-02T09:14:11+01:00",
        "published_at": null, "template_suffix": null, "published_scope": "global",
        "admin_graphql_api_id": "gid://shopify/Product/8124600385",
        "variants": [
            {
                "id": 47110815001_u64, "product_id": 8124600385_u64, "title": "Red",
                "sku": "CAP-RED", "price": "29.90", "position": 1, "inventory_policy": "deny",
                "inventory_management": "shopify", "inventory_item_id": 49148385001_u64,
                "inventory_quantity": 41, "old_inventory_quantity": 44,
                "created_at": "2025-11-20T08:00:00+01:00",
                "updated_at": "2026-03-02T09:14:09+01:00",
                "admin_graphql_api_id": "gid://shopify/ProductVariant/47110815001",
            },
            {
                "id": 47110815002_u64, "product_id": 8124600385_u64, "title": "Blue", "sku": "",
                "price": "29.90", "position": 2, "inventory_policy": "continue",
                "inventory_management": null, "inventory_item_id": null,
                "inventory_quantity": -3, "old_inventory_quantity": -3,
                "created_at": "2025-11-20T08:00:00+01:00", "updated_at": null,
                "admin_graphql_api_id": "gid://shopify/ProductVariant/47110815002",
            },
        ],
        "options": [{"id": 1, "name": "Colour", "position": 1, "values": ["Red", "Blue"]}],
        "images": [], "image": null, "media": [], "category": null,
        "variant_gids": [{"admin_graphql_api_id": "gid://shopify/ProductVariant/47110815003",
            "updated_at": "2026-03-02T08:14:09.000Z"}],
    })
}

pub(crate) fn shop() -> Value {
    json!({
        "id": 61200384, "name": "Demo", "email": "owner@shop.example", "phone": "",
        "domain": "shop.example", "myshopify_domain": "demo.myshopify.com",
        "created_at": "2024-01-01T00:00:00+01:00", "updated_at": "2026-03-01T00:00:00+01:00",
        "country": "DE", "currency": "EUR", "plan_name": "basic", "primary_location_id": 77310459,
        "customer_email": "help@shop.example", "iana_timezone": "Europe/Berlin",
    })
}

pub(crate) fn data_request() -> Value {
    json!({
        "shop_id": 61200384, "shop_domain": "demo.myshopify.com",
        "orders_requested": [ORDER, ORDER + 1],
        "customer": {"id": 7744120066_u64, "email": "kim@mail.example", "phone": "+49 30 5550100"},
        "data_request": {"id": 9999},
    })
}

pub(crate) fn redact_customer() -> Value {
    json!({
        "shop_id": 61200384, "shop_domain": "demo.myshopify.com",
        "customer": {"id": 7744120066_u64, "email": "kim@mail.example", "phone": null},
        "orders_to_redact": [ORDER],
    })
}

pub(crate) fn redact_shop() -> Value {
    json!({"shop_id": 61200384, "shop_domain": "demo.myshopify.com"})
}

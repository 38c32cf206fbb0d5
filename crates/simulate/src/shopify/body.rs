//! The JSON of each topic: ids are numbers, money is text, times carry the shop's offset.

use domain::order::{FulfilmentStatus, Restock};
use jiff::tz::{Offset, TimeZone};
use serde_json::{Value, json};

use super::{LineKind, ShopifyOrder};

/// The shop is in New York.
const SHOP_OFFSET_HOURS: i8 = -5;

/// Every unit costs the same.
pub const PRICE_CENTS: i64 = 19_900;

impl ShopifyOrder {
    /// The body for `topic` as of now.
    pub(super) fn body(&self, topic: &str) -> Value {
        match topic {
            "orders/delete" => json!({ "id": self.id }),
            "orders/edited" => self.edit_body(),
            "refunds/create" => {
                self.refund_body(self.refunds.len().checked_sub(1).expect("a refund happened"))
            }
            "order_transactions/create" => self.transaction_body(),
            _ if topic.starts_with("fulfillments/") => self.fulfilment_body(self.touched),
            _ => self.order_body(),
        }
    }

    pub(super) fn triggered_at(&self) -> String {
        let moment = jiff::Timestamp::from_second(self.updated_at).expect("a time of our days");
        moment.strftime("%Y-%m-%dT%H:%M:%S.000000000Z").to_string()
    }

    fn order_body(&self) -> Value {
        let mut body = json!({
            "id": self.id,
            "admin_graphql_api_id": format!("gid://shopify/Order/{}", self.id),
            "cancel_reason": self.cancelled_at.map(|_| "customer"),
            "cancelled_at": self.cancelled_at.map(shop_time),
            "closed_at": null,
            "confirmed": true,
            "created_at": shop_time(self.created_at),
            "financial_status": self.financial_status,
            "fulfillment_status": self.fulfilment_status(),
            "fulfillments":
                (0..self.fulfilments.len()).map(|i| self.fulfilment_body(i)).collect::<Value>(),
            "line_items": (0..self.lines.len()).map(|i| self.line_body(i)).collect::<Value>(),
            "name": self.name(),
            "number": self.id % 100_000,
            "order_number": self.id % 100_000 + 1000,
            "processed_at": shop_time(self.created_at),
            "refunds": (0..self.refunds.len()).map(|i| self.refund_body(i)).collect::<Value>(),
            "test": self.test,
            "updated_at": shop_time(self.updated_at)
        });
        merge(&mut body, self.order_money());
        merge(&mut body, self.trimmings());
        body
    }

    fn order_money(&self) -> Value {
        let units: i64 = self.lines.iter().map(|line| line.quantity).sum();
        let current: i64 = (0..self.lines.len()).map(|line| self.current(line)).sum();
        json!({
            "currency": "USD",
            "current_subtotal_price": money(current * PRICE_CENTS),
            "current_subtotal_price_set": money_set(current * PRICE_CENTS),
            "current_total_discounts": "0.00",
            "current_total_price": money(current * PRICE_CENTS),
            "current_total_price_set": money_set(current * PRICE_CENTS),
            "current_total_tax": "0.00",
            "presentment_currency": "USD",
            "subtotal_price": money(units * PRICE_CENTS),
            "subtotal_price_set": money_set(units * PRICE_CENTS),
            "total_discounts": "0.00",
            "total_line_items_price": money(units * PRICE_CENTS),
            "total_outstanding": "0.00",
            "total_price": money(units * PRICE_CENTS),
            "total_price_set": money_set(units * PRICE_CENTS),
            "total_tax": "0.00",
            "total_weight": 567 * units
        })
    }

    fn line_body(&self, index: usize) -> Value {
        let line = &self.lines[index];
        let id = self.line_id(index);
        let sold = matches!(line.kind, LineKind::Tracked | LineKind::Untracked);
        let mut body = json!({
            "id": id,
            "admin_graphql_api_id": format!("gid://shopify/LineItem/{id}"),
            "attributed_staffs": [],
            "current_quantity": self.current(index),
            "discount_allocations": [],
            "duties": [],
            "fulfillable_quantity": self.fulfillable(index),
            "fulfillment_service": "manual",
            "fulfillment_status": self.line_status(index),
            "gift_card": line.kind == LineKind::GiftCard,
            "grams": 567,
            "name": "A thing",
            "price": money(PRICE_CENTS),
            "price_set": money_set(PRICE_CENTS),
            "product_exists": sold,
            "product_id": sold.then_some(632_910_392),
            "properties": [],
            "quantity": line.quantity,
            "requires_shipping": sold,
            "sales_line_item_group_id": null,
            "sku": line.sku,
            "tax_lines": [],
            "taxable": true,
            "title": "A thing",
            "total_discount": "0.00",
            "total_discount_set": money_set(0),
            "variant_id": self.variant(index),
            "variant_inventory_management": (line.kind == LineKind::Tracked).then_some("shopify"),
            "variant_title": null,
            "vendor": null
        });
        if line.kind == LineKind::Tip {
            body["tip"] = json!({ "payment_gateway": "shopify_payments" });
        }
        body
    }

    fn fulfilment_body(&self, index: usize) -> Value {
        let fulfilment = &self.fulfilments[index];
        let id = self.fulfilment_id(index);
        let lines = fulfilment.lines.iter().map(|(line, units)| {
            let mut body = self.line_body(*line);
            body["quantity"] = json!(units);
            body
        });
        json!({
            "id": id,
            "admin_graphql_api_id": format!("gid://shopify/Fulfillment/{id}"),
            "created_at": shop_time(fulfilment.created_at),
            "line_items": lines.collect::<Value>(),
            "location_id": fulfilment.location,
            "name": format!("{}.{}", self.name(), index + 1),
            "order_id": self.id,
            "origin_address": {},
            "receipt": {},
            "service": "manual",
            "shipment_status": null,
            "status": status_name(fulfilment.status),
            "tracking_company": "UPS",
            "tracking_number": "1Z1234512345123456",
            "tracking_numbers": ["1Z1234512345123456"],
            "updated_at": shop_time(fulfilment.updated_at)
        })
    }

    fn refund_body(&self, index: usize) -> Value {
        let refund = &self.refunds[index];
        let id = self.refund_id(index);
        let lines = refund.lines.iter().enumerate().map(|(at, (line, units))| {
            json!({
                "id": self.refund_line_id(index, at),
                "line_item": self.line_body(*line),
                "line_item_id": self.line_id(*line),
                "location_id": refund.location,
                "quantity": units,
                "restock_type": restock_name(refund.restock),
                // Numbers, where all other money is text.
                "subtotal": units * PRICE_CENTS / 100,
                "subtotal_set": money_set(units * PRICE_CENTS),
                "total_tax": 0.0,
                "total_tax_set": money_set(0)
            })
        });
        json!({
            "id": id,
            "admin_graphql_api_id": format!("gid://shopify/Refund/{id}"),
            "created_at": shop_time(refund.created_at),
            "duties": [],
            "note": null,
            "order_adjustments": [],
            "order_id": self.id,
            "processed_at": shop_time(refund.created_at),
            "refund_line_items": lines.collect::<Value>(),
            "refund_shipping_lines": [],
            "restock": refund.restock != Restock::NoRestock,
            "return": null,
            "total_duties_set": money_set(0),
            "transactions": [],
            "user_id": 548_380_009
        })
    }

    /// All of the money, at once.
    fn transaction_body(&self) -> Value {
        assert!(self.has_been_paid(), "money came in");
        let id = self.part_id(5, 0);
        let units: i64 = self.lines.iter().map(|line| line.quantity).sum();
        json!({
            "id": id,
            "admin_graphql_api_id": format!("gid://shopify/OrderTransaction/{id}"),
            "amount": money(units * PRICE_CENTS),
            "authorization": null,
            "created_at": shop_time(self.updated_at),
            "currency": "USD",
            "error_code": null,
            "gateway": "bogus",
            "kind": "sale",
            "message": null,
            "order_id": self.id,
            "parent_id": null,
            "payment_id": format!("{}.1", self.name()),
            "status": "success",
            "test": self.test
        })
    }

    fn edit_body(&self) -> Value {
        let (line, delta) = self.edited.expect("an edit happened");
        let change = json!([{ "id": self.line_id(line), "delta": delta.abs() }]);
        let (additions, removals) =
            if delta > 0 { (change, json!([])) } else { (json!([]), change) };
        let none = json!({ "additions": [], "removals": [] });
        json!({ "order_edit": {
            "id": 78_912_328_793_u64,
            "app_id": null,
            "order_id": self.id,
            "user_id": 548_380_009,
            "notify_customer": false,
            "staff_note": "",
            "created_at": shop_time(self.updated_at),
            "committed_at": shop_time(self.updated_at),
            "line_items": { "additions": additions, "removals": removals },
            "discounts": { "line_item": none },
            "shipping_lines": none
        }})
    }

    /// Units after edits and refunds.
    pub(super) fn current(&self, line: usize) -> i64 {
        let gone = self.lines[line].removed + self.refunded(line, |_| true);
        (self.lines[line].quantity - gone).max(0)
    }

    pub(super) fn name(&self) -> String {
        format!("#{}", self.id % 100_000 + 1000)
    }

    pub(super) fn variant(&self, line: usize) -> Option<u64> {
        let line = &self.lines[line];
        let sold = matches!(line.kind, LineKind::Tracked | LineKind::Untracked);
        // The same SKU is the same variant.
        let sku = line.sku.as_deref().unwrap_or_default();
        let number = sku.bytes().fold(808, |sum, byte| (sum * 31 + u64::from(byte)) % 999_999_937);
        sold.then_some(number)
    }

    pub(super) fn fulfilment_status(&self) -> Option<&'static str> {
        let of_lines: Vec<_> = (0..self.lines.len()).map(|line| self.line_status(line)).collect();
        if of_lines.iter().all(Option::is_none) {
            return None;
        }
        let whole = of_lines.iter().all(|status| *status == Some("fulfilled"));
        Some(if whole { "fulfilled" } else { "partial" })
    }

    fn line_status(&self, line: usize) -> Option<&'static str> {
        let shipped = self.in_fulfilments(line, |status| status == FulfilmentStatus::Success);
        match shipped {
            0 => None,
            _ if self.fulfillable(line) == 0 => Some("fulfilled"),
            _ => Some("partial"),
        }
    }
}

pub(super) fn merge(body: &mut Value, more: Value) {
    if let (Value::Object(body), Value::Object(more)) = (body, more) {
        body.extend(more);
    }
}

pub(super) fn shop_time(seconds: i64) -> String {
    let zone = TimeZone::fixed(Offset::constant(SHOP_OFFSET_HOURS));
    let moment = jiff::Timestamp::from_second(seconds).expect("a time of our days");
    moment.to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

pub(super) fn money(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

pub(super) fn money_set(cents: i64) -> Value {
    let money = json!({ "amount": money(cents), "currency_code": "USD" });
    json!({ "shop_money": money, "presentment_money": money })
}

fn status_name(status: FulfilmentStatus) -> &'static str {
    match status {
        FulfilmentStatus::Pending => "pending",
        FulfilmentStatus::Open => "open",
        FulfilmentStatus::Success => "success",
        FulfilmentStatus::Error => "error",
        FulfilmentStatus::Failure => "failure",
        FulfilmentStatus::Cancelled => "cancelled",
    }
}

fn restock_name(restock: Restock) -> &'static str {
    match restock {
        Restock::NoRestock => "no_restock",
        Restock::Cancel => "cancel",
        Restock::Return => "return",
        Restock::LegacyRestock => "legacy_restock",
    }
}

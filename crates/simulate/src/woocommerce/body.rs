//! The JSON of each topic: ids are numbers, money is text, dates have no zone.

use jiff::tz::{Offset, TimeZone};
use serde_json::{Value, json};

use super::WooOrder;

/// The site is in Berlin, in winter.
const SITE_OFFSET_HOURS: i8 = 1;

/// Every unit costs the same.
const PRICE_CENTS: i64 = 1_990;

impl WooOrder {
    /// The body for `topic` as of now.
    pub fn body(&self, topic: &str) -> Value {
        match topic {
            "order.deleted" => json!({ "id": self.id }),
            _ if topic.starts_with("action.") => {
                json!({ "action": topic.trim_start_matches("action."), "arg": self.id })
            }
            _ => self.order_body(),
        }
    }

    fn order_body(&self) -> Value {
        let units: i64 = self.shown().map(|line| self.lines[line].quantity).sum();
        let mut body = json!({
            "id": self.id,
            "parent_id": 0,
            "status": self.status,
            "currency": "EUR",
            "version": "11.3.0",
            "prices_include_tax": true,
            "discount_total": "0.00",
            "discount_tax": "0.00",
            "shipping_total": "0.00",
            "shipping_tax": "0.00",
            "cart_tax": "0.00",
            "total": money(units * PRICE_CENTS),
            "total_tax": "0.00",
            "number": self.id.to_string(),
            "line_items": self.shown().map(|line| self.line_body(line)).collect::<Value>(),
            "tax_lines": [],
            "fee_lines": [],
            "coupon_lines": [],
            "refunds": self.refund_bodies(),
            "is_editable": matches!(self.status(), "pending" | "on-hold"),
            "needs_payment": matches!(self.status(), "pending" | "failed"),
            "needs_processing": true,
            "currency_symbol": "\u{20ac}"
        });
        for (name, seconds) in [
            ("date_created", Some(self.created_at)),
            ("date_modified", Some(self.modified_at)),
            ("date_paid", self.paid_at),
            ("date_completed", self.completed_at),
        ] {
            body[name] = seconds.map(|seconds| date(seconds, SITE_OFFSET_HOURS)).into();
            body[format!("{name}_gmt")] = seconds.map(|seconds| date(seconds, 0)).into();
        }
        if let (Value::Object(body), Value::Object(more)) = (&mut body, self.trimmings()) {
            body.extend(more);
        }
        body
    }

    fn line_body(&self, index: usize) -> Value {
        let line = &self.lines[index];
        let total = money(line.quantity * PRICE_CENTS);
        json!({
            "id": self.line_id(index),
            "name": format!("{} \u{2013} a thing", line.sku),
            "product_id": self.product_id(index),
            "variation_id": 0,
            "quantity": line.quantity,
            "tax_class": "",
            "subtotal": total,
            "subtotal_tax": "0.00",
            "total": total,
            "total_tax": "0.00",
            "taxes": [],
            "meta_data": self.line_meta(index),
            "sku": line.sku,
            "global_unique_id": "",
            // A number, where all other money is text.
            "price": 19.9,
            "image": {
                "id": self.product_id(index),
                "src": format!("https://shop.example/wp-content/uploads/{}.jpg", line.sku)
            },
            "parent_name": null
        })
    }

    fn line_meta(&self, index: usize) -> Value {
        let line = &self.lines[index];
        let restocked = Some(line.restocked).filter(|units| *units != 0);
        [("_reduced_stock", line.reduced), ("_restock_refunded_items", restocked)]
            .into_iter()
            .enumerate()
            .filter_map(|(at, (key, units))| {
                let (id, value) = (self.line_id(index) * 10 + at as u64, units?.to_string());
                Some(json!({
                    "id": id, "key": key, "value": value,
                    "display_key": key, "display_value": value
                }))
            })
            .collect()
    }

    fn refund_bodies(&self) -> Value {
        let refunds = self.refunds.iter().enumerate().rev();
        refunds
            .map(|(at, refund)| {
                let total = format!("-{}", money(refund.units * PRICE_CENTS));
                json!({ "id": self.id + 1 + at as u64, "reason": refund.reason, "total": total })
            })
            .collect()
    }
}

/// As PHP's `json_encode` writes it: slashes and everything beyond ASCII escaped.
pub(super) fn php_json(value: &Value) -> String {
    let mut text = String::new();
    let mut units = [0; 2];
    for character in value.to_string().chars() {
        match character {
            '/' => text.push_str("\\/"),
            ascii if ascii.is_ascii() => text.push(ascii),
            other => {
                for unit in other.encode_utf16(&mut units) {
                    text.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    text
}

fn date(seconds: i64, offset_hours: i8) -> String {
    let zone = TimeZone::fixed(Offset::constant(offset_hours));
    let moment = jiff::Timestamp::from_second(seconds).expect("a time of our days");
    moment.to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

fn money(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

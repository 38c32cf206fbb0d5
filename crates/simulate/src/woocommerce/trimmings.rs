//! What an order carries and no stock depends on. Drawn from the order's id, so that all bodies of
//! one order carry the same and bodies of many compress no better than in life.

use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::WooOrder;

const FIRST_NAMES: [&str; 6] = ["Sam", "Aylin", "Bj\u{f6}rn", "Chidi", "Fran\u{e7}oise", "Hiroshi"];
const LAST_NAMES: [&str; 6] =
    ["Example", "O'Neill", "Schr\u{f6}der", "Nguyen", "Garc\u{ed}a M\u{e1}rquez", "Okafor"];
const STREETS: [&str; 4] =
    ["Example Street", "Hauptstra\u{df}e", "Rue de l'\u{c9}glise", "Elm Avenue"];
const CITIES: [&str; 4] = ["Berlin", "K\u{f6}ln", "Leipzig", "M\u{fc}nchen"];
const METHODS: [(&str, &str); 3] =
    [("bacs", "Direct bank transfer"), ("stripe", "Credit card / debit card"), ("ppcp", "PayPal")];
const NOTES: [&str; 3] = ["", "Please ring twice \u{1f514}", "Leave it at the \"back\" door"];

impl WooOrder {
    pub(super) fn trimmings(&self) -> Value {
        let mut dice = Xoshiro256PlusPlus::seed_from_u64(self.id);
        let (method, method_title) = one_of(&mut dice, &METHODS);
        let person = person(&mut dice);
        let hex = |dice: &mut Xoshiro256PlusPlus| format!("{:032x}", dice.random::<u128>());
        let key = hex(&mut dice)[..13].to_owned();
        let order = format!("https://shop.example/wp-json/wc/v3/orders/{}", self.id);
        let pay = format!("https://shop.example/checkout/order-pay/{}/?key={key}", self.id);
        let entry = format!("https://shop.example/?utm_source=mail&click={}", hex(&mut dice));
        json!({
            "customer_id": dice.random_range(0..9_999_u32),
            "order_key": format!("wc_order_{key}"),
            "billing": person,
            "shipping": person,
            "payment_method": method,
            "payment_method_title": method_title,
            "transaction_id": self.paid_at.map_or(String::new(), |_| hex(&mut dice)),
            "customer_ip_address": format!("203.0.113.{}", dice.random_range(0..256_u32)),
            "customer_user_agent": "Mozilla/5.0 (Linux; Android 16; Pixel 10) AppleWebKit/537.36 \
                (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
            "created_via": "store-api",
            "customer_note": one_of(&mut dice, &NOTES),
            "cart_hash": hex(&mut dice),
            "meta_data": [
                { "id": self.id * 7, "key": "_wc_order_attribution_source_type", "value": "utm" },
                { "id": self.id * 7 + 1, "key": "_wc_order_attribution_session_entry",
                  "value": entry },
                { "id": self.id * 7 + 2, "key": "_fees", "value": [{ "net": "0.35", "rates": {} }] }
            ],
            "shipping_lines": [{
                "id": self.id * 100 + 99, "method_title": "Flat rate", "method_id": "flat_rate",
                "instance_id": "1", "total": "0.00", "total_tax": "0.00", "taxes": [],
                "tax_status": "taxable", "meta_data": [
                    { "id": self.id * 7 + 3, "key": "Items", "value": "A thing &times; 1",
                      "display_key": "Items", "display_value": "A thing &times; 1" }
                ]
            }],
            "payment_url": pay,
            "_links": {
                "self": [{ "href": order, "targetHints": { "allow": ["GET", "POST", "DELETE"] } }],
                "collection": [{ "href": "https://shop.example/wp-json/wc/v3/orders" }]
            }
        })
    }
}

fn person(dice: &mut Xoshiro256PlusPlus) -> Value {
    json!({
        "first_name": one_of(dice, &FIRST_NAMES), "last_name": one_of(dice, &LAST_NAMES),
        "company": "",
        "address_1": format!("{} {}", one_of(dice, &STREETS), dice.random_range(1..300_u32)),
        "address_2": "", "city": one_of(dice, &CITIES), "state": "DE-BE",
        "postcode": format!("{:05}", dice.random_range(1_000..99_999_u32)), "country": "DE",
        "email": format!("{:012x}@example.com", dice.random::<u64>() >> 16),
        "phone": format!("+49305550{:03}", dice.random_range(0..1_000_u32))
    })
}

fn one_of<T: Copy>(dice: &mut Xoshiro256PlusPlus, all: &[T]) -> T {
    *all.choose(dice).expect("none of the lists is empty")
}

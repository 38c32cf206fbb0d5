//! What an order carries and no stock depends on: who bought, where from, how it was paid.
//!
//! It is most of a body, and it differs from order to order as it does in life, so that neither
//! sizes nor compression are flattered. All bodies of one order carry the same: it is drawn from
//! the order's id.

use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::ShopifyOrder;
use super::body::{merge, money, money_set, shop_time};

const FIRST_NAMES: [&str; 12] = [
    "Sam",
    "Aylin",
    "Björn",
    "Chidi",
    "Dolores",
    "Emeka",
    "Françoise",
    "Giulia",
    "Hiroshi",
    "Ingrid",
    "José",
    "Katarzyna",
];
const LAST_NAMES: [&str; 12] = [
    "Example",
    "O'Neill",
    "García Márquez",
    "Schröder",
    "Nguyen",
    "Okafor",
    "Lindqvist",
    "Rossi",
    "Yamamoto",
    "Kowalska",
    "van der Berg",
    "Smith-Jones",
];
const STREETS: [&str; 8] = [
    "Example Street",
    "Chestnut Street",
    "Rue de l'Église",
    "Hauptstraße",
    "Elm Avenue",
    "Old Mill Road",
    "Piazza Garibaldi",
    "Harbour View Crescent",
];
/// City, province, its code.
const CITIES: [(&str, &str, &str); 8] = [
    ("Louisville", "Kentucky", "KY"),
    ("Ottawa Hills", "Ohio", "OH"),
    ("Portland", "Oregon", "OR"),
    ("San Bernardino", "California", "CA"),
    ("Jersey City", "New Jersey", "NJ"),
    ("Albuquerque", "New Mexico", "NM"),
    ("Baton Rouge", "Louisiana", "LA"),
    ("Colorado Springs", "Colorado", "CO"),
];
const BROWSERS: [&str; 4] = [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 \
     (KHTML, like Gecko) Version/19.1 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 \
     (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Linux; Android 16; Pixel 10) AppleWebKit/537.36 \
     (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:145.0) Gecko/20100101 Firefox/145.0",
];
const CAMPAIGNS: [&str; 4] = ["black-friday", "newsletter-47", "influencer_drop", "retargeting"];
const SITES: [&str; 4] =
    ["", "https://www.instagram.com/", "https://www.google.com/", "https://l.facebook.com/"];
const TAGS: [&str; 4] = ["spring, \"quoted\"", "vip, repeat-buyer", "", "wholesale"];

/// Dice of one order: the same throws for each of its bodies.
struct Buyer(Xoshiro256PlusPlus);

impl ShopifyOrder {
    pub(super) fn trimmings(&self) -> Value {
        let mut buyer = Buyer(Xoshiro256PlusPlus::seed_from_u64(self.id));
        let mut all = self.checkout(&mut buyer);
        merge(&mut all, buyer.person());
        merge(&mut all, empty_fields());
        all
    }

    fn checkout(&self, buyer: &mut Buyer) -> Value {
        let (token, key) = (buyer.hex(32), buyer.hex(32));
        json!({
            "app_id": 580_111,
            "browser_ip": format!("203.0.113.{}", buyer.below(256)),
            "cart_token": format!("hWN{}", buyer.hex(29)),
            "checkout_id": buyer.long_id(),
            "checkout_token": buyer.hex(32),
            "client_details": buyer.client(),
            "confirmation_number": buyer.hex(9).to_uppercase(),
            "landing_site": buyer.landing_site(),
            "merchant_business_entity_id": "MTU0ODM4MDAwOQ",
            "note_attributes": [{ "name": "gift_note", "value": buyer.hex(24) }],
            "order_status_url":
                format!("https://{}/548380009/orders/{token}/authenticate?key={key}", self.domain),
            "payment_gateway_names": ["shopify_payments"],
            "referring_site": buyer.one_of(&SITES),
            "shipping_lines": [buyer.shipping_line()],
            "source_name": "web",
            "tags": buyer.one_of(&TAGS),
            "token": token
        })
    }
}

/// What most orders leave empty.
fn empty_fields() -> Value {
    json!({
        "company": null,
        "device_id": null,
        "discount_applications": [],
        "discount_codes": [],
        "duties_included": false,
        "estimated_taxes": false,
        "landing_site_ref": null,
        "line_item_groups": [],
        "location_id": null,
        "merchant_of_record_app_id": null,
        "note": null,
        "payment_terms": null,
        "po_number": null,
        "reference": null,
        "returns": [],
        "source_identifier": null,
        "source_url": null,
        "tax_exempt": false,
        "tax_lines": [],
        "taxes_included": false,
        "total_cash_rounding_payment_adjustment_set": money_set(0),
        "total_cash_rounding_refund_adjustment_set": money_set(0),
        "total_shipping_price_set": money_set(0),
        "total_tip_received": "0.00",
        "user_id": null
    })
}

impl Buyer {
    fn below(&mut self, end: u64) -> u64 {
        self.0.random_range(0..end)
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        *all.choose(&mut self.0).expect("none of the lists is empty")
    }

    fn hex(&mut self, length: usize) -> String {
        let digits = format!("{:032x}", self.0.random::<u128>());
        digits[..length].to_owned()
    }

    fn long_id(&mut self) -> u64 {
        1_000_000_000_000 + self.below(9_000_000_000_000)
    }

    fn person(&mut self) -> Value {
        let (first, last) = (self.one_of(&FIRST_NAMES), self.one_of(&LAST_NAMES));
        let email = format!("{}@example.com", self.hex(12));
        let phone = format!("+1502555{:04}", self.below(10_000));
        let address = self.address(first, last, &phone);
        json!({
            "buyer_accepts_marketing": self.below(2) == 0,
            "contact_email": email,
            "customer": self.customer(first, last, &email, &phone, &address),
            "customer_locale": "en-US",
            "email": email,
            "phone": phone,
            "billing_address": address,
            "shipping_address": address
        })
    }

    fn address(&mut self, first: &str, last: &str, phone: &str) -> Value {
        let (city, province, code) = self.one_of(&CITIES);
        let flat = (self.below(3) == 0).then(|| format!("Apt. {}", self.below(400)));
        json!({
            "first_name": first, "last_name": last, "name": format!("{first} {last}"),
            "company": null,
            "address1": format!("{} {}", self.below(9000) + 1, self.one_of(&STREETS)),
            "address2": flat, "city": city, "zip": format!("{:05}", self.below(100_000)),
            "province": province, "province_code": code, "country": "United States",
            "country_code": "US", "phone": phone,
            "latitude": self.coordinate(25, 48), "longitude": -self.coordinate(68, 122)
        })
    }

    fn coordinate(&mut self, from: i32, to: i32) -> f64 {
        f64::from(self.0.random_range(from * 1_000_000..to * 1_000_000)) / 1e6
    }

    fn customer(
        &mut self,
        first: &str,
        last: &str,
        email: &str,
        phone: &str,
        address: &Value,
    ) -> Value {
        let id = self.long_id();
        let since = shop_time(super::PLACED_AT - i64::from(self.0.random_range(0..60_000_000)));
        json!({
            "id": id, "admin_graphql_api_id": format!("gid://shopify/Customer/{id}"),
            "created_at": since, "updated_at": since, "currency": "USD",
            "email": email, "first_name": first, "last_name": last, "phone": phone,
            "state": "disabled", "verified_email": true, "note": null, "tags": "",
            "tax_exempt": false, "tax_exemptions": [], "multipass_identifier": null,
            "email_marketing_consent": {
                "state": "subscribed", "opt_in_level": "single_opt_in",
                "consent_updated_at": since
            },
            "sms_marketing_consent": null,
            "default_address": address
        })
    }

    fn client(&mut self) -> Value {
        json!({
            "accept_language": "en-US,en;q=0.9", "browser_height": null,
            "browser_ip": format!("203.0.113.{}", self.below(256)), "browser_width": null,
            "session_hash": self.hex(32), "user_agent": self.one_of(&BROWSERS)
        })
    }

    fn landing_site(&mut self) -> String {
        format!(
            "/products/{}?utm_source=mail&utm_medium=cpc&utm_campaign={}&click={}",
            self.hex(10),
            self.one_of(&CAMPAIGNS),
            self.hex(28)
        )
    }

    fn shipping_line(&mut self) -> Value {
        json!({
            "id": self.long_id(), "carrier_identifier": self.hex(32), "code": "standard",
            "current_discounted_price_set": money_set(0), "discount_allocations": [],
            "discounted_price": money(0), "discounted_price_set": money_set(0),
            "is_removed": false, "phone": null, "price": money(0), "price_set": money_set(0),
            "requested_fulfillment_service_id": null, "source": "shopify", "tax_lines": [],
            "title": "Standard"
        })
    }
}

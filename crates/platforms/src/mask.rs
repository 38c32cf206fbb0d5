//! A body as people may see it: what says whose order it is, is covered.
//!
//! The one rule for that, used wherever a kept body is shown. It names what may be seen and covers the
//! rest, so that a field that a platform adds tomorrow is covered: texts are shown only under names
//! that say what is no personal data (ids, SKUs, moments, states, money), and under some that may say
//! anything if they look like a number or a code; numbers and truth values everywhere but inside what
//! describes a person.

use serde_json::Value;

/// What stands where something is covered.
const COVERED: &str = "•••";

/// Texts under these names are shown.
const SHOWN: [&str; 42] = [
    "id",
    "sku",
    "type",
    "kind",
    "event",
    "eventCode",
    "topic",
    "object",
    "status",
    "state",
    "currency",
    "currencyCode",
    "currency_code",
    "amount",
    "price",
    "total",
    "subtotal",
    "total_tax",
    "quantity",
    "success",
    "restock_type",
    "cancel_reason",
    "source_name",
    "api_version",
    "apiVersion",
    "created",
    "timestamp",
    "eventDate",
    "date",
    "version",
    "mode",
    "method",
    "gateway",
    "pspReference",
    "originalReference",
    "merchantReference",
    "merchantAccountCode",
    "payment_method",
    "paymentMethod",
    "order_number",
    "shop_domain",
    "inventory_management",
];

/// Texts under names that end so are shown.
const SHOWN_ENDS: [&str; 10] = [
    "_id",
    "_at",
    "_gmt",
    "_status",
    "_price",
    "_total",
    "_amount",
    "_currency",
    "_management",
    "graphql_api_id",
];

/// Everything inside these describes a person, but for its id.
const PERSONAL: [&str; 24] = [
    "customer",
    "customers",
    "billing",
    "shipping",
    "billing_address",
    "shipping_address",
    "default_address",
    "addresses",
    "address",
    "destination",
    "client_details",
    "payment_details",
    "billing_details",
    "payment_method_details",
    "customer_details",
    "shipping_details",
    "card",
    "source",
    "details",
    "note_attributes",
    "meta_data",
    "metadata",
    "properties",
    "additionalData",
];

/// A longer text is no id and no state.
const SHOWN_BYTES_MAX: usize = 128;

/// Amounts and orders' numbers are shorter than phones'.
const NUMBER_DIGITS_MAX: usize = 9;

/// The body, indented, with what is personal covered; for what is no JSON only its length.
pub fn mask(body: &[u8]) -> String {
    let Ok(mut json) = serde_json::from_slice::<Value>(body) else {
        return format!("({} bytes that are not JSON are not shown)", body.len());
    };
    cover(&mut json, "", false);
    format!("{json:#}")
}

/// Covers what stands under `name`; all of it where that is inside of what is `personal`.
fn cover(value: &mut Value, name: &str, personal: bool) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                let personal = personal || PERSONAL.contains(&field.as_str());
                cover(value, field, personal);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| cover(item, name, personal)),
        Value::Null => {}
        Value::String(text) if !personal && is_shown(name, text) => {}
        Value::Number(_) if !personal || name == "id" => {}
        Value::Bool(_) if !personal => {}
        covered => *covered = COVERED.into(),
    }
}

fn is_shown(name: &str, text: &str) -> bool {
    let fits = match name {
        // The name of an order, as #1001; other things have names, too.
        "name" => text.strip_prefix('#').is_some_and(is_digits),
        // Money and orders' numbers; also what a customer typed, a phone's number, a bank's own words.
        "value" | "number" => is_number(text),
        "reason" => text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
        _ => SHOWN.contains(&name) || SHOWN_ENDS.iter().any(|end| name.ends_with(end)),
    };
    fits && text.len() <= SHOWN_BYTES_MAX && !text.contains('@')
}

/// As 1001 or 19.99, and not as a phone's number: none begins with 0 that is not all of it, or is as
/// long.
fn is_number(text: &str) -> bool {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let is_short = whole == "0" || (!whole.starts_with('0') && whole.len() <= NUMBER_DIGITS_MAX);
    is_short && is_digits(whole) && is_digits(part)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

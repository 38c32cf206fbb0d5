//! How pages write numbers, moments and links.

use std::fmt::Write as _;

use domain::{OrderId, OrderKey, Sku, StockKey, Timestamp};
pub(crate) use operate::output::{ago, grouped, or_more};

/// A moment for people, for programs, and how long ago it is.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    pub(crate) iso: String,
    pub(crate) text: String,
    pub(crate) ago: String,
}

impl Moment {
    pub(crate) fn new(at: Timestamp) -> Self {
        let iso = operate::output::moment(at);
        let text = iso.get(..19).map_or_else(|| iso.clone(), |text| text.replace('T', " "));
        Self { text, ago: ago(operate::now(), at), iso }
    }
}

/// A measured number: as exact as anybody reads it.
pub(crate) fn decimal(number: f64) -> String {
    let text = match number.abs() {
        size if size >= 100.0 => format!("{number:.0}"),
        size if size >= 10.0 => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    };
    let text = match text.split_once('.') {
        Some(_) => text.trim_end_matches('0').trim_end_matches('.'),
        None => &text,
    };
    text.parse::<i64>().map_or_else(|_| text.to_owned(), grouped)
}

/// A time in the unit that fits, which a line does not break from its number.
pub(crate) fn duration(seconds: f64) -> String {
    let (number, unit) = match seconds {
        ..1.0 => (seconds * 1_000.0, "ms"),
        ..120.0 => (seconds, "s"),
        ..7_200.0 => (seconds / 60.0, "min"),
        _ => (seconds / 3_600.0, "hours"),
    };
    format!("{}\u{a0}{unit}", decimal(number))
}

/// With its sign; nothing for no change.
pub(crate) fn signed(delta: i64) -> String {
    match delta {
        0 => String::new(),
        1.. => format!("+{}", grouped(delta)),
        _ => grouped(delta),
    }
}

/// A text in parts: what stands between backticks is what somebody types.
pub(crate) fn prose(text: &str) -> Vec<(bool, String)> {
    let parts = text.split('`').enumerate();
    parts.map(|(at, part)| (at % 2 == 1, part.to_owned())).collect()
}

/// The beginning of a long id, enough to tell it from its neighbours.
pub(crate) fn shortened(id: &str) -> String {
    const SHOWN: usize = 13;
    match id.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &id[..end]),
        None => id.to_owned(),
    }
}

/// As a part of a URL.
pub(crate) fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
        encoded
    })
}

/// A path with what is asked of it; what is empty is left out.
pub(crate) fn link(path: &str, asked: &[(&str, &str)]) -> String {
    let mut link = path.to_owned();
    let mut separator = '?';
    for (name, value) in asked.iter().filter(|(_, value)| !value.is_empty()) {
        let _ = write!(link, "{separator}{name}={}", encode(value));
        separator = '&';
    }
    link
}

pub(crate) fn item(sku: &Sku) -> String {
    link("/console/stock/item", &[("sku", sku.as_str())])
}

pub(crate) fn row(key: &StockKey) -> String {
    let asked = [("sku", key.sku.as_str()), ("location", key.location.as_str())];
    link("/console/stock/item", &asked)
}

pub(crate) fn order(key: &OrderKey) -> String {
    let asked = [("shop", key.shop.as_str()), ("id", key.order.as_str())];
    link("/console/order", &asked)
}

/// With its order or its envelope it is found at once among millions. What is known of it may name
/// another order's shop, or an envelope that brought it again: then the other finds it.
pub(crate) fn webhook(shop: &str, id: &str, order: Option<&OrderId>, envelope: &str) -> String {
    let order = order.map_or("", |order| order.as_str());
    let asked = [("shop", shop), ("id", id), ("order", order), ("envelope", envelope)];
    link("/console/webhook", &asked)
}

pub(crate) fn letter(id: &str) -> String {
    link("/console/dead/letter", &[("id", id)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_signed() {
        let signed = [5, 0, -5_000].map(signed);
        assert_eq!(signed, ["+5", "", "−5,000"]);
    }

    #[test]
    fn measured_numbers_are_as_exact_as_they_are_read() {
        let said = [0.0, 0.25, 3.456_7, 10.0, 12.34, 12_345.6].map(decimal);
        assert_eq!(said, ["0", "0.25", "3.46", "10", "12.3", "12,346"]);
        let said = [0.002_5, 0.25, 90.0, 600.0, 9_000.0].map(duration);
        assert_eq!(
            said.map(|it| it.replace('\u{a0}', " ")),
            ["2.5 ms", "250 ms", "90 s", "10 min", "2.5 hours"]
        );
    }

    #[test]
    fn what_is_typed_is_told_from_what_is_said() {
        let parts = prose("run `a b`, then `c`");
        let typed: Vec<_> = parts.iter().filter(|(typed, _)| *typed).map(|(_, it)| it).collect();
        assert_eq!(typed, ["a b", "c"]);
    }

    #[test]
    fn a_long_id_is_shortened_between_its_letters() {
        assert_eq!(shortened("w-1"), "w-1");
        assert_eq!(shortened("ääääääääääääää"), "äääääääääääää…");
    }

    #[test]
    fn a_link_survives_any_text() {
        let link = link("/p", &[("a", "x&y=z"), ("b", ""), ("c", "#1/ä\"<")]);
        assert_eq!(link, "/p?a=x%26y%3Dz&c=%231%2F%C3%A4%22%3C");
    }
}

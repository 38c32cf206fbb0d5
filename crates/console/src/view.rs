//! How pages write numbers, moments and links.

use std::fmt::Write as _;

use domain::{OrderKey, ShopId, Sku, StockKey, Timestamp};

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

pub(crate) fn ago(now: Timestamp, at: Timestamp) -> String {
    let seconds = (now.0 - at.0) / 1_000_000;
    match seconds {
        ..0 => "in the future".to_owned(),
        0..60 => "less than a minute ago".to_owned(),
        60..7_200 => format!("{} min ago", seconds / 60),
        7_200..172_800 => format!("{} hours ago", seconds / 3_600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

/// 1234567 as 1,234,567.
pub(crate) fn grouped(number: impl Into<i128>) -> String {
    let number = number.into();
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "−" } else { "" });
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
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

pub(crate) fn webhook(shop: &ShopId, id: &str) -> String {
    link("/console/webhook", &[("shop", shop.as_str()), ("id", id)])
}

pub(crate) fn letter(id: &str) -> String {
    link("/console/dead/letter", &[("id", id)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_signed() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(-1_234_567), "−1,234,567");
        assert_eq!(
            (signed(5), signed(0), signed(-5_000)),
            ("+5".into(), String::new(), "−5,000".into())
        );
    }

    #[test]
    fn ages_are_said_in_the_unit_that_fits() {
        let ago = |seconds: i64| ago(Timestamp(seconds * 1_000_000), Timestamp(0));
        assert_eq!(ago(59), "less than a minute ago");
        assert_eq!(ago(120), "2 min ago");
        assert_eq!(ago(7_200), "2 hours ago");
        assert_eq!(ago(86_400 * 3), "3 days ago");
        assert_eq!(ago(-1), "in the future");
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

//! How people read moments, numbers and money.

use domain::Timestamp;
use domain::payment::Money;

/// A moment as RFC 3339 in UTC, to the millisecond.
pub fn moment(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.0)
        .map_or_else(|_| at.0.to_string(), |at| format!("{at:.3}"))
}

/// An optional text, as people expect to see nothing.
pub fn or_dash(text: Option<impl ToString>) -> String {
    text.map_or_else(|| "–".to_owned(), |text| text.to_string())
}

/// Money as people write it. Providers do not agree on the digits of some currencies; those are
/// shown as they came.
pub fn money(money: &Money) -> String {
    let Money { minor, currency } = money;
    let digits = match currency.as_str() {
        "BIF" | "DJF" | "GNF" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "VND" | "VUV" | "XAF"
        | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        "CLF" | "CLP" | "CVE" | "IDR" | "ISK" | "UGX" | "UYI" | "UYW" => {
            return format!("{minor} {currency} in its smallest unit");
        }
        _ => 2,
    };
    let (sign, units) = (if *minor < 0 { "-" } else { "" }, minor.unsigned_abs());
    let unit = 10_u64.pow(digits);
    match digits {
        0 => format!("{sign}{units} {currency}"),
        _ => {
            let width = usize::try_from(digits).unwrap_or_default();
            format!("{sign}{}.{:0width$} {currency}", units / unit, units % unit)
        }
    }
}

/// How long ago `at` was.
pub fn ago(now: Timestamp, at: Timestamp) -> String {
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
pub fn grouped(number: impl Into<i128>) -> String {
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

/// A count that goes no further than `max`.
pub fn or_more(count: i64, max: i64) -> String {
    let more = if count >= max { " or more" } else { "" };
    format!("{}{more}", grouped(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_the_digits_of_its_currency() {
        let of = |minor, currency: &str| money(&Money { minor, currency: currency.to_owned() });
        assert_eq!(of(4_999, "EUR"), "49.99 EUR");
        assert_eq!(of(-5, "EUR"), "-0.05 EUR");
        assert_eq!(of(4_999, "JPY"), "4999 JPY");
        assert_eq!(of(4_999, "KWD"), "4.999 KWD");
        assert_eq!(of(4_999, "ISK"), "4999 ISK in its smallest unit");
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([or_more(9, 10), or_more(10, 10)], ["9", "10 or more"]);
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(-1_234_567), "−1,234,567");
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
}

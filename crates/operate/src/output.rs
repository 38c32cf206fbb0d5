//! How people read moments and numbers.

use domain::Timestamp;

/// A moment as RFC 3339 in UTC, to the millisecond.
pub fn moment(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.0)
        .map_or_else(|_| at.0.to_string(), |at| format!("{at:.3}"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
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

//! Lengths of time as people write them.

use std::time::Duration;

use jiff::{Span, SpanRelativeTo};

/// Reads `7d`, `12h` or `1d 6h`. A day has 24 hours; months and years have no one length.
pub fn parse(text: &str) -> Option<Duration> {
    let span: Span = text.trim().parse().ok()?;
    let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    Duration::try_from(length).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_days_hours_and_minutes() {
        for (text, seconds) in [
            ("7d", 604_800),
            ("12h", 43_200),
            ("1d 6h", 108_000),
            (" 90 days ", 7_776_000),
            ("0s", 0),
        ] {
            assert_eq!(parse(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "7", "d", "-1d", "1 month", "1y", "soon"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}

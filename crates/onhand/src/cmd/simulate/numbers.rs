//! Numbers as a busy person reads them.

use hdrhistogram::Histogram;
use serde::Serialize;

/// Latencies in milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Milliseconds {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p99_9: f64,
    pub(crate) max: f64,
}

impl Milliseconds {
    /// From microseconds.
    pub(crate) fn of(latency: &Histogram<u64>) -> Self {
        let at = |quantile| milliseconds(latency.value_at_quantile(quantile));
        Self { p50: at(0.5), p99: at(0.99), p99_9: at(0.999), max: milliseconds(latency.max()) }
    }
}

fn milliseconds(micros: u64) -> f64 {
    u32::try_from(micros).map_or(f64::MAX, f64::from) / 1000.0
}

/// So many per second.
pub(crate) fn per_second(count: usize, seconds: f64) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from) / seconds.max(0.001)
}

/// With a comma between thousands.
pub(crate) fn grouped(number: impl ToString) -> String {
    let text = number.to_string();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.as_str()),
    };
    let mut grouped = String::from(sign);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A rate, to the unit.
pub(crate) fn rate(per_second: f64) -> String {
    grouped(format!("{per_second:.0}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1000), "1,000");
        assert_eq!(grouped(-1_234_567), "-1,234,567");
    }

    #[test]
    fn latencies_come_in_milliseconds() {
        let mut latency = Histogram::<u64>::new(3).unwrap();
        latency.record_n(1000, 99).unwrap();
        latency.record(50_000).unwrap();
        let found = Milliseconds::of(&latency);
        assert!((found.p50 - 1.0).abs() < 0.01, "{found:?}");
        assert!((found.max - 50.0).abs() < 0.1, "{found:?}");
    }
}

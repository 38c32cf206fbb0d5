//! W3C trace context: what a `traceparent` says. Pure.

use std::fmt;

/// A place in a trace, for whatever comes under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    pub(crate) trace: u128,
    pub(crate) span: u64,
    pub(crate) sampled: bool,
}

impl Context {
    /// Reads a `traceparent`. What breaks the rules of <https://www.w3.org/TR/trace-context/> counts
    /// as missing; later versions may say more than this one reads.
    pub fn parse(traceparent: &str) -> Option<Self> {
        let mut parts = traceparent.splitn(5, '-');
        let version = hex(parts.next()?, 2)?;
        let trace = hex(parts.next()?, 32).filter(|trace| *trace != 0)?;
        let span = hex(parts.next()?, 16).filter(|span| *span != 0)?;
        let flags = hex(parts.next()?, 2)?;
        let more = parts.next().is_some();
        if version == 0xff || (version == 0 && more) {
            return None;
        }
        Some(Self { trace, span: u64::try_from(span).ok()?, sampled: flags & 1 == 1 })
    }
}

/// As a `traceparent`.
impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trace, span, sampled } = self;
        write!(f, "00-{trace:032x}-{span:016x}-{:02x}", u8::from(*sampled))
    }
}

/// The id of the trace, for a log line.
pub fn id(traceparent: Option<&str>) -> Option<String> {
    Context::parse(traceparent?).map(|context| format!("{:032x}", context.trace))
}

/// So many lower-case hexadecimal digits.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let plain = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (text.len() == digits && plain).then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const SPAN: &str = "b7ad6b7169203331";

    #[test]
    fn what_is_read_is_written_the_same() {
        for flags in ["00", "01"] {
            let traceparent = format!("00-{TRACE}-{SPAN}-{flags}");
            let context = Context::parse(&traceparent).expect("in order");
            assert_eq!(context.to_string(), traceparent);
            assert_eq!(context.sampled, flags == "01");
        }
        let traceparent = format!("00-{TRACE}-{SPAN}-00");
        assert_eq!(id(Some(&traceparent)).as_deref(), Some(TRACE));
        assert_eq!(id(None), None);
    }

    #[test]
    fn only_the_flag_that_is_known_is_read_and_a_later_version_is() {
        let flagged = |flags: &str| Context::parse(&format!("00-{TRACE}-{SPAN}-{flags}"));
        assert!(flagged("03").is_some_and(|context| context.sampled));
        assert!(flagged("fe").is_some_and(|context| !context.sampled));
        assert!(Context::parse(&format!("01-{TRACE}-{SPAN}-01-what-else")).is_some());
    }

    #[test]
    fn what_breaks_the_rules_is_no_context() {
        let zeros = "0".repeat(32);
        for bad in [
            String::new(),
            "00".to_owned(),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("00-{TRACE}-{SPAN}"),
            format!("00-{zeros}-{SPAN}-01"),
            format!("00-{TRACE}-{}-01", &zeros[..16]),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{}-{SPAN}-01", &TRACE[1..]),
            format!("0-{TRACE}-{SPAN}-01"),
            format!("00-{TRACE}-+{}-01", &SPAN[1..]),
            format!("00-{TRACE}-{SPAN}-1"),
            "é".repeat(27),
        ] {
            assert_eq!(Context::parse(&bad), None, "{bad}");
        }
    }
}

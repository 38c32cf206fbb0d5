//! Moments as platforms write them.

use domain::Timestamp;

/// Longer texts are not moments: nanoseconds and an offset take 35 bytes.
const MOMENT_BYTES_MAX: usize = 64;

/// Reads RFC 3339, with any offset, down to microseconds.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    // A sign would begin a year that databases cannot store.
    let starts_like_one = text.as_bytes().first().is_some_and(u8::is_ascii_digit);
    if !starts_like_one || text.len() > MOMENT_BYTES_MAX {
        return None;
    }
    let moment: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp(moment.as_microsecond()))
}

//! Headers of a request, as far as they can be believed.

use http::HeaderMap;

/// A header, by all of its names. A value that is longer than the limit, empty, or not plain visible
/// ASCII counts as missing.
pub(crate) struct Header {
    pub(crate) names: &'static [&'static str],
    pub(crate) bytes_max: usize,
}

pub(crate) const TRACEPARENT: Header = Header { names: &["traceparent"], bytes_max: 128 };

impl Header {
    pub(crate) fn of<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        self.names.iter().find_map(|name| {
            let value = headers.get(*name)?;
            let usable = (1..=self.bytes_max).contains(&value.len())
                && value.as_bytes().iter().all(u8::is_ascii_graphic);
            value.to_str().ok().filter(|_| usable)
        })
    }
}

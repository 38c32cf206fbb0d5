//! Shopify's ids, in the three ways that it writes them.

use std::fmt;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use crate::value::number;

/// An id: a number beyond what a double holds, the same as text, or a GID. Printed as a number, so
/// that all three name the same thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id(u64);

impl Id {
    /// Reads `123` or `gid://shopify/Order/123`, also with a query behind it.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let digits = match text.strip_prefix("gid://shopify/") {
            Some(rest) => rest.split_once('/')?.1.split('?').next()?,
            None => text,
        };
        number(digits).map(Self)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct IdVisitor;

        impl Visitor<'_> for IdVisitor {
            type Value = Id;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Id, E> {
                Ok(Id(number))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Id, E> {
                Id::from_text(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_any(IdVisitor)
    }
}

//! Values in payment providers' bodies. Each checks itself while it is read.

use std::borrow::Cow;
use std::fmt;

use domain::payment::Money;
use domain::{OrderId, Timestamp};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use crate::value::Text;

/// What a double holds exactly, in the currency's smallest unit: no payment is that large, and
/// sums of a few stay far from overflowing.
pub(super) const AMOUNT_MAX: i64 = (1 << 53) - 1;

/// The last second of year 9999: databases and RFC 3339 end there.
const SECONDS_MAX: i64 = 253_402_300_799;

/// Longer ids and references are not believed.
const TEXT_BYTES_MAX: usize = 255;

/// An id: short, without control characters, not empty.
#[derive(Debug)]
pub(super) struct Id(String);

impl Id {
    const EXPECTED: &str = "an id of at most 255 bytes without control characters";

    pub(super) fn of(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty() && is_storable(text)).then(|| Self(text.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Self::of(&text)
            .ok_or_else(|| D::Error::invalid_value(Unexpected::Str(&text), &Self::EXPECTED))
    }
}

/// The order that a merchant says is paid for: a platform's own id for it, as a number, as text or
/// as Shopify's GID. Empty is none.
#[derive(Debug, Default)]
pub(super) struct Reference(pub(super) Option<OrderId>);

impl Reference {
    const EXPECTED: &str = "a reference of at most 255 bytes without control characters";

    /// Or what is wrong with it.
    pub(super) fn of(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let id = text.strip_prefix("gid://shopify/Order/").unwrap_or(text).trim();
        if !is_storable(id) {
            return Err(Self::EXPECTED);
        }
        Ok(Self((!id.is_empty()).then(|| OrderId::new(id))))
    }
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Scalar(text) = Scalar::deserialize(deserializer)?;
        Self::of(&text)
            .map_err(|expected| D::Error::invalid_value(Unexpected::Str(&text), &expected))
    }
}

/// Whether every database can keep it and every list show it.
fn is_storable(text: &str) -> bool {
    text.len() <= TEXT_BYTES_MAX && !text.contains(char::is_control)
}

/// Text of any length, also where it is written as a whole number or as true and false.
#[derive(Debug)]
pub(super) struct Scalar(pub(super) String);

impl Scalar {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ScalarVisitor;

        impl Visitor<'_> for ScalarVisitor {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text, a whole number, true or false")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar(text.to_owned()))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }

            fn visit_bool<E: Error>(self, yes: bool) -> Result<Scalar, E> {
                Ok(Scalar(yes.to_string()))
            }
        }

        deserializer.deserialize_any(ScalarVisitor)
    }
}

/// An amount in the currency's smallest unit, `0..=AMOUNT_MAX`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Amount(pub(super) i64);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        if (0..=AMOUNT_MAX).contains(&number) {
            return Ok(Self(number));
        }
        Err(D::Error::invalid_value(Unexpected::Signed(number), &"an amount that can be paid"))
    }
}

/// Three letters; kept in upper case.
#[derive(Clone, Debug)]
pub(super) struct Currency(pub(super) String);

impl Currency {
    pub(super) fn of(text: &str) -> Option<Self> {
        let good = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
        good.then(|| Self(text.to_ascii_uppercase()))
    }

    pub(super) fn money(self, minor: i64) -> Money {
        Money { minor, currency: self.0 }
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?;
        Self::of(text.as_str()).ok_or_else(|| {
            D::Error::invalid_value(Unexpected::Str(text.as_str()), &"three letters of a currency")
        })
    }
}

/// A moment in seconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seconds(pub(super) Timestamp);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = i64::deserialize(deserializer)?;
        if (0..=SECONDS_MAX).contains(&seconds) {
            return Ok(Self(Timestamp::from_seconds(seconds)));
        }
        Err(D::Error::invalid_value(Unexpected::Signed(seconds), &"seconds since 1970"))
    }
}

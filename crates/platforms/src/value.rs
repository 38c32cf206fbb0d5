//! Values in a body, as strict as stock needs and as lax as platforms' histories demand.
//!
//! Each checks itself while it is read, so that an error carries the path to the field.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use domain::Timestamp;
use domain::stock::QUANTITY_MAX;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use crate::moment;

/// Longer SKUs, names and statuses are not believed; platforms' own limits are 255 characters.
const TEXT_BYTES_MAX: usize = 255;

/// Digits only: `u64::from_str` would also take a plus sign.
pub(crate) fn number(digits: &str) -> Option<u64> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// A number of units, `0..=QUANTITY_MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quantity(i64);

impl Quantity {
    pub(crate) fn units(self) -> i64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct QuantityVisitor;

        impl Visitor<'_> for QuantityVisitor {
            type Value = Quantity;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a whole number from 0 to {QUANTITY_MAX}")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Quantity, E> {
                match i64::try_from(number) {
                    Ok(units) if units <= QUANTITY_MAX => Ok(Quantity(units)),
                    _ => Err(E::invalid_value(Unexpected::Unsigned(number), &self)),
                }
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Quantity, E> {
                match number(text) {
                    Some(number) => self.visit_u64(number),
                    None => Err(E::invalid_value(Unexpected::Str(text), &self)),
                }
            }
        }

        deserializer.deserialize_any(QuantityVisitor)
    }
}

/// A moment with an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub(crate) Timestamp);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MomentVisitor;

        impl Visitor<'_> for MomentVisitor {
            type Value = Moment;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a moment with date, time and offset")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Moment, E> {
                moment::parse(text)
                    .map(Moment)
                    .ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_str(MomentVisitor)
    }
}

/// A short text without control characters: every database can keep it, every list show it.
/// Borrowed from the body where it has no escapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text<'a>(Cow<'a, str>);

impl Text<'_> {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl TextVisitor {
            fn check<E: Error>(&self, text: &str) -> Result<(), E> {
                if text.len() > TEXT_BYTES_MAX {
                    return Err(E::invalid_length(text.len(), self));
                }
                if text.contains(char::is_control) {
                    return Err(E::invalid_value(Unexpected::Str(text), self));
                }
                Ok(())
            }
        }

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "text of at most {TEXT_BYTES_MAX} bytes and without control characters")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                self.check(text)?;
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                self.check(text)?;
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(TextVisitor)
    }
}

/// A JSON object. Derived structs alone would also take an array, field by field.
#[derive(Clone, Debug)]
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Object<T>, M::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

/// A field where null is an answer: `None` is missing, `Some(None)` is null. Needs [`stated`].
pub(crate) type Stated<T> = Option<Option<T>>;

pub(crate) fn stated<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Stated<T>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Reads a body, or says what is wrong and where.
pub(crate) fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, String> {
    // Looked through once as a whole, it costs less than each text by itself. What is not read of a
    // body may be any bytes.
    let read = match str::from_utf8(body) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(body),
    };
    read.map(|Object(read)| read).map_err(|error| {
        // Tracking the path while reading is slow, so it is done only once reading has failed.
        let mut json = serde_json::Deserializer::from_slice(body);
        match serde_path_to_error::deserialize::<_, Object<T>>(&mut json) {
            Err(located) if located.path().iter().next().is_some() => located.to_string(),
            // At the top of the body, or behind its end.
            Err(_) | Ok(_) => error.to_string(),
        }
    })
}

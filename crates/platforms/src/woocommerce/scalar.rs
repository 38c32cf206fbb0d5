//! Single values as WooCommerce writes them. PHP has few types and plugins have fewer: a number may
//! be text, a whole number may have a decimal point, and dates have no zone.

use std::borrow::Cow;
use std::fmt;

use domain::Timestamp;
use domain::stock::QUANTITY_MAX;
use serde::de::value::{BorrowedStrDeserializer, StringDeserializer};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use crate::moment;
use crate::value::{Text, number};

/// Reads a moment in GMT, with or without its zone; with another offset, too.
pub(super) fn gmt(text: &str) -> Option<Timestamp> {
    moment::parse(text).or_else(|| moment::parse(&format!("{text}Z")))
}

/// A number that names a thing; as text where a hook's argument was text. 0 is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id(u64);

impl Id {
    pub(super) fn is_nothing(self) -> bool {
        self.0 == 0
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
                number(text).map(Id).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_any(IdVisitor)
    }
}

/// A moment in GMT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gmt(pub(super) Timestamp);

impl<'de> Deserialize<'de> for Gmt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct GmtVisitor;

        impl Visitor<'_> for GmtVisitor {
            type Value = Gmt;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a moment with date and time")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Gmt, E> {
                gmt(text).map(Gmt).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_str(GmtVisitor)
    }
}

/// A name that may be a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Label<'a> {
    Text(Text<'a>),
    Number(u64),
}

impl Label<'_> {
    /// Nothing where it is empty.
    pub(super) fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(text) => Some(text.as_str()).filter(|it| !it.is_empty()).map(Cow::Borrowed),
            Self::Number(number) => Some(number.to_string().into()),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Label<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LabelVisitor;

        impl<'de> Visitor<'de> for LabelVisitor {
            type Value = Label<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a whole number")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Label<'de>, E> {
                Ok(Label::Number(number))
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Label<'de>, E> {
                Text::deserialize(BorrowedStrDeserializer::new(text)).map(Label::Text)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Label<'de>, E> {
                Text::deserialize(StringDeserializer::new(text.to_owned())).map(Label::Text)
            }
        }

        deserializer.deserialize_any(LabelVisitor)
    }
}

/// Units, `0..=QUANTITY_MAX`, or a number of them that is not whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Amount {
    Whole(i64),
    Fraction(f64),
}

impl Amount {
    fn of(number: f64) -> Option<Self> {
        // Exact: a double holds every whole number up to 2^53.
        let most = QUANTITY_MAX as f64;
        if !(0.0..=most).contains(&number) {
            return None;
        }
        if number.fract() > 0.0 {
            return Some(Self::Fraction(number));
        }
        #[expect(clippy::cast_possible_truncation, reason = "whole and not above QUANTITY_MAX")]
        Some(Self::Whole(number as i64))
    }

    /// `2`, `2.0` or `0.5`. No sign, no exponent, no `inf`.
    fn of_text(text: &str) -> Option<Self> {
        let usable = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        usable.then(|| text.parse().ok()).flatten().and_then(Self::of)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AmountVisitor;

        impl Visitor<'_> for AmountVisitor {
            type Value = Amount;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a number from 0 to {QUANTITY_MAX}")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Amount, E> {
                match i64::try_from(number) {
                    Ok(units) if units <= QUANTITY_MAX => Ok(Amount::Whole(units)),
                    _ => Err(E::invalid_value(Unexpected::Unsigned(number), &self)),
                }
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Amount, E> {
                match u64::try_from(number) {
                    Ok(number) => self.visit_u64(number),
                    Err(_) => Err(E::invalid_value(Unexpected::Signed(number), &self)),
                }
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Amount, E> {
                let wrong = || E::invalid_value(Unexpected::Float(number), &self);
                Amount::of(number).ok_or_else(wrong)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Amount, E> {
                let wrong = || E::invalid_value(Unexpected::Str(text), &self);
                Amount::of_text(text).ok_or_else(wrong)
            }
        }

        deserializer.deserialize_any(AmountVisitor)
    }
}

//! How many units Shopify says there are.

use std::fmt;

use domain::stock::QUANTITY_MAX;
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

/// A variant's number is a sum over up to a thousand locations.
const COUNT_MAX: i64 = 1_000 * QUANTITY_MAX;

/// A number of units that only Shopify keeps: below zero where it sells more than there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Count(pub(super) i64);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CountVisitor;

        impl Visitor<'_> for CountVisitor {
            type Value = Count;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a whole number from -{COUNT_MAX} to {COUNT_MAX}")
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Count, E> {
                if (-COUNT_MAX..=COUNT_MAX).contains(&number) {
                    Ok(Count(number))
                } else {
                    Err(E::invalid_value(Unexpected::Signed(number), &self))
                }
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Count, E> {
                match i64::try_from(number) {
                    Ok(number) => self.visit_i64(number),
                    Err(_) => Err(E::invalid_value(Unexpected::Unsigned(number), &self)),
                }
            }
        }

        deserializer.deserialize_any(CountVisitor)
    }
}

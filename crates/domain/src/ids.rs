//! Names of things. Every id is its own type, so that passing one for another does not compile.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::time::Timestamp;

/// Defines a cheaply cloned text id.
macro_rules! text_id {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(Arc::from(text.as_ref()))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }
    )+};
}

text_id! {
    /// A shop, by the `name` it has in the shops file.
    ShopId;
    /// An item: what is stocked, by its stock keeping unit.
    Sku;
    /// A place where stock lies, by our own name for it.
    LocationId;
    /// A place as a platform numbers it; [`crate::Policy`] maps it to a [`LocationId`].
    PlatformLocation;
    /// An order, by the platform's own id for it.
    OrderId;
    /// A line of an order, by the platform's id.
    LineId;
    /// A line of a refund, by the platform's id.
    RefundLineId;
    /// A fulfilment, by the platform's id.
    FulfilmentId;
    /// A webhook, by the id its sender gave it (or its body hash where it gave none).
    WebhookId;
    /// A payment, by its provider's id for it.
    PaymentId;
    /// Something that happened to a payment, by the provider's id for it.
    PaymentEventId;
    /// What a shop sells, by the platform's id: a variant, or a product that has none.
    Variant;
}

/// One HTTP delivery that we accepted. Version 7: sorts by time of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EnvelopeId(pub Uuid);

impl EnvelopeId {
    /// Less than the id of whatever came at this moment or later.
    pub fn before_all_of(moment: Timestamp) -> Self {
        let milliseconds = u128::from(moment.0.max(0).unsigned_abs() / 1_000);
        // Version 7 begins with 48 bits of milliseconds; its other bits are never all zero.
        Self(Uuid::from_u128((milliseconds & 0xffff_ffff_ffff) << 80))
    }
}

impl fmt::Display for EnvelopeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How often a row was written; 0 means that it does not exist yet.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Version(pub i64);

impl Version {
    /// The version of a row that does not exist.
    pub const ABSENT: Version = Version(0);

    #[must_use]
    pub fn next(self) -> Version {
        Version(self.0 + 1)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The first 128 bits of a body's SHA-256: tells two bodies under one webhook id apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BodyHash(pub [u8; 16]);

impl BodyHash {
    pub fn of(body: &[u8]) -> Self {
        use sha2::{Digest, Sha256};
        let full: [u8; 32] = Sha256::digest(body).into();
        let mut short = [0; 16];
        short.copy_from_slice(&full[..16]);
        Self(short)
    }

    /// The reverse of its `Display`.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        if text.len() != 32 || !text.is_ascii() {
            return None;
        }
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for BodyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for BodyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One stock row: an item at a location. Its order is the order in which rows are locked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StockKey {
    pub sku: Sku,
    pub location: LocationId,
}

impl StockKey {
    pub fn new(sku: &Sku, location: &LocationId) -> Self {
        Self { sku: sku.clone(), location: location.clone() }
    }
}

impl fmt::Display for StockKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.sku, self.location)
    }
}

/// One order of one shop.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OrderKey {
    pub shop: ShopId,
    pub order: OrderId,
}

/// One payment, at the payments shop that tells of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PaymentKey {
    pub shop: ShopId,
    pub payment: PaymentId,
}

impl fmt::Display for PaymentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.shop, self.payment)
    }
}

/// One thing that a shop sells.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ListingKey {
    pub shop: ShopId,
    pub variant: Variant,
}

impl fmt::Display for ListingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.shop, self.variant)
    }
}

impl fmt::Display for OrderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.shop, self.order)
    }
}

//! What platforms send, understood: bytes and headers in, verified envelopes and facts out. Pure.
//!
//! Every platform has the same two verbs: `receive` (at the edge: authenticates a request and makes
//! it an envelope) and `parse` (in the worker: what the body means). Between the two the raw bytes
//! travel, so a bug in `parse` loses nothing.

use domain::{Envelope, Meaning, Platform};

pub mod mask;
pub mod payments;
pub mod shopify;
pub mod shops;
pub mod signature;
pub mod span;
pub mod woocommerce;

mod digest;
mod header;
mod moment;
mod unfit;
mod value;

pub use shops::{Capture, Shop, Shops, ShopsError, TestPayments, WhenRestocked};

/// What the body of an envelope means.
pub fn parse(envelope: &Envelope) -> Meaning {
    match envelope.platform {
        Platform::Shopify => shopify::parse(envelope),
        Platform::WooCommerce => woocommerce::parse(envelope),
        Platform::Payments => payments::parse(envelope),
    }
}

/// Why a request is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The signature is missing, unreadable or wrong, or nobody known could have signed.
    #[error("{0}")]
    Unauthorized(&'static str),
    /// The signature may be right, but its moment is too far from now.
    #[error("the signature is too old or from the future")]
    Stale,
    /// A header that the platform always sends is missing.
    #[error("the {0} header is missing")]
    MissingHeader(&'static str),
}

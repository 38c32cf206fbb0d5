//! What a provider has to say, up to a signature that holds the moment at which it is made.
//!
//! A provider that repeats a callback sends the same body again, and signs it anew: a receiver
//! takes no signature that is some minutes old. So the body is made once, and the request whenever
//! it is sent.

use bytes::Bytes;
use domain::Timestamp;

use super::{json_header, standard, stripe};
use crate::request::Request;

/// One callback, which may be sent more than once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    /// As an inbox names it.
    pub id: String,
    pub(super) path: String,
    pub body: Bytes,
    pub(super) proof: Proof,
}

/// What a callback is believed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// It is not signed, and it is a form.
    None,
    /// The signature is part of the body.
    InBody,
    /// A header that holds for ever.
    Header(&'static str, String),
    /// Made with this secret when it is sent.
    Stripe(String),
    /// The same, over an id that stands beside the body.
    Standard { id: String, secret: String },
}

impl Callback {
    /// Whether it only names the payment, of which its receiver has to ask the rest.
    pub fn is_bare(&self) -> bool {
        self.proof == Proof::None
    }

    /// The request that brings it, if it is sent now.
    pub fn signed_at(&self, now: Timestamp) -> Request {
        let mut headers = vec![json_header()];
        match &self.proof {
            Proof::None => headers = vec![form_header()],
            Proof::InBody => {}
            Proof::Header(name, value) => headers.push((name, value.clone())),
            Proof::Stripe(secret) => headers.push(stripe::signature(secret, &self.body, now)),
            Proof::Standard { id, secret } => {
                headers.extend(standard::signature(secret, id, &self.body, now));
            }
        }
        Request { path: self.path.clone(), headers, body: self.body.clone() }
    }
}

fn form_header() -> (&'static str, String) {
    ("Content-Type", "application/x-www-form-urlencoded".to_owned())
}

//! HMAC-SHA256 over the raw body, as platforms sign it.
//!
//! Bytes are compared in constant time, and every secret is tried even after one has matched, so
//! the time of an answer does not tell which secret is in use.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// An HMAC-SHA256 as it was claimed, decoded but not believed.
#[derive(Clone, Copy, Debug)]
pub struct Claim([u8; 32]);

impl Claim {
    /// Reads standard base64 with its padding: the one way to write 32 bytes that senders use.
    /// Other alphabets, white space, stray bits and other lengths are refused.
    pub fn from_base64(text: &str) -> Option<Self> {
        // Decoding estimates in steps of 3 bytes: 44 characters are 33 bytes at most.
        let mut bytes = [0; 33];
        let length = STANDARD.decode_slice(text, &mut bytes).ok()?;
        bytes[..length].try_into().ok().map(Self)
    }

    /// Whether any of `secrets` made this signature for `body`.
    pub fn is_by_any<'a>(
        &self,
        secrets: impl IntoIterator<Item = &'a SecretString>,
        body: &[u8],
    ) -> bool {
        secrets.into_iter().fold(false, |found, secret| {
            found | keyed(secret.expose_secret()).chain_update(body).verify_slice(&self.0).is_ok()
        })
    }
}

/// Signs `body` as a platform does: for simulators and tests.
pub fn sign(secret: &str, body: &[u8]) -> String {
    STANDARD.encode(keyed(secret).chain_update(body).finalize().into_bytes())
}

fn keyed(secret: &str) -> Hmac<Sha256> {
    Hmac::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length")
}

//! HMAC-SHA256 over raw bytes, as platforms sign them.
//!
//! Bytes are compared in constant time, and every secret is tried even after one has matched, so
//! the time of an answer does not tell which secret is in use.

use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use base64::engine::{DecodePaddingMode, Engine};
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

    /// Reads 64 hexadecimal digits, in either case.
    pub fn from_hex(text: &str) -> Option<Self> {
        if text.len() != 64 {
            return None;
        }
        hex(text)?.try_into().ok().map(Self)
    }

    /// Whether any of `secrets` made this signature for `body`.
    pub fn is_by_any<'a>(
        &self,
        secrets: impl IntoIterator<Item = &'a SecretString>,
        body: &[u8],
    ) -> bool {
        self.signer(secrets, body).is_some()
    }

    /// Which of `secrets` made this signature for `body`.
    pub fn signer<'a>(
        &self,
        secrets: impl IntoIterator<Item = &'a SecretString>,
        body: &[u8],
    ) -> Option<usize> {
        signer_of_any(&[*self], secrets, KeyForm::Text, &[body])
    }
}

/// How the text of a secret stands for the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyForm {
    /// Its bytes are the key.
    Text,
    /// It is hexadecimal; if it is not, nothing can have been signed with it.
    Hex,
    /// Standard Webhooks: base64, mostly behind `whsec_`. Some senders give out the key itself and
    /// nothing in the text tells the two apart, so it counts as both.
    Webhook,
}

impl KeyForm {
    fn keys(self, secret: &str) -> Vec<Vec<u8>> {
        let text = || secret.as_bytes().to_vec();
        let mut keys = match self {
            Self::Text => vec![text()],
            Self::Hex => hex(secret).into_iter().collect(),
            Self::Webhook => {
                let encoded = secret.strip_prefix("whsec_").unwrap_or(secret);
                LAX_BASE64.decode(encoded).ok().into_iter().chain([text()]).collect()
            }
        };
        // Anybody can sign with an empty key.
        keys.retain(|key| !key.is_empty());
        keys
    }
}

/// Secrets are copied by people, who lose the padding.
const LAX_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Which of `secrets` made any of `claims` for `parts`, one behind the other: its place. Each key goes
/// over the parts once, however many claims there are.
pub fn signer_of_any<'a>(
    claims: &[Claim],
    secrets: impl IntoIterator<Item = &'a SecretString>,
    form: KeyForm,
    parts: &[&[u8]],
) -> Option<usize> {
    let keys = secrets.into_iter().enumerate().flat_map(|(place, secret)| {
        form.keys(secret.expose_secret()).into_iter().map(move |key| (place, key))
    });
    keys.fold(None, |found, (place, key)| {
        let mac = parts.iter().fold(keyed(&key), |mac, part| mac.chain_update(part));
        let is_by_it = |claim: &Claim| mac.clone().verify_slice(&claim.0).is_ok();
        let signed = claims.iter().fold(false, |signed, claim| signed | is_by_it(claim));
        found.or(signed.then_some(place))
    })
}

/// Signs `body` as a platform does: for simulators and tests.
pub fn sign(secret: &str, body: &[u8]) -> String {
    STANDARD.encode(keyed(secret.as_bytes()).chain_update(body).finalize().into_bytes())
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

/// The bytes behind pairs of hexadecimal digits.
fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}

//! The forms that providers give their secrets.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use domain::Provider;

/// What is wrong with a secret, if the provider would never give it out: what is signed with it,
/// nobody can believe.
pub fn check_secret(provider: Provider, secret: &str) -> Result<(), &'static str> {
    match provider {
        Provider::Adyen if from_hex(secret).is_none_or(|key| key.is_empty()) => {
            Err("Adyen's secrets are hexadecimal, two digits for each byte")
        }
        Provider::Standard if !secret.starts_with("whsec_") || from_whsec(secret).is_none() => {
            Err("the secrets of Standard Webhooks are whsec_ and then base64")
        }
        _ => Ok(()),
    }
}

pub(super) fn from_hex(secret: &str) -> Option<Vec<u8>> {
    let pairs = secret.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [_, _] => u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok(),
            _ => None,
        })
        .collect()
}

pub(super) fn from_whsec(secret: &str) -> Option<Vec<u8>> {
    let encoded = secret.strip_prefix("whsec_").unwrap_or(secret);
    BASE64_STANDARD.decode(encoded).ok()
}

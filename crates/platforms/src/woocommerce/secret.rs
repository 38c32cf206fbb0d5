//! Which key a secret stands for.
//!
//! WooCommerce signs with `wp_specialchars_decode(secret, ENT_QUOTES)`: HTML entities in the secret
//! as it is stored are decoded first. Whoever copies it may get the one form from the settings page
//! and the other from the database or the REST API; so each secret is tried in both.

use std::borrow::Cow;

use secrecy::{ExposeSecret, SecretString};

use crate::signature::Claim;

/// Which of `secrets`, as it is or decoded, made the signature. All are tried. One that has
/// no entities is tried once: that depends on the shop's own secrets alone, so the time it saves
/// tells a sender nothing about the signature.
pub(super) fn signer(secrets: &[SecretString], claim: &Claim, body: &[u8]) -> Option<usize> {
    let (places, decoded): (Vec<usize>, Vec<SecretString>) = secrets
        .iter()
        .enumerate()
        .filter_map(|(place, secret)| match decode(secret.expose_secret()) {
            Cow::Owned(decoded) => Some((place, SecretString::from(decoded))),
            Cow::Borrowed(_) => None,
        })
        .unzip();
    let signer = claim.signer(secrets.iter().chain(&decoded), body)?;
    signer.checked_sub(secrets.len()).map_or(Some(signer), |decoded| places.get(decoded).copied())
}

/// `wp_specialchars_decode(text, ENT_QUOTES)`: once over the text, so `&amp;lt;` becomes `&lt;`.
fn decode(text: &str) -> Cow<'_, str> {
    let mut decoded = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, from) = rest.split_at(at);
        decoded.push_str(before);
        match entity(from) {
            Some((character, after)) => {
                decoded.push(character);
                rest = after;
            }
            None => {
                decoded.push('&');
                rest = &from[1..];
            }
        }
    }
    decoded.push_str(rest);
    if decoded == text { Cow::Borrowed(text) } else { Cow::Owned(decoded) }
}

/// The character that `text` begins with as an entity, and what comes after it.
///
/// WordPress knows five characters. Names are lower case, and `&apos;` is none of them; a number
/// may have leading zeroes, and its `x` may be upper case; `<` and `>` are not known by their
/// hexadecimal numbers.
fn entity(text: &str) -> Option<(char, &str)> {
    let (name, after) = text.strip_prefix('&')?.split_once(';')?;
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        _ => {
            let number = name.strip_prefix('#')?;
            match number.strip_prefix(['x', 'X']) {
                Some(hexadecimal) => match hexadecimal.trim_start_matches('0') {
                    "26" => '&',
                    "22" => '"',
                    "27" => '\'',
                    _ => return None,
                },
                None => match number.trim_start_matches('0') {
                    "38" => '&',
                    "60" => '<',
                    "62" => '>',
                    "34" => '"',
                    "39" => '\'',
                    _ => return None,
                },
            }
        }
    };
    Some((character, after))
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn a_secret_is_decoded_as_wordpress_does_it() {
        for (stored, key) in [
            ("", ""),
            ("plain", "plain"),
            ("a&b", "a&b"),
            ("&amp;&lt;&gt;&quot;", "&<>\""),
            ("&#038;&#060;&#062;&#034;&#039;", "&<>\"'"),
            ("&#38;&#60;&#62;&#34;&#39;", "&<>\"'"),
            ("&#0000039;&#x0027;&#X27;", "'''"),
            ("&#x26;&#x22;", "&\""),
            // Once over the text.
            ("&amp;lt;&amp;amp;", "&lt;&amp;"),
            ("&#38;#39;", "&#39;"),
            // What WordPress leaves alone.
            ("&apos;&AMP;&Lt;&nbsp;&#x3c;&#x3e;", "&apos;&AMP;&Lt;&nbsp;&#x3c;&#x3e;"),
            ("&amp &; &#; &#x; &#40; &#+39;", "&amp &; &#; &#x; &#40; &#+39;"),
            ("&&amp;;&", "&&;&"),
            ("ü&quot;ü", "ü\"ü"),
        ] {
            assert_eq!(decode(stored), key, "{stored}");
        }
    }
}

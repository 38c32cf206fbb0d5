//! Who may see the console, and who may change something through it.
//!
//! * On a loopback address and without tokens: whoever works on this machine, asked for by a name
//!   of this machine (or a page of the internet could have its own name point here).
//! * With tokens: whoever has one. The operator's may change things, the reader's may look.
//! * On any other address without tokens: nobody.
//!
//! A session is a cookie that this program signed; nothing is kept of it, so several consoles behind
//! one address accept each other's, a restart ends none, and another token ends all.

use std::net::SocketAddr;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

mod guard;
mod login;
mod session;

pub(crate) use guard::guard;
pub(crate) use login::routes;
pub(crate) use session::{Session, Who};

/// Bytes of the shortest token: nobody guesses so many.
pub(crate) const TOKEN_BYTES_MIN: usize = 16;

/// The rules of one console.
#[derive(Clone, Debug)]
pub struct Access {
    mode: Mode,
    operator: Option<SecretString>,
    reader: Option<SecretString>,
    /// Signs sessions.
    key: SecretKey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Local,
    Tokens,
    Closed,
}

#[derive(Clone)]
struct SecretKey([u8; 32]);

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

/// Tokens that protect nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadToken {
    #[error(
        "a console token has at least {TOKEN_BYTES_MIN} bytes; `openssl rand -hex 24` makes one"
    )]
    Short,
    #[error(
        "the operator's and the reader's console tokens are the same; the reader's may only look"
    )]
    Same,
}

impl Access {
    /// For a console that listens on `listen`.
    pub fn new(
        listen: SocketAddr,
        operator: Option<SecretString>,
        reader: Option<SecretString>,
    ) -> Result<Self, BadToken> {
        let text = |token: &Option<SecretString>| {
            token.as_ref().map(|token| token.expose_secret().to_owned())
        };
        let (operator_text, reader_text) = (text(&operator), text(&reader));
        let given = [&operator_text, &reader_text].into_iter().flatten();
        if given.into_iter().any(|token| token.len() < TOKEN_BYTES_MIN) {
            return Err(BadToken::Short);
        }
        if operator_text.is_some() && operator_text == reader_text {
            return Err(BadToken::Same);
        }
        let (mode, key) = match (&operator_text, &reader_text) {
            (None, None) => {
                let mode = if listen.ip().is_loopback() { Mode::Local } else { Mode::Closed };
                (mode, rand::random())
            }
            // The same tokens, the same key: in every process, after every restart.
            _ => {
                let mut digest = Sha256::new_with_prefix(b"onhand console session\0");
                for token in [&operator_text, &reader_text] {
                    digest.update(Sha256::digest(token.as_deref().unwrap_or_default()));
                }
                (Mode::Tokens, digest.finalize().into())
            }
        };
        Ok(Self { mode, operator, reader, key: SecretKey(key) })
    }

    /// Nobody may come in: there is no token, and the address is not this machine's own.
    pub fn is_closed(&self) -> bool {
        self.mode == Mode::Closed
    }

    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    /// Whose token it is. Takes as long for a wrong one as for a right one.
    pub(crate) fn who_has(&self, token: &str) -> Option<Who> {
        let is = |expected: &Option<SecretString>| {
            expected.as_ref().is_some_and(|expected| {
                let expected = self.sign(&["token", expected.expose_secret()]);
                self.signer(&["token", token]).verify_slice(&expected).is_ok()
            })
        };
        let (operator, reader) = (is(&self.operator), is(&self.reader));
        match (operator, reader) {
            (true, _) => Some(Who::Operator),
            (_, true) => Some(Who::Reader),
            _ => None,
        }
    }

    fn signer(&self, parts: &[&str]) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.key.0).expect("HMAC takes keys of any length");
        for part in parts {
            mac.update(part.as_bytes());
            mac.update(b"\0");
        }
        mac
    }

    fn sign(&self, parts: &[&str]) -> Vec<u8> {
        self.signer(parts).finalize().into_bytes().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(
        listen: &str,
        operator: Option<&str>,
        reader: Option<&str>,
    ) -> Result<Access, BadToken> {
        Access::new(
            listen.parse().expect("an address"),
            operator.map(Into::into),
            reader.map(Into::into),
        )
    }

    const OPERATOR: Option<&str> = Some("operator-0123456789");
    const READER: Option<&str> = Some("reader-0123456789");

    #[test]
    fn only_this_machine_needs_no_token() {
        let mode = |listen, token| access(listen, token, None).expect("good tokens").mode();
        assert_eq!(mode("127.0.0.1:1", None), Mode::Local);
        assert_eq!(mode("[::1]:1", None), Mode::Local);
        assert_eq!(mode("0.0.0.0:1", None), Mode::Closed);
        assert_eq!(mode("192.0.2.1:1", None), Mode::Closed);
        assert_eq!(mode("0.0.0.0:1", OPERATOR), Mode::Tokens);
        assert_eq!(mode("127.0.0.1:1", OPERATOR), Mode::Tokens);
    }

    #[test]
    fn a_token_that_protects_nothing_is_refused() {
        assert_eq!(access("127.0.0.1:1", Some("short"), None).err(), Some(BadToken::Short));
        assert_eq!(access("127.0.0.1:1", None, Some("")).err(), Some(BadToken::Short));
        assert_eq!(access("127.0.0.1:1", OPERATOR, OPERATOR).err(), Some(BadToken::Same));
    }

    #[test]
    fn a_token_tells_who_has_it() {
        let access = access("0.0.0.0:1", OPERATOR, READER).expect("good tokens");
        assert_eq!(access.who_has("operator-0123456789"), Some(Who::Operator));
        assert_eq!(access.who_has("reader-0123456789"), Some(Who::Reader));
        assert_eq!(access.who_has("operator-0123456788"), None);
        assert_eq!(access.who_has(""), None);
    }
}

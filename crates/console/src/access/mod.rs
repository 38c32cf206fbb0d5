//! Who may see the console, and who may change something through it.
//!
//! * On a loopback address and without tokens: whoever works on this machine, asked for by a name
//!   of this machine (or a page of the internet could have its own name point here).
//! * With tokens: whoever has one. An operator's may change things, a reader's may look; where a token
//!   has a name, that is who did it.
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
mod token;

pub(crate) use guard::guard;
pub(crate) use login::routes;
pub(crate) use session::{Role, Session, Who};
pub use token::BadToken;

use token::{Token, tokens};

/// The rules of one console.
#[derive(Clone, Debug)]
pub struct Access {
    mode: Mode,
    tokens: Vec<Token>,
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

impl Access {
    /// For a console that listens on `listen`. Tokens are secrets, or `name:secret`.
    pub fn new(
        listen: SocketAddr,
        operators: &[SecretString],
        readers: &[SecretString],
    ) -> Result<Self, BadToken> {
        let tokens = tokens(operators, readers)?;
        let (mode, key) = match (tokens.is_empty(), listen.ip().is_loopback()) {
            (true, true) => (Mode::Local, rand::random()),
            (true, false) => (Mode::Closed, rand::random()),
            (false, _) => (Mode::Tokens, session_key(&tokens)),
        };
        Ok(Self { mode, tokens, key: SecretKey(key) })
    }

    /// Nobody may come in: there is no token, and the address is not this machine's own.
    pub fn is_closed(&self) -> bool {
        self.mode == Mode::Closed
    }

    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    /// Whose token it is. Takes as long for a wrong one as for a right one.
    pub(crate) fn who_has(&self, secret: &str) -> Option<Who> {
        let is = |token: &Token| {
            let expected = self.sign(&["token", token.secret.expose_secret()]);
            self.signer(&["token", secret]).verify_slice(&expected).is_ok()
        };
        let found = self.tokens.iter().fold(None, |found, token| match is(token) {
            true => Some(token),
            false => found,
        });
        found.map(|token| token.who.clone())
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

/// The same tokens, the same key: in every process, after every restart. Whoever loses a token, or
/// their name, loses their session with it.
fn session_key(tokens: &[Token]) -> [u8; 32] {
    let mut digest = Sha256::new_with_prefix(b"onhand console session\0");
    for Token { who, secret } in tokens {
        for part in [who.role.as_str(), who.as_str(), secret.expose_secret()] {
            digest.update(Sha256::digest(part));
        }
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(listen: &str, operators: &[&str], readers: &[&str]) -> Result<Access, BadToken> {
        let secrets = |texts: &[&str]| -> Vec<SecretString> {
            texts.iter().map(|text| (*text).into()).collect()
        };
        let listen = listen.parse().expect("an address");
        Access::new(listen, &secrets(operators), &secrets(readers))
    }

    const OPERATOR: &str = "operator-0123456789";
    const READER: &str = "reader-0123456789";

    #[test]
    fn only_this_machine_needs_no_token() {
        let mode = |listen, tokens: &[&str]| access(listen, tokens, &[]).expect("good").mode();
        assert_eq!(mode("127.0.0.1:1", &[]), Mode::Local);
        assert_eq!(mode("[::1]:1", &[]), Mode::Local);
        assert_eq!(mode("0.0.0.0:1", &[]), Mode::Closed);
        assert_eq!(mode("192.0.2.1:1", &[]), Mode::Closed);
        assert_eq!(mode("0.0.0.0:1", &[OPERATOR]), Mode::Tokens);
        assert_eq!(mode("127.0.0.1:1", &[OPERATOR]), Mode::Tokens);
    }

    #[test]
    fn a_token_that_protects_nothing_is_refused() {
        assert_eq!(access("127.0.0.1:1", &["short"], &[]).err(), Some(BadToken::Short));
        assert_eq!(access("127.0.0.1:1", &[], &[""]).err(), Some(BadToken::Short));
        assert_eq!(access("127.0.0.1:1", &[OPERATOR], &[OPERATOR]).err(), Some(BadToken::Same));
    }

    #[test]
    fn a_token_tells_who_has_it() {
        let named = ["kim:operator-of-kim-0123", "lee:operator-of-lee-0123", OPERATOR];
        let access = access("0.0.0.0:1", &named, &[READER]).expect("good tokens");
        let who = |secret| access.who_has(secret).map(|who| (who.role, who.as_str().to_owned()));
        let known = |role, name: &str| Some((role, name.to_owned()));
        assert_eq!(who(OPERATOR), known(Role::Operator, "operator"));
        assert_eq!(who(READER), known(Role::Reader, "reader"));
        assert_eq!(who("operator-of-kim-0123"), known(Role::Operator, "kim"));
        assert_eq!(who("operator-of-lee-0123"), known(Role::Operator, "lee"));
        for wrong in ["operator-0123456788", "kim:operator-of-kim-0123", "kim", ""] {
            assert_eq!(who(wrong), None, "{wrong}");
        }
    }
}

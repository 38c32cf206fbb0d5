//! A session: who, by role and by name, until when, and a number of its own, signed.

use std::fmt::Write as _;

use hmac::Mac;

use super::Access;

/// How long somebody stays logged in, in seconds: a working day.
const SESSION_SECONDS: i64 = 12 * 3_600;

const COOKIE: &str = "onhand-console";

/// What somebody may do, by how they came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Not logged in; has a session all the same, so that the form to log in is bound to one.
    Nobody,
    /// Works on this machine.
    Local,
    Operator,
    Reader,
}

impl Role {
    pub(super) const ALL: [Self; 4] = [Self::Nobody, Self::Local, Self::Operator, Self::Reader];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Local => "local",
            Self::Operator => "operator",
            Self::Reader => "reader",
        }
    }
}

/// Who asks: what they may do, and what they are called in what is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Who {
    pub(crate) role: Role,
    name: String,
}

impl Who {
    pub(super) fn named(role: Role, name: &str) -> Self {
        Self { role, name: name.to_owned() }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.name
    }

    pub(crate) fn may_act(&self) -> bool {
        matches!(self.role, Role::Local | Role::Operator)
    }
}

/// Nobody has said who they are: their role has to do.
impl From<Role> for Who {
    fn from(role: Role) -> Self {
        Self::named(role, role.as_str())
    }
}

/// Who asks, and what binds forms to them.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) who: Who,
    /// The cookie's value. `None`: the request brought its token along, as no browser does by
    /// itself, so no form can be forged.
    value: Option<String>,
}

impl Session {
    pub(crate) fn bearer(who: Who) -> Self {
        Self { who, value: None }
    }

    pub(crate) fn start(access: &Access, who: Who, now_seconds: i64) -> Self {
        let nonce = hex(&rand::random::<[u8; 16]>());
        let until = now_seconds + SESSION_SECONDS;
        // The name last: it may have dots of its own.
        let signed = format!("{}.{until}.{nonce}.{}", who.role.as_str(), who.as_str());
        let mac = hex(&access.sign(&["session", &signed]));
        Self { who, value: Some(format!("{signed}.{mac}")) }
    }

    /// From a request's `Cookie` header.
    pub(crate) fn from_cookies(access: &Access, cookies: &str, now_seconds: i64) -> Option<Self> {
        let mut pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
        let (_, value) = pairs.find(|(name, _)| *name == COOKIE)?;
        let (signed, mac) = value.rsplit_once('.')?;
        access.signer(&["session", signed]).verify_slice(&unhex(mac)?).ok()?;
        let parts: [&str; 4] = signed.splitn(4, '.').collect::<Vec<_>>().try_into().ok()?;
        let [role, until, _, name] = parts;
        let role = Role::ALL.into_iter().find(|it| it.as_str() == role)?;
        let until: i64 = until.parse().ok()?;
        let who = Who::named(role, name);
        (now_seconds < until).then(|| Self { who, value: Some(value.to_owned()) })
    }

    pub(crate) fn is_cookie(&self) -> bool {
        self.value.is_some()
    }

    /// What every form of this session carries.
    pub(crate) fn form_token(&self, access: &Access) -> String {
        let value = self.value.as_deref().unwrap_or_default();
        hex(&access.sign(&["form", value]))
    }

    pub(crate) fn accepts(&self, access: &Access, form_token: &str) -> bool {
        let value = self.value.as_deref().unwrap_or_default();
        let token = unhex(form_token).unwrap_or_default();
        access.signer(&["form", value]).verify_slice(&token).is_ok()
    }

    /// A `Set-Cookie` header. `secure`: the browser came by HTTPS.
    pub(crate) fn set_cookie(&self, secure: bool) -> String {
        let value = self.value.as_deref().unwrap_or_default();
        format!("{COOKIE}={value}; {}; Max-Age={SESSION_SECONDS}", attributes(secure))
    }
}

pub(crate) fn end_cookie(secure: bool) -> String {
    format!("{COOKIE}=; {}; Max-Age=0", attributes(secure))
}

/// No script reads it, and no other site's page sends it along.
fn attributes(secure: bool) -> &'static str {
    match secure {
        true => "Path=/console; HttpOnly; SameSite=Strict; Secure",
        false => "Path=/console; HttpOnly; SameSite=Strict",
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let pairs = digits.chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
        u8::from_str_radix(pair, 16).ok()
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(token: &str) -> Access {
        let listen = "0.0.0.0:1".parse().expect("an address");
        Access::new(listen, &[token.into()], &[]).expect("a good token")
    }

    fn operator() -> Who {
        Who::from(Role::Operator)
    }

    fn cookies(session: &Session) -> String {
        let cookie = session.set_cookie(false);
        format!("other=1; {}", cookie.split(';').next().unwrap_or_default())
    }

    #[test]
    fn a_session_is_known_again_until_it_ends_and_only_under_its_token() {
        let ours = access("a token of ours, long");
        let cookies = cookies(&Session::start(&ours, operator(), 1_000));
        let again = |access: &Access, now| Session::from_cookies(access, &cookies, now);
        assert_eq!(again(&ours, 1_001).map(|it| it.who), Some(operator()));
        assert!(again(&ours, 1_000 + SESSION_SECONDS).is_none(), "it has ended");
        assert!(again(&access("another token, as long"), 1_001).is_none(), "not ours");
        let forged = cookies.replace("operator.", "local.");
        assert!(Session::from_cookies(&ours, &forged, 1_001).is_none(), "forged");
    }

    #[test]
    fn a_session_keeps_the_name_of_who_began_it_and_takes_no_other() {
        let ours = access("kim.lee@example.com:a token of her own");
        let kim = ours.who_has("a token of her own").expect("her token");
        assert_eq!((kim.as_str(), kim.role), ("kim.lee@example.com", Role::Operator));
        let cookies = cookies(&Session::start(&ours, kim.clone(), 1_000));
        let again = Session::from_cookies(&ours, &cookies, 1_001).expect("it goes on");
        assert_eq!(again.who, kim);
        let forged = cookies.replace("kim.lee", "eve");
        assert!(Session::from_cookies(&ours, &forged, 1_001).is_none(), "another's name");
    }

    #[test]
    fn a_form_belongs_to_its_session() {
        let access = access("a token of ours, long");
        let start = || Session::start(&access, operator(), 1);
        let (one, other) = (start(), start());
        assert!(one.accepts(&access, &one.form_token(&access)));
        assert!(!one.accepts(&access, &other.form_token(&access)));
        assert!(!one.accepts(&access, ""));
        assert!(!one.accepts(&access, "zz"));
    }
}

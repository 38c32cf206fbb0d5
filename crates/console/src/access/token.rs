//! Tokens: who has which, and what they may do with it. Pure.
//!
//! A token is a secret alone, or `name:secret`: then what is done with it is written down under that
//! name. Neither the name nor the secret of a token is ever shown or logged with the other.

use secrecy::{ExposeSecret, SecretString};

use super::session::{Role, Who};

/// Bytes of the shortest secret: nobody guesses so many.
pub(super) const TOKEN_BYTES_MIN: usize = 16;

/// Bytes of the longest name: it stands in a cookie, and in every line about what was done.
const NAME_BYTES_MAX: usize = 64;

/// Tokens that protect nothing, or whose owner nobody could tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadToken {
    #[error(
        "a console token has at least {TOKEN_BYTES_MIN} bytes; `openssl rand -hex 24` makes one"
    )]
    Short,
    #[error(
        "two console tokens are the same: nobody could tell who has it, and the reader's may only \
         look"
    )]
    Same,
    #[error(
        "what stands before the colon of a console token is the name of who has it: up to \
         {NAME_BYTES_MAX} of a to z, A to Z, 0 to 9 and . _ - @, and none of local, nobody, operator \
         and reader, which mean others"
    )]
    Name,
}

/// A secret, and who has it.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) who: Who,
    pub(super) secret: SecretString,
}

impl Token {
    pub(super) fn parse(role: Role, text: &SecretString) -> Result<Self, BadToken> {
        // Between tokens somebody may have put a blank behind the comma.
        let text = text.expose_secret().trim();
        let (who, secret) = match text.split_once(':') {
            Some((name, secret)) if is_name(name) => (Who::named(role, name), secret),
            Some(_) => return Err(BadToken::Name),
            None => (Who::from(role), text),
        };
        if secret.len() < TOKEN_BYTES_MIN {
            return Err(BadToken::Short);
        }
        Ok(Self { who, secret: secret.into() })
    }

    fn is_same(&self, other: &Self) -> bool {
        self.secret.expose_secret() == other.secret.expose_secret()
    }
}

/// Of these who may act, and of those who may look.
pub(super) fn tokens(
    operators: &[SecretString],
    readers: &[SecretString],
) -> Result<Vec<Token>, BadToken> {
    let operators = operators.iter().map(|text| Token::parse(Role::Operator, text));
    let readers = readers.iter().map(|text| Token::parse(Role::Reader, text));
    let tokens = operators.chain(readers).collect::<Result<Vec<_>, _>>()?;
    let is_twice =
        |(at, token): (usize, &Token)| tokens.iter().skip(at + 1).any(|it| it.is_same(token));
    match tokens.iter().enumerate().any(is_twice) {
        true => Err(BadToken::Same),
        false => Ok(tokens),
    }
}

fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-@".contains(&byte);
    (1..=NAME_BYTES_MAX).contains(&text.len())
        && text.bytes().all(is_plain)
        && Role::ALL.iter().all(|role| role.as_str() != text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef";

    fn who(text: &str) -> Result<Who, BadToken> {
        Token::parse(Role::Operator, &text.into()).map(|token| token.who)
    }

    #[test]
    fn a_token_is_a_secret_or_a_name_and_a_secret() {
        assert_eq!(who(SECRET), Ok(Who::from(Role::Operator)));
        for name in ["kim", "Kim.Lee-2", "kim_lee@example.com", "k".repeat(NAME_BYTES_MAX).as_str()]
        {
            assert_eq!(who(&format!("{name}:{SECRET}")), Ok(Who::named(Role::Operator, name)));
        }
        let colon = Token::parse(Role::Operator, &format!("kim:{SECRET}:more").into());
        let secret = colon.expect("a good token").secret;
        assert_eq!(secret.expose_secret(), format!("{SECRET}:more"), "only the first colon parts");
    }

    #[test]
    fn a_name_is_one_that_nobody_mistakes() {
        for name in ["", "kim lee", "kim;", "kïm", "local", "nobody", "operator", "reader"] {
            assert_eq!(who(&format!("{name}:{SECRET}")), Err(BadToken::Name), "{name:?}");
        }
        assert_eq!(
            who(&format!("{}:{SECRET}", "k".repeat(NAME_BYTES_MAX + 1))),
            Err(BadToken::Name)
        );
    }

    #[test]
    fn a_secret_is_long_however_long_the_name_is() {
        assert_eq!(who("a-name-of-many-bytes:short"), Err(BadToken::Short));
        assert_eq!(who("short"), Err(BadToken::Short));
        assert_eq!(who(""), Err(BadToken::Short));
    }

    #[test]
    fn nobody_shares_a_secret_and_one_may_have_two() {
        let list = |names: &[&str]| -> Vec<SecretString> {
            names.iter().map(|name| format!("{name}{SECRET}").into()).collect()
        };
        let same = [(&["kim:", "lee:"][..], &[][..]), (&[""], &[""]), (&["kim:"], &["kim:"])];
        for (operators, readers) in same {
            let all = tokens(&list(operators), &list(readers));
            assert_eq!(all.err(), Some(BadToken::Same), "{operators:?} {readers:?}");
        }
        // A new one beside the old, until the old can go.
        let two = tokens(&list(&["kim:", "kim:new-"]), &list(&["kim:read-"])).expect("good tokens");
        assert!(two.iter().all(|token| token.who.as_str() == "kim"));
    }
}

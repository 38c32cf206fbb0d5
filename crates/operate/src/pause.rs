//! Everything, or a shop, paused and resumed: webhooks are taken all the same, and wait.

use std::str::FromStr;

use domain::{Operation, ShopId, Timestamp};
use store::{AnyStore, Pause, Pauses, StoreError};

use crate::output::moment;

/// Who asks, and under which key it happens once.
#[derive(Clone, Debug)]
pub struct Asked {
    pub by: String,
    pub key: String,
    pub now: Timestamp,
}

impl Asked {
    fn operation(&self, what: &str, shop: Option<&ShopId>, why: &str) -> Operation {
        let mut what = format!("{}: {what} {}", self.by, name(shop));
        if !why.is_empty() {
            what = format!("{what}, {why}");
        }
        Operation { key: self.key.clone(), what, at: self.now }
    }
}

/// Bytes of the longest reason.
const REASON_BYTES_MAX: usize = 500;

/// Why, in one line; it may be empty. It is shown wherever somebody finds it paused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reason(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a reason is one line of at most {REASON_BYTES_MAX} bytes")]
pub struct BadReason;

impl FromStr for Reason {
    type Err = BadReason;

    fn from_str(text: &str) -> Result<Self, BadReason> {
        let text = text.trim();
        match text.len() > REASON_BYTES_MAX || text.chars().any(char::is_control) {
            true => Err(BadReason),
            false => Ok(Self(text.to_owned())),
        }
    }
}

/// `false`: it was paused already, or this very question was asked before.
pub async fn pause(
    store: &AnyStore,
    shop: Option<ShopId>,
    Reason(reason): Reason,
    asked: &Asked,
) -> Result<bool, StoreError> {
    let operation = asked.operation("pause", shop.as_ref(), &reason);
    let by = asked.by.clone();
    store.pause(&Pause { shop, since: asked.now, by, reason }, &operation).await
}

/// `false`: it was not paused, or this very question was asked before.
pub async fn resume(
    store: &AnyStore,
    shop: Option<&ShopId>,
    asked: &Asked,
) -> Result<bool, StoreError> {
    store.resume(shop, &asked.operation("resume", shop, "")).await
}

/// Whether nothing of the shop is applied: it is paused by itself, or with everything.
pub fn is_paused(pauses: &[Pause], shop: &ShopId) -> bool {
    is_all_paused(pauses) || is_paused_itself(pauses, shop)
}

pub fn is_all_paused(pauses: &[Pause]) -> bool {
    pauses.iter().any(|pause| pause.shop.is_none())
}

/// Whether it stays paused when everything is resumed.
pub fn is_paused_itself(pauses: &[Pause], shop: &ShopId) -> bool {
    pauses.iter().any(|pause| pause.shop.as_ref() == Some(shop))
}

/// What is paused, as people say it.
pub fn name(shop: Option<&ShopId>) -> String {
    shop.map_or_else(|| "everything".to_owned(), |shop| format!("shop {shop}"))
}

/// Since when, by whom and why, in one sentence.
pub fn sentence(pause: &Pause) -> String {
    let Pause { shop, since, by, reason } = pause;
    let what =
        shop.as_ref().map_or_else(|| "Paused".to_owned(), |shop| format!("{shop} is paused"));
    let why = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
    let whose = shop.as_ref().map_or("", |_| "its ");
    let rest = "webhooks are taken and wait.";
    let since = moment(*since);
    let since = since.get(..16).unwrap_or(&since).replace('T', " ");
    format!("{what} since {since} UTC by {by}{why}: {whose}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line() {
        assert_eq!(" counting ".parse(), Ok(Reason("counting".to_owned())));
        assert_eq!("".parse(), Ok(Reason::default()));
        for bad in ["a\nb", "a\u{1b}[2Jb", &"x".repeat(501)] {
            assert_eq!(bad.parse::<Reason>(), Err(BadReason), "{bad:?}");
        }
    }

    #[test]
    fn a_pause_is_said_in_one_sentence() {
        let pause = |shop: Option<&str>, reason: &str| Pause {
            shop: shop.map(ShopId::new),
            since: Timestamp(0),
            by: "kim".to_owned(),
            reason: reason.to_owned(),
        };
        assert_eq!(
            sentence(&pause(None, "")),
            "Paused since 1970-01-01 00:00 UTC by kim: webhooks are taken and wait."
        );
        assert_eq!(
            sentence(&pause(Some("demo"), "counting")),
            "demo is paused since 1970-01-01 00:00 UTC by kim (counting): its webhooks are taken and \
             wait."
        );
    }
}

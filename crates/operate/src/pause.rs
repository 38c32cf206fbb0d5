//! Everything, or a shop, paused and resumed: webhooks are taken all the same, and wait.

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

/// `false`: it was paused already, or this very question was asked before.
pub async fn pause(
    store: &AnyStore,
    shop: Option<ShopId>,
    reason: &str,
    asked: &Asked,
) -> Result<bool, StoreError> {
    let operation = asked.operation("pause", shop.as_ref(), reason);
    let (by, reason) = (asked.by.clone(), reason.to_owned());
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

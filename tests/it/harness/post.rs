//! What was sent, and what the sender was told: the list that nothing may be missing from.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use domain::BodyHash;
use serde::Deserialize;
use serde_json::value::RawValue;
use testkit::request::Request;
use tokio::sync::watch;

use super::http::Response;

/// A platform identifies a webhook by its id; a body without one by its hash.
pub(crate) type Key = (String, String);

/// How it went with one webhook, over all its deliveries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fate {
    /// Deliveries that were answered 200.
    pub(crate) accepted: i64,
    /// Deliveries that may have been taken although nobody said so.
    pub(crate) unclear: i64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Post {
    pub(crate) fates: BTreeMap<Key, Fate>,
    /// Answers by status; 0 for none.
    pub(crate) answers: BTreeMap<u16, usize>,
    pub(crate) slowest: Duration,
}

impl Post {
    /// What can be sent to, from several tasks at once, and looked at meanwhile.
    pub(crate) fn office() -> watch::Sender<Post> {
        watch::Sender::new(Post::default())
    }

    pub(crate) fn note(&mut self, key: Key, answer: &io::Result<Response>, took: Duration) {
        let status = answer.as_ref().map_or(0, |response| response.status);
        *self.answers.entry(status).or_default() += 1;
        self.slowest = self.slowest.max(took);
        match status {
            200 => self.fates.entry(key).or_default().accepted += 1,
            0 | 503 => self.fates.entry(key).or_default().unclear += 1,
            // Refused for good: nothing may have been queued.
            _ => {}
        }
    }

    pub(crate) fn answered(&self, status: u16) -> usize {
        self.answers.get(&status).copied().unwrap_or_default()
    }

    /// Webhooks with at least one 200.
    pub(crate) fn accepted(&self) -> impl Iterator<Item = (&Key, &Fate)> {
        self.fates.iter().filter(|(_, fate)| fate.accepted > 0)
    }
}

pub(crate) fn key(headers: &[(&str, String)], body: &[u8]) -> Key {
    let hash = BodyHash::of(body).to_string();
    let id = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("x-shopify-webhook-id"));
    (id.map_or_else(|| hash.clone(), |(_, id)| id.clone()), hash)
}

/// The webhooks that one request of any sender brings. Only Shopify names them; others are known by
/// their bodies. Each item of an Adyen notification is one.
pub(crate) fn keys_of(request: &Request) -> Vec<Key> {
    let of_body = |body: &[u8]| (String::new(), BodyHash::of(body).to_string());
    if request.path.starts_with("/webhooks/shopify") {
        return vec![key(&request.headers, &request.body)];
    }
    if request.path.starts_with("/webhooks/payments/adyen/") {
        let notification: Notification<'_> =
            serde_json::from_slice(&request.body).expect("a notification is JSON");
        let items = notification.notification_items.iter();
        return items.map(|item| of_body(item.item.get().as_bytes())).collect();
    }
    vec![of_body(&request.body)]
}

/// Whether `row` of the inbox is what was sent under `key`.
pub(crate) fn is_same(key: &Key, row: &Key) -> bool {
    key == row || (key.0.is_empty() && key.1 == row.1)
}

#[derive(Deserialize)]
struct Notification<'a> {
    #[serde(borrow, rename = "notificationItems")]
    notification_items: Vec<Item<'a>>,
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow, rename = "NotificationRequestItem")]
    item: &'a RawValue,
}

//! Every topic that a platform sends, over HTTP with a real signature: what becomes of each, and
//! why. The same in both profiles.

use std::collections::BTreeMap;

use bytes::Bytes;
use domain::BodyHash;
use serde_json::Value;
use testkit::request::Request;

use crate::harness::{Fleet, Profile, in_both_profiles, shops};

mod shopify;
mod woocommerce;

in_both_profiles!(
    every_topic_of_shopify_has_its_outcome,
    every_topic_of_woocommerce_has_its_outcome,
);

/// What is said of a webhook in the end: its outcome, and the reason if there has to be one.
type Fate = (&'static str, Option<&'static str>);

const APPLIED: Fate = ("applied", None);
const NEEDS_FETCH: Fate = ("ignored", Some("needs_fetch"));
const UNSUPPORTED: Fate = ("ignored", Some("unsupported_topic"));
const MISMATCH: Fate = ("dead", Some("topic_mismatch"));

/// One webhook of a table. No two of a table have the same body.
struct Row {
    topic: String,
    body: Bytes,
    fate: Fate,
}

fn row(topic: &str, body: &Value, fate: Fate) -> Row {
    let body = Bytes::from(body.to_string());
    Row { topic: topic.to_owned(), body, fate }
}

/// Sends all of a table, signed by `sign` with the secret that it is given.
async fn send_all(fleet: &Fleet, rows: &[Row], secret: &str, sign: impl Fn(&Row, &str) -> Request) {
    for row in rows {
        let forged = fleet.post_plain(&sign(row, "not-the-secret")).await;
        assert_eq!(forged.status, 401, "{} with a bad signature: {forged:?}", row.topic);
        let answer = fleet.call(&sign(row, secret)).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, ""), "{}", row.topic);
    }
    fleet.settled().await;
    let inbox = fleet.ok(&["webhook", "list", "--limit", "100000"]).await;
    let inbox: BTreeMap<_, _> = inbox
        .as_array()
        .expect("a list")
        .iter()
        .map(|seen| (seen["body_hash"].as_str().expect("every body has one"), seen))
        .collect();
    assert_eq!(inbox.len(), rows.len(), "each is there once, and nothing that was forged");
    for row in rows {
        let seen = &inbox[BodyHash::of(&row.body).to_string().as_str()];
        let fate = (seen["outcome"].as_str(), seen["reason"].as_str());
        assert_eq!(fate, (Some(row.fate.0), row.fate.1), "{}: {seen}", row.topic);
    }
}

async fn every_topic_of_shopify_has_its_outcome(profile: Profile) {
    let fleet = Fleet::start(profile, 1).await;
    fleet.stock("CAP", 1000).await;
    send_all(&fleet, &shopify::rows(), testkit::shopify::SECRET, shopify::sign).await;
    // Of what the orders below are owed; whatever else was sent moved nothing.
    assert_eq!(fleet.stock_of("CAP").await, shopify::STOCK);
    // A request for data, and two removals, which are carried out once more hours later.
    assert_eq!(fleet.ok(&["status"]).await["privacy_requests"], 3);
    fleet.finish().await;
}

async fn every_topic_of_woocommerce_has_its_outcome(profile: Profile) {
    let mut fleet = Fleet::prepare(profile).await;
    let site = "[[shop]]\nname = \"site\"\nplatform = \"woocommerce\"\n";
    let secret = woocommerce::SECRET;
    fleet.write_shops(&(shops("") + site + &format!("secrets = [\"plain:{secret}\"]\n")));
    fleet.start_all(1).await;
    fleet.stock("CAP", 1000).await;
    send_all(&fleet, &woocommerce::rows(), secret, woocommerce::sign).await;
    assert_eq!(fleet.stock_of("CAP").await, woocommerce::STOCK);
    fleet.finish().await;
}

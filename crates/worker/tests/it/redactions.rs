//! Personal data is removed when a platform asks for it: at once, once more, and never half reported.

use std::sync::Arc;
use std::time::Duration;

use domain::{
    ChangeSet, DeadLetter, DeadReason, Envelope, EnvelopeId, Outcome, ShopId, Timestamp, retry,
};
use platforms::Shops;
use platforms::shops::UNKNOWN_SHOP;
use queue::parcel;
use store::{Redaction, Redactions, Store};
use testkit::memory::MemoryStore;
use testkit::shopify::{DOMAIN, SECRET, SignedWebhook};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;
use worker::{Config, Processor, Strategy, Work, carry_out_redactions};

use crate::doctored::Doctored;
use crate::harness::{outcomes, placed, queue, recorded, shops, soon, value, verdict, work};

const NOW: Timestamp = Timestamp(1_795_262_400_000_000);

fn signed(topic: &str, body: &str) -> Work {
    work(&SignedWebhook::raw(topic, DOMAIN, SECRET, body.to_owned()))
}

/// `demo`, and `other` with the same app and so the same secret.
pub(crate) fn two_shops() -> Arc<Shops> {
    shops(&format!(
        "[[shop]]\nname = \"other\"\nplatform = \"shopify\"\n\
         domain = \"other.myshopify.com\"\nsecrets = [\"plain:{SECRET}\"]"
    ))
}

async fn process<S: Store>(store: &S, work: Vec<Work>) -> Vec<&'static str> {
    let mut processor = Processor::new(store.clone(), Strategy::Optimistic);
    let done = processor.process(work, &two_shops(), true).await.expect("the store is there");
    outcomes(&done)
}

/// Four dead letters: of the order that is named, of the customer's, of nobody of them, and of the
/// other shop.
async fn letters(store: &MemoryStore) -> Vec<EnvelopeId> {
    let mut of_customer = signed("orders/updated", r#"{"broken": "kim@mail.example"}"#);
    let mut of_other = work(&placed(4401, 1));
    of_other.envelope.shop = ShopId::new("other");
    of_customer.envelope.received_at = Timestamp(2);
    let letters = vec![work(&placed(4401, 1)), of_customer, work(&placed(44_011, 1)), of_other];
    let ids = letters.iter().map(|one| one.envelope.id).collect();
    let mut processor = Processor::new(store.clone(), Strategy::Optimistic);
    let done = processor.process(letters, &two_shops(), true).await.expect("the store is there");
    assert!(done.iter().all(|one| verdict(one).outcome == Outcome::Dead));
    ids
}

fn kept(store: &MemoryStore, ids: &[EnvelopeId]) -> Vec<bool> {
    let dead = store.dead_letters();
    ids.iter().map(|id| !dead[id].raw.is_empty()).collect()
}

/// What becomes of `request`, and which of the four letters have their bodies afterwards.
async fn bodies_left(request: Work) -> (Vec<&'static str>, Vec<bool>) {
    let store = MemoryStore::default();
    let ids = letters(&store).await;
    let outcomes = process(&store, vec![request]).await;
    assert_eq!(kept(&store, &ids), [true; 4], "it is carried out beside the lanes");
    carry_out_redactions(&store, &two_shops(), NOW).await.expect("the store is there");
    store.assert_sound();
    (outcomes, kept(&store, &ids))
}

fn redact_customer(domain: &str) -> String {
    format!(
        r#"{{"shop_id": 1, "shop_domain": "{domain}", "orders_to_redact": [4401],
            "customer": {{"id": 7744120066, "email": "Kim@mail.example", "phone": null}}}}"#
    )
}

#[tokio::test]
async fn a_customer_s_bodies_go_and_no_others() {
    let request = signed("customers/redact", &redact_customer(DOMAIN));
    let expected = vec![false, false, true, true];
    assert_eq!(bodies_left(request).await, (vec!["applied"], expected));
}

#[tokio::test]
async fn a_shop_s_bodies_go_and_not_another_s() {
    let body = format!(r#"{{"shop_id": 1, "shop_domain": "{DOMAIN}"}}"#);
    let expected = vec![false, false, false, true];
    assert_eq!(bodies_left(signed("shop/redact", &body)).await, (vec!["applied"], expected));
}

/// A proxy lost the header that names the shop, so nobody can ever apply it. Its signature is kept.
fn unnamed(webhook: &SignedWebhook) -> Work {
    let mut work = work(webhook);
    work.envelope.shop = ShopId::new(UNKNOWN_SHOP);
    let mut headers = webhook.headers().into_iter();
    work.envelope.signature =
        headers.find(|(name, _)| *name == "X-Shopify-Hmac-Sha256").map(|(_, value)| value);
    work
}

/// Which of the letters have their bodies when `request` is carried out.
async fn unnamed_left(shops: &Arc<Shops>, letters: Vec<Work>, request: Work) -> Vec<bool> {
    let store = MemoryStore::default();
    let ids: Vec<EnvelopeId> = letters.iter().map(|one| one.envelope.id).collect();
    let mut processor = Processor::new(store.clone(), Strategy::Optimistic);
    let done = processor.process(letters, shops, true).await.expect("the store is there");
    assert!(outcomes(&done).iter().all(|outcome| *outcome == "unknown_shop"));
    processor.process(vec![request], shops, true).await.expect("the store is there");
    carry_out_redactions(&store, shops, NOW).await.expect("the store is there");
    store.assert_sound();
    kept(&store, &ids)
}

#[tokio::test]
async fn what_named_no_shop_goes_with_the_shop_that_signed_it() {
    let of = |domain: &str| {
        let body = format!(r#"{{"id": 9, "order_status_url": "https://{domain}/1/orders/2"}}"#);
        SignedWebhook::raw("orders/updated", domain, SECRET, body)
    };
    let letters = || {
        vec![
            unnamed(&placed(4401, 1)),
            unnamed(&of(DOMAIN)),
            unnamed(&of(&format!("other-{DOMAIN}"))),
            unnamed(&placed(4401, 1).signed_with("somebody else's")),
        ]
    };
    let shop = format!(r#"{{"shop_id": 1, "shop_domain": "{DOMAIN}"}}"#);
    let customer = redact_customer(DOMAIN);
    // Whose detail speaks of a header.
    let header = customer.replace("Kim@mail.example", "header").replace("4401", "1");
    let (alone, sharing) = (shops(""), two_shops());
    for (topic, body, shops, expected) in [
        ("customers/redact", &customer, &sharing, [false, true, true, true]),
        ("customers/redact", &header, &sharing, [true; 4]),
        ("shop/redact", &shop, &sharing, [false, false, true, true]),
        ("shop/redact", &shop, &alone, [false, false, false, true]),
    ] {
        let left = unnamed_left(shops, letters(), signed(topic, body)).await;
        assert_eq!(left, expected, "{topic}: {body}");
    }
}

#[tokio::test]
async fn nobody_has_another_shop_s_bodies_removed() {
    let other = "other.myshopify.com";
    let shop = format!(r#"{{"shop_id": 1, "shop_domain": "{other}"}}"#);
    for (topic, body) in [("customers/redact", redact_customer(other)), ("shop/redact", shop)] {
        let answer = bodies_left(signed(topic, &body)).await;
        assert_eq!(answer, (vec!["topic_mismatch"], vec![true; 4]), "{topic}");
    }
}

/// A parcel that died whole, and so belongs to no shop.
async fn parcel_of(store: &MemoryStore, number: u128, envelopes: &[Envelope]) -> EnvelopeId {
    let letter = DeadLetter {
        envelope: EnvelopeId(Uuid::from_u128(number)),
        shop: None,
        webhook: None,
        topic: String::new(),
        reason: DeadReason::Malformed,
        detail: "nobody could read it then".to_owned(),
        attempts: 0,
        received_at: NOW,
        died_at: NOW,
        raw: parcel::encode(envelopes).expect("it fits"),
    };
    let changes = ChangeSet { dead: vec![letter], ..ChangeSet::default() };
    store.commit(&changes).await.expect("the store is there");
    EnvelopeId(Uuid::from_u128(number))
}

#[tokio::test]
async fn a_parcel_of_nobody_goes_if_one_of_its_envelopes_is_the_customer_s() {
    let shop = format!(r#"{{"shop_id": 1, "shop_domain": "{DOMAIN}"}}"#);
    for (topic, body, expected) in [
        ("customers/redact", redact_customer(DOMAIN), [false, true, true]),
        ("shop/redact", shop, [false, false, true]),
    ] {
        let store = MemoryStore::default();
        let kim = signed("orders/updated", r#"{"broken": "kim@mail.example"}"#).envelope;
        let alex = signed("orders/updated", r#"{"broken": "alex@mail.example"}"#).envelope;
        let elsewhere = Envelope { shop: ShopId::new("other"), ..kim.clone() };
        let ids = [
            parcel_of(&store, 1, &[elsewhere.clone(), alex.clone(), kim]).await,
            parcel_of(&store, 2, &[alex]).await,
            parcel_of(&store, 3, &[elsewhere]).await,
        ];
        assert_eq!(process(&store, vec![signed(topic, &body)]).await, ["applied"]);
        carry_out_redactions(&store, &two_shops(), NOW).await.expect("the store is there");
        assert_eq!(kept(&store, &ids), expected, "{topic}");
    }
}

#[tokio::test]
async fn what_dies_of_the_ladder_afterwards_goes_too_and_only_then_is_it_done() {
    let store = MemoryStore::default();
    process(&store, vec![signed("customers/redact", &redact_customer(DOMAIN))]).await;
    let pass = async |now| {
        carry_out_redactions(&store, &two_shops(), now).await.expect("the store is there");
    };
    let again_at = async || -> Vec<Option<Timestamp>> {
        let open = store.redactions().await.expect("reads");
        open.into_iter().map(|Redaction { again_at, .. }| again_at).collect()
    };
    assert_eq!(again_at().await, [None]);
    pass(NOW).await;
    let [Some(again)] = again_at().await[..] else { panic!("it is open still") };
    let ladder = i64::try_from(retry::length().as_micros()).expect("hours");
    assert!(again.0 > NOW.0 + ladder, "the last may have begun its waits just now");

    let ids = letters(&store).await;
    pass(Timestamp(again.0 - 1)).await;
    assert_eq!(kept(&store, &ids), [true; 4], "not yet");
    assert_eq!(again_at().await, [Some(again)]);
    pass(again).await;
    assert_eq!(kept(&store, &ids), [false, false, true, true]);
    let requests = store.privacy_requests();
    let request = requests.values().next().expect("it was kept");
    assert!(request.done);
    assert!(request.request.traces.is_empty(), "nothing of the customer is left but ids");
    assert_eq!(store.redactions().await.expect("reads"), vec![]);
}

#[tokio::test]
async fn a_removal_that_fails_stays_open_and_keeps_nobody_waiting() {
    let store = Doctored::default();
    let ids = letters(&store.inner).await;
    store.keeps_bodies(true);
    let request = signed("customers/redact", &redact_customer(DOMAIN));
    let done = process(&store, vec![request, work(&placed(1, 1))]).await;
    assert_eq!(done[0], "applied", "the lane goes on");
    assert!(carry_out_redactions(&store, &two_shops(), NOW).await.is_err());
    let open = store.redactions().await.expect("reads");
    assert_eq!((open.len(), open[0].again_at), (1, None), "nothing is reported done");
    store.keeps_bodies(false);
    carry_out_redactions(&store, &two_shops(), NOW).await.expect("the store is there");
    assert_eq!(kept(&store.inner, &ids), [false, false, true, true]);
}

#[tokio::test]
async fn a_worker_carries_out_what_is_open() {
    let store = Doctored::default();
    let ids = letters(&store.inner).await;
    process(&store, vec![signed("customers/redact", &redact_customer(DOMAIN))]).await;
    let (_queue, consumer) = queue();
    let (_, shops) = watch::channel(two_shops());
    let stop = CancellationToken::new();
    let config = Config {
        batch_max: 100,
        drain_deadline: Duration::from_secs(60),
        strategy: Strategy::Optimistic,
        sweep_every: Duration::from_millis(1),
    };
    let mut carried_out = store.orders.carried_out.subscribe();
    let worker = worker::run(vec![consumer], store.clone(), shops, config, stop.clone());
    let worker = TaskTracker::new().spawn(worker);
    soon("the removal", carried_out.wait_for(|times| *times > 0)).await.expect("it is there");
    stop.cancel();
    soon("the worker to stop", worker).await.expect("no panic").expect("no part died");
    assert_eq!(kept(&store.inner, &ids), [false, false, true, true]);
}

/// A `demo` that keeps bodies for a week.
fn keeping() -> Arc<Shops> {
    let shop = |name: &str, domain: &str, more: &str| {
        format!(
            "[[shop]]\nname = \"{name}\"\nplatform = \"shopify\"\ndomain = \"{domain}\"\n\
             secrets = [\"plain:{SECRET}\"]\n{more}\n"
        )
    };
    let text = shop("demo", DOMAIN, "keep_bodies = \"7d\"") + &shop("other", "o.myshopify.com", "");
    Arc::new(Shops::parse(&text, |_| Err("none".to_owned())).expect("a shops file"))
}

async fn process_keeping(store: &MemoryStore, work: Vec<Work>) -> Vec<&'static str> {
    let mut processor = Processor::new(store.clone(), Strategy::Optimistic);
    outcomes(&processor.process(work, &keeping(), true).await.expect("the store is there"))
}

#[tokio::test]
async fn bodies_are_kept_where_the_shop_asks_for_it_and_never_those_of_requests() {
    let store = MemoryStore::default();
    store.open_stock("BOWL", "main", 10, 0);
    let order = work(&placed(4401, 1));
    let id = order.envelope.id;
    let mut elsewhere = work(&placed(4402, 1));
    elsewhere.envelope.shop = ShopId::new("other");
    let request = signed("customers/redact", &redact_customer(DOMAIN));
    let broken = signed("orders/create", "no JSON");
    let all = vec![order.clone(), order.clone(), elsewhere, request, broken];
    let expected = ["applied", "redelivered", "applied", "applied", "malformed"];
    assert_eq!(process_keeping(&store, all).await, expected);
    let kept = store.kept_bodies();
    assert_eq!(kept.keys().collect::<Vec<_>>(), [&id]);
    assert_eq!(parcel::decode(&kept[&id].raw).expect("a parcel"), [order.envelope]);
    let week = 7 * 24 * 3_600_000_000_i64;
    let left = kept[&id].until.0 - worker::clock::now().0;
    assert!((week - 60_000_000..=week).contains(&left), "a week from now, {left}");
}

#[tokio::test]
async fn a_letter_that_is_replayed_leaves_its_body_where_bodies_are_kept() {
    let (metrics, _guard) = recorded();
    let store = MemoryStore::default();
    let order = work(&placed(4401, 1));
    assert_eq!(process_keeping(&store, vec![order.clone()]).await, ["unknown_sku"]);
    assert_eq!(store.kept_bodies().len(), 0, "the letter has it");
    store.open_stock("BOWL", "main", 10, 0);
    let again = Work { replay: true, ..order };
    assert_eq!(process_keeping(&store, vec![again]).await, ["applied"]);
    assert_eq!(store.kept_bodies().len(), 1);
    let counted = |metric| value(&metrics, &format!("{metric}{{outcome=\"applied\"}}"));
    assert_eq!(counted("onhand_replayed_total"), Some(1.0));
    assert_eq!(counted("onhand_webhooks_total"), None, "it says nothing of what comes");
}

#[tokio::test]
async fn requests_reach_kept_bodies_and_what_closed_letters_quote() {
    let shop = format!(r#"{{"shop_id": 1, "shop_domain": "{DOMAIN}"}}"#);
    for (topic, body, kept) in
        [("customers/redact", redact_customer(DOMAIN), vec![44_011]), ("shop/redact", shop, vec![])]
    {
        let store = MemoryStore::default();
        store.open_stock("BOWL", "main", 10, 0);
        let orders = [4401, 44_011].map(|id| work(&placed(id, 1)));
        let ids = orders.clone().map(|order| order.envelope.id);
        assert_eq!(process_keeping(&store, orders.to_vec()).await, ["applied", "applied"]);
        let letter = |number: u128, detail: &str| DeadLetter {
            envelope: EnvelopeId(Uuid::from_u128(number)),
            shop: Some(ShopId::new("demo")),
            webhook: None,
            topic: String::new(),
            reason: DeadReason::Malformed,
            detail: detail.to_owned(),
            attempts: 0,
            received_at: NOW,
            died_at: NOW,
            raw: Vec::new(),
        };
        let dead = vec![letter(1, "\"Kim@mail.example\" is no number"), letter(2, "44 is not 45")];
        let changes = ChangeSet { dead, ..ChangeSet::default() };
        store.commit(&changes).await.expect("the store is there");

        assert_eq!(process_keeping(&store, vec![signed(topic, &body)]).await, ["applied"]);
        carry_out_redactions(&store, &keeping(), NOW).await.expect("the store is there");
        let left = store.kept_bodies();
        let left: Vec<u64> = [4401, 44_011]
            .into_iter()
            .zip(ids)
            .filter(|(_, id)| left.contains_key(id))
            .map(|(order, _)| order)
            .collect();
        assert_eq!(left, kept, "{topic}");
        let letters = store.dead_letters();
        let details: Vec<&str> = letters.values().map(|letter| &*letter.detail).collect();
        let second = if kept.is_empty() { "redacted" } else { "44 is not 45" };
        assert_eq!(details, ["redacted", second], "{topic}");
    }
}

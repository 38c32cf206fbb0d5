//! What is looked at before it is mended: webhooks with what they mean, orders in the order of time,
//! replays that are previewed and done in steps.

use domain::{EnvelopeId, Provider};
use store::Reports;
use store::reports::{Closed, DeadFilter};
use testkit::payments::PaymentLife;
use testkit::shopify::{ShopifyOrder, SignedWebhook};

use crate::harness::{SECRET, TILL, Test, cookie, form, raw};

fn webhook_page(webhook: &SignedWebhook) -> String {
    format!("/console/webhook?shop=demo&id={}", webhook.webhook_id)
}

#[tokio::test]
async fn a_webhook_shows_what_it_meant_and_no_person() {
    let test = Test::keeping().await;
    test.stock("BOWL", 5).await;
    let order = test.order(1_001, "BOWL", 2).await.webhook("orders/paid");
    test.decide(std::slice::from_ref(&order)).await;
    let page = test.page(&webhook_page(&order)).await;
    assert!(page.contains("It says this about order 1001") && page.contains("2 × BOWL"), "{page}");
    assert!(page.contains("&#34;sku&#34;: &#34;BOWL&#34;") && page.contains("•••"), "{page}");
    let sent = String::from_utf8_lossy(&order.body).into_owned();
    let (_, rest) = sent.split_once("\"email\":\"").expect("whoever orders has an address");
    let email = rest.split('"').next().expect("it ends");
    assert!(email.contains('@') && !page.contains(email), "{page}");

    let replay = page.split("href=\"/console/webhook/replay").nth(1).expect("it can be replayed");
    let replay = replay.split('"').next().expect("it ends").replace("&#38;", "&");
    let done = test.submit(&format!("/console/webhook/replay{replay}"), &[]).await;
    assert!(done.body.contains("Decided again: unchanged"), "{}", done.body);
    assert_eq!(test.units("BOWL").await, (5, 2));
    let actions = test.page("/console/operations").await;
    let what = format!("local: replay webhook {} of demo", order.webhook_id);
    assert!(actions.contains(&what), "{actions}");
}

#[tokio::test]
async fn a_webhook_without_its_body_says_so_and_how_it_would_be_kept() {
    let test = Test::open().await;
    test.stock("BOWL", 5).await;
    let order = ShopifyOrder::new(1_001).line("BOWL", 2).webhook("orders/create");
    test.decide(std::slice::from_ref(&order)).await;
    let page = test.page(&webhook_page(&order)).await;
    assert!(page.contains("no body of it is kept"), "{page}");
    assert!(page.contains("<code>keep_bodies = &#34;7d&#34;</code>"), "{page}");
    assert!(!page.contains("/console/webhook/replay"), "{page}");
    let dead = raw("orders/create", r#"{"broken": "Kim"}"#);
    test.decide(std::slice::from_ref(&dead)).await;
    let page = test.page(&webhook_page(&dead)).await;
    assert!(page.contains("applying it failed once"), "{page}");
    assert!(page.contains("It would become a dead letter: topic_mismatch"), "{page}");
    assert!(!page.contains("Kim"), "{page}");
}

#[tokio::test]
async fn how_often_a_webhook_waited_is_on_its_page() {
    let test = Test::open().await;
    test.stock("BOWL", 5).await;
    let orders =
        [1_001, 1_002].map(|id| ShopifyOrder::new(id).line("BOWL", 2).webhook("orders/create"));
    test.decide_after(3, &orders[..1]).await;
    test.decide(&orders[1..]).await;
    let page = test.page(&webhook_page(&orders[0])).await;
    assert!(page.contains("<dt>Attempts</dt><dd>waited for a retry 3 times</dd>"), "{page}");
    let page = test.page(&webhook_page(&orders[1])).await;
    assert!(!page.contains("Attempts"), "{page}");
}

#[tokio::test]
async fn a_dead_letter_leads_to_its_webhook_by_the_envelope_of_both() {
    let test = Test::open().await;
    let dead = raw("orders/create", "no JSON");
    test.decide(std::slice::from_ref(&dead)).await;
    let letters = DeadFilter { limit: 1, ..DeadFilter::default() };
    let letter = test.store.dead_letters(&letters).await.expect("reads").remove(0).id;
    let page = test.page(&format!("/console/dead/letter?id={letter}")).await;
    let by_envelope = format!("{}&envelope={letter}", webhook_page(&dead));
    assert!(page.contains(&by_envelope.replace('&', "&#38;")), "{page}");
    let page = test.page(&by_envelope).await;
    assert!(page.contains(&letter) && page.contains("All that came under this id"), "{page}");
    // A letter of one that came again lies under an envelope of its own.
    let other = "0198c0de-0000-7000-8000-000000000000";
    let page = test.page(&format!("{}&envelope={other}", webhook_page(&dead))).await;
    assert!(page.contains(&letter) && !page.contains("All that came under this id"), "{page}");
}

#[tokio::test]
async fn webhooks_are_found_by_when_they_came() {
    let test = Test::open().await;
    test.stock("BOWL", 5).await;
    test.order(1_001, "BOWL", 2).await;
    let later = test.page("/console/webhooks?until=2999-01-01T00:00").await;
    assert!(later.contains(">1001</a>") && later.contains("value=\"2999-01-01T00:00\""), "{later}");
    let before = test.page("/console/webhooks?until=2020-01-01T00:00").await;
    assert!(before.contains("No such webhook"), "{before}");
    let since = test.page("/console/webhooks?since=2020-01-01T00:00").await;
    assert!(since.contains(">1001</a>") && since.contains("value=\"2020-01-01T00:00\""), "{since}");
    let more = (0..60).map(|at| raw("orders/create", &format!("no JSON {at}")));
    test.decide(&more.collect::<Vec<_>>()).await;
    let since = test.page("/console/webhooks?since=2020-01-01T00:00").await;
    assert!(since.contains("since=2020-01-01T00%3A00&#38;before="), "it goes on: {since}");
    let not_yet = test.page("/console/webhooks?since=2999-01-01T00:00").await;
    assert!(not_yet.contains("No such webhook") && !not_yet.contains("before="), "{not_yet}");
}

#[tokio::test]
async fn webhooks_of_an_id_are_narrowed_by_whatever_else_is_asked() {
    let test = Test::open().await;
    test.stock("BOWL", 5).await;
    let mut order = ShopifyOrder::new(1_001).line("BOWL", 2);
    let placed = order.webhook("orders/create").with_id("one");
    let paid = order.pay().webhook("orders/paid").with_id("one");
    test.decide(&[placed, paid]).await;
    let topics = async |narrowed: &str| {
        let page = test.page(&format!("/console/webhooks?q=one{narrowed}")).await;
        let rows = page.split("<tbody>").nth(1).unwrap_or_default();
        ["orders/create", "orders/paid"].map(|topic| rows.contains(topic))
    };
    assert_eq!(topics("").await, [true, true]);
    assert_eq!(topics("&topic=orders/paid").await, [false, true]);
    assert_eq!(topics("&topic=orders/updated").await, [false, false]);
    assert_eq!(topics("&until=2999-01-01T00:00").await, [true, true]);
    assert_eq!(topics("&until=2020-01-01T00:00").await, [false, false]);
    assert_eq!(topics("&since=2020-01-01T00:00").await, [true, true]);
    assert_eq!(topics("&since=2999-01-01T00:00").await, [false, false]);
}

#[tokio::test]
async fn an_order_is_one_story_in_the_order_of_time() {
    let test = Test::open().await;
    test.stock("BOWL", 1).await;
    let order = test.order(1_001, "BOWL", 2).await;
    test.stock("BOWL", 5).await;
    let id = order.id();
    test.submit(&format!("/console/order/retry?shop=demo&id={id}"), &[]).await;
    test.decide(&[order.clone().webhook("orders/paid")]).await;
    let page = test.page(&format!("/console/order?shop=demo&id={id}")).await;
    let story = page.split("<ol class=\"timeline\">").nth(1).expect("a timeline");
    let at = |text: &str| story.find(text).unwrap_or_else(|| panic!("no {text} in {story}"));
    let told =
        ["orders/create</a> came: <strong>short</strong>", "committed +2", "orders/paid</a> came"];
    let places = told.map(at);
    assert!(places.is_sorted(), "{places:?} in {story}");
    assert!(story.contains("order retry (console, local)"), "{story}");
}

#[tokio::test]
async fn an_order_shows_its_payments_and_what_happened_to_them() {
    let test = Test::with_till().await;
    test.stock("BOWL", 5).await;
    test.order(1_001, "BOWL", 2).await;
    let mut payment = PaymentLife::new(Provider::Mollie, TILL, SECRET, "1001");
    let name = format!("{TILL} mollie:{}", payment.id());
    for (told, state) in [
        (payment.authorise(operate::now()), "authorised"),
        (payment.capture(operate::now()), "captured"),
    ] {
        test.decide_callback(Provider::Mollie, &told).await;
        let page = test.page("/console/order?shop=demo&id=1001").await;
        assert!(page.contains(&format!("<li>{name}: {state}</li>")), "{page}");
        let event = format!("<span>payment {name}: <strong>{state}</strong> 49.99 EUR</span>");
        assert!(page.contains(&event), "{page}");
    }
    test.order(1_002, "BOWL", 1).await;
    let other = test.page("/console/order?shop=demo&id=1002").await;
    assert!(!other.contains("<h2>Payments</h2>"), "{other}");
}

#[tokio::test]
async fn orders_are_found_by_what_they_ask_for() {
    let test = Test::open().await;
    test.stock("BOWL", 1).await;
    test.stock("CUP", 9).await;
    for (id, sku, units) in [(1_001, "BOWL", 1), (1_002, "CUP", 1), (1_003, "BOWL", 4)] {
        test.order(id, sku, units).await;
    }
    let bowls = test.page("/console/orders?sku=BOWL").await;
    for (id, is_there) in [(1_001, true), (1_002, false), (1_003, true)] {
        assert_eq!(bowls.contains(&format!(">{id}</a>")), is_there, "{id}: {bowls}");
    }
    let short = test.page("/console/orders?sku=BOWL&state=short").await;
    assert!(short.contains(">1003</a>") && !short.contains(">1001</a>"), "{short}");
}

/// More than one step takes.
const MANY: i64 = 130;

#[tokio::test]
async fn many_are_previewed_and_replayed_in_steps() {
    let test = Test::open().await;
    let orders = (0..MANY).map(|at| {
        let id = 1_000 + u64::try_from(at).expect("small");
        ShopifyOrder::new(id).line("BOWL", 1).webhook("orders/create")
    });
    test.decide(&orders.collect::<Vec<_>>()).await;
    test.stock("BOWL", 120).await;
    let ask = "/console/dead/replay?reason=unknown_sku";
    let asked = test.get(ask).await;
    assert!(asked.body.contains("As of now it would apply 120, 10 short."), "{}", asked.body);
    assert_eq!(test.units("BOWL").await, (120, 0), "a preview changes nothing");

    let session = cookie(&asked).expect("a session");
    let (action, fields) = form(&asked.body);
    let first = test.post(&action, &session, &fields).await;
    assert!(first.body.contains("100 of 130 dead letters: applied 100."), "{}", first.body);
    assert!(first.body.contains("/console/go_on.js"), "{}", first.body);
    assert_eq!(test.units("BOWL").await, (120, 100));
    let again = test.post(&action, &session, &fields).await;
    assert_eq!(again.status, 409, "the same form acts once: {}", again.body);
    assert!(again.body.contains("This was begun before"), "{}", again.body);

    let (action, fields) = form(&first.body);
    let done = test.post(&action, &session, &fields).await;
    assert!(done.body.contains("Done: applied 120, 10 short."), "{}", done.body);
    assert!(!done.body.contains("/console/go_on.js"), "{}", done.body);
    assert_eq!(test.units("BOWL").await, (120, 120));
    let actions = test.page("/console/operations").await;
    assert!(actions.contains("replay 130 dead letters of reason unknown_sku<"), "{actions}");
    assert!(actions.contains("replay 130 dead letters of reason unknown_sku, on from 100"));
}

#[tokio::test]
async fn what_stays_dead_is_looked_at_once() {
    let test = Test::open().await;
    let orders = (0..MANY).map(|at| raw("orders/create", &format!("no JSON {at}")));
    test.decide(&orders.collect::<Vec<_>>()).await;
    let asked = test.get("/console/dead/replay?reason=malformed").await;
    let expected = "As of now it would apply none, 130 still dead: malformed.";
    assert!(asked.body.contains(expected), "{}", asked.body);
    let session = cookie(&asked).expect("a session");
    let (action, fields) = form(&asked.body);
    let first = test.post(&action, &session, &fields).await;
    let (action, fields) = form(&first.body);
    let done = test.post(&action, &session, &fields).await;
    assert!(done.body.contains("130 could still not be applied"), "{}", done.body);
}

#[tokio::test]
async fn what_somebody_else_closes_meanwhile_is_neither_counted_nor_written_down() {
    let test = Test::open().await;
    let orders = (0..MANY).map(|at| raw("orders/create", &format!("no JSON {at}")));
    test.decide(&orders.collect::<Vec<_>>()).await;
    let asked = test.get("/console/dead/discard?reason=malformed").await;
    let session = cookie(&asked).expect("a session");
    let (action, mut fields) = form(&asked.body);
    fields.push(("why".to_owned(), "their test".to_owned()));
    let first = test.post(&action, &session, &fields).await;
    assert!(first.body.contains("100 of 130 dead letters: discarded 100."), "{}", first.body);

    let filter = DeadFilter { limit: 1_000, ..DeadFilter::default() };
    for row in test.store.dead_letters(&filter).await.expect("reads") {
        let id = EnvelopeId(row.id.parse().expect("an id"));
        test.store.close_dead_letter(id, Closed::Discarded, "kim").await.expect("closes");
    }
    let (action, fields) = form(&first.body);
    let done = test.post(&action, &session, &fields).await;
    assert!(done.body.contains("Done: discarded 100."), "{}", done.body);
    let actions = test.page("/console/operations").await;
    assert_eq!(actions.matches("their test").count(), 1, "{actions}");

    // Of three that were to be looked at, one was closed by somebody else in a step before.
    let orders = (0..2).map(|at| raw("orders/create", &format!("no JSON either {at}")));
    test.decide(&orders.collect::<Vec<_>>()).await;
    let more = [("why", "again"), ("seen", "1"), ("all", "3")];
    let done = test.submit("/console/dead/discard?reason=malformed", &more).await;
    assert!(done.body.contains("Done: discarded 2."), "{}", done.body);
}

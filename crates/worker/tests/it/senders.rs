//! Who sends, and for whom: payments shops, shops that ask for data to be removed, catalogues.

use std::sync::Arc;

use domain::{
    ChangeSet, DeadLetter, DeadReason, Envelope, EnvelopeId, OrderKey, Provider, ShopId, Timestamp,
};
use platforms::Shops;
use queue::parcel;
use store::Store;
use testkit::memory::MemoryStore;
use testkit::shopify::{DOMAIN, LineKind, PLACED_AT, SECRET, ShopifyOrder, SignedWebhook};
use uuid::Uuid;
use worker::{Processor, Strategy, Work};

use crate::cards::{paid_shops, payment, received};
use crate::harness::{outcomes, placed, shops, work};
use crate::meddled::Meddled;

const NOW: Timestamp = Timestamp(PLACED_AT * 1_000_000);

fn with_bowls() -> (MemoryStore, Processor<MemoryStore>) {
    let store = MemoryStore::default();
    store.open_stock("BOWL", "main", 10, 0);
    (store.clone(), Processor::new(store, Strategy::Optimistic))
}

fn works(envelopes: &[&Envelope]) -> Vec<Work> {
    envelopes.iter().map(|one| Work::new((*one).clone(), 0)).collect()
}

#[tokio::test]
async fn a_payment_speaks_to_the_orders_of_the_shop_that_it_pays_for_under_its_rules() {
    let (store, mut processor) = with_bowls();
    let shops = paid_shops("");
    let paid = payment(Provider::Stripe, 1).capture(NOW);
    let capture = received(Provider::Stripe, &paid, NOW);
    let done = processor.process(vec![work(&placed(1, 3))], &shops, true).await.unwrap();
    assert_eq!(outcomes(&done), ["applied"]);
    assert_eq!(store.stock_of("BOWL", "main").committed, 0, "the order's shop waits for money");
    let done = processor.process(works(&[&capture]), &shops, true).await.unwrap();
    assert_eq!(outcomes(&done), ["applied"]);
    assert_eq!(store.stock_of("BOWL", "main").committed, 3);
    let orders: Vec<OrderKey> = store.orders().into_keys().collect();
    let key = OrderKey { shop: ShopId::new("demo"), order: "1".into() };
    assert_eq!(orders, std::slice::from_ref(&key), "of the shop that it pays for");
    let payments = store.payments();
    let (payment, kept) = payments.first_key_value().unwrap();
    assert_eq!((payment.shop.as_str(), &kept.order), ("cards", &Some(key)));
    assert!(store.webhooks().keys().any(|webhook| webhook.shop.as_str() == "cards"));
    store.assert_sound();
}

#[tokio::test]
async fn a_payment_for_nobody_is_kept_and_finds_its_order_once_somebody_is_named() {
    let (store, mut processor) = with_bowls();
    let named = paid_shops("");
    let file = |pays_for: &str| {
        shops(&format!(
            "commit_on = \"paid\"\n[[shop]]\nname = \"cards\"\nplatform = \"payments\"\n\
             secrets = [\"plain:any\"]\n{pays_for}"
        ))
    };
    let mut life = payment(Provider::Stripe, 1);
    let capture = received(Provider::Stripe, &life.capture(NOW), NOW);
    let refund = received(Provider::Stripe, &life.refund(1, NOW), NOW);
    processor.process(vec![work(&placed(1, 3))], &named, true).await.unwrap();
    let done = processor.process(works(&[&capture]), &file(""), true).await.unwrap();
    assert_eq!(outcomes(&done), ["applied"]);
    assert!(store.orders().keys().all(|order| order.shop.as_str() == "demo"));
    assert_eq!(store.payments().into_values().next().unwrap().order, None);
    let forever = Timestamp(i64::MAX);
    assert_eq!(store.unlinked_payments(forever).await.unwrap(), 1, "somebody is told");

    let pays_for = file("pays_for = \"demo\"");
    processor.process(works(&[&refund]), &pays_for, true).await.unwrap();
    assert_eq!(store.stock_of("BOWL", "main").committed, 3, "the order is paid");
    assert_eq!(store.unlinked_payments(forever).await.unwrap(), 0);
    store.assert_sound();
}

/// Whenever the other lane writes the reference, the refund and the dispute find the order.
#[tokio::test]
async fn a_reference_that_another_lane_writes_meanwhile_is_not_lost() {
    let shops = paid_shops("");
    for provider in [Provider::Stripe, Provider::Standard] {
        // After which read the capture is written, and whether the order was there before.
        for (reads, is_placed) in [(0, true), (1, true), (0, false), (1, false)] {
            let (store, mut processor) = with_bowls();
            if is_placed {
                processor.process(vec![work(&placed(5001, 3))], &shops, true).await.unwrap();
            }
            let mut life = payment(provider, 5001);
            let capture = received(provider, &life.capture(NOW), NOW);
            let mut dispute = received(provider, &life.dispute(NOW), NOW);
            let text = String::from_utf8_lossy(&dispute.body);
            dispute.body = text.replace("\"order_id\":\"5001\"", "\"order_id\":null").into();
            let mut meddling = vec![Vec::new(); reads];
            meddling.push(works(&[&capture]));
            let meddled = Meddled::new(store.clone(), Arc::clone(&shops), meddling);
            let mut slow = Processor::new(meddled.clone(), Strategy::Optimistic);
            let done = slow.process(works(&[&dispute]), &shops, true).await.unwrap();
            assert_eq!(outcomes(&done), ["applied"]);
            assert!(meddled.is_done());
            if !is_placed {
                processor.process(vec![work(&placed(5001, 3))], &shops, true).await.unwrap();
            }
            let order = store.orders().into_values().next().unwrap().order;
            let payment = store.payments().into_values().next().unwrap().payment;
            assert_eq!(payment.known.events.len(), 2);
            let linked = order.known.payments.into_values().collect::<Vec<_>>();
            assert_eq!(linked, [payment.linked()], "{provider:?} {reads} {is_placed}");
            assert_eq!(store.stock_of("BOWL", "main").committed, 3);
            store.assert_sound();
        }
    }
}

/// A second try at Adyen that fails has the first one's reference, and with it its event.
#[tokio::test]
async fn an_order_hears_of_an_event_that_is_told_anew() {
    let (store, mut processor) = with_bowls();
    let shops = paid_shops("");
    processor.process(vec![work(&placed(1, 3))], &shops, true).await.unwrap();
    let mut life = payment(Provider::Adyen, 1);
    let later = |seconds| Timestamp::from_seconds(PLACED_AT + seconds);
    for request in [life.fail(later(1)), life.cancel(later(2)), life.fail(later(3))] {
        let seconds = i64::try_from(store.webhooks().len()).unwrap();
        let envelope = received(Provider::Adyen, &request, later(seconds));
        let done = processor.process(works(&[&envelope]), &shops, true).await.unwrap();
        assert_eq!(outcomes(&done), ["applied"]);
        let order = store.orders().into_values().next().unwrap().order;
        let payment = store.payments().into_values().next().unwrap().payment;
        let linked = order.known.payments.into_values().collect::<Vec<_>>();
        assert_eq!(linked, [payment.linked()]);
    }
}

fn signed(topic: &str, body: &str) -> Work {
    work(&SignedWebhook::raw(topic, DOMAIN, SECRET, body.to_owned()))
}

/// `demo`, and `other` with the same app and so the same secret.
fn two_shops() -> Arc<Shops> {
    shops(&format!(
        "[[shop]]\nname = \"other\"\nplatform = \"shopify\"\n\
         domain = \"other.myshopify.com\"\nsecrets = [\"plain:{SECRET}\"]"
    ))
}

/// Four dead letters: of the order that is named, of the customer's, of nobody of them, and of the
/// other shop; and which of them still have their bodies after `request`.
async fn bodies_left(request: Work) -> (Vec<&'static str>, Vec<bool>) {
    let store = MemoryStore::default();
    let mut processor = Processor::new(store.clone(), Strategy::Optimistic);
    let shops = two_shops();
    let mut of_customer = signed("orders/updated", r#"{"broken": "kim@mail.example"}"#);
    let mut of_other = work(&placed(4401, 1));
    of_other.envelope.shop = ShopId::new("other");
    of_customer.envelope.received_at = Timestamp(2);
    let letters = vec![work(&placed(4401, 1)), of_customer, work(&placed(44_011, 1)), of_other];
    let ids: Vec<_> = letters.iter().map(|one| one.envelope.id).collect();
    let done = processor.process(letters, &shops, true).await.expect("the store is there");
    assert!(done.iter().all(|one| crate::harness::verdict(one).outcome == domain::Outcome::Dead));
    let done = processor.process(vec![request], &shops, true).await.expect("as before");
    store.assert_sound();
    let dead = store.dead_letters();
    (outcomes(&done), ids.iter().map(|id| !dead[id].raw.is_empty()).collect())
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

#[tokio::test]
async fn nobody_has_another_shop_s_bodies_removed() {
    let other = "other.myshopify.com";
    let shop = format!(r#"{{"shop_id": 1, "shop_domain": "{other}"}}"#);
    for (topic, body) in [("customers/redact", redact_customer(other)), ("shop/redact", shop)] {
        let answer = bodies_left(signed(topic, &body)).await;
        assert_eq!(answer, (vec!["topic_mismatch"], vec![true; 4]), "{topic}");
    }
}

#[tokio::test]
async fn nobody_says_that_another_shop_has_removed_its_app() {
    let (store, mut processor) = with_bowls();
    let body = |domain: &str| {
        format!(r#"{{"id": 1, "domain": "demo.example", "myshopify_domain": "{domain}"}}"#)
    };
    for (domain, outcome) in [("other.myshopify.com", "topic_mismatch"), (DOMAIN, "applied")] {
        let removed = signed("app/uninstalled", &body(domain));
        let done = processor.process(vec![removed], &two_shops(), true).await.unwrap();
        assert_eq!(outcomes(&done), [outcome]);
    }
    assert_eq!(store.sightings("demo").len(), 1);
}

#[tokio::test]
async fn what_nobody_can_read_goes_with_any_request_and_what_can_be_read_by_now_does_not() {
    let of_other = Envelope { shop: ShopId::new("other"), ..work(&placed(4401, 1)).envelope };
    let of_this = work(&placed(4401, 1)).envelope;
    let raw = |envelope: &Envelope| parcel::encode(std::slice::from_ref(envelope)).unwrap();
    let bodies = [b"no parcel".to_vec(), raw(&of_other), raw(&of_this)];
    let shop = format!(r#"{{"shop_id": 1, "shop_domain": "{DOMAIN}"}}"#);
    for (topic, body) in [("customers/redact", redact_customer(DOMAIN)), ("shop/redact", shop)] {
        let (store, mut processor) = with_bowls();
        let letters = (1..).zip(&bodies).map(|(id, raw)| unreadable(id, raw));
        let changes = ChangeSet { dead: letters.collect(), ..ChangeSet::default() };
        store.commit_now(&changes).unwrap();
        let done = processor.process(vec![signed(topic, &body)], &two_shops(), true).await.unwrap();
        assert_eq!(outcomes(&done), ["applied"]);
        let left: Vec<bool> =
            store.dead_letters().values().map(|letter| !letter.raw.is_empty()).collect();
        assert_eq!(left, [false, true, false], "{topic}");
    }
}

/// A letter of nobody's shop, as what cannot be decoded becomes one.
fn unreadable(id: u128, raw: &[u8]) -> DeadLetter {
    DeadLetter {
        envelope: EnvelopeId(Uuid::from_u128(id)),
        shop: None,
        webhook: None,
        topic: String::new(),
        reason: DeadReason::Malformed,
        detail: "no parcel".to_owned(),
        attempts: 0,
        received_at: NOW,
        died_at: NOW,
        raw: raw.to_vec(),
    }
}

#[tokio::test]
async fn a_line_without_a_sku_is_what_the_catalogue_says_of_its_variant() {
    let bare = ShopifyOrder::new(1).line_of(LineKind::Tracked, None, 3).webhook("orders/create");
    let body: String = String::from_utf8_lossy(&bare.body).into_owned();
    let at = body.find("\"variant_id\":").unwrap() + "\"variant_id\":".len();
    let variant: String = body[at..].chars().take_while(char::is_ascii_digit).collect();
    let product = format!(
        r#"{{"id": 77, "title": "Bowl", "updated_at": "2026-11-21T12:00:00Z",
            "admin_graphql_api_id": "gid://shopify/Product/77",
            "variants": [{{"id": {variant}, "product_id": 77, "sku": "BOWL",
                "inventory_item_id": 78, "inventory_quantity": 5,
                "updated_at": "2026-11-21T12:00:00Z",
                "admin_graphql_api_id": "gid://shopify/ProductVariant/{variant}"}}]}}"#
    );
    let (store, mut processor) = with_bowls();
    let mut order = work(&bare);
    let done = processor.process(vec![order.clone()], &shops(""), true).await.unwrap();
    assert_eq!(outcomes(&done), ["unknown_sku"], "nobody knows it yet");
    let seen = signed("products/update", &product);
    let done = processor.process(vec![seen], &shops(""), true).await.unwrap();
    assert_eq!(outcomes(&done), ["applied"]);
    assert_eq!(store.sightings("demo").len(), 2, "the variant and its product");
    order.replay = true;
    let done = processor.process(vec![order], &shops(""), true).await.unwrap();
    assert_eq!(outcomes(&done), ["applied"]);
    assert_eq!(store.stock_of("BOWL", "main").committed, 3);
    store.assert_sound();
}

//! Who sends, and for whom: payments shops, catalogues.

use domain::{Envelope, OrderKey, Provider, ShopId, Timestamp};
use store::Store;
use testkit::memory::MemoryStore;
use testkit::shopify::{DOMAIN, LineKind, PLACED_AT, SECRET, ShopifyOrder, SignedWebhook};
use worker::{Processor, Strategy, Work};

use crate::cards::{paid_shops, payment, received};
use crate::harness::{outcomes, placed, shops, soon, work};
use crate::meddled::Meddled;
use crate::redactions::two_shops;

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

/// A live Connect endpoint is sent its accounts' test events, signed with the same secret.
#[tokio::test]
async fn a_test_payment_pays_unless_the_shop_ignores_them() {
    let paid = payment(Provider::Stripe, 1).capture(NOW);
    let capture = received(Provider::Stripe, &paid, NOW);
    for (rule, outcome, committed) in [
        ("", "applied", 3),
        ("test_payments = \"count\"", "applied", 3),
        ("test_payments = \"ignore\"", "test_payment", 0),
    ] {
        let (store, mut processor) = with_bowls();
        let shops = shops(&format!(
            "commit_on = \"paid\"\n[[shop]]\nname = \"cards\"\nplatform = \"payments\"\n\
             secrets = [\"plain:any\"]\npays_for = \"demo\"\n{rule}"
        ));
        processor.process(vec![work(&placed(1, 3))], &shops, true).await.unwrap();
        let done = processor.process(works(&[&capture]), &shops, true).await.unwrap();
        assert_eq!(outcomes(&done), [outcome]);
        assert_eq!(store.stock_of("BOWL", "main").committed, committed, "{rule}");
        store.assert_sound();
    }
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
            let (meddled, mut readers) = Meddled::new(store.clone());
            let mut slow = Processor::new(meddled, Strategy::Optimistic);
            let slow = slow.process(works(&[&dispute]), &shops, true);
            let other = async {
                for _ in 0..reads {
                    drop(readers.recv().await);
                }
                let _reader = readers.recv().await;
                processor.process(works(&[&capture]), &shops, true).await.unwrap();
                drop(readers);
            };
            let (done, ()) = soon("both", async { tokio::join!(slow, other) }).await;
            assert_eq!(outcomes(&done.unwrap()), ["applied"]);
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

//! Webhooks of WooCommerce and payment providers, signed as theirs are.

use domain::{Platform, Provider, ShopId};
use ingress::Limits;
use queue::PublishError;

use crate::server::Server;
use crate::webhook::{PAY_SECRET, WOO_SECRET, Webhook, adyen_item, hex, hmac, now_seconds};

#[tokio::test]
async fn the_unsigned_ping_of_woocommerce_is_answered_200_and_never_queued() {
    let mut server = Server::start(Limits::default()).await;
    let ping = Webhook::unsigned("/webhooks/woocommerce/woo", "webhook_id=12")
        .with("Content-Type", "application/x-www-form-urlencoded");
    let mut peer = server.peer().await;
    peer.send(ping.request()).await;
    let answer = peer.answer().await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    server.assert_nothing_queued();
}

#[tokio::test]
async fn a_signed_webhook_of_woocommerce_is_taken_for_the_shop_of_its_path() {
    let mut server = Server::start(Limits::default()).await;
    let body = r#"{"id": 5, "date_modified_gmt": "2026-11-21T12:00:00"}"#;
    let (envelope, answer) = server.take(&Webhook::woocommerce_by(WOO_SECRET, body)).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert_eq!((envelope.platform, envelope.provider), (Platform::WooCommerce, None));
    assert_eq!(envelope.shop, ShopId::new("woo"));
    assert_eq!(envelope.topic, "order.updated");
    assert_eq!(envelope.body, body);
}

#[tokio::test]
async fn signed_callbacks_of_payment_providers_are_taken_for_the_shop_of_their_path() {
    let mut server = Server::start(Limits::default()).await;
    let body = r#"{"id": "evt_1", "type": "payment.captured"}"#;
    let mollie = format!("sha256={}", hex(&hmac(PAY_SECRET.as_bytes(), body.as_bytes())));
    for (provider, callback) in [
        (Provider::Stripe, Webhook::stripe_at(now_seconds(), body)),
        (Provider::Standard, Webhook::standard_at(now_seconds(), body)),
        (
            Provider::Mollie,
            Webhook::unsigned("/webhooks/payments/mollie/pay", body)
                .with("X-Mollie-Signature", &mollie),
        ),
    ] {
        let (envelope, answer) = server.take(&callback).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, ""), "{provider:?}");
        assert_eq!(envelope.platform, Platform::Payments);
        assert_eq!(envelope.provider, Some(provider));
        assert_eq!(envelope.shop, ShopId::new("pay"));
        assert_eq!(envelope.body, body);
    }
}

#[tokio::test]
async fn a_signature_of_another_time_is_401_and_said_to_be_so() {
    let mut server = Server::start(Limits::default()).await;
    let mut peer = server.peer().await;
    for moment in [now_seconds() - 3_600, now_seconds() + 3_600] {
        for callback in [Webhook::stripe_at(moment, "{}"), Webhook::standard_at(moment, "{}")] {
            peer.send(callback.request()).await;
            let answer = peer.answer().await;
            assert_eq!(answer.status, 401);
            assert_eq!(answer.body, "the signature is too old or from the future\n");
        }
    }
    server.assert_nothing_queued();
}

#[tokio::test]
async fn a_request_with_several_items_is_answered_when_the_last_of_them_is_durable() {
    let mut server = Server::start(Limits::default()).await;
    let items: Vec<_> = ["A1", "A2", "A3"].map(adyen_item).into();
    let mut peer = server.peer().await;
    peer.send(Webhook::adyen(&items).request()).await;
    // All are on their way at once, so three items take no longer than one.
    let arrivals = [server.arrival().await, server.arrival().await, server.arrival().await];
    let [first, second, third] = arrivals;
    let mut bodies = vec![first.answer(Ok(())).body, third.answer(Ok(())).body];
    // Somebody else's whole round trip leaves time for an answer that comes too soon.
    assert_eq!(server.peer().await.get("/healthz").await.status, 200);
    peer.assert_silent();

    let last = second.answer(Ok(()));
    let answer = peer.answer().await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "[accepted]"));
    assert_eq!((last.provider, last.shop), (Some(Provider::Adyen), ShopId::new("adyen")));
    bodies.insert(1, last.body);
    bodies.sort();
    assert_eq!(bodies, items, "each brings its own item");
}

#[tokio::test]
async fn a_request_of_which_one_item_fails_is_answered_503_so_that_all_come_again() {
    let mut server = Server::start(Limits::default()).await;
    let request = Webhook::adyen(&["A1", "A2"].map(adyen_item)).request();
    let mut peer = server.peer().await;
    peer.send(&request).await;
    let [first, second] = [server.arrival().await, server.arrival().await];
    let taken = first.answer(Ok(())).webhook;
    second.answer(Err(PublishError::Unavailable("gone".to_owned())));
    assert_eq!(peer.answer().await.status, 503);

    peer.send(&request).await;
    let again = [server.arrival().await, server.arrival().await].map(|one| one.answer(Ok(())));
    assert_eq!(peer.answer().await.status, 200);
    let known = again.iter().filter(|envelope| envelope.webhook == taken).count();
    assert_eq!(known, 1, "what was taken before comes under the same name");
}

use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::{Platform, ShopId, WebhookId};
use ingress::Limits;

use crate::server::{PANIC, Server, shops_with};
use crate::webhook::Webhook;

#[tokio::test]
async fn a_webhook_is_answered_200_only_after_the_queue_has_it() {
    let mut server = Server::start(Limits::default()).await;
    let mut peer = server.peer().await;
    peer.send(Webhook::new(r#"{"id": 1}"#).request()).await;
    let arrival = server.arrival().await;
    // Somebody else's whole round trip leaves time for an answer that comes too soon.
    assert_eq!(server.peer().await.get("/healthz").await.status, 200);
    peer.assert_silent();

    let envelope = arrival.answer(Ok(()));
    let answer = peer.answer().await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert_eq!(envelope.platform, Platform::Shopify);
    assert_eq!(envelope.shop, ShopId::new("demo"));
    assert_eq!(envelope.topic, "orders/create");
    assert_eq!(envelope.webhook, WebhookId::new("b54557e4-bdd9-4b37-8a5f-bf7d70bcd043"));
    assert_eq!(envelope.body, r#"{"id": 1}"#);
}

#[tokio::test]
async fn a_chunked_webhook_is_taken_whole() {
    let mut server = Server::start(Limits::default()).await;
    let body = vec![b'x'; 200_000];
    let mut peer = server.peer().await;
    peer.send(Webhook::new(body.clone()).chunked()).await;
    let envelope = server.arrival().await.answer(Ok(()));
    assert_eq!(peer.answer().await.status, 200);
    assert!(envelope.body == body);
}

#[tokio::test]
async fn what_no_known_secret_signed_is_answered_401_and_never_queued() {
    let mut server = Server::start(Limits::default()).await;
    let unsigned = Webhook::new("{}").without("X-Shopify-Hmac-Sha256");
    let unreadable = Webhook::new("{}")
        .without("X-Shopify-Hmac-Sha256")
        .with("X-Shopify-Hmac-Sha256", "not base64");
    let forged = Webhook::signed_by("somebody else's", "{}");
    let stranger = Webhook::signed_by("somebody else's", "{}")
        .without("X-Shopify-Shop-Domain")
        .with("X-Shopify-Shop-Domain", "stranger.myshopify.com");
    let mut peer = server.peer().await;
    for webhook in [unsigned, unreadable, forged, stranger] {
        peer.send(webhook.request()).await;
        let answer = peer.answer().await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.body, "the signature is missing or does not fit\n");
    }
    server.assert_nothing_queued();
}

#[tokio::test]
async fn a_webhook_without_a_topic_is_answered_400_and_told_which_header_is_missing() {
    let mut server = Server::start(Limits::default()).await;
    let mut peer = server.peer().await;
    peer.send(Webhook::new("{}").without("X-Shopify-Topic").request()).await;
    let answer = peer.answer().await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.body, "the X-Shopify-Topic header is missing\n");
    server.assert_nothing_queued();
}

#[tokio::test]
async fn a_new_shops_file_counts_from_the_next_request_on() {
    let mut server = Server::start(Limits::default()).await;
    let webhook = Webhook::signed_by("a new secret", "{}");
    let mut peer = server.peer().await;
    peer.send(webhook.request()).await;
    assert_eq!(peer.answer().await.status, 401);
    server.shops.send_replace(Arc::new(shops_with("a new secret")));
    let (_, answer) = server.take(&webhook).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn unknown_paths_are_404_and_other_methods_405() {
    let server = Server::start(Limits::default()).await;
    for path in ["/", "/webhooks", "/webhooks/shopify/", "/webhooks//shopify", "/metrics"] {
        assert_eq!(server.peer().await.get(path).await.status, 404, "{path}");
    }
    let answer = server.peer().await.get("/webhooks/shopify").await;
    assert_eq!(answer.status, 405);
    assert!(answer.head.contains("allow: post"), "{}", answer.head);
    let mut peer = server.peer().await;
    peer.send("DELETE /healthz HTTP/1.1\r\nHost: test\r\n\r\n").await;
    assert_eq!(peer.answer().await.status, 405);
}

#[tokio::test]
async fn readiness_follows_the_queue_and_health_does_not() {
    let server = Server::start(Limits::default()).await;
    let mut peer = server.peer().await;
    assert_eq!(peer.get("/readyz").await.status, 200);
    server.queue_ready.store(false, Ordering::SeqCst);
    assert_eq!(peer.get("/readyz").await.status, 503);
    assert_eq!(peer.get("/healthz").await.status, 200);
    server.queue_ready.store(true, Ordering::SeqCst);
    assert_eq!(peer.get("/readyz").await.status, 200);
}

#[tokio::test]
async fn a_connection_brings_many_webhooks_even_before_the_first_is_answered() {
    let mut server = Server::start(Limits::default()).await;
    let mut peer = server.peer().await;
    peer.send([Webhook::new("1").request(), Webhook::new("2").request()].concat()).await;
    for body in ["1", "2"] {
        assert_eq!(server.arrival().await.answer(Ok(())).body, body);
    }
    for _ in 0..2 {
        assert_eq!(peer.answer().await.status, 200);
    }
    peer.send(Webhook::new("3").request()).await;
    assert_eq!(server.arrival().await.answer(Ok(())).body, "3");
    assert_eq!(peer.answer().await.status, 200);
}

#[tokio::test]
async fn a_panic_is_answered_500_and_the_next_webhook_200() {
    let mut server = Server::start(Limits::default()).await;
    let webhook = Webhook::new("{}").without("X-Shopify-Topic").with("X-Shopify-Topic", PANIC);
    let mut peer = server.peer().await;
    peer.send(webhook.request()).await;
    assert_eq!(peer.answer().await.status, 500);
    let (_, answer) = server.take(&Webhook::new("{}")).await;
    assert_eq!(answer.status, 200);
}

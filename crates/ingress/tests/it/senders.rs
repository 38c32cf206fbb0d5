//! The paths of those who do not name their shop in a header.

use ingress::Limits;
use metrics_exporter_prometheus::PrometheusBuilder;

use crate::server::Server;
use crate::webhook::{SECRET, Webhook};

/// Sends only the head: what is refused for its path must be refused before its body comes.
async fn assert_no_such_sender(server: &Server, path: &str, line: &str) {
    let mut peer = server.peer().await;
    peer.send(Webhook::unsigned(path, vec![b'x'; 1_000]).head()).await;
    let answer = peer.answer().await;
    assert_eq!((answer.status, answer.body), (404, format!("{line}\n")), "{path}");
    assert!(answer.head.contains("connection: close"), "{path}: {}", answer.head);
    peer.finish_sending().await;
    peer.assert_closed().await;
}

#[tokio::test]
async fn a_shop_that_is_unknown_or_of_another_platform_is_404_before_its_body_is_sent() {
    let mut server = Server::start(Limits::default()).await;
    let line = |platform: &str| {
        format!(
            "no shop with platform = \"{platform}\" has the name that the path ends with: see the \
             shops file"
        )
    };
    for shop in ["nobody", "WOO", "demo", "pay", "%FF", "woo%0A"] {
        let path = format!("/webhooks/woocommerce/{shop}");
        assert_no_such_sender(&server, &path, &line("woocommerce")).await;
    }
    for provider in ["stripe", "adyen", "mollie", "standard"] {
        for shop in ["nobody", "demo", "woo"] {
            let path = format!("/webhooks/payments/{provider}/{shop}");
            assert_no_such_sender(&server, &path, &line("payments")).await;
        }
    }
    server.assert_nothing_queued();
}

#[tokio::test]
async fn an_unknown_provider_is_404_and_paypal_is_told_of_another_way() {
    let mut server = Server::start(Limits::default()).await;
    let unknown = "there is no such payment provider: the path is \
                   /webhooks/payments/PROVIDER/SHOP, and PROVIDER is stripe, adyen, mollie or \
                   standard";
    for provider in ["klarna", "Stripe", "%FF", ""] {
        assert_no_such_sender(&server, &format!("/webhooks/payments/{provider}/pay"), unknown)
            .await;
    }
    let paypal = "PayPal signs with certificates that must be fetched, which Onhand does not do \
                  yet; send through a Standard Webhooks relay";
    for shop in ["pay", "nobody"] {
        assert_no_such_sender(&server, &format!("/webhooks/payments/paypal/{shop}"), paypal).await;
    }
    server.assert_nothing_queued();
}

#[tokio::test]
async fn their_other_methods_are_405_and_what_is_beside_their_paths_404() {
    let server = Server::start(Limits::default()).await;
    for path in ["/webhooks/woocommerce/woo", "/webhooks/payments/stripe/pay"] {
        let answer = server.peer().await.get(path).await;
        assert_eq!(answer.status, 405, "{path}");
        assert!(answer.head.contains("allow: post"), "{}", answer.head);
    }
    for path in [
        "/webhooks/woocommerce",
        "/webhooks/woocommerce/",
        "/webhooks/woocommerce/woo/",
        "/webhooks/woocommerce/woo/more",
        "/webhooks/payments/stripe",
        "/webhooks/payments/stripe/",
        "/webhooks/payments/stripe/pay/",
    ] {
        assert_eq!(server.peer().await.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn what_the_shop_did_not_sign_is_401_and_never_queued() {
    let mut server = Server::start(Limits::default()).await;
    let stripe = format!("t=1700000000,v1={}", "0".repeat(64));
    let mut peer = server.peer().await;
    for webhook in [
        Webhook::woocommerce_by(SECRET, "{}"),
        Webhook::unsigned("/webhooks/woocommerce/woo", "{}"),
        Webhook::unsigned("/webhooks/payments/stripe/pay", "{}").with("Stripe-Signature", &stripe),
        Webhook::unsigned("/webhooks/payments/stripe/pay", "{}"),
    ] {
        peer.send(webhook.request()).await;
        let answer = peer.answer().await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.body, "the signature is missing or does not fit\n");
    }
    server.assert_nothing_queued();
}

#[tokio::test]
async fn their_limits_are_those_of_all_bodies() {
    let server = Server::start(Limits { body_bytes_max: 1_000, ..Limits::default() }).await;
    for path in ["/webhooks/woocommerce/woo", "/webhooks/payments/adyen/adyen"] {
        let mut peer = server.peer().await;
        peer.send(Webhook::unsigned(path, vec![b'x'; 1_001]).head()).await;
        assert_eq!(peer.answer().await.status, 413, "{path}");
    }
}

#[tokio::test]
async fn they_are_counted_by_platform_or_provider_whatever_their_paths_say() {
    let recorder = PrometheusBuilder::new().build_recorder();
    // The runtime of a test has one thread, so this reaches the server's tasks.
    let _guard = metrics::set_default_local_recorder(&recorder);
    let server = Server::start(Limits::default()).await;
    for path in [
        "/webhooks/woocommerce/invented",
        "/webhooks/payments/mollie/invented",
        "/webhooks/payments/invented/pay",
        "/webhooks/payments/paypal/pay",
    ] {
        let mut peer = server.peer().await;
        peer.send(Webhook::unsigned(path, "{}").request()).await;
        assert_eq!(peer.answer().await.status, 404);
    }
    let rendered = recorder.handle().render();
    for line in [
        r#"onhand_ingress_requests_total{platform="woocommerce",status="404"} 1"#,
        r#"onhand_ingress_requests_total{platform="mollie",status="404"} 1"#,
        r#"onhand_ingress_requests_total{platform="payments",status="404"} 2"#,
        r#"onhand_ingress_refused_total{reason="unknown_shop"} 2"#,
        r#"onhand_ingress_refused_total{reason="unknown_provider"} 1"#,
        r#"onhand_ingress_refused_total{reason="paypal"} 1"#,
    ] {
        assert!(rendered.lines().any(|have| have == line), "no {line} in\n{rendered}");
    }
    assert!(!rendered.contains("invented"), "{rendered}");
}

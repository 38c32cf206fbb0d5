use ingress::Limits;
use metrics_exporter_prometheus::PrometheusBuilder;

use crate::server::Server;
use crate::webhook::{SECRET, Webhook};

#[tokio::test]
async fn requests_refusals_acks_and_bytes_in_flight_are_counted() {
    let recorder = PrometheusBuilder::new().build_recorder();
    // The runtime of a test has one thread, so this reaches the server's tasks.
    let _guard = metrics::set_default_local_recorder(&recorder);
    let handle = recorder.handle();
    let assert_line = |line: &str| {
        let rendered = handle.render();
        assert!(rendered.lines().any(|have| have == line), "no {line} in\n{rendered}");
    };

    let mut server = Server::start(Limits::default()).await;
    let mut peer = server.peer().await;
    peer.send(Webhook::new(vec![b'x'; 2_048]).request()).await;
    let arrival = server.arrival().await;
    assert_line("onhand_ingress_bytes_in_flight 2048");
    arrival.answer(Ok(()));
    assert_eq!(peer.answer().await.status, 200);
    assert_line("onhand_ingress_bytes_in_flight 0");

    let sent_at = |rendered: &str| -> Option<f64> {
        let demo = "onhand_shop_last_webhook_timestamp_seconds{shop=\"demo\"} ";
        rendered.lines().find_map(|line| line.strip_prefix(demo))?.parse().ok()
    };
    let last = sent_at(&handle.render()).expect("the shop's last webhook");
    assert!((last - jiff::Timestamp::now().as_duration().as_secs_f64()).abs() < 60.0, "{last}");

    peer.send(Webhook::signed_by("nobody", "{}").request()).await;
    assert_eq!(peer.answer().await.status, 401);
    peer.send(Webhook::new("{}").without("X-Shopify-Topic").request()).await;
    assert_eq!(peer.answer().await.status, 400);
    assert_eq!(peer.get("/nowhere").await.status, 404);

    assert_line(r#"onhand_ingress_requests_total{platform="shopify",status="200"} 1"#);
    assert_line(r#"onhand_ingress_requests_total{platform="shopify",status="401"} 1"#);
    assert_line(r#"onhand_ingress_requests_total{platform="none",status="404"} 1"#);
    assert_line(r#"onhand_ingress_refused_total{reason="bad_signature"} 1"#);
    assert_line(r#"onhand_ingress_refused_total{reason="missing_header"} 1"#);
    assert_line(r#"onhand_shop_signatures_refused_total{shop="demo",reason="bad_signature"} 1"#);
    assert_line("onhand_ingress_ack_seconds_count 1");
    // There before the first, so that a rate over it sees that.
    assert_line(r#"onhand_ingress_requests_total{platform="woocommerce",status="503"} 0"#);
}

#[tokio::test]
async fn what_a_sender_says_of_itself_becomes_no_label() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let mut server = Server::start(Limits::default()).await;
    let other = "Invented.myshopify.com";
    let named = Webhook::new("{}").without("X-Shopify-Shop-Domain");
    // Signed by a secret that is known, for a domain that is not: taken, and counted for nobody.
    server.take(&named.with("X-Shopify-Shop-Domain", other)).await;
    let forged = Webhook::signed_by("nobody", "{}").without("X-Shopify-Shop-Domain");
    let forged =
        [forged.with("X-Shopify-Shop-Domain", other), Webhook::woocommerce_by(SECRET, "{}")];
    for webhook in forged {
        let mut peer = server.peer().await;
        peer.send(webhook.request()).await;
        assert_eq!(peer.answer().await.status, 401);
    }
    let rendered = recorder.handle().render();
    let of_shops: Vec<_> =
        rendered.lines().filter(|line| line.starts_with("onhand_shop_")).collect();
    let woo = r#"onhand_shop_signatures_refused_total{shop="woo",reason="bad_signature"} 1"#;
    assert_eq!(of_shops, [woo], "{rendered}");
}

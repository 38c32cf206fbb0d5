use ingress::Limits;
use metrics_exporter_prometheus::PrometheusBuilder;

use crate::server::Server;
use crate::webhook::Webhook;

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
    assert_line("onhand_ingress_ack_seconds_count 1");
}

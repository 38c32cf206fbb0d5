use std::time::Instant;

use serve::Limits;

use crate::server::{SOON, Server, counted, patient, recorded};

#[tokio::test]
async fn a_peer_that_says_nothing_is_closed_at_the_header_timeout() {
    let server = Server::start(Limits { header_timeout: SOON, ..patient() }).await;
    server.peer().await.assert_closed().await;
}

#[tokio::test]
async fn half_a_header_is_closed_at_the_header_timeout() {
    let (metrics, _guard) = recorded();
    let server = Server::start(Limits { header_timeout: SOON, ..patient() }).await;
    let mut peer = server.peer().await;
    peer.send("GET / HTTP/1.1\r\nHost: te").await;
    peer.assert_closed().await;
    assert_eq!(counted(&metrics), ["onhand_http_timeouts_total{phase=\"header\"} 1"]);
}

#[tokio::test]
async fn half_a_header_after_an_answer_is_closed_at_the_header_timeout() {
    let server = Server::start(Limits { header_timeout: SOON, ..patient() }).await;
    let mut peer = server.peer().await;
    assert_eq!(peer.get("/").await.status, 200);
    peer.send("GET").await;
    peer.assert_closed().await;
}

#[tokio::test]
async fn an_idle_connection_outlives_the_header_timeout_and_ends_at_its_own() {
    let (metrics, _guard) = recorded();
    let limits = Limits { header_timeout: SOON, idle_timeout: SOON * 3, ..patient() };
    let server = Server::start(limits).await;
    let mut peer = server.peer().await;
    let before = Instant::now();
    assert_eq!(peer.get("/").await.status, 200);
    peer.assert_closed().await;
    assert!(before.elapsed() >= SOON * 3);
    assert_eq!(counted(&metrics), [""; 0], "that is business as usual");
}

#[tokio::test]
async fn a_request_that_is_handled_for_too_long_is_closed() {
    let (metrics, _guard) = recorded();
    let server = Server::start(Limits { request_timeout: SOON, ..patient() }).await;
    let peer = server.held_peer().await;
    peer.assert_closed().await;
    assert_eq!(counted(&metrics), ["onhand_http_timeouts_total{phase=\"request\"} 1"]);
}

#[tokio::test]
async fn an_answer_that_is_still_being_sent_is_not_idle() {
    let server = Server::start(Limits { idle_timeout: SOON, ..patient() }).await;
    let mut peer = server.peer().await;
    peer.send("GET /trickle HTTP/1.1\r\nHost: test\r\n\r\n").await;
    peer.read_until("piece 9\n\r\n0\r\n\r\n").await;
    peer.assert_closed().await;
}

use std::time::Duration;

use ingress::Limits;

use crate::server::Server;
use crate::webhook::Webhook;

const BODY_BYTES_MAX: usize = 100_000;

/// Room for one body of the longest kind.
fn tight() -> Limits {
    Limits {
        body_bytes_max: BODY_BYTES_MAX,
        in_flight_bytes_max: BODY_BYTES_MAX,
        ..Limits::default()
    }
}

fn webhook(bytes: usize) -> Webhook {
    Webhook::new(vec![b'x'; bytes])
}

#[tokio::test]
async fn a_declared_length_above_the_limit_is_answered_413_before_the_body_is_sent() {
    let mut server = Server::start(tight()).await;
    for webhook in
        [webhook(BODY_BYTES_MAX + 1), webhook(BODY_BYTES_MAX + 1).with("Expect", "100-continue")]
    {
        let mut peer = server.peer().await;
        peer.send(webhook.head()).await;
        let answer = peer.answer().await;
        assert_eq!(answer.status, 413);
        assert_eq!(answer.body, "the body is longer than 100000 bytes\n");
        peer.finish_sending().await;
        peer.assert_closed().await;
    }
    server.assert_nothing_queued();
}

#[tokio::test]
async fn a_chunked_body_is_answered_413_when_it_passes_the_limit() {
    let mut server = Server::start(tight()).await;
    let mut peer = server.peer().await;
    peer.send(webhook(BODY_BYTES_MAX * 20).chunked()).await;
    assert_eq!(peer.answer().await.status, 413);
    server.assert_nothing_queued();
}

#[tokio::test]
async fn a_body_of_just_the_limit_is_taken() {
    let mut server = Server::start(tight()).await;
    let mut peer = server.peer().await;
    for request in [webhook(BODY_BYTES_MAX).request(), webhook(BODY_BYTES_MAX).chunked()] {
        peer.send(request).await;
        assert_eq!(server.arrival().await.answer(Ok(())).body.len(), BODY_BYTES_MAX);
        assert_eq!(peer.answer().await.status, 200);
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_in_time_is_answered_408() {
    let limits = Limits { body_timeout: Duration::from_millis(100), ..tight() };
    let mut server = Server::start(limits).await;
    let mut peer = server.peer().await;
    peer.send(webhook(10).head()).await;
    peer.send("half").await;
    assert_eq!(peer.answer().await.status, 408);
    peer.finish_sending().await;
    peer.assert_closed().await;
    server.assert_nothing_queued();
}

#[tokio::test]
async fn a_body_that_breaks_off_is_never_queued() {
    let mut server = Server::start(tight()).await;
    let mut peer = server.peer().await;
    peer.send(webhook(10).head()).await;
    peer.send("half").await;
    peer.finish_sending().await;
    assert_eq!(peer.answer().await.status, 400);
    peer.assert_closed().await;
    server.assert_nothing_queued();
}

#[tokio::test]
async fn without_room_for_another_body_the_answer_is_503_until_there_is() {
    let mut server = Server::start(tight()).await;
    let mut first = server.peer().await;
    first.send(webhook(BODY_BYTES_MAX).request()).await;
    let held = server.arrival().await;

    for request in [webhook(10).head(), webhook(10).chunked()] {
        let mut second = server.peer().await;
        second.send(request).await;
        let answer = second.answer().await;
        assert_eq!(answer.status, 503);
        assert!(answer.head.contains("retry-after: "), "{}", answer.head);
    }
    server.assert_nothing_queued();

    held.answer(Ok(()));
    assert_eq!(first.answer().await.status, 200);
    let (_, answer) = server.take(&webhook(BODY_BYTES_MAX)).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_length_that_is_only_declared_keeps_nobody_out() {
    let mut server = Server::start(tight()).await;
    let mut idle = Vec::new();
    for _ in 0..20 {
        let mut peer = server.peer().await;
        peer.send(webhook(BODY_BYTES_MAX).with("Expect", "100-continue").head()).await;
        assert_eq!(peer.answer().await.status, 100, "its body is awaited");
        idle.push(peer);
    }
    let (_, answer) = server.take(&webhook(10)).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_header_that_does_not_end_is_closed_at_the_timeout() {
    let mut limits = tight();
    limits.http.header_timeout = Duration::from_millis(100);
    let server = Server::start(limits).await;
    let mut peer = server.peer().await;
    peer.send("POST /webhooks/shopify HTTP/1.1\r\nHost: te").await;
    peer.assert_closed().await;
}

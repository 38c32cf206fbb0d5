use crate::server::{Server, counted, patient, recorded};

#[tokio::test]
async fn a_connection_carries_many_requests() {
    let server = Server::start(patient()).await;
    let mut peer = server.peer().await;
    for _ in 0..3 {
        let answer = peer.get("/").await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "hello"));
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = Server::start(patient()).await;
    let mut peer = server.peer().await;
    peer.send(
        "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\none\
         GET / HTTP/1.1\r\nHost: test\r\n\r\n\
         POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nthree",
    )
    .await;
    assert_eq!(peer.answer().await.body, "one");
    assert_eq!(peer.answer().await.body, "hello");
    assert_eq!(peer.answer().await.body, "three");
}

#[tokio::test]
async fn a_body_is_asked_for_with_100_continue() {
    let server = Server::start(patient()).await;
    let mut peer = server.peer().await;
    peer.send(
        "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n",
    )
    .await;
    assert_eq!(peer.answer().await.status, 100);
    peer.send("hi").await;
    assert_eq!(peer.answer().await.body, "hi");
}

#[tokio::test]
async fn a_panic_is_answered_500_and_the_process_lives() {
    let (metrics, _guard) = recorded();
    let server = Server::start(patient()).await;
    let mut peer = server.peer().await;
    let answer = peer.get("/panic").await;
    assert_eq!(answer.status, 500);
    assert!(!answer.body.contains("test wants"), "nothing internal leaks");
    peer.assert_closed().await;
    assert_eq!(server.peer().await.get("/").await.status, 200);
    assert_eq!(counted(&metrics), ["onhand_http_panics_total 1"]);
}

#[tokio::test]
async fn a_peer_that_is_still_sending_gets_its_answer() {
    let server = Server::start(patient()).await;
    let mut peer = server.peer().await;
    let body = vec![b'x'; 8 * 1024 * 1024];
    let head =
        format!("POST /refuse HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n\r\n", body.len());
    peer.send(head).await;
    peer.send(body).await;
    assert_eq!(peer.answer().await.status, 403);
    peer.assert_closed().await;
}

#[tokio::test]
async fn a_peer_that_has_closed_its_side_gets_its_answer() {
    let server = Server::start(patient()).await;
    let mut peer = server.held_peer().await;
    peer.finish_sending().await;
    server.release();
    assert_eq!(peer.answer().await.body, "held");
    peer.assert_closed().await;
}

#[tokio::test]
async fn garbage_is_answered_400_and_the_connection_closed() {
    let server = Server::start(patient()).await;
    let mut peer = server.peer().await;
    peer.send([0x16, 0x03, 0x01, 0xff, b'\r', b'\n', b'\r', b'\n']).await;
    assert_eq!(peer.answer().await.status, 400);
    peer.assert_closed().await;
}

#[tokio::test]
async fn a_header_without_end_is_answered_431() {
    let server = Server::start(patient()).await;
    let mut peer = server.peer().await;
    let long = "x".repeat(serve::HEADER_BYTES_MAX);
    peer.send(format!("GET / HTTP/1.1\r\nHost: test\r\nX-Long: {long}\r\n\r\n")).await;
    assert_eq!(peer.answer().await.status, 431);
}

#[tokio::test]
async fn a_connection_beyond_the_limit_waits_for_another_to_close() {
    let limits = serve::Limits { connections_max: 1, ..patient() };
    let server = Server::start(limits).await;
    let mut first = server.peer().await;
    assert_eq!(first.get("/visit").await.body, "0");

    let mut second = server.peer().await;
    second.send("GET /visit HTTP/1.1\r\nHost: test\r\n\r\n").await;
    for before in 1..10 {
        assert_eq!(first.get("/visit").await.body, before.to_string(), "the second is not served");
    }
    drop(first);
    assert_eq!(second.answer().await.body, "10");
}

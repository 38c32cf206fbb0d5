use serve::Limits;
use tokio::net::TcpStream;

use crate::server::{SOON, Server, patient};

#[tokio::test]
async fn a_stop_finishes_what_is_in_progress_closes_what_is_idle_and_refuses_what_is_new() {
    let server = Server::start(patient()).await;
    let mut idle = server.peer().await;
    assert_eq!(idle.get("/").await.status, 200);
    let mut busy = server.held_peer().await;

    server.stop.cancel();
    idle.assert_closed().await;
    // Connections in the backlog at the moment of the stop end in a reset; then all are refused.
    while TcpStream::connect(server.address).await.is_ok() {}
    busy.assert_silent();

    server.release();
    let answer = busy.answer().await;
    assert_eq!(answer.body, "held");
    assert!(answer.head.contains("connection: close"), "{}", answer.head);
    busy.assert_closed().await;
    server.stopped().await;
}

#[tokio::test]
async fn a_request_that_has_begun_to_arrive_is_finished_by_a_stop() {
    let server = Server::start(patient()).await;
    let mut peer = server.peer().await;
    peer.send(
        "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n",
    )
    .await;
    assert_eq!(peer.answer().await.status, 100);
    server.stop.cancel();
    while TcpStream::connect(server.address).await.is_ok() {}
    peer.send("body").await;
    assert_eq!(peer.answer().await.body, "body");
    server.stopped().await;
}

#[tokio::test]
async fn what_does_not_finish_in_time_is_cut() {
    let server = Server::start(Limits { drain_timeout: SOON, ..patient() }).await;
    let peer = server.held_peer().await;
    server.stop.cancel();
    peer.assert_closed().await;
    server.stopped().await;
}

use ingress::Limits;
use tokio::net::TcpStream;

use crate::server::Server;
use crate::webhook::Webhook;

#[tokio::test]
async fn a_stop_finishes_an_accepted_webhook_and_refuses_new_connections() {
    let mut server = Server::start(Limits::default()).await;
    let mut peer = server.peer().await;
    peer.send(Webhook::new("{}").request()).await;
    let accepted = server.arrival().await;

    server.stop.cancel();
    // Connections in the backlog at the moment of the stop end in a reset; then all are refused.
    while TcpStream::connect(server.address).await.is_ok() {}
    peer.assert_silent();

    accepted.answer(Ok(()));
    assert_eq!(peer.answer().await.status, 200);
    peer.assert_closed().await;
    server.stopped().await;
}

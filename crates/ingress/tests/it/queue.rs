use std::time::Duration;

use ingress::Limits;
use queue::PublishError;

use crate::peer::Answer;
use crate::server::Server;
use crate::webhook::Webhook;

fn assert_come_back_later(answer: &Answer) {
    assert_eq!(answer.status, 503);
    assert!(answer.head.contains("retry-after: 5"), "{}", answer.head);
    let text = "cannot take the webhook right now, please send it again later\n";
    assert_eq!(answer.body, text, "and nothing about this side");
}

#[tokio::test]
async fn what_the_queue_does_not_take_is_answered_503() {
    let mut server = Server::start(Limits::default()).await;
    let mut peer = server.peer().await;
    for error in [
        PublishError::Unavailable("amqp://user:password@broker is gone".to_owned()),
        PublishError::Refused("full".to_owned()),
    ] {
        peer.send(Webhook::new("{}").request()).await;
        server.arrival().await.answer(Err(error));
        assert_come_back_later(&peer.answer().await);
    }
    peer.send(Webhook::new("{}").request()).await;
    server.arrival().await.answer(Ok(()));
    assert_eq!(peer.answer().await.status, 200);
}

#[tokio::test]
async fn a_queue_that_hangs_is_answered_503_in_time_and_200_when_it_works_again() {
    let limits = Limits { publish_timeout: Duration::from_millis(500), ..Limits::default() };
    let mut server = Server::start(limits).await;
    let mut peer = server.peer().await;
    peer.send(Webhook::new("{}").request()).await;
    let hanging = server.arrival().await;
    assert_come_back_later(&peer.answer().await);
    hanging.answer(Ok(()));

    peer.send(Webhook::new("{}").request()).await;
    server.arrival().await.answer(Ok(()));
    assert_eq!(peer.answer().await.status, 200);
}

#[test]
fn the_default_deadline_leaves_time_within_the_four_seconds_that_are_promised() {
    assert!(Limits::default().publish_timeout <= Duration::from_millis(3_500));
}

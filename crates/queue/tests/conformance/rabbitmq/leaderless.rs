//! A queue whose leader is gone: its nodes are away, or the broker was killed while it made it.

use queue::Consumer;
use testkit::services::RabbitMq;

use super::Rabbit;
use crate::depth::{recorded, value};
use crate::harness::{TestQueue, done, envelope, number, one, publish_all, soon};

#[tokio::test]
async fn a_queue_that_takes_no_consumer_wears_out_no_webhook() {
    let (metrics, _guard) = recorded();
    let broker = RabbitMq::start().await;
    let queue = Rabbit::at(broker.url()).await;
    publish_all(&queue.publisher().await, vec![envelope(1)]).await;
    let unrouted = queue.name("unrouted");
    broker.freeze_queue(&unrouted);

    let mut consumer = queue.consumer().await;
    let tried = async {
        let reconnects = "onhand_broker_reconnects_total{purpose=\"consume\"}";
        while value(&metrics, reconnects) < Some(1.0) {
            tokio::task::yield_now().await;
        }
        broker.thaw_queue(&unrouted);
    };
    let (delivery, ()) = tokio::join!(one(&mut consumer), soon("another try", tried));
    assert_eq!((number(&delivery), delivery.redeliveries), (1, 0));
    done(&mut consumer, [delivery.id]).await;
    consumer.close().await;
    queue.broker.close().await;
}

//! The spool in front of RabbitMQ: no publish fails, whatever becomes of the broker.

use queue::spool::{BROKER_PATIENCE, Spool};
use queue::{AnyPublisher, Broker};
use tempfile::TempDir;

use super::*;
use crate::harness::numbers;

/// What both together may take, with what ingress allows as the limit.
const IN_TIME: Duration = Duration::from_millis(3_500);

/// A broker that was never there so far, behind a proxy, and an empty spool before it.
struct Fixture {
    proxy: Proxy,
    queue: Rabbit,
    spool: Spool,
    _folder: TempDir,
}

impl Fixture {
    async fn away() -> Self {
        let (proxy, through) = proxied().await;
        proxy.set_open(false);
        let config = config(through);
        let broker = RabbitMq::connect_lazily(config.clone()).expect("it needs no broker");
        let folder = TempDir::new().expect("a folder");
        let spool = Spool::open(folder.path(), 1 << 30).await.expect("opens");
        Self { proxy, queue: Rabbit { broker, config }, spool, _folder: folder }
    }

    async fn there() -> Self {
        let fixture = Self::away().await;
        fixture.proxy.set_open(true);
        let publisher = fixture.queue.broker.publisher();
        soon("the connection", until(|| publisher.is_ready())).await;
        fixture
    }

    fn publisher(&self) -> impl Publisher {
        self.spool.in_front_of(self.queue.broker.publisher())
    }

    /// Drains while `test` goes on.
    async fn draining<T>(&self, test: impl Future<Output = T>) -> T {
        let stop = CancellationToken::new();
        let drain = self.spool.drain(self.queue.broker.publisher(), stop.clone());
        let test = async {
            let done = test.await;
            stop.cancel();
            done
        };
        soon("test and drain", async { tokio::join!(drain, test).1 }).await
    }

    async fn emptied(&self) {
        soon("an empty spool", until(|| self.spool.waiting() == 0)).await;
    }

    /// Each of these arrives, some perhaps twice but nothing else, and then the queue is empty.
    async fn assert_arrive(self, expected: BTreeSet<u128>) {
        let mut consumer = self.queue.consumer().await;
        let mut arrived = BTreeSet::new();
        while !arrived.is_superset(&expected) {
            take_some(&mut consumer, &mut arrived).await;
        }
        assert_eq!(arrived, expected);
        drain(&self.queue, &mut consumer).await;
        consumer.close().await;
        self.spool.close().await;
        self.queue.finish().await;
    }
}

async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_broker_that_was_never_there_gets_everything_when_it_comes() {
    let fixture = Fixture::away().await;
    let publisher = fixture.publisher();
    let since = Instant::now();
    publish_all(&publisher, (0..300).map(envelope).collect()).await;
    assert!(since.elapsed() < BROKER_PATIENCE, "took {:?}", since.elapsed());
    assert_eq!(fixture.spool.waiting(), 300);

    fixture
        .draining(async {
            fixture.proxy.set_open(true);
            fixture.emptied().await;
            publish_all(&publisher, (300..400).map(envelope).collect()).await;
        })
        .await;
    assert_eq!(fixture.spool.waiting(), 0);
    fixture.assert_arrive(numbers(0..400)).await;
}

#[tokio::test]
async fn a_broker_that_falls_silent_is_not_waited_for_longer_than_its_time() {
    let fixture = Fixture::there().await;
    let publisher = fixture.publisher();
    publish_all(&publisher, vec![envelope(0)]).await;
    fixture.proxy.set_silent(true);
    let since = Instant::now();
    publish_all(&publisher, (1..100).map(envelope).collect()).await;
    let took = since.elapsed();
    assert!((BROKER_PATIENCE..IN_TIME).contains(&took), "took {took:?}");
    assert_eq!(fixture.spool.waiting(), 99);

    fixture
        .draining(async {
            fixture.proxy.set_silent(false);
            fixture.proxy.cut();
            fixture.emptied().await;
        })
        .await;
    fixture.assert_arrive(numbers(0..100)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn through_cuts_and_outages_no_publish_fails_and_everything_arrives() {
    const ROUNDS: u128 = 6;
    let fixture = Fixture::there().await;
    let publisher = fixture.publisher();
    fixture
        .draining(async {
            for round in 0..ROUNDS {
                let publishes = (round * 200..(round + 1) * 200)
                    .map(|number| publisher.publish(envelope(number)));
                let breaking = async {
                    fixture.proxy.set_open(round % 2 == 0);
                    fixture.proxy.cut();
                };
                let (published, ()) =
                    tokio::join!(futures_util::future::join_all(publishes), breaking);
                assert!(published.iter().all(Result::is_ok), "{published:?}");
            }
            fixture.proxy.set_open(true);
            fixture.emptied().await;
        })
        .await;
    fixture.assert_arrive(numbers(0..ROUNDS * 200)).await;
}

#[tokio::test]
async fn the_queue_that_settings_name_takes_a_spool_too() {
    let Fixture { proxy, queue, spool, _folder } = Fixture::away().await;
    let any = Broker::RabbitMq(queue.config.clone()).open().await.expect("it needs no broker");
    let publisher: AnyPublisher = any.publisher().spooling(&spool);
    assert!(publisher.is_ready() && !any.publisher().is_ready());
    publish_all(&publisher, (0..10).map(envelope).collect()).await;
    assert_eq!(spool.waiting(), 10);

    let stop = CancellationToken::new();
    proxy.set_open(true);
    let broker = any.publisher();
    let drained = async {
        soon("an empty spool", until(|| spool.waiting() == 0)).await;
        stop.cancel();
    };
    tokio::join!(spool.drain(broker, stop.clone()), drained);
    any.close().await;
    Fixture { proxy, queue, spool, _folder }.assert_arrive(numbers(0..10)).await;
}

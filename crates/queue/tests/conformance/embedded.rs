//! The embedded queue under the contract. What only it promises is tested in `tests/embedded`.

use queue::embedded::{EmbeddedConsumer, EmbeddedPublisher, EmbeddedQueue};
use queue::{Broker, Publisher, QueueStats};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tempfile::TempDir;

use crate::depth::{recorded, what_waits_is_shown};
use crate::harness::{TestQueue, envelope, soon};

conformance_suite!(Embedded);

/// A queue file in a folder of its own.
struct Embedded {
    queue: EmbeddedQueue,
    folder: TempDir,
}

const FILE: &str = "queue.db";

impl TestQueue for Embedded {
    type Publisher = EmbeddedPublisher;
    type Consumer = EmbeddedConsumer;

    async fn open() -> Self {
        Self::at(TempDir::new().expect("a folder")).await
    }

    async fn publisher(&self) -> EmbeddedPublisher {
        self.queue.publisher()
    }

    async fn consumer(&self) -> EmbeddedConsumer {
        self.queue.consumer()
    }

    async fn stats(&self) -> QueueStats {
        self.queue.stats().await.expect("it is open")
    }

    async fn crash(self, consumer: EmbeddedConsumer) -> Self {
        // What a process leaves that is killed at this instant: nobody is asking for anything, so
        // the file and its log stand still. Dropping the old one first would give it time to act.
        let folder = TempDir::new().expect("a folder");
        for file in [FILE, "queue.db-wal"] {
            let (from, to) = (self.folder.path().join(file), folder.path().join(file));
            std::fs::copy(from, to).expect("copied");
        }
        drop(consumer);
        Self::at(folder).await
    }

    async fn smuggle(&self, raw: &[u8]) {
        self.queue.publisher().publish(envelope(0)).await.expect("the queue takes it");
        let file = SqliteConnectOptions::new().filename(self.folder.path().join(FILE));
        let mut connection = file.connect().await.expect("the file opens");
        sqlx::query("UPDATE bodies SET body = ?1 WHERE id = (SELECT max(id) FROM bodies)")
            .bind(raw)
            .execute(&mut connection)
            .await
            .expect("replaced");
        connection.close().await.expect("closed");
    }

    async fn finish(self) {
        soon("the close", self.queue.close()).await;
    }
}

impl Embedded {
    async fn at(folder: TempDir) -> Self {
        let queue = EmbeddedQueue::open(folder.path().join(FILE)).await.expect("opens");
        Self { queue, folder }
    }
}

#[tokio::test]
async fn what_waits_is_shown_as_metrics() {
    let (metrics, _guard) = recorded();
    let folder = TempDir::new().expect("a folder");
    let broker = Broker::Embedded(folder.path().join(FILE));
    what_waits_is_shown(broker, &metrics).await.close().await;
    assert!(metrics.render().contains("onhand_queue_parcels{state=\"unacked\"} 0\n"));
}

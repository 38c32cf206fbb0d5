//! What is particular to the embedded queue: its file, its epochs, its groups, its limits.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use domain::{Envelope, EnvelopeId, Platform, ShopId, Timestamp, WebhookId};
use futures_util::FutureExt;
use futures_util::future::join_all;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use queue::embedded::{EmbeddedConsumer, EmbeddedQueue, Limits};
use queue::{
    Consumer, Content, Delivery, PublishError, Publisher, QueueError, QueueStats, Settlement,
};
use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use uuid::Uuid;

mod delivery;
mod file;

/// Nothing here takes this long, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(30);

/// Everything on the one thread of a test's runtime counts here.
fn recorded() -> (PrometheusHandle, impl Sized) {
    let recorder = Box::leak(Box::new(PrometheusBuilder::new().build_recorder()));
    (recorder.handle(), metrics::set_default_local_recorder(recorder))
}

/// The value of a metric, named with its labels.
fn value(metrics: &PrometheusHandle, line: &str) -> Option<f64> {
    let rendered = metrics.render();
    let value = rendered.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(' '))?;
    value.parse().ok()
}

fn envelope(number: u128) -> Envelope {
    Envelope {
        provider: None,
        id: EnvelopeId(Uuid::from_u128(number)),
        platform: Platform::Shopify,
        shop: ShopId::new("demo"),
        webhook: WebhookId::new(format!("w-{number}")),
        topic: "orders/create".to_owned(),
        event: None,
        api_version: None,
        triggered_at: None,
        received_at: Timestamp(5),
        signature: None,
        signed_by: None,
        traceparent: None,
        body: Bytes::from(format!("{{\"id\":{number}}}")),
    }
}

fn number(delivery: &Delivery) -> u128 {
    match &delivery.content {
        Content::Envelope(envelope) => envelope.id.0.as_u128(),
        other => panic!("not an envelope: {other:?}"),
    }
}

fn file_in(folder: &TempDir) -> PathBuf {
    folder.path().join("queue.db")
}

async fn publish(queue: &EmbeddedQueue, numbers: impl IntoIterator<Item = u128>) {
    let publisher = queue.publisher();
    let all = numbers.into_iter().map(|number| publisher.publish(envelope(number)));
    for result in join_all(all).await {
        result.expect("published");
    }
}

async fn next(consumer: &mut EmbeddedConsumer, max: usize) -> Vec<Delivery> {
    let batch = tokio::time::timeout(PATIENCE, consumer.next_batch(max));
    batch.await.expect("a delivery comes in time")
}

async fn settle_all(
    consumer: &mut EmbeddedConsumer,
    deliveries: &[Delivery],
    settlement: Settlement,
) {
    consumer.settle(deliveries.iter().map(|delivery| (delivery.id, settlement)).collect()).await;
}

/// The files as a process that is killed at this instant leaves them, in another folder.
fn killed_now(path: &Path) -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("a folder");
    let copy = file_in(&folder);
    std::fs::copy(path, &copy).expect("the file is copied");
    std::fs::copy(path.with_extension("db-wal"), copy.with_extension("db-wal"))
        .expect("the log is copied");
    (folder, copy)
}

async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).connect().await.expect("the file opens")
}

async fn run(path: &Path, sql: &'static str) {
    let mut connection = connect(path).await;
    sqlx::raw_sql(sql).execute(&mut connection).await.expect("valid SQL");
    connection.close().await.expect("closes");
}

async fn ask(path: &Path, sql: &'static str) -> i64 {
    let mut connection = connect(path).await;
    let answer = sqlx::query_scalar(sql).fetch_one(&mut connection).await.expect("valid SQL");
    connection.close().await.expect("closes");
    answer
}

/// Neither in the books nor in the file.
async fn assert_nothing_left(queue: &EmbeddedQueue, path: &Path) {
    let stats = queue.stats().await.expect("open");
    assert_eq!((stats.ready, stats.unacked, stats.delayed), (0, Some(0), 0));
    let rows = "SELECT (SELECT count(*) FROM parcels) + (SELECT count(*) FROM bodies)";
    assert_eq!(ask(path, rows).await, 0);
}

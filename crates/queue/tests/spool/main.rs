//! The spool, in front of a broker that does as the test says. What it does in front of a real one
//! is tested with that, in `tests/conformance`.

use std::collections::BTreeSet;
use std::future::Future;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use domain::{Envelope, EnvelopeId, Platform, ShopId, Timestamp, WebhookId};
use futures_util::future::join_all;
use queue::spool::{Spool, Spooling};
use queue::{PublishError, Publisher};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::broker::Broker;

mod broker;
mod crash;
mod damage;
mod disk;
mod drain;
mod publish;

/// Nothing here takes this long, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(30);

/// More than any test needs.
const ROOM: u64 = 1 << 30;

/// Fails the test where something takes for ever.
async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(done) => done,
        Err(_) => panic!("waited in vain for {what}"),
    }
}

fn envelope(number: u128) -> Envelope {
    Envelope {
        id: EnvelopeId(Uuid::from_u128(number)),
        platform: Platform::WooCommerce,
        provider: None,
        shop: ShopId::new("woo"),
        webhook: WebhookId::new(format!("w-{number}")),
        topic: "order.updated".to_owned(),
        event: None,
        api_version: None,
        triggered_at: None,
        received_at: Timestamp(5),
        signature: None,
        signed_by: None,
        traceparent: None,
        body: Bytes::from(format!(r#"{{"id":{number}}}"#)),
    }
}

async fn open(folder: &TempDir) -> Spool {
    Spool::open(folder.path(), ROOM).await.expect("opens")
}

/// Publishes all at the same time, as webhooks come.
async fn publish(publisher: &impl Publisher, numbers: impl IntoIterator<Item = u128>) {
    let all = numbers.into_iter().map(|number| publisher.publish(envelope(number)));
    for published in join_all(all).await {
        published.expect("the broker or the spool takes it");
    }
}

/// Drains `spool` to `broker` while `test` goes on.
async fn draining<T>(spool: &Spool, broker: &Broker, test: impl Future<Output = T>) -> T {
    let stop = CancellationToken::new();
    let test = async {
        let done = test.await;
        stop.cancel();
        done
    };
    soon("test and drain", async {
        tokio::join!(spool.drain(broker.clone(), stop.clone()), test).1
    })
    .await
}

async fn emptied(spool: &Spool) {
    soon("an empty spool", async {
        while spool.waiting() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// The folder as a process that is killed at this instant leaves it, without its lock.
fn killed_now(folder: &Path) -> TempDir {
    let copy = TempDir::new().expect("a folder");
    for file in ["spool.db", "spool.db-wal"] {
        std::fs::copy(folder.join(file), copy.path().join(file)).expect("copied");
    }
    copy
}

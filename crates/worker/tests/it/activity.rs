//! What comes of shops is counted beside the batches and noted in the store.

use std::sync::Arc;
use std::time::Duration;

use domain::{ShopId, Timestamp};
use queue::{Content, Settlement};
use store::Activity;
use store::activity::{Hour, ShopHour, ShopSigner};
use testkit::memory::MemoryStore;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use worker::{Config, Strategy};

use crate::harness::{of_content, placed, queue, shops, soon};

#[tokio::test]
async fn what_came_is_noted_at_the_latest_when_the_worker_stops() {
    let store = MemoryStore::default();
    store.open_stock("BOWL", "main", 10, 0);
    let (mut queue, consumer) = queue();
    let stop = CancellationToken::new();
    let config = Config {
        batch_max: 100,
        drain_deadline: Duration::from_secs(60),
        strategy: Strategy::Adaptive,
        sweep_every: Duration::from_secs(60),
    };
    let (_, shops) = watch::channel(Arc::clone(&shops("")));
    let work = worker::run(vec![consumer], store.clone(), shops, config, stop.clone());
    let worker = TaskTracker::new().spawn(work);

    let signed = |parcel: u64, at: i64, by: Option<&str>| {
        let mut envelope = placed(parcel, 1).envelope("demo", Timestamp(at));
        envelope.signed_by = by.map(str::to_owned);
        of_content(parcel, Content::Envelope(envelope))
    };
    let hour = Hour::MICROS;
    let again = signed(3, 2 * hour, Some("env:NEW"));
    queue.deliver(vec![
        signed(1, hour + 5, Some("env:OLD")),
        // A callback that nobody signs, and so anybody may send.
        signed(2, hour + 9, None),
        again.clone(),
        // The same envelope once more, and one of a shop that nobody knows.
        again,
        of_content(4, Content::Envelope(placed(4, 1).envelope("nobody", Timestamp(1)))),
    ]);
    assert!(queue.settled(5).await.iter().all(|one| one.1 == Settlement::Done));
    stop.cancel();
    soon("the worker to stop", worker).await.expect("no panic").expect("no lane died");

    let row = |hour, webhooks| ShopHour { shop: ShopId::new("demo"), hour: Hour(hour), webhooks };
    assert_eq!(store.shop_hours().await.expect("reads"), [row(1, 1), row(2, 1)]);
    let signer = |secret: &str, at| ShopSigner {
        shop: ShopId::new("demo"),
        secret: secret.to_owned(),
        last_at: Timestamp(at),
    };
    let signers = [signer("env:NEW", 2 * hour), signer("env:OLD", hour + 5)];
    assert_eq!(store.shop_signers().await.expect("reads"), signers);
}

//! What a worker's metrics tell while it stands still, and of what waits for people.

use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use queue::Settlement;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use worker::{Config, Processor, Strategy};

use crate::doctored::Doctored;
use crate::harness::{
    TestConsumer, delivery, outcomes, placed, queue, recorded, shops, soon, value, work,
};

async fn becomes(metrics: &PrometheusHandle, line: &str, expected: impl Fn(f64) -> bool) {
    soon(line, async {
        while !value(metrics, line).is_some_and(&expected) {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

fn run(store: &Doctored, consumer: TestConsumer, stop: &CancellationToken) -> TaskTracker {
    let config = Config {
        batch_max: 100,
        drain_deadline: Duration::from_secs(60),
        strategy: Strategy::Optimistic,
        sweep_every: Duration::from_millis(1),
    };
    let (_, shops) = watch::channel(shops(""));
    let tasks = TaskTracker::new();
    tasks.spawn(worker::run(vec![consumer], store.clone(), shops, config, stop.clone()));
    tasks.close();
    tasks
}

#[tokio::test]
async fn what_is_held_and_how_old_it_is_shows_while_nothing_commits() {
    let (metrics, _guard) = recorded();
    let store = Doctored::with_bowls(10);
    store.set_away(true);
    let (mut queue, consumer) = queue();
    let stop = CancellationToken::new();
    let worker = run(&store, consumer, &stop);
    becomes(&metrics, "onhand_held_envelopes", |held| held == 0.0).await;
    becomes(&metrics, "onhand_oldest_held_seconds", |age| age == 0.0).await;
    assert_eq!(value(&metrics, "onhand_webhooks_total{outcome=\"applied\"}"), Some(0.0));

    // Both were received in 1970.
    queue.deliver(vec![delivery(1, &placed(1, 1)), delivery(2, &placed(2, 1))]);
    becomes(&metrics, "onhand_held_envelopes", |held| held == 2.0).await;
    let years = |age: f64| age > 50.0 * 365.0 * 86_400.0;
    becomes(&metrics, "onhand_oldest_held_seconds", years).await;
    let age = value(&metrics, "onhand_oldest_held_seconds").expect("it is there");
    becomes(&metrics, "onhand_oldest_held_seconds", |older| older > age).await;

    store.set_away(false);
    assert_eq!(queue.settled(2).await, [1, 2].map(|parcel| (parcel, Settlement::Done)));
    becomes(&metrics, "onhand_held_envelopes", |held| held == 0.0).await;
    becomes(&metrics, "onhand_oldest_held_seconds", |age| age == 0.0).await;
    assert_eq!(value(&metrics, "onhand_webhooks_total{outcome=\"applied\"}"), Some(2.0));
    stop.cancel();
    soon("the worker to stop", worker.wait()).await;
}

#[tokio::test]
async fn what_waits_for_people_is_counted_by_reason() {
    let (metrics, _guard) = recorded();
    let store = Doctored::with_bowls(1);
    let mut processor = Processor::new(store.clone(), Strategy::Optimistic);
    let unknown = testkit::shopify::ShopifyOrder::new(7).line("NOBODY", 1).webhook("orders/create");
    let batch = vec![work(&placed(1, 5)), work(&unknown)];
    let done = processor.process(batch, &Arc::clone(&shops("")), true).await.expect("it is there");
    assert_eq!(outcomes(&done), ["not_enough_stock", "unknown_sku"]);

    let (_queue, consumer) = queue();
    let stop = CancellationToken::new();
    let worker = run(&store, consumer, &stop);
    let open = |reason: &str| format!("onhand_dead_letters_open{{reason=\"{reason}\"}}");
    let oldest =
        |reason: &str| format!("onhand_dead_letters_oldest_seconds{{reason=\"{reason}\"}}");
    becomes(&metrics, "onhand_orders_short", |orders| orders == 1.0).await;
    assert_eq!(value(&metrics, &open("unknown_sku")), Some(1.0));
    assert!(value(&metrics, &oldest("unknown_sku")).is_some_and(|age| age < 60.0));
    assert_eq!(value(&metrics, &open("panic")), Some(0.0), "so that it can go back to it");
    assert_eq!(value(&metrics, &oldest("panic")), Some(0.0));
    stop.cancel();
    soon("the worker to stop", worker.wait()).await;
}

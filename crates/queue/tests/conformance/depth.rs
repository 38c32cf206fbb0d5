//! How much waits, as metrics tell it.

use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use queue::{AnyQueue, Broker, Consumer, Settlement};

use crate::harness::{done, envelope, publish_all, soon, take};

/// Asks anew, until what is shown is this.
async fn shows(queue: &AnyQueue, metrics: &PrometheusHandle, lines: &[&str]) {
    let looked = async {
        loop {
            let rendered = metrics.render();
            let line =
                |state: &&str| rendered.contains(&format!("onhand_queue_parcels{{state={state}\n"));
            if lines.iter().all(line) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    soon(&format!("{lines:?}"), async {
        tokio::select! {
            () = looked => {}
            never = queue.show_depth() => match never {},
        }
    })
    .await;
}

/// Runs `test` where its metrics go to a recorder of its own: the runtime has one thread.
pub(crate) fn recorded() -> (PrometheusHandle, impl Sized) {
    let recorder = Box::leak(Box::new(PrometheusBuilder::new().build_recorder()));
    (recorder.handle(), metrics::set_default_local_recorder(recorder))
}

/// The value of a metric, named with its labels.
pub(crate) fn value(metrics: &PrometheusHandle, line: &str) -> Option<f64> {
    let rendered = metrics.render();
    let value = rendered.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(' '))?;
    value.parse().ok()
}

/// What the metrics of both queues tell of three parcels, of which one is settled and one waits.
pub(crate) async fn what_waits_is_shown(broker: Broker, metrics: &PrometheusHandle) -> AnyQueue {
    let queue = broker.open().await.expect("it is there");
    let publisher = queue.publisher();
    for number in 0..3 {
        // One after the other, so that each is a parcel.
        soon("the publish", async {
            while queue::Publisher::publish(&publisher, envelope(number)).await.is_err() {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
    shows(&queue, metrics, &["\"ready\"} 3", "\"delayed\"} 0"]).await;
    assert_eq!(value(metrics, "onhand_publish_confirm_seconds_count"), Some(3.0));
    let mut consumer = queue.consumer();
    let deliveries = take(&mut consumer, 3).await;
    let wait = Settlement::RetryIn(Duration::from_secs(600));
    consumer.settle(vec![(deliveries[0].id, wait)]).await;
    done(&mut consumer, [deliveries[1].id]).await;
    shows(&queue, metrics, &["\"ready\"} 0", "\"delayed\"} 1"]).await;
    consumer.close().await;
    shows(&queue, metrics, &["\"ready\"} 1", "\"delayed\"} 1"]).await;
    publish_all(&publisher, vec![envelope(4)]).await;
    shows(&queue, metrics, &["\"ready\"} 2", "\"delayed\"} 1"]).await;
    queue
}

/// Nothing is shown as if it were known.
pub(crate) async fn nothing_is_known(queue: &AnyQueue, metrics: &PrometheusHandle) {
    shows(queue, metrics, &["\"ready\"} NaN", "\"delayed\"} NaN"]).await;
}

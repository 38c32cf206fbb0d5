//! Lanes: nothing is settled before it is durable, nothing is given up that can wait, and a stop
//! takes no longer than it may.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use domain::{DeadReason, Timestamp, retry};
use metrics_exporter_prometheus::PrometheusHandle;
use queue::{Content, Settlement};
use store::Store;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use worker::{Config, Died, Strategy};

use crate::doctored::Doctored;
use crate::harness::{
    TestQueue, Told, delivery, envelope_id, of_content, placed, queue, recorded, shops, soon, value,
};

/// One running lane.
struct Running {
    queue: TestQueue,
    store: Doctored,
    stop: CancellationToken,
    worker: JoinHandle<Result<(), Died>>,
}

fn start(store: Doctored, drain_deadline: Duration) -> Running {
    let (queue, consumer) = queue();
    let stop = CancellationToken::new();
    let config = Config {
        batch_max: 100,
        drain_deadline,
        strategy: Strategy::Optimistic,
        sweep_every: Duration::from_millis(5),
    };
    let (_, shops) = watch::channel(shops(""));
    let worker = TaskTracker::new().spawn(worker::run(
        vec![consumer],
        store.clone(),
        shops,
        config,
        stop.clone(),
    ));
    Running { queue, store, stop, worker }
}

fn started(bowls: i64) -> Running {
    start(Doctored::with_bowls(bowls), Duration::from_secs(60))
}

impl Running {
    async fn stopped(mut self) -> Doctored {
        self.stop.cancel();
        assert_eq!(self.queue.told().await, Some(Told::Closed));
        soon("the worker to stop", self.worker).await.expect("no panic").expect("no lane died");
        self.store
    }
}

/// What was sent to the retry ladder, for each reason.
fn retried(metrics: &PrometheusHandle) -> [f64; 4] {
    ["busy", "failing", "unwritable", "newer"].map(|reason| {
        let line = format!("onhand_retried_total{{reason=\"{reason}\"}}");
        value(metrics, &line).expect("it is there from the start")
    })
}

#[tokio::test]
async fn what_was_committed_is_settled() {
    let (metrics, _guard) = recorded();
    let mut lane = started(10);
    lane.queue.deliver((1..=3).map(|id| delivery(id, &placed(id, 1))).collect());
    let done = [1, 2, 3].map(|parcel| (parcel, Settlement::Done));
    assert_eq!(lane.queue.settled(3).await, done);
    assert_eq!(lane.store.inner.stock_of("BOWL", "main").committed, 3);
    assert_eq!(lane.store.batches(), [3], "one commit for all");
    assert_eq!(value(&metrics, "onhand_commit_seconds_count"), Some(1.0));
    assert_eq!(value(&metrics, "onhand_batch_envelopes_count"), Some(1.0));
    assert_eq!(value(&metrics, "onhand_batch_envelopes_sum"), Some(3.0));
    assert_eq!(value(&metrics, "onhand_apply_lag_seconds_count"), Some(3.0));
    // All were received in 1970.
    let lag = value(&metrics, "onhand_apply_lag_seconds_sum");
    assert!(lag.is_some_and(|lag| lag > 3.0 * 50.0 * 365.0 * 86_400.0), "{lag:?}");
    lane.stopped().await.inner.assert_sound();
}

#[tokio::test]
async fn an_outage_holds_the_batch_and_nobodys_attempts_grow() {
    let (metrics, _guard) = recorded();
    let mut lane = started(10);
    lane.store.set_away(true);
    let mut asked = lane.store.orders.asked_in_vain.subscribe();
    lane.queue.deliver(vec![delivery(1, &placed(1, 1)), delivery(2, &placed(2, 1))]);
    // Far more often than anything is tried that is not the store's fault.
    soon("the lane to ask", asked.wait_for(|times| *times > 5)).await.unwrap();
    assert_eq!(lane.queue.told_by_now(), None);
    assert_eq!(value(&metrics, "onhand_store_outages_total"), Some(1.0), "it is one outage");
    lane.store.set_away(false);
    let done = [1, 2].map(|parcel| (parcel, Settlement::Done));
    assert_eq!(lane.queue.settled(2).await, done);
    lane.stopped().await.inner.assert_sound();
}

#[tokio::test]
async fn one_that_fails_while_the_store_answers_waits_on_the_ladder() {
    let (metrics, _guard) = recorded();
    let mut lane = started(10);
    lane.store.fails("weak");
    let mut weak = delivery(2, &placed(2, 1).with_id("weak"));
    weak.attempts = 1;
    lane.queue.deliver(vec![delivery(1, &placed(1, 1)), weak, delivery(3, &placed(3, 1))]);
    let expected =
        [(1, Settlement::Done), (2, Settlement::RetryIn(retry::RUNGS[1])), (3, Settlement::Done)];
    assert_eq!(lane.queue.settled(3).await, expected);
    assert_eq!(retried(&metrics), [0.0, 1.0, 0.0, 0.0]);
    lane.stopped().await.inner.assert_sound();
}

#[tokio::test]
async fn a_stop_during_an_outage_leaves_the_batch_to_the_queue() {
    let mut lane = started(10);
    lane.store.set_away(true);
    let mut asked = lane.store.orders.asked_in_vain.subscribe();
    lane.queue.deliver(vec![delivery(1, &placed(1, 1))]);
    soon("the lane to ask", asked.wait_for(|times| *times > 0)).await.unwrap();
    lane.stop.cancel();
    assert_eq!(lane.queue.told().await, Some(Told::Closed), "and nothing was settled before");
    soon("the worker to stop", lane.worker).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_lane_that_cannot_finish_is_abandoned_at_the_deadline() {
    let mut lane = start(Doctored::with_bowls(10), Duration::from_millis(50));
    lane.store.orders.hangs.store(true, Ordering::SeqCst);
    let mut hung = lane.store.orders.hung.subscribe();
    lane.queue.deliver(vec![delivery(1, &placed(1, 1))]);
    soon("the commit", hung.wait_for(|times| *times > 0)).await.unwrap();
    lane.stop.cancel();
    soon("the worker to stop", lane.worker).await.unwrap().unwrap();
    assert_eq!(lane.queue.told().await, None, "dropped, neither settled nor closed");
}

#[tokio::test]
async fn what_a_lane_holds_is_finished_after_a_stop() {
    let lane = started(10);
    let Running { mut queue, store, stop, worker } = lane;
    // A claim elsewhere holds the commit up.
    let (claim, _) = store.inner.claim(&domain::Keys::default()).await.unwrap();
    queue.deliver(vec![delivery(1, &placed(1, 1))]);
    stop_when_taken(&store, &stop).await;
    drop(claim);
    assert_eq!(queue.told().await, Some(Told::Settled(1, Settlement::Done)));
    assert_eq!(queue.told().await, Some(Told::Closed));
    soon("the worker to stop", worker).await.unwrap().unwrap();
    store.inner.assert_sound();
}

/// Stops once the lane is at work on its batch.
async fn stop_when_taken(store: &Doctored, stop: &CancellationToken) {
    let mut loads = store.orders.loads.subscribe();
    soon("the batch to be taken", loads.wait_for(|times| *times > 0))
        .await
        .expect("the store is there");
    stop.cancel();
}

#[tokio::test]
async fn suspects_are_decided_alone_and_acquitted() {
    let mut lane = started(10);
    let mut batch: Vec<_> = (1..=4).map(|id| delivery(id, &placed(id, 1))).collect();
    batch[1].redeliveries = 2;
    batch[3].redeliveries = 9;
    let suspect = envelope_id(&batch[1]);
    lane.queue.deliver(batch);
    let done = [1, 2, 3, 4].map(|parcel| (parcel, Settlement::Done));
    assert_eq!(lane.queue.settled(4).await, done);
    assert_eq!(lane.store.batches(), [2, 1, 1], "the sound ones first, together");
    let store = lane.stopped().await;
    assert_eq!(store.suspect(suspect).await.unwrap(), 1, "the suspicion was forgotten");
    store.inner.assert_sound();
}

#[tokio::test]
async fn a_suspect_that_never_comes_to_an_end_is_poison() {
    let mut lane = started(10);
    for (tries, outcome) in [(4_u64, None), (5, Some(DeadReason::Poison))] {
        let mut suspect = delivery(tries, &placed(tries, 1));
        suspect.redeliveries = 2;
        for _ in 0..tries {
            // Decided alone, and the process died each time.
            lane.store.suspect(envelope_id(&suspect)).await.unwrap();
        }
        lane.queue.deliver(vec![suspect.clone()]);
        assert_eq!(lane.queue.settled(1).await, [(tries, Settlement::Done)]);
        let dead = lane.store.inner.dead_letters();
        assert_eq!(dead.get(&envelope_id(&suspect)).map(|letter| letter.reason), outcome);
    }
    lane.stopped().await.inner.assert_sound();
}

#[tokio::test]
async fn what_the_broker_gave_up_or_nobody_can_read_becomes_a_dead_letter() {
    let mut lane = started(10);
    let envelope = placed(1, 1).envelope("demo", Timestamp(1));
    let why = "the delivery limit was reached".to_owned();
    let given_up = of_content(1, Content::GivenUp { envelope, why });
    let raw = Bytes::from_static(b"\0\xffnothing");
    let why = "not a parcel".to_owned();
    let garbage = of_content(2, Content::Unreadable { raw: raw.clone(), newer: false, why });
    lane.queue.deliver(vec![given_up.clone(), garbage.clone(), delivery(3, &placed(3, 1))]);
    // Garbage that comes again is the same dead letter.
    let mut again = garbage;
    again.id.parcel = 4;
    again.redeliveries = 3;
    lane.queue.deliver(vec![again]);
    let done = [1, 2, 3, 4].map(|parcel| (parcel, Settlement::Done));
    assert_eq!(lane.queue.settled(4).await, done);

    let store = lane.stopped().await;
    let dead = store.inner.dead_letters();
    assert_eq!(dead.len(), 2);
    let letter = &dead[&envelope_id(&given_up)];
    assert_eq!(letter.reason, DeadReason::BrokerDeadLetter);
    assert_eq!(letter.detail, "the delivery limit was reached");
    assert!(dead.values().any(|letter| letter.raw == raw && letter.detail == "not a parcel"));
    assert_eq!(store.inner.stock_of("BOWL", "main").committed, 1);
    store.inner.assert_sound();
}

#[tokio::test]
async fn one_whose_rows_stay_busy_waits_on_the_ladder() {
    let (metrics, _guard) = recorded();
    let mut lane = started(10);
    lane.store.orders.busy.store(true, Ordering::SeqCst);
    lane.queue.deliver(vec![delivery(1, &placed(1, 1))]);
    assert_eq!(lane.queue.settled(1).await, [(1, Settlement::RetryIn(retry::RUNGS[0]))]);
    assert_eq!(retried(&metrics), [1.0, 0.0, 0.0, 0.0]);
    lane.stopped().await;
}

#[tokio::test]
async fn a_parcel_of_a_later_version_waits_for_a_worker_that_can_read_it() {
    let (metrics, _guard) = recorded();
    let mut lane = started(10);
    let raw = Bytes::from_static(b"\x09later");
    let newer = Content::Unreadable { raw, newer: true, why: "version 9".to_owned() };
    let mut later = of_content(1, newer.clone());
    later.attempts = 2;
    let mut too_late = of_content(2, newer);
    too_late.attempts = 11;
    lane.queue.deliver(vec![later, too_late]);
    let expected = [(1, Settlement::RetryIn(retry::RUNGS[2])), (2, Settlement::Done)];
    assert_eq!(lane.queue.settled(2).await, expected);
    assert_eq!(retried(&metrics), [0.0, 0.0, 0.0, 1.0]);
    assert_eq!(lane.stopped().await.inner.dead_letters().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_kept_does_not_hold_up_the_lane() {
    let (metrics, _guard) = recorded();
    let mut lane = started(10);
    lane.store.orders.rejects_letters.store(true, Ordering::SeqCst);
    let raw = Bytes::from_static(b"nothing");
    let garbage = Content::Unreadable { raw, newer: false, why: "not a parcel".to_owned() };
    lane.queue.deliver(vec![of_content(1, garbage), delivery(2, &placed(2, 1))]);
    let expected = [(1, Settlement::RetryIn(retry::RUNGS[5])), (2, Settlement::Done)];
    assert_eq!(lane.queue.settled(2).await, expected);
    assert_eq!(retried(&metrics), [0.0, 0.0, 1.0, 0.0]);
    lane.stopped().await.inner.assert_sound();
}

#[tokio::test]
async fn a_lane_that_panics_stops_the_worker() {
    let lane = started(10);
    lane.store.orders.panics.store(true, Ordering::SeqCst);
    lane.queue.deliver(vec![delivery(1, &placed(1, 1))]);
    let ended = soon("the worker to stop", lane.worker).await.unwrap();
    assert!(ended.is_err(), "and it says so");
}

#[tokio::test]
async fn lanes_of_one_worker_share_the_store_and_nothing_else() {
    let store = Doctored::with_bowls(100);
    let (queues, consumers): (Vec<_>, Vec<_>) = (0..3).map(|_| queue()).unzip();
    let stop = CancellationToken::new();
    let config = Config {
        batch_max: 10,
        drain_deadline: Duration::from_secs(60),
        strategy: Strategy::Adaptive,
        sweep_every: Duration::from_secs(60),
    };
    let (_, shops) = watch::channel(Arc::clone(&shops("")));
    let worker = TaskTracker::new().spawn(worker::run(
        consumers,
        store.clone(),
        shops,
        config,
        stop.clone(),
    ));
    // All get the same webhooks.
    let webhooks: Vec<_> = (1..=20).map(|id| placed(id, 1)).collect();
    for queue in &queues {
        for (parcel, webhook) in (0..).zip(&webhooks) {
            queue.deliver(vec![delivery(parcel, webhook)]);
        }
    }
    for mut queue in queues {
        assert!(queue.settled(20).await.iter().all(|one| one.1 == Settlement::Done));
    }
    stop.cancel();
    soon("the worker to stop", worker).await.unwrap().unwrap();
    assert_eq!(store.inner.stock_of("BOWL", "main").committed, 20);
    assert_eq!(store.inner.counts()[&domain::Outcome::Duplicate], 40);
    store.inner.assert_sound();
}

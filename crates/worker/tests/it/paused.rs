//! While everything is paused lanes take nothing; of a paused shop everything waits, and others go on.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::{Operation, ShopId, Timestamp};
use platforms::Shops;
use queue::{Content, Settlement};
use store::{Pause, Pauses, Store};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use worker::{Config, Died, Strategy};

use crate::doctored::Doctored;
use crate::harness::{
    TestQueue, Told, delivery, envelope_id, of_content, placed, queue, recorded, shops, soon, value,
};

struct Running {
    queue: TestQueue,
    store: Doctored,
    stop: CancellationToken,
    worker: JoinHandle<Result<(), Died>>,
}

fn two_shops() -> Arc<Shops> {
    shops(
        "when_restocked = \"commit_short\"\n[[shop]]\nname = \"other\"\nplatform = \"shopify\"\n\
         domain = \"other.myshopify.com\"\nsecrets = [\"plain:another-secret\"]\n",
    )
}

fn start(store: Doctored) -> Running {
    let (queue, consumer) = queue();
    let stop = CancellationToken::new();
    let config = Config {
        batch_max: 100,
        drain_deadline: Duration::from_secs(60),
        strategy: Strategy::Optimistic,
        sweep_every: Duration::from_millis(5),
    };
    let (_, shops) = watch::channel(two_shops());
    let work = worker::run(vec![consumer], store.clone(), shops, config, stop.clone());
    let worker = TaskTracker::new().spawn(work);
    Running { queue, store, stop, worker }
}

impl Running {
    /// Long enough for the worker to have heard what is so now, and to have acted upon it.
    async fn some_looks(&self) {
        let mut asked = self.store.orders.pauses_asked.subscribe();
        let now = *asked.borrow_and_update();
        soon("the worker to ask", asked.wait_for(|times| *times > now + 3))
            .await
            .expect("it lives");
    }

    async fn stopped(mut self) -> Doctored {
        self.stop.cancel();
        assert_eq!(self.queue.told().await, Some(Told::Closed));
        soon("the worker to stop", self.worker).await.expect("no panic").expect("no lane died");
        self.store
    }
}

async fn pause(store: &Doctored, shop: Option<&str>) {
    let (by, reason) = ("kim".to_owned(), String::new());
    let since = worker::clock::now();
    let pause = Pause { shop: shop.map(ShopId::new), since, by, reason };
    assert!(store.pause(&pause, &operation()).await.expect("pauses"));
}

async fn resume(store: &Doctored, shop: Option<&str>) {
    let shop = shop.map(ShopId::new);
    assert!(store.resume(shop.as_ref(), &operation()).await.expect("resumes"));
}

fn operation() -> Operation {
    Operation { key: uuid::Uuid::now_v7().to_string(), what: String::new(), at: Timestamp(1) }
}

const HELD: Settlement = Settlement::HoldFor(Duration::from_secs(5));

#[tokio::test]
async fn nothing_is_taken_while_all_is_paused() {
    let (metrics, _guard) = recorded();
    let shown = || value(&metrics, "onhand_paused{scope=\"all\"}");
    let mut lane = start(Doctored::with_bowls(10));
    lane.queue.deliver(vec![delivery(1, &placed(1, 1))]);
    assert_eq!(lane.queue.settled(1).await, [(1, Settlement::Done)]);
    pause(&lane.store, None).await;
    assert_eq!(lane.queue.told().await, Some(Told::Paused), "what was taken ahead is given back");
    lane.queue.deliver(vec![delivery(2, &placed(2, 1))]);
    lane.some_looks().await;
    assert_eq!(lane.queue.told_by_now(), None);
    assert_eq!(lane.store.inner.stock_of("BOWL", "main").committed, 1);
    assert_eq!(shown(), Some(1.0));
    resume(&lane.store, None).await;
    assert_eq!(lane.queue.settled(1).await, [(2, Settlement::Done)]);
    assert_eq!(shown(), Some(0.0));
    lane.stopped().await.inner.assert_sound();
}

#[tokio::test]
async fn a_worker_that_starts_in_a_pause_or_without_knowing_takes_nothing() {
    let store = Doctored::with_bowls(10);
    store.orders.hides_pauses.store(true, Ordering::SeqCst);
    let mut lane = start(store);
    lane.queue.deliver(vec![delivery(1, &placed(1, 1))]);
    lane.some_looks().await;
    assert_eq!(lane.queue.told_by_now(), None, "nobody knows yet");
    pause(&lane.store, None).await;
    lane.store.orders.hides_pauses.store(false, Ordering::SeqCst);
    lane.some_looks().await;
    assert_eq!(lane.store.inner.stock_of("BOWL", "main").committed, 0);
    // Who cannot ask any more goes by what was heard last.
    lane.store.orders.hides_pauses.store(true, Ordering::SeqCst);
    resume(&lane.store, None).await;
    lane.some_looks().await;
    assert_eq!(lane.store.inner.stock_of("BOWL", "main").committed, 0);
    lane.store.orders.hides_pauses.store(false, Ordering::SeqCst);
    assert_eq!(lane.queue.settled(1).await, [(1, Settlement::Done)]);
    lane.stopped().await.inner.assert_sound();
}

#[tokio::test]
async fn a_stop_during_a_pause_is_not_held_up() {
    let mut lane = start(Doctored::with_bowls(10));
    // It takes, so it has something to give back.
    lane.queue.deliver(vec![delivery(1, &placed(1, 1))]);
    assert_eq!(lane.queue.settled(1).await, [(1, Settlement::Done)]);
    pause(&lane.store, None).await;
    assert_eq!(lane.queue.told().await, Some(Told::Paused));
    lane.stopped().await.inner.assert_sound();
}

#[tokio::test]
async fn a_paused_shop_waits_without_an_attempt_and_another_goes_on() {
    let (metrics, _guard) = recorded();
    let shown = || value(&metrics, "onhand_paused{scope=\"shops\"}");
    let store = Doctored::with_bowls(10);
    pause(&store, Some("demo")).await;
    let mut lane = start(store);
    let other = |parcel: u64| {
        let envelope = placed(parcel, 1).envelope("other", Timestamp(1));
        of_content(parcel, Content::Envelope(envelope))
    };
    // However often one was handed out: it is not suspected of anything while it waits.
    let mut suspect = delivery(3, &placed(3, 1));
    suspect.redeliveries = 9;
    let id = envelope_id(&suspect);
    let given_up = placed(4, 1).envelope("demo", Timestamp(1));
    let given_up = Content::GivenUp { envelope: given_up, why: "the limit".to_owned() };
    lane.queue.deliver(vec![
        delivery(1, &placed(1, 1)),
        other(2),
        suspect,
        of_content(4, given_up),
        other(5),
    ]);
    let expected = [(1, HELD), (2, Settlement::Done), (3, HELD), (4, HELD), (5, Settlement::Done)];
    assert_eq!(lane.queue.settled(5).await, expected);
    assert_eq!(lane.store.batches(), [2], "the others in one commit");
    assert_eq!(lane.store.inner.dead_letters().len(), 0);
    assert_eq!(shown(), Some(1.0));

    resume(&lane.store, Some("demo")).await;
    lane.some_looks().await;
    assert_eq!(shown(), Some(0.0));
    lane.queue.deliver(vec![delivery(1, &placed(1, 1))]);
    assert_eq!(lane.queue.settled(1).await, [(1, Settlement::Done)]);
    let store = lane.stopped().await;
    assert_eq!(store.suspect(id).await.expect("answers"), 1, "it never was one");
    store.inner.assert_sound();
}

#[tokio::test]
async fn short_orders_of_a_paused_shop_stay_short() {
    let mut lane = start(Doctored::with_bowls(1));
    lane.queue.deliver(vec![delivery(1, &placed(1, 3))]);
    assert_eq!(lane.queue.settled(1).await, [(1, Settlement::Done)]);
    pause(&lane.store, Some("demo")).await;
    lane.some_looks().await;
    lane.store.inner.receive("BOWL", "main", 9);
    lane.some_looks().await;
    assert_eq!(lane.store.inner.stock_of("BOWL", "main").committed, 0);
    let mut sweeps = lane.store.orders.sweeps.subscribe();
    let now = *sweeps.borrow_and_update();
    resume(&lane.store, Some("demo")).await;
    soon("a sweep", sweeps.wait_for(|times| *times > now + 1)).await.expect("it lives");
    assert_eq!(lane.store.inner.stock_of("BOWL", "main").committed, 3);
    lane.stopped().await.inner.assert_sound();
}

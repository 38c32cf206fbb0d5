//! Draining: everything, oldest first, not too much at once, and what is counted on the way.

use metrics_exporter_prometheus::PrometheusBuilder;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use super::*;
use crate::broker::Mode;

#[tokio::test]
async fn what_was_spooled_goes_to_the_broker_when_it_is_back_the_oldest_first() {
    let folder = TempDir::new().expect("a folder");
    let (spool, broker) = (open(&folder).await, Broker::new(Mode::Away));
    let publisher = spool.in_front_of(broker.clone());
    // One after the other, so that it is known which is older.
    for number in 0..150 {
        publish(&publisher, [number]).await;
    }
    draining(&spool, &broker, async {
        for number in 150..200 {
            publish(&publisher, [number]).await;
        }
        assert_eq!((broker.arrived().len(), spool.waiting()), (0, 200));
        broker.set(Mode::There);
        emptied(&spool).await;
        publish(&publisher, [200]).await;
    })
    .await;
    assert_eq!(broker.arrived(), (0..=200).collect::<Vec<_>>());
    spool.close().await;
}

#[tokio::test]
async fn an_outage_in_the_middle_of_draining_loses_nothing() {
    let folder = TempDir::new().expect("a folder");
    let (spool, broker) = (open(&folder).await, Broker::new(Mode::Away));
    publish(&spool.in_front_of(broker.clone()), 0..500).await;
    draining(&spool, &broker, async {
        for mode in [Mode::Full, Mode::Away, Mode::Full] {
            broker.set(Mode::There);
            broker.wait_for(broker.arrived().len() + 1).await;
            broker.set(mode);
        }
        broker.set(Mode::There);
        emptied(&spool).await;
    })
    .await;
    assert_eq!(BTreeSet::from_iter(broker.arrived()), (0..500).collect());
}

#[tokio::test]
async fn what_the_broker_never_takes_stays_and_holds_up_nobody() {
    let folder = TempDir::new().expect("a folder");
    let (spool, broker) = (open(&folder).await, Broker::new(Mode::Away));
    publish(&spool.in_front_of(broker.clone()), [0]).await;
    publish(&spool.in_front_of(broker.clone()), 1..500).await;
    broker.set(Mode::Picky);
    draining(&spool, &broker, async {
        broker.wait_for(499).await;
        broker.set(Mode::There);
        emptied(&spool).await;
    })
    .await;
    let arrived = broker.arrived();
    assert_eq!((arrived.len(), arrived.last()), (500, Some(&0)));
}

#[tokio::test]
async fn no_more_than_a_batch_is_on_its_way_and_a_stop_waits_for_none_of_it() {
    let folder = TempDir::new().expect("a folder");
    let (spool, broker) = (open(&folder).await, Broker::new(Mode::Away));
    publish(&spool.in_front_of(broker.clone()), 0..500).await;
    broker.set(Mode::Silent);
    draining(&spool, &broker, broker.wait_for(100)).await;
    assert!((100..=128).contains(&broker.arrived().len()), "{} at once", broker.arrived().len());
    assert_eq!(spool.waiting(), 500);

    // Given back, so the next one need not wait for anything.
    broker.set(Mode::There);
    draining(&spool, &broker, emptied(&spool)).await;
    assert_eq!(BTreeSet::from_iter(broker.arrived()), (0..500).collect());
}

#[tokio::test]
async fn whoever_leaves_for_good_waits_until_all_is_handed_over_or_the_broker_is_away() {
    let folder = TempDir::new().expect("a folder");
    let (spool, broker) = (open(&folder).await, Broker::new(Mode::Away));
    publish(&spool.in_front_of(broker.clone()), 0..500).await;
    draining(&spool, &broker, spool.emptied(&broker)).await;
    assert_eq!(spool.waiting(), 500, "nobody takes it");
    broker.set(Mode::There);
    draining(&spool, &broker, spool.emptied(&broker)).await;
    assert_eq!((broker.arrived().len(), spool.waiting()), (500, 0));
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_broker_that_is_away() {
    let folder = TempDir::new().expect("a folder");
    let (spool, broker) = (open(&folder).await, Broker::new(Mode::Away));
    publish(&spool.in_front_of(broker.clone()), 0..10).await;
    draining(&spool, &broker, tokio::task::yield_now()).await;
    assert_eq!(spool.waiting(), 10);
    spool.close().await;
    assert_eq!(open(&folder).await.waiting(), 10);
}

#[tokio::test]
async fn what_cannot_be_read_stays_and_holds_up_nobody() {
    let folder = TempDir::new().expect("a folder");
    let (spool, broker) = (open(&folder).await, Broker::new(Mode::Away));
    let publisher = spool.in_front_of(broker.clone());
    for number in 0..3 {
        // One after the other, so that each is a parcel.
        publish(&publisher, [number]).await;
    }
    let file = SqliteConnectOptions::new().filename(folder.path().join("spool.db"));
    let mut connection = file.connect().await.expect("the file opens");
    sqlx::query("UPDATE bodies SET body = x'00ff' WHERE id = 1")
        .execute(&mut connection)
        .await
        .expect("damaged");
    connection.close().await.expect("closes");

    broker.set(Mode::There);
    draining(&spool, &broker, async {
        soon("the others", async {
            while spool.waiting() > 1 {
                tokio::task::yield_now().await;
            }
        })
        .await;
    })
    .await;
    assert_eq!(broker.arrived(), [1, 2]);
    assert_eq!(spool.waiting(), 1);
}

#[tokio::test]
async fn what_waits_comes_and_goes_is_counted() {
    let recorder = PrometheusBuilder::new().build_recorder();
    // The runtime of a test has one thread, so this reaches all tasks.
    let _guard = metrics::set_default_local_recorder(&recorder);
    let handle = recorder.handle();
    let assert_counts = |waiting: u64, spooled: u64, drained: u64| {
        let rendered = handle.render();
        for line in [
            format!("onhand_spool_envelopes {waiting}"),
            format!("onhand_spooled_total {spooled}"),
            format!("onhand_spool_drained_total {drained}"),
        ] {
            assert!(rendered.lines().any(|have| have == line), "no {line} in\n{rendered}");
        }
    };
    let folder = TempDir::new().expect("a folder");
    let (spool, broker) = (open(&folder).await, Broker::new(Mode::Away));
    assert_counts(0, 0, 0);
    publish(&spool.in_front_of(broker.clone()), 0..10).await;
    assert_counts(10, 10, 0);
    let gauge = |name: &str| {
        let rendered = handle.render();
        let found = rendered.lines().find_map(|line| line.strip_prefix(name));
        found.and_then(|value| value.trim().parse::<u64>().ok()).expect("it is there")
    };
    assert_eq!(gauge("onhand_spool_limit_bytes "), ROOM);
    assert!((100..100_000).contains(&gauge("onhand_spool_bytes ")), "ten small bodies");
    spool.close().await;

    let spool = open(&folder).await;
    assert_counts(10, 10, 0);
    broker.set(Mode::There);
    draining(&spool, &broker, emptied(&spool)).await;
    assert_counts(0, 10, 10);
    assert_eq!(gauge("onhand_spool_bytes "), 0);
}

//! Publishing with a spool behind it: what goes where, when it is full, whose folder it is.

use std::time::Instant;

use queue::QueueError;
use queue::spool::BROKER_PATIENCE;

use super::*;
use crate::broker::Mode;

#[tokio::test]
async fn what_the_broker_confirms_never_touches_the_spool() {
    let folder = TempDir::new().expect("a folder");
    let (spool, broker) = (open(&folder).await, Broker::new(Mode::There));
    publish(&spool.in_front_of(broker.clone()), 0..100).await;
    assert_eq!((broker.arrived().len(), spool.waiting()), (100, 0));
    spool.close().await;
}

#[tokio::test]
async fn while_the_broker_is_known_to_be_away_or_refuses_nobody_waits_for_it() {
    for mode in [Mode::Away, Mode::Full] {
        let folder = TempDir::new().expect("a folder");
        let (spool, broker) = (open(&folder).await, Broker::new(mode));
        let publisher = spool.in_front_of(broker.clone());
        assert!(publisher.is_ready(), "webhooks can be taken");
        let since = Instant::now();
        publish(&publisher, 0..100).await;
        assert!(since.elapsed() < BROKER_PATIENCE, "took {:?}", since.elapsed());
        assert_eq!((broker.arrived().len(), spool.waiting()), (0, 100));
    }
}

#[tokio::test]
async fn what_a_silent_broker_does_not_confirm_in_time_is_spooled() {
    let folder = TempDir::new().expect("a folder");
    let (spool, broker) = (open(&folder).await, Broker::new(Mode::Silent));
    let since = Instant::now();
    publish(&spool.in_front_of(broker.clone()), 0..10).await;
    let took = since.elapsed();
    // Ingress gives 3.5 s to both together.
    assert!((BROKER_PATIENCE..Duration::from_millis(3_500)).contains(&took), "took {took:?}");
    assert_eq!((broker.arrived().len(), spool.waiting()), (10, 10));
}

#[tokio::test]
async fn a_full_spool_is_unavailable_until_the_broker_has_taken_from_it() {
    let folder = TempDir::new().expect("a folder");
    let spool = Spool::open(folder.path(), 1_000).await.expect("opens");
    let broker = Broker::new(Mode::Away);
    let publisher = spool.in_front_of(broker.clone());
    let mut taken = 0;
    let refused = loop {
        match publisher.publish(envelope(taken)).await {
            Ok(()) => taken += 1,
            Err(error) => break error,
        }
    };
    assert!((1..100).contains(&taken), "{taken} in 1,000 bytes");
    assert!(matches!(refused, PublishError::Unavailable(_)), "{refused:?}");
    let said = refused.to_string();
    assert!(said.contains("is away") && said.contains("full"), "{said}");

    // The broker alone will do.
    broker.set(Mode::There);
    assert!(publisher.is_ready());
    publish(&publisher, [1_000]).await;
    draining(&spool, &broker, emptied(&spool)).await;
    broker.set(Mode::Away);
    assert!(publisher.is_ready());
    publish(&publisher, [1_001]).await;
    assert_eq!(spool.waiting(), 1);
}

#[tokio::test]
async fn a_spool_without_room_and_a_broker_that_is_away_are_not_ready() {
    let folder = TempDir::new().expect("a folder");
    let spool = Spool::open(folder.path(), 0).await.expect("opens");
    let broker = Broker::new(Mode::Away);
    let publisher = spool.in_front_of(broker.clone());
    assert!(!publisher.is_ready());
    broker.set(Mode::There);
    assert!(publisher.is_ready());
}

#[tokio::test]
async fn a_folder_belongs_to_one_process_at_a_time() {
    let folder = TempDir::new().expect("a folder");
    let nested = folder.path().join("made/on/the/way");
    let spool = Spool::open(&nested, ROOM).await.expect("opens");
    let second = Spool::open(&nested, ROOM).await;
    let Err(QueueError::Unusable(why)) = second else { panic!("{second:?}") };
    assert!(why.contains("made/on/the/way") && why.contains("another process"), "{why}");
    spool.close().await;
    Spool::open(&nested, ROOM).await.expect("opens again").close().await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_one_is_named() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "not a folder").expect("written");
    let opened = Spool::open(&file, ROOM).await;
    let Err(QueueError::Unusable(why)) = opened else { panic!("{opened:?}") };
    assert!(why.contains(&file.display().to_string()), "{why}");
}

#[tokio::test]
async fn a_publisher_that_outlives_its_spool_has_only_the_broker() {
    let folder = TempDir::new().expect("a folder");
    let (spool, broker) = (open(&folder).await, Broker::new(Mode::Away));
    let publisher: Spooling<Broker> = spool.in_front_of(broker.clone());
    spool.close().await;
    assert!(!publisher.is_ready());
    let late = publisher.publish(envelope(1)).await;
    assert!(matches!(late, Err(PublishError::Unavailable(_))), "{late:?}");
    broker.set(Mode::There);
    publish(&publisher, [1]).await;
}

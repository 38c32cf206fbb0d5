//! The file: its limits, its damages, and who else may look at it.

use super::*;

#[tokio::test]
async fn a_full_queue_refuses_and_takes_again_when_there_is_room() {
    let (metrics, _guard) = recorded();
    let folder = TempDir::new().expect("a folder");
    let limits = Limits { waiting_parcels_max: 2, ..Limits::default() };
    let queue = EmbeddedQueue::open_with(file_in(&folder), limits).await.expect("opens");
    publish(&queue, [1]).await;
    publish(&queue, [2]).await;
    let publisher = queue.publisher();
    assert!(!publisher.is_ready());
    let refused = publisher.publish(envelope(3)).await;
    assert!(matches!(refused, Err(PublishError::Refused(_))), "{refused:?}");
    assert_eq!(value(&metrics, "onhand_publish_failures_total{reason=\"refused\"}"), Some(1.0));
    assert_eq!(value(&metrics, "onhand_parcel_envelopes_sum"), Some(2.0));

    // Even a full queue has room for a retry.
    let mut consumer = queue.consumer();
    let held = next(&mut consumer, 2).await;
    settle_all(&mut consumer, &held[..1], Settlement::RetryIn(Duration::from_secs(60))).await;
    settle_all(&mut consumer, &held[1..], Settlement::Done).await;
    assert_eq!(queue.stats().await.expect("open").delayed, 1);
    assert!(publisher.is_ready());
    publish(&queue, [3]).await;
}

#[tokio::test]
async fn bytes_are_bounded_too() {
    let folder = TempDir::new().expect("a folder");
    let limits = Limits { waiting_bytes_max: 100, ..Limits::default() };
    let queue = EmbeddedQueue::open_with(file_in(&folder), limits).await.expect("opens");
    let refused = queue.publisher().publish(envelope(1)).await;
    assert!(matches!(refused, Err(PublishError::Refused(_))), "{refused:?}");
    assert_eq!(queue.stats().await.expect("open").ready, 0);
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_unavailable_until_it_can() {
    let (metrics, _guard) = recorded();
    let folder = TempDir::new().expect("a folder");
    let path = file_in(&folder);
    let queue = EmbeddedQueue::open(&path).await.expect("opens");
    let publisher = queue.publisher();
    publish(&queue, [1]).await;
    publish(&queue, [2]).await;
    let mut consumer = queue.consumer();
    let held = next(&mut consumer, 2).await;
    assert_eq!(held.len(), 2);
    let (failed_files, unavailable) = (
        "onhand_queue_file_failures_total",
        "onhand_publish_failures_total{reason=\"unavailable\"}",
    );
    assert_eq!([failed_files, unavailable].map(|line| value(&metrics, line)), [Some(0.0); 2]);

    let broken = "CREATE TRIGGER broken BEFORE INSERT ON bodies
        BEGIN SELECT raise(ABORT, 'no space'); END;
        CREATE TRIGGER stuck BEFORE DELETE ON bodies
        BEGIN SELECT raise(ABORT, 'no space'); END;";
    run(&path, broken).await;
    let failed = publisher.publish(envelope(3)).await;
    assert!(matches!(failed, Err(PublishError::Unavailable(_))), "{failed:?}");
    assert!(!publisher.is_ready());
    assert_eq!([failed_files, unavailable].map(|line| value(&metrics, line)), [Some(1.0); 2]);
    settle_all(&mut consumer, &held[..1], Settlement::Done).await;

    run(&path, "DROP TRIGGER broken; DROP TRIGGER stuck").await;
    let give_up = Instant::now() + PATIENCE;
    while publisher.publish(envelope(4)).await.is_err() {
        assert!(Instant::now() < give_up, "it never recovers");
        tokio::task::yield_now().await;
    }
    assert!(publisher.is_ready());
    // What was settled meanwhile is settled, what was held is still held, what failed may be there.
    assert_eq!(queue.stats().await.expect("open").unacked, Some(1));
    let next = next(&mut consumer, 10).await;
    assert!(next.iter().map(number).all(|number| number == 3 || number == 4), "{next:?}");
    settle_all(&mut consumer, &held[1..], Settlement::Done).await;
    settle_all(&mut consumer, &next, Settlement::Done).await;
    assert_nothing_left(&queue, &path).await;
}

#[tokio::test]
async fn a_parcel_that_cannot_be_read_is_handed_over_as_it_is() {
    let folder = TempDir::new().expect("a folder");
    let path = file_in(&folder);
    let queue = EmbeddedQueue::open(&path).await.expect("opens");
    publish(&queue, [1]).await;
    publish(&queue, [2]).await;
    publish(&queue, [3]).await;
    let damage = "UPDATE bodies SET body = x'00ff' WHERE id = 1;
        UPDATE bodies SET body = x'63ff' WHERE id = 2;
        DELETE FROM bodies WHERE id = 3";
    run(&path, damage).await;

    let mut consumer = queue.consumer();
    let held = next(&mut consumer, 10).await;
    let seen: Vec<_> = held
        .iter()
        .map(|delivery| match &delivery.content {
            Content::Unreadable { raw, newer, .. } => (raw.to_vec(), *newer),
            other => panic!("readable: {other:?}"),
        })
        .collect();
    assert_eq!(seen, [(vec![0, 0xff], false), (vec![0x63, 0xff], true), (vec![], false)]);

    settle_all(&mut consumer, &held[..1], Settlement::RetryIn(Duration::ZERO)).await;
    settle_all(&mut consumer, &held[1..], Settlement::Done).await;
    let again = next(&mut consumer, 10).await;
    assert_eq!(again[0].attempts, 1);
    assert!(matches!(&again[0].content, Content::Unreadable { raw, .. } if raw[..] == [0, 0xff]));
    settle_all(&mut consumer, &again, Settlement::Done).await;
    assert_nothing_left(&queue, &path).await;
}

#[tokio::test]
async fn peeking_works_beside_a_serving_process_after_a_kill_and_without_a_file() {
    let folder = TempDir::new().expect("a folder");
    let path = file_in(&folder);
    let nothing = EmbeddedQueue::peek_stats(&path).await.expect("peeks");
    assert_eq!((nothing.ready, nothing.unacked, nothing.delayed), (0, None, 0));
    assert!(!path.exists(), "peeking creates nothing");

    let queue = EmbeddedQueue::open(&path).await.expect("opens");
    for number in 1..=3 {
        publish(&queue, [number]).await;
    }
    let mut consumer = queue.consumer();
    let held = next(&mut consumer, 2).await;
    let hour = Settlement::RetryIn(Duration::from_secs(3600));
    settle_all(&mut consumer, &held[..1], hour).await;
    let told = queue.stats().await.expect("open");
    assert_eq!((told.ready, told.unacked, told.delayed), (1, Some(1), 1));
    let told = QueueStats { oldest: Some(Timestamp(5)), ..told };
    assert_eq!(EmbeddedQueue::peek_stats(&path).await.expect("peeks"), told);

    let (_folder, copy) = killed_now(&path);
    assert_eq!(EmbeddedQueue::peek_stats(&copy).await.expect("peeks"), told);

    queue.close().await;
    let told = EmbeddedQueue::peek_stats(&path).await.expect("peeks");
    assert_eq!((told.ready, told.unacked, told.delayed), (2, Some(0), 1));
}

#[tokio::test]
async fn closing_writes_what_was_handed_over_and_leaves_one_file() {
    let folder = TempDir::new().expect("a folder");
    let path = file_in(&folder);
    let queue = EmbeddedQueue::open(&path).await.expect("opens");
    let publisher = queue.publisher();
    let mut consumer = queue.consumer();
    let results = {
        let all = join_all((1..=50).map(|number| publisher.publish(envelope(number))));
        tokio::join!(all, queue.close()).0
    };
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert!(!publisher.is_ready());
    let late = publisher.publish(envelope(51)).await;
    assert!(matches!(late, Err(PublishError::Unavailable(_))), "{late:?}");
    assert!(consumer.next_batch(1).now_or_never().is_none());
    consumer.settle(Vec::new()).await;
    consumer.close().await;

    let left: Vec<_> = std::fs::read_dir(folder.path()).expect("readable").collect();
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(ask(&path, "SELECT sum(envelopes) FROM parcels").await, 50);
}

#[tokio::test]
async fn a_file_of_a_later_version_is_refused_with_advice() {
    let folder = TempDir::new().expect("a folder");
    let path = file_in(&folder);
    EmbeddedQueue::open(&path).await.expect("opens").close().await;
    run(&path, "PRAGMA user_version = 2").await;
    for refused in [
        EmbeddedQueue::open(&path).await.map(|_| ()),
        EmbeddedQueue::peek_stats(&path).await.map(|_| ()),
    ] {
        let Err(QueueError::Unusable(why)) = refused else { panic!("{refused:?}") };
        assert!(why.contains("later version"), "{why}");
    }
    assert_eq!(ask(&path, "SELECT epoch FROM process").await, 1);
}

#[tokio::test]
async fn what_is_no_queue_file_is_refused() {
    let folder = TempDir::new().expect("a folder");
    let path = file_in(&folder);
    std::fs::write(
        &path,
        "certainly not a database, though long enough to be read as one".repeat(99),
    )
    .expect("writes");
    let refused = EmbeddedQueue::open(&path).await;
    assert!(matches!(refused, Err(QueueError::Unusable(_))), "{refused:?}");
    let nowhere = EmbeddedQueue::open(folder.path().join("no/such/folder/queue.db")).await;
    assert!(matches!(nowhere, Err(QueueError::Unusable(_))), "{nowhere:?}");
}

#[tokio::test]
async fn a_damaged_file_is_kept_in_its_place_and_refuses_because_its_content_is_nowhere_else() {
    let folder = TempDir::new().expect("a folder");
    let path = file_in(&folder);
    let queue = EmbeddedQueue::open(&path).await.expect("opens");
    publish(&queue, [1]).await;
    queue.close().await;
    let page = ask(&path, "SELECT rootpage FROM sqlite_schema WHERE name = 'bodies'").await;
    let at = usize::try_from(page - 1).expect("small") * 4096;
    let mut bytes = std::fs::read(&path).expect("readable");
    bytes[at..at + 4096].fill(0x5a);
    std::fs::write(&path, &bytes).expect("damaged");

    let queue = EmbeddedQueue::open(&path).await.expect("the damage is not met yet");
    for number in 2..5 {
        let refused = queue.publisher().publish(envelope(number)).await;
        assert!(matches!(refused, Err(PublishError::Unavailable(_))), "{refused:?}");
    }
    assert!(!queue.publisher().is_ready());
    queue.close().await;
    let names = std::fs::read_dir(folder.path()).expect("readable");
    let names: Vec<_> = names.map(|entry| entry.expect("readable").file_name()).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().contains("damaged")), "{names:?}");
}

//! What is published is delivered until it is settled, whoever dies.

use super::*;

#[tokio::test]
async fn an_answered_publish_survives_a_kill() {
    let folder = TempDir::new().expect("a folder");
    let queue = EmbeddedQueue::open(file_in(&folder)).await.expect("opens");
    publish(&queue, 1..=3).await;
    let (_folder, copy) = killed_now(&file_in(&folder));

    let again = EmbeddedQueue::open(copy).await.expect("opens");
    let mut consumer = again.consumer();
    let mut received = BTreeSet::new();
    while received.len() < 3 {
        for delivery in next(&mut consumer, 100).await {
            assert_eq!((delivery.attempts, delivery.redeliveries), (0, 0));
            received.insert(number(&delivery));
        }
    }
    assert_eq!(received, BTreeSet::from([1, 2, 3]));
}

#[tokio::test]
async fn an_answered_publish_survives_a_drop_without_close() {
    let folder = TempDir::new().expect("a folder");
    let queue = EmbeddedQueue::open(file_in(&folder)).await.expect("opens");
    publish(&queue, [7]).await;
    drop(queue);

    let again = EmbeddedQueue::open(file_in(&folder)).await.expect("opens");
    assert_eq!(number(&next(&mut again.consumer(), 1).await[0]), 7);
}

#[tokio::test]
async fn what_a_killed_process_held_comes_back_at_once_and_counted() {
    let folder = TempDir::new().expect("a folder");
    let mut path = file_in(&folder);
    let mut folders = vec![folder];
    for killed in 0..3 {
        let queue = EmbeddedQueue::open(&path).await.expect("opens");
        if killed == 0 {
            publish(&queue, [1]).await;
        }
        let mut consumer = queue.consumer();
        let held = next(&mut consumer, 10).await;
        assert_eq!((number(&held[0]), held[0].redeliveries), (1, killed));
        let (folder, copy) = killed_now(&path);
        folders.push(folder);
        path = copy;
    }
}

#[tokio::test]
async fn what_was_settled_before_a_kill_does_not_come_back() {
    let folder = TempDir::new().expect("a folder");
    let queue = EmbeddedQueue::open(file_in(&folder)).await.expect("opens");
    publish(&queue, [1]).await;
    let mut consumer = queue.consumer();
    let first = next(&mut consumer, 10).await;
    settle_all(&mut consumer, &first, Settlement::Done).await;
    publish(&queue, [2]).await;
    let (_folder, copy) = killed_now(&file_in(&folder));

    let again = EmbeddedQueue::open(copy).await.expect("opens");
    assert_eq!(again.stats().await.expect("open").ready, 1);
    assert_eq!(number(&next(&mut again.consumer(), 10).await[0]), 2);
}

#[tokio::test]
async fn a_parcel_is_held_by_one_consumer_until_that_gives_it_back() {
    let folder = TempDir::new().expect("a folder");
    let queue = EmbeddedQueue::open(file_in(&folder)).await.expect("opens");
    let (mut one, mut other) = (queue.consumer(), queue.consumer());
    publish(&queue, [1]).await;
    assert_eq!(number(&next(&mut one, 10).await[0]), 1);
    assert!(other.next_batch(10).now_or_never().is_none());
    assert_eq!(queue.stats().await.expect("open").unacked, Some(1));

    one.close().await;
    let back = next(&mut other, 10).await;
    assert_eq!((number(&back[0]), back[0].redeliveries), (1, 1));

    drop(other);
    let back = next(&mut queue.consumer(), 10).await;
    assert_eq!((number(&back[0]), back[0].redeliveries), (1, 2));
}

#[tokio::test]
async fn dropping_the_future_of_a_batch_loses_nothing() {
    let folder = TempDir::new().expect("a folder");
    let queue = EmbeddedQueue::open(file_in(&folder)).await.expect("opens");
    let mut consumer = queue.consumer();
    assert!(consumer.next_batch(10).now_or_never().is_none());
    // Goes to the request of the future that is gone.
    publish(&queue, [1]).await;
    assert_eq!(queue.stats().await.expect("open").unacked, Some(1));
    assert_eq!(number(&next(&mut consumer, 10).await[0]), 1);
}

#[tokio::test]
async fn a_retry_comes_after_its_time_with_one_more_attempt() {
    const DELAY: Duration = Duration::from_millis(300);
    let folder = TempDir::new().expect("a folder");
    let queue = EmbeddedQueue::open(file_in(&folder)).await.expect("opens");
    publish(&queue, [1]).await;
    let mut consumer = queue.consumer();
    let first = next(&mut consumer, 10).await;

    let settled = Instant::now();
    settle_all(&mut consumer, &first, Settlement::RetryIn(DELAY)).await;
    let stats = queue.stats().await.expect("open");
    assert_eq!((stats.ready, stats.unacked, stats.delayed), (0, Some(0), 1));
    let second = next(&mut consumer, 10).await;
    assert!(settled.elapsed() >= DELAY);
    assert_eq!((number(&second[0]), second[0].attempts, second[0].redeliveries), (1, 1, 0));

    settle_all(&mut consumer, &second, Settlement::RetryIn(Duration::ZERO)).await;
    let third = next(&mut consumer, 10).await;
    assert_eq!((number(&third[0]), third[0].attempts), (1, 2));
    settle_all(&mut consumer, &third, Settlement::Done).await;
    assert_eq!(queue.stats().await.expect("open").delayed, 0);
}

#[tokio::test]
async fn a_retry_that_waits_survives_a_kill_and_still_waits() {
    let folder = TempDir::new().expect("a folder");
    let queue = EmbeddedQueue::open(file_in(&folder)).await.expect("opens");
    publish(&queue, [1]).await;
    let mut consumer = queue.consumer();
    let first = next(&mut consumer, 10).await;
    settle_all(&mut consumer, &first, Settlement::RetryIn(Duration::from_secs(3600))).await;
    assert_eq!(queue.stats().await.expect("open").delayed, 1);
    let (_folder, copy) = killed_now(&file_in(&folder));

    let again = EmbeddedQueue::open(copy).await.expect("opens");
    let stats = again.stats().await.expect("open");
    assert_eq!((stats.ready, stats.delayed), (0, 1));
    publish(&again, [2]).await;
    let mut consumer = again.consumer();
    assert_eq!(next(&mut consumer, 10).await.iter().map(number).collect::<Vec<_>>(), [2]);
}

#[tokio::test]
async fn concurrent_publishes_share_parcels_and_all_arrive_exactly_once() {
    const SENT: u128 = 2000;
    let folder = TempDir::new().expect("a folder");
    let queue = EmbeddedQueue::open(file_in(&folder)).await.expect("opens");
    publish(&queue, 1..=SENT).await;
    let parcels = queue.stats().await.expect("open").ready;
    assert!((32..200).contains(&parcels), "{parcels} parcels");

    let (mut one, mut other) = (queue.consumer(), queue.consumer());
    let mut received = Vec::new();
    while received.len() < 2000 {
        tokio::select! {
            batch = one.next_batch(100) => {
                assert!(!batch.is_empty() && batch.len() <= 100);
                settle_all(&mut one, &batch, Settlement::Done).await;
                received.extend(batch.iter().map(number));
            }
            batch = other.next_batch(500) => {
                assert!(!batch.is_empty() && batch.len() <= 500);
                settle_all(&mut other, &batch, Settlement::Done).await;
                received.extend(batch.iter().map(number));
            }
        }
    }
    received.sort_unstable();
    assert_eq!(received, (1..=SENT).collect::<Vec<_>>());
    assert_nothing_left(&queue, &file_in(&folder)).await;
}

#[tokio::test]
async fn a_parcel_stays_until_its_last_envelope_is_settled() {
    let folder = TempDir::new().expect("a folder");
    let queue = EmbeddedQueue::open(file_in(&folder)).await.expect("opens");
    publish(&queue, 1..=3).await;
    let mut consumer = queue.consumer();
    let mut held = next(&mut consumer, 10).await;
    while held.len() < 3 {
        held.extend(next(&mut consumer, 10).await);
    }
    let last = held.pop().expect("three");
    settle_all(&mut consumer, &held, Settlement::Done).await;
    assert_eq!(queue.stats().await.expect("open").unacked, Some(1));
    // Settled twice is settled once.
    settle_all(&mut consumer, &held, Settlement::Done).await;
    assert_eq!(queue.stats().await.expect("open").unacked, Some(1));
    settle_all(&mut consumer, &[last], Settlement::Done).await;
    assert_eq!(queue.stats().await.expect("open").unacked, Some(0));
    assert_nothing_left(&queue, &file_in(&folder)).await;
}

#[tokio::test]
async fn one_of_a_parcel_is_retried_while_its_neighbours_are_still_held() {
    let folder = TempDir::new().expect("a folder");
    let queue = EmbeddedQueue::open(file_in(&folder)).await.expect("opens");
    publish(&queue, 1..=3).await;
    let mut consumer = queue.consumer();
    let mut held = next(&mut consumer, 10).await;
    while held.len() < 3 {
        held.extend(next(&mut consumer, 10).await);
    }
    let middle = held.remove(1);
    let again = number(&middle);
    settle_all(&mut consumer, &[middle], Settlement::RetryIn(Duration::ZERO)).await;
    let retried = next(&mut consumer, 10).await;
    assert_eq!(retried.iter().map(number).collect::<Vec<_>>(), [again]);
    assert_eq!(retried[0].attempts, 1);
    settle_all(&mut consumer, &held, Settlement::Done).await;
    settle_all(&mut consumer, &retried, Settlement::Done).await;
    assert_nothing_left(&queue, &file_in(&folder)).await;
}

#[tokio::test]
async fn a_delivery_of_another_consumer_is_not_settled() {
    let folder = TempDir::new().expect("a folder");
    let queue = EmbeddedQueue::open(file_in(&folder)).await.expect("opens");
    publish(&queue, [1]).await;
    let (mut one, mut other) = (queue.consumer(), queue.consumer());
    let held = next(&mut one, 10).await;
    settle_all(&mut other, &held, Settlement::Done).await;
    assert_eq!(queue.stats().await.expect("open").unacked, Some(1));
}

//! Leases on a real Redis.

use std::task::Poll;
use std::time::Duration;

use futures_util::poll;
use lease::{LeaseError, Leases, TTL};
use testkit::chaos::ChaosProxy;
use testkit::services::Redis;

async fn leases(redis: &Redis, ttl: Duration) -> Leases {
    Leases::connect(&redis.url(), "test", ttl).await.expect("Redis answers")
}

#[tokio::test]
async fn a_name_has_one_holder_at_a_time() {
    let redis = Redis::start().await;
    let (one, other) = (leases(&redis, TTL).await, leases(&redis, TTL).await);
    let held = one.take(["a", "b"]).await.expect("free");
    let wanted = other.take(["b", "c"]);
    tokio::pin!(wanted);
    let early = tokio::time::timeout(Duration::from_millis(100), &mut wanted).await;
    assert!(early.is_err(), "somebody else holds b");
    assert_eq!(held.renew().await, 2);
    held.give_back().await;
    let held = wanted.await.expect("free by now");
    assert_eq!(held.renew().await, 2);
}

#[tokio::test]
async fn names_that_cross_do_not_wait_for_each_other_for_ever() {
    let redis = Redis::start().await;
    let (one, other) = (leases(&redis, TTL).await, leases(&redis, TTL).await);
    let swap = |leases: Leases, names: [&'static str; 2]| async move {
        for _ in 0..100 {
            leases.take(names).await.expect("not for long").give_back().await;
        }
    };
    tokio::join!(swap(one, ["a", "b"]), swap(other, ["b", "a"]));
}

#[tokio::test]
async fn work_that_lasts_longer_than_the_limit_keeps_its_names() {
    let redis = Redis::start().await;
    let ttl = Duration::from_millis(90);
    let (one, other) = (leases(&redis, ttl).await, leases(&redis, TTL).await);
    let held = one.take(["a"]).await.expect("free");
    let wanted = other.take(["a"]);
    let early = held.during(tokio::time::timeout(ttl * 5, wanted)).await;
    assert!(early.is_err(), "the name was lost in the middle of the work");
    assert_eq!(held.renew().await, 1);
}

#[tokio::test]
async fn a_late_giving_back_leaves_the_next_holder_alone() {
    let redis = Redis::start().await;
    let (brief, other) =
        (leases(&redis, Duration::from_millis(30)).await, leases(&redis, TTL).await);
    let late = brief.take(["a"]).await.expect("free");
    let next = other.take(["a"]).await.expect("free when the time is over");
    late.give_back().await;
    assert_eq!(next.renew().await, 1, "what it holds was given back by somebody else");
}

#[tokio::test]
async fn without_redis_there_is_a_clear_error() {
    let redis = Redis::start().await;
    let leases = leases(&redis, TTL).await;
    drop(redis);
    let error = leases.take(["a"]).await.expect_err("nobody is there");
    assert!(matches!(error, LeaseError::Unavailable(_) | LeaseError::Silent), "{error}");
}

/// Every try of every lane would wait for it.
#[tokio::test]
async fn a_silent_redis_is_waited_for_once() {
    let redis = Redis::start().await;
    let proxy = ChaosProxy::start(redis.address()).await;
    let leases = Leases::connect(&proxy.url(&redis.url()), "test", TTL).await.expect("it answers");
    leases.take(["a"]).await.expect("free").give_back().await;
    proxy.stall();
    let error = leases.take(["a"]).await.expect_err("no answer comes");
    assert!(matches!(error, LeaseError::Silent), "{error}");
    let again = std::pin::pin!(leases.take(["b"]));
    let Poll::Ready(answer) = poll!(again) else { panic!("it waits for a Redis that is silent") };
    assert!(matches!(answer, Err(LeaseError::Silent)), "{answer:?}");
}

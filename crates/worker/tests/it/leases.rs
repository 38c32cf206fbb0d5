//! The strategy that takes leases in Redis, with a real one.

use std::time::Duration;

use testkit::chaos::ChaosProxy;
use testkit::services::Redis;
use worker::lease::{Leases, TTL};
use worker::{Processor, Strategy};

use crate::backends::{Backend, InPostgres, InSqlite, Memory};
use crate::doctored::Doctored;
use crate::fences::{Holder, late};
use crate::harness::{outcomes, placed, shops, work};

/// Soon over, if nobody renews it.
const SHORT: Duration = Duration::from_millis(50);

async fn leases(url: &str, ttl: Duration) -> Strategy {
    Strategy::Redis(Leases::connect(url, "test", ttl).await.expect("Redis answers"))
}

#[tokio::test]
async fn without_redis_the_work_goes_on() {
    let redis = Redis::start().await;
    let strategy = leases(&redis.url(), TTL).await;
    drop(redis);
    let store = Doctored::with_bowls(10);
    let mut processor = Processor::new(store.clone(), strategy);
    let done = processor.process(vec![work(&placed(1, 2))], &shops(""), true).await;
    assert_eq!(outcomes(&done.expect("the store is there")), ["applied"]);
    store.inner.assert_sound();
}

/// Somebody else gets the item once its time is over, and not before.
async fn paused<B: Backend>() {
    let redis = Redis::start().await;
    let strategy = leases(&redis.url(), SHORT).await;
    let holder = (strategy.clone(), Holder::Stopped);
    let conflicts = late(&B::open().await, holder, strategy, async || {}).await;
    assert_eq!(conflicts, 1.0);
}

/// Its heartbeat does not reach Redis any more; the database it does reach.
async fn cut_off<B: Backend>() {
    let redis = Redis::start().await;
    let proxy = ChaosProxy::start(redis.address()).await;
    let holder = (leases(&proxy.url(&redis.url()), SHORT).await, Holder::Alive);
    let other = leases(&redis.url(), SHORT).await;
    let lose = async || {
        proxy.refuse().await;
        proxy.cut();
    };
    let conflicts = late(&B::open().await, holder, other, lose).await;
    assert_eq!(conflicts, 1.0);
}

macro_rules! on_every_store {
    ($($name:ident: $backend:ty;)+) => {$(
        mod $name {
            use super::*;

            #[tokio::test]
            async fn a_holder_that_was_paused_past_its_time_loses_a_try_and_no_unit() {
                paused::<$backend>().await;
            }

            #[tokio::test]
            async fn a_holder_that_was_cut_off_from_redis_loses_a_try_and_no_unit() {
                cut_off::<$backend>().await;
            }
        }
    )+};
}

on_every_store! {
    memory: Memory;
    sqlite: InSqlite;
    postgres: InPostgres;
}

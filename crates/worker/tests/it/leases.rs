//! The strategy that takes leases in Redis, with a real one.

use domain::Keys;
use store::{Commit, ConflictKey, Store};
use testkit::services::Redis;
use tokio::runtime::Runtime;
use worker::lease::{Leases, TTL};
use worker::{Processor, Strategy};

use crate::backends::InPostgres;
use crate::doctored::Doctored;
use crate::harness::{outcomes, placed, shops, work};
use crate::properties::{run_cases, scarce};

async fn leases(redis: &Redis) -> Leases {
    Leases::connect(&redis.url(), "test", TTL).await.expect("Redis answers")
}

#[test]
fn with_leases_the_end_is_that_of_the_model_in_commit_order() {
    let runtime = Runtime::new().expect("a runtime");
    let redis = runtime.block_on(Redis::start());
    run_cases::<InPostgres>(20, async |backend, run, history| {
        let leased = Strategy::Redis(leases(&redis).await);
        let other = match run % 2 {
            0 => Strategy::Optimistic,
            _ => leased.clone(),
        };
        let mut history = history.clone();
        history.locks = [leased, other];
        scarce(backend, run, &history).await;
    });
}

#[tokio::test]
async fn without_redis_the_work_goes_on() {
    let redis = Redis::start().await;
    let strategy = Strategy::Redis(leases(&redis).await);
    drop(redis);
    let store = Doctored::with_bowls(10);
    let mut processor = Processor::new(store.clone(), strategy);
    let done = processor.process(vec![work(&placed(1, 2))], &shops(""), true).await;
    assert_eq!(outcomes(&done.expect("the store is there")), ["applied"]);
    store.inner.assert_sound();
}

/// The holder is paused for longer than its lease lasts, and somebody else gets the item.
#[tokio::test]
async fn a_lease_that_ran_out_costs_a_try_and_no_unit() {
    let redis = Redis::start().await;
    let short = std::time::Duration::from_millis(50);
    let leases = Leases::connect(&redis.url(), "test", short).await.expect("Redis answers");
    let store = Doctored::with_bowls(10);

    let paused = leases.take(["BOWL"]).await.expect("nobody holds it");
    let keys = Keys { skus: [domain::Sku::new("BOWL")].into(), ..Keys::default() };
    let before = store.inner.load(&keys).await.expect("loads");

    // Taking it succeeds only when the time is over: nobody renews it.
    let mut other = Processor::new(store.clone(), Strategy::Redis(leases.clone()));
    let done = other.process(vec![work(&placed(1, 7))], &shops(""), true).await;
    assert_eq!(outcomes(&done.expect("the store is there")), ["applied"]);
    assert_eq!(paused.renew().await, 0, "its name is not its own any more");

    // What it decided while it believed to be alone: 10 bowls, of which it sells 7, too.
    let bowl = domain::StockKey::new(&domain::Sku::new("BOWL"), &"main".into());
    let mut late = domain::Batch::new(before);
    let cause = domain::stock::Cause {
        shop: None,
        order: None,
        webhook: None,
        correlation: domain::EnvelopeId(uuid::Uuid::nil()),
        reason: "late".to_owned(),
    };
    let sale = domain::Move {
        key: bowl.clone(),
        kind: domain::MoveKind::Commit,
        on_hand_delta: 0,
        committed_delta: 7,
    };
    late.move_stock(sale, &cause, domain::Timestamp(0)).expect("there are 10 in its view");
    let answer = store.inner.commit(&late.into_changes()).await.expect("answers");
    assert_eq!(answer, Commit::Conflict(vec![ConflictKey::Stock(bowl)]));
    assert_eq!(store.inner.stock_of("BOWL", "main").committed, 7);
    store.inner.assert_sound();
}

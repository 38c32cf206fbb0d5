//! Who loses its lock between what it read and its commit, and does not know: the version of the row
//! costs it a try, and nobody a unit.

use std::pin::pin;

use domain::{LocationId, Sku, StockKey};
use store::Store;
use worker::{Done, Processor, Strategy};

use crate::backends::{Backend, InPostgres, open_stock};
use crate::harness::{outcomes, placed, recorded, shops, soon, value, work};
use crate::meddled::Meddled;

/// What the holder does while it is late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// Nothing, as a process that is stopped.
    Stopped,
    /// It does what it can to keep its lock.
    #[cfg_attr(not(feature = "redis"), expect(dead_code, reason = "only leases are lost so"))]
    Alive,
}

/// The holder has read that there are 10 bowls and is about to sell 7; then it has lost its lock, and
/// another sells 7. Gives back how many conflicts that made.
pub(crate) async fn late<B: Backend>(
    backend: &B,
    (holder, is): (Strategy, Holder),
    other: Strategy,
    lose: impl AsyncFnOnce(),
) -> f64 {
    let (metrics, _guard) = recorded();
    let bowls = StockKey::new(&Sku::new("BOWL"), &LocationId::new("main"));
    open_stock(backend.store(), &[(bowls.clone(), 10)]).await;
    let (store, mut readers) = Meddled::new(backend.store().clone());
    let mut late = pin!(sell(store, holder, 1));
    let reader = tokio::select! {
        biased;
        done = &mut late => panic!("before it was told to: {done:?}"),
        reader = readers.recv() => reader,
    };
    let sold = soon("the other", async {
        lose().await;
        sell(backend.store().clone(), other, 2).await
    });
    let sold = match is {
        Holder::Stopped => sold.await,
        Holder::Alive => tokio::select! {
            biased;
            done = &mut late => panic!("before it was told to: {done:?}"),
            sold = sold => sold,
        },
    };
    assert_eq!(outcomes(&sold), ["applied"]);
    let missed = value(&metrics, "onhand_leases_missed_total");
    assert_eq!(missed, None, "the other had what the holder had lost");

    drop((reader, readers));
    assert_eq!(outcomes(&soon("the holder", late).await), ["not_enough_stock"]);
    let keys = domain::Keys { skus: [bowls.sku.clone()].into(), ..domain::Keys::default() };
    let row = backend.store().load(&keys).await.expect("loads").stock.get(&bowls);
    assert_eq!((row.on_hand, row.committed), (10, 7));
    assert_eq!(backend.violations().await, Vec::<String>::new());
    value(&metrics, "onhand_conflicts_total").unwrap_or_default()
}

async fn sell<S: Store>(store: S, strategy: Strategy, order: u64) -> Vec<Done> {
    let mut processor = Processor::new(store, strategy);
    let (batch, shops) = (vec![work(&placed(order, 7))], shops(""));
    loop {
        // A connection that is gone is an outage: the same again.
        if let Ok(done) = processor.process(batch.clone(), &shops, true).await {
            return done;
        }
    }
}

#[tokio::test]
async fn an_advisory_lock_that_others_do_not_heed_costs_a_try_and_no_unit() {
    let backend = InPostgres::open().await;
    let holder = (Strategy::Advisory, Holder::Stopped);
    let conflicts = late(&backend, holder, Strategy::Optimistic, async || {}).await;
    assert_eq!(conflicts, 1.0);
}

/// As PostgreSQL does to a holder that is stopped or cut off for longer than it waits for one.
#[tokio::test]
async fn an_advisory_lock_that_the_server_took_away_costs_no_unit() {
    let backend = InPostgres::open().await;
    let holder = (Strategy::Advisory, Holder::Stopped);
    let take_away = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND state = 'idle in transaction'";
    let lose = async || backend.database.run(take_away).await;
    let conflicts = late(&backend, holder, Strategy::Advisory, lose).await;
    assert_eq!(conflicts, 0.0, "its transaction went with the lock");
}

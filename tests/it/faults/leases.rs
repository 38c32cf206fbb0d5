//! A worker that is stopped while it holds a lease in Redis, for longer than the lease lasts.

use testkit::chaos::Trigger;
use testkit::services::Redis;
use testkit::shopify::ShopifyOrder;

use super::CONNECTIONS;
use crate::harness::{Fleet, Profile, eventually, proxied};

const UNITS: i64 = 300;

/// Each for one unit.
const ORDERS: i64 = 400;

#[tokio::test]
async fn a_worker_that_slept_past_its_lease_sells_nothing_twice() {
    let redis = Redis::start().await;
    let mut fleet = Fleet::prepare(Profile::Fleet).await;
    fleet.settings.insert("ONHAND_STRATEGY", "redis".to_owned());
    fleet.settings.insert("ONHAND_REDIS_URL", redis.url());
    fleet.stock("HOT", UNITS).await;
    fleet.start_front(&[]).await;
    let (database, setting) = proxied(&fleet, "ONHAND_DATABASE_URL").await;
    // Where its first commit begins: it holds the item and has read it, and PostgreSQL knows nothing.
    database.hold_request(Trigger::Bytes(b"BEGIN\0".to_vec()));
    fleet.start_worker(&[setting, ("ONHAND_LANES", "1".to_owned())]).await;
    fleet.start_worker(&[]).await;
    let sleeper = &fleet.workers[0];

    let orders = (1..=ORDERS.unsigned_abs()).map(|id| ShopifyOrder::new(id).line("HOT", 1));
    let webhooks = orders.map(|order| order.webhook("orders/create")).collect();
    let burst = fleet.burst(webhooks, CONNECTIONS);
    database.wait_hit().await;
    let name = format!("{}:lease:HOT", fleet.settings["ONHAND_BROKER_PREFIX"]);
    let lease = redis.get(&name).await;
    assert!(lease.is_some(), "nobody has {name}");
    // Nobody else has the item, and as long as it is awake its lease is not over.
    let (_, before) = fleet.stock_of("HOT").await;
    sleeper.freeze().await;
    let is_over = async || (redis.get(&name).await != lease).then_some(());
    eventually("the lease is over", is_over).await;
    let goes_on = async || (fleet.stock_of("HOT").await.1 > before).then_some(());
    eventually("the other goes on", goes_on).await;

    database.release();
    sleeper.thaw().await;
    burst.done().await;
    fleet.settled().await;
    assert_eq!(fleet.stock_of("HOT").await, (UNITS, UNITS));
    let outcomes = (fleet.count("applied").await, fleet.count("short").await);
    assert_eq!(outcomes, (UNITS, ORDERS - UNITS));
    let conflicts = sleeper.counter("onhand_conflicts_total").await;
    assert!(conflicts > 0.0, "its late commit passed, or was never made");
    fleet.finish().await;
}

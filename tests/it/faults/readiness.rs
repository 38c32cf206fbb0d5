//! What a probe is told while something is away: alive all the time, ready only with what the role
//! itself needs, and again by itself when that is back.

use std::collections::BTreeMap;

use testkit::chaos::ChaosProxy;

use super::{CONNECTIONS, sale};
use crate::harness::{Fleet, Profile, Role, eventually, get, proxied};

/// The words for what is missing.
const NO_BROKER: &str = "queue";
const NO_DATABASE: &str = "the database";

#[tokio::test]
async fn each_role_is_ready_as_long_as_what_it_needs_is_there() {
    let mut fleet = Fleet::prepare(Profile::Fleet).await;
    let sale = sale();
    sale.supply(&fleet).await;
    let (database, database_setting) = proxied(&fleet, "ONHAND_DATABASE_URL").await;
    let (broker, mut broker_setting) = proxied(&fleet, "ONHAND_BROKER_URL").await;
    // What is silent is noticed in a few seconds.
    broker_setting.1.push_str("?heartbeat=2");
    let settings = [database_setting, broker_setting];
    fleet.start_front(&settings).await;
    fleet.start_worker(&settings).await;
    let mut for_console = fleet.settings.clone();
    for_console.extend(settings);
    let console = Role::start("console", &[], &fleet.path(""), &for_console);
    let roles = BTreeMap::from([
        ("ingress", fleet.front.as_ref().expect("it runs")),
        ("worker", &fleet.workers[0]),
        ("console", &console),
    ]);
    let all_are_ready = [("ingress", &[][..]), ("worker", &[]), ("console", &[])];
    turn_to(&roles, &all_are_ready).await;

    let burst = fleet.burst(sale.webhooks.clone(), CONNECTIONS);
    away(&broker).await;
    turn_to(&roles, &[("ingress", &[NO_BROKER][..]), ("worker", &[NO_BROKER]), ("console", &[])])
        .await;
    broker.restore();
    turn_to(&roles, &all_are_ready).await;

    away(&database).await;
    let without_database =
        [("ingress", &[][..]), ("worker", &[NO_DATABASE]), ("console", &[NO_DATABASE])];
    turn_to(&roles, &without_database).await;
    away(&broker).await;
    turn_to(
        &roles,
        &[
            ("ingress", &[NO_BROKER][..]),
            ("worker", &[NO_BROKER, NO_DATABASE]),
            ("console", &[NO_DATABASE]),
        ],
    )
    .await;
    broker.restore();
    turn_to(&roles, &without_database).await;
    database.restore();
    turn_to(&roles, &all_are_ready).await;

    // Nobody says that it is away: it is only silent.
    database.stall();
    turn_to(&roles, &without_database).await;
    database.resume();
    turn_to(&roles, &all_are_ready).await;
    broker.stall();
    turn_to(&roles, &[("ingress", &[NO_BROKER][..]), ("worker", &[NO_BROKER]), ("console", &[])])
        .await;
    broker.resume();
    turn_to(&roles, &all_are_ready).await;

    burst.done().await;
    sale.check(&fleet).await;
    console.stop().await;
    fleet.finish().await;
}

async fn away(server: &ChaosProxy) {
    server.refuse().await;
    server.cut();
}

/// Waits until each role says that it is ready, or what it misses; all are alive meanwhile.
async fn turn_to(roles: &BTreeMap<&str, &Role>, expected: &[(&str, &[&str])]) {
    for (name, missing) in expected {
        let ops = roles[name].ops().await;
        eventually(&format!("{name} says what it misses: {missing:?}"), async || {
            let alive = get(ops, "/healthz").await.expect("the ops port answers");
            assert_eq!(alive.status, 200, "{name} is alive whatever it misses");
            let ready = get(ops, "/readyz").await.expect("the ops port answers");
            let is_as_expected = match ready.status {
                200 => missing.is_empty(),
                503 => {
                    let said: Vec<&str> = [NO_BROKER, NO_DATABASE]
                        .into_iter()
                        .filter(|words| ready.body.contains(words))
                        .collect();
                    said == *missing
                }
                other => panic!("{name} answers {other} to a probe"),
            };
            is_as_expected.then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_full_disk_is_said_and_what_was_accepted_is_there_when_it_has_room_again() {
    let mut fleet = Fleet::prepare(Profile::Embedded).await;
    let sale = sale();
    sale.supply(&fleet).await;
    fleet.start_front(&[]).await;
    let mut burst = fleet.burst(sale.webhooks.clone(), CONNECTIONS);
    for filled in 1..=2_u8 {
        burst.accepted(usize::from(filled) * 150).await;
        let front = fleet.front.as_ref().expect("it runs");
        front.limit_files(Some(4096)).await;
        let refused = fleet.post().answered(503);
        eventually("webhooks are refused", async || {
            (fleet.post().answered(503) > refused).then_some(())
        })
        .await;
        let roles = BTreeMap::from([("serve", front)]);
        turn_to(&roles, &[("serve", &[NO_BROKER, NO_DATABASE][..])]).await;
        front.limit_files(None).await;
        turn_to(&roles, &[("serve", &[][..])]).await;
        assert!(front.counter("onhand_queue_file_failures_total").await >= f64::from(filled));
        assert!(front.counter("onhand_publish_failures_total").await >= f64::from(filled));
    }
    burst.done().await;
    sale.check(&fleet).await;
    fleet.finish().await;
}

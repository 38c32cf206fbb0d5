//! How fast workers take out of the queue what waits there, and whether nothing got lost.

use std::time::Instant;

use anyhow::ensure;

use crate::roles::{Instance, LOOK, STUCK, Services, connect};

/// Waits until so many webhooks are decided since the database is there; how many were per second,
/// from the first on that is seen here, so that a worker's start does not count. Fails if no more are
/// for long, or if one is dead.
pub(crate) async fn drained(services: &Services, wanted: u32) -> anyhow::Result<f64> {
    let client = connect(services).await?;
    let sql = "SELECT coalesce(sum(value), 0)::float8,
                      coalesce(sum(value) FILTER (WHERE name = 'dead'), 0)::float8
               FROM counters";
    let wanted = f64::from(wanted);
    let (mut before, mut first, mut last) = (None, None, (Instant::now(), -1.0));
    loop {
        let row = client.query_one(sql, &[]).await?;
        let (decided, dead): (f64, f64) = (row.get(0), row.get(1));
        ensure!(dead == 0.0, "{dead} webhooks are dead");
        if decided > last.1 {
            last = (Instant::now(), decided);
        }
        ensure!(
            last.0.elapsed() < STUCK,
            "{decided} of {wanted} are decided, and no more for long"
        );
        if decided > *before.get_or_insert(decided) && first.is_none() {
            first = Some(last);
        }
        if decided >= wanted {
            let (began, decided) = first.unwrap_or(last);
            return Ok((wanted - decided) / (last.0 - began).as_secs_f64().max(f64::EPSILON));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Nothing that was answered 200 is lost and no promise is broken: each of so many orders was
/// applied in full, each webhook is in the inbox once, and `verify` is clean.
pub(crate) async fn sound(
    instance: &Instance,
    services: &Services,
    orders: u32,
) -> anyhow::Result<()> {
    instance.run(&["verify", "--json"]).await?;
    let sql = "SELECT (SELECT count(*) FROM webhooks WHERE outcome = 'applied'),
                      (SELECT count(*) FROM orders WHERE state = 'committed' AND NOT short)";
    let row = connect(services).await?.query_one(sql, &[]).await?;
    let (applied, committed): (i64, i64) = (row.get(0), row.get(1));
    ensure!(
        (applied, committed) == (orders.into(), orders.into()),
        "of {orders} webhooks that were answered 200, {applied} are applied, and {committed} orders \
         have their stock"
    );
    Ok(())
}

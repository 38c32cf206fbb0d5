//! What earlier orders cost the next: the same sale against a database with ever more of them, and
//! against the number of lines per order.

use std::path::Path;

use anyhow::Context;

use crate::roles::{Instance, Services, connect};
use crate::run::{Run, fleet};
use crate::table;

const ORDERS: u32 = 40_000;

/// So many sales each, of which the middle counts.
const ROUNDS: u32 = 3;

const EARLIER: [u32; 3] = [10_000, 1_000_000, 10_000_000];
const LINES: [(&str, u32); 3] = [("1", 20_000), ("5", 10_000), ("50", 2_000)];

/// Earlier orders as the program writes them, made by the database itself: each with its webhook,
/// its holding and its move, all of one item that the sale does not touch. Ids of webhooks are
/// random, as platforms' are.
pub(crate) const EARLIER_SQL: &str = "
    INSERT INTO stock VALUES ('OLD', 'main', 1000000000, $1, 0, $1 + 1);
    INSERT INTO ledger VALUES ('OLD', 'main', 1, 'opening', 1000000000, 0, NULL, NULL, NULL,
        gen_random_uuid(), 'opening', now());
    INSERT INTO orders (shop, order_id, version, state, short, name, financial_status, document)
    SELECT 'demo', (4000000000000 + i)::text, 1, 'committed', false, '#' || i, 'pending',
           replace(replace($DOC$, 'LINE', (9000000000000 + i)::text), 'NAME', i::text)::DOCTYPE
    FROM generate_series(1, $1) AS i;
    INSERT INTO order_stock
    SELECT 'demo', (4000000000000 + i)::text, 'OLD', 'main', 1, 0, 0, 0
    FROM generate_series(1, $1) AS i;
    INSERT INTO webhooks (webhook_id, shop, body_hash, envelope_id, topic, order_id, outcome,
                          received_at, decided_at, scope)
    SELECT md5('w' || i)::uuid::text, 'demo', decode(md5(i::text), 'hex'),
           ('01900000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, 'orders/create',
           (4000000000000 + i)::text, 'applied', now(), now(), (4000000000000 + i)::text
    FROM generate_series(1, $1) AS i;
    INSERT INTO ledger
    SELECT 'OLD', 'main', i + 1, 'commit', 0, 1, 'demo', (4000000000000 + i)::text, md5('w' || i)::uuid::text,
           gen_random_uuid(), 'orders/create', now()
    FROM generate_series(1, $1) AS i;
    INSERT INTO counters VALUES ('applied', 63, $1)
    ON CONFLICT (name, shard) DO UPDATE SET value = counters.value + excluded.value;
    ";

const DOCUMENT: &str = r##"{"known":{"snapshot":{"rank":{"updated_at":1795262400000000,"progress":1,"triggered_at":1795262400000000,"digest":1},"name":"#NAME","financial_status":"pending","lines":{"LINE":{"quantity":1,"kept":1}}}},"lines":{"LINE":{"sku":"OLD","parts":[{"sku":"OLD","units":1}]}}}"##;

pub(crate) async fn measure(onhand: &Path, most: u32) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for earlier in EARLIER.into_iter().filter(|earlier| *earlier <= most) {
        let services = Services::start().await;
        let instance = Instance::fleet(onhand, &services, 1, &[]).await?;
        fill(&services, &[&EARLIER_SQL.replace("$1", &earlier.to_string())]).await?;
        let name = format!("{} earlier orders", table::whole(earlier.into()));
        rows.push(sales(&name, &instance, &services, earlier, ("1", ORDERS)).await?);
    }
    for (lines, orders) in LINES {
        let services = Services::start().await;
        let instance = Instance::fleet(onhand, &services, 1, &[]).await?;
        let name = format!("{lines} lines per order");
        rows.push(sales(&name, &instance, &services, 0, (lines, orders)).await?);
    }
    let header = ["", "orders/s", "CPU of PostgreSQL per order, µs", "WAL per order, bytes"];
    table::print(&header, &rows);
    Ok(())
}

/// The middle of some sales, one after the other on the same database.
async fn sales(
    name: &str,
    instance: &Instance,
    services: &Services,
    earlier: u32,
    (lines, orders): (&str, u32),
) -> anyhow::Result<Vec<String>> {
    let (mut runs, before) = (Vec::new(), wal(services).await?);
    for round in 1..=ROUNDS {
        let seed = round.to_string();
        let sale = ["--skus", "1000", "--lines", lines, "--connections", "256", "--seed", &seed];
        let so_far = earlier + (round - 1) * orders;
        let run = fleet(instance, services, (so_far, orders), &sale).await?;
        eprintln!("{name}, round {round}: {:.0} orders/s", run.orders_per_second);
        runs.push(run);
    }
    let bytes = (wal(services).await? - before) / f64::from(orders * ROUNDS);
    let run = Run::median(&runs);
    let cpu = run.cpu_us.get("postgres").copied().unwrap_or(0.0);
    let numbers = [run.orders_per_second, cpu, bytes].map(table::whole);
    Ok([&[name.to_owned()], &numbers[..]].concat())
}

/// Runs what makes rows, with the document of an order that the program would write, and then what a
/// database does by itself in time.
pub(crate) async fn fill(services: &Services, statements: &[&str]) -> anyhow::Result<()> {
    let client = connect(services).await?;
    let kind = "SELECT format_type(atttypid, atttypmod) FROM pg_attribute
                WHERE attrelid = 'orders'::regclass AND attname = 'document'";
    let kind: String = client.query_one(kind, &[]).await?.get(0);
    for sql in statements {
        let sql = sql.replace("$DOC$", &format!("'{DOCUMENT}'")).replace("DOCTYPE", &kind);
        client.batch_execute(&sql).await.context("rows that are there before")?;
    }
    for tidy in ["VACUUM ANALYZE", "CHECKPOINT"] {
        client.batch_execute(tidy).await?;
    }
    Ok(())
}

/// Bytes of write-ahead log so far.
async fn wal(services: &Services) -> anyhow::Result<f64> {
    let sql = "SELECT (pg_current_wal_lsn() - '0/0'::pg_lsn)::float8";
    Ok(connect(services).await?.query_one(sql, &[]).await?.get(0))
}

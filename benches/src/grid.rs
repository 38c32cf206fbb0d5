//! Every strategy of concurrency control × batch size × hot share × workers, all real: the question
//! that every article on this subject argues about, with numbers. `optimistic`, batch 1 is the
//! articles' design: one order per transaction, read, versioned update, retry.
//!
//! The orders are in the queue before the workers start, so that what is measured is the workers,
//! the broker and the database, and not the sender.

use std::path::Path;

use testkit::services::Redis;

use crate::drain::{drained, sound};
use crate::metrics::Metrics;
use crate::plot;
use crate::roles::{Instance, Services};
use crate::table;

const STRATEGIES: [&str; 5] = ["optimistic", "locking", "advisory", "redis", "adaptive"];
const BATCHES: [u16; 3] = [1, 16, 256];
const HOT_SHARES: [&str; 3] = ["0", "0.5", "1"];
const WORKERS: [u16; 3] = [1, 2, 4];

/// Orders of one run: enough for a second or two of the faster half, and bearable for the slowest.
const fn orders(batch: u16) -> u32 {
    match batch {
        1 => 1_500,
        16 => 6_000,
        _ => 16_000,
    }
}

/// Connections that fill the queue. Few, so that parcels are small: of large ones a single worker would
/// take all ahead, and the others had nobody to conflict with. A parcel is decided whole, so that one
/// order at a time needs parcels of one.
const fn connections(batch: u16) -> &'static str {
    match batch {
        1 => "1",
        _ => "16",
    }
}

/// One cell of the grid.
#[derive(Clone, Copy)]
struct Cell {
    strategy: &'static str,
    batch: u16,
    hot: &'static str,
    workers: u16,
}

/// What one cell took.
#[derive(Clone, Copy)]
struct Took {
    orders_per_second: f64,
    conflicts_per_order: f64,
    batch_p99_ms: f64,
}

pub(crate) async fn measure(onhand: &Path) -> anyhow::Result<()> {
    let (redis, mut services) = (Redis::start().await, Services::start().await);
    let mut cells = 0;
    let mut rows = Vec::new();
    let mut bars: Vec<(String, Vec<f64>)> = Vec::new();
    for hot in HOT_SHARES {
        for batch in BATCHES {
            for strategy in STRATEGIES {
                let mut line = Vec::new();
                for workers in WORKERS {
                    let cell = Cell { strategy, batch, hot, workers };
                    cells += 1;
                    services.fresh(&format!("cell{cells}")).await?;
                    let took = one(onhand, cell, &services, &redis).await?;
                    eprintln!(
                        "{strategy}, batch {batch}, hot {hot}, {workers} workers: {:.0} orders/s",
                        took.orders_per_second
                    );
                    line.push(took);
                }
                let numbers = line.iter().map(|took| {
                    format!(
                        "{} · {:.2} · {:.0}",
                        table::whole(took.orders_per_second),
                        took.conflicts_per_order,
                        took.batch_p99_ms
                    )
                });
                let name = [hot.to_owned(), batch.to_string(), strategy.to_owned()];
                rows.push(name.into_iter().chain(numbers).collect());
                let rates = line.iter().map(|took| took.orders_per_second).collect();
                bars.push((format!("hot {hot}, batch {batch}: {strategy}"), rates));
            }
        }
    }
    println!("orders/s · conflicts per order · p99 of a batch from reading to committed, ms");
    let workers = WORKERS.map(|n| format!("{n} worker{}", if n == 1 { "" } else { "s" }));
    let head = ["hot share", "batch", "strategy"].into_iter();
    let head: Vec<&str> = head.chain(workers.iter().map(String::as_str)).collect();
    table::print(&head, &rows);
    for (place, hot) in HOT_SHARES.iter().enumerate() {
        let each = BATCHES.len() * STRATEGIES.len();
        let part = &bars[place * each..(place + 1) * each];
        let title = format!("orders/s by strategy and batch, {hot} of all orders for one item");
        let file = format!("docs/strategies-hot-{}.svg", hot.replace('.', ""));
        plot::bars(Path::new(&file), &title, &workers, part)?;
    }
    Ok(())
}

async fn one(
    onhand: &Path,
    cell: Cell,
    services: &Services,
    redis: &Redis,
) -> anyhow::Result<Took> {
    let (batch, count) = (cell.batch.to_string(), orders(cell.batch));
    let url = redis.url();
    let args = ["--strategy", cell.strategy, "--batch", &batch, "--redis-url", &url];
    let mut instance = Instance::fleet(onhand, services, 0, &args).await?;
    let sale = ["--setup", "--orders", &count.to_string(), "--lines", "1", "--hot-share", cell.hot];
    let sale = [&sale[..], &["--connections", connections(cell.batch)]].concat();
    instance.simulate(&sale).await?;

    instance.workers(cell.workers, &args).await?;
    let orders_per_second = drained(services, count).await?;
    sound(&instance, services, count).await?;

    let metrics = instance.metrics_of_workers(cell.workers).await?;
    Ok(Took {
        orders_per_second,
        conflicts_per_order: metrics.tries_in_vain() / f64::from(count),
        batch_p99_ms: metrics.quantile(&Metrics::default(), "onhand_commit_seconds", 0.99)
            * 1_000.0,
    })
}

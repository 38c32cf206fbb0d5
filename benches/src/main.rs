//! Measures both profiles end to end, with the sender on the same machine, and prints one table.
//!
//! ```sh
//! cargo build --release -p onhand && cargo run --release -p benches
//! ```
//!
//! Each row is a fresh instance under `onhand simulate --setup --wait`, which also checks that
//! nothing answered 200 is missing and that `verify` is clean; a broken promise fails the run.

use std::path::PathBuf;

use anyhow::Context;
use comfy_table::{Table, presets};
use testkit::services::{Postgres, RabbitMq};

mod roles;

use roles::{Instance, Memory};

/// Orders per row: a few seconds of work.
const ORDERS: &str = "20000";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let onhand = onhand()?;
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header([
        "profile",
        "items",
        "orders/s end to end",
        "acks/s",
        "ack p50 ms",
        "p99 ms",
        "max ms",
        "memory, MB (peak)",
    ]);
    for (profile, workers) in [("embedded", 0), ("fleet, 1 worker", 1), ("fleet, 2 workers", 2)] {
        for skus in ["1000", "1"] {
            let row = match workers {
                0 => measure(&Instance::embedded(&onhand).await?, skus).await?,
                workers => {
                    let (postgres, broker) = (Postgres::start().await, RabbitMq::start().await);
                    let (database, queue) = (postgres.url(), broker.url());
                    let instance = Instance::fleet(&onhand, &database, &queue, workers).await?;
                    measure(&instance, skus).await?
                }
            };
            eprintln!("{profile}, {skus} item(s): {}", row.join(" | "));
            table.add_row([vec![profile.to_owned(), skus.to_owned()], row].concat());
        }
    }
    println!("{table}");
    Ok(())
}

/// The binary beside this one.
fn onhand() -> anyhow::Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name("onhand");
    anyhow::ensure!(path.exists(), "build it first: cargo build --release -p onhand");
    Ok(path)
}

async fn measure(instance: &Instance, skus: &str) -> anyhow::Result<Vec<String>> {
    let report = instance.simulate(&["--orders", ORDERS, "--skus", skus, "--lines", "1"]).await?;
    let number = |pointer: &str| {
        report.pointer(pointer).and_then(serde_json::Value::as_f64).with_context(|| {
            format!("`onhand simulate --json` has no number at {pointer}: {report}")
        })
    };
    let memory: Vec<String> = instance.memory()?.iter().map(Memory::to_string).collect();
    Ok(vec![
        format!("{:.0}", number("/applied/orders_per_second")?),
        format!("{:.0}", number("/acks_per_second")?),
        format!("{:.1}", number("/ack_ms/p50")?),
        format!("{:.1}", number("/ack_ms/p99")?),
        format!("{:.1}", number("/ack_ms/max")?),
        memory.join(", "),
    ])
}

//! Measures Onhand end to end, with everything on one machine: sender, ingress, broker, workers,
//! database. Never part of the tests: numbers depend on the machine.
//!
//! ```sh
//! cargo build --profile dist -p onhand && cargo run --profile dist -p benches    # speed
//! cargo run --profile dist -p benches -- strategies  # the grid; onhand built with --features redis
//! cargo run --profile dist -p benches -- scale       # more workers, and a database far away
//! cargo run --profile dist -p benches -- growth      # against earlier orders, and lines per order
//! cargo run --profile dist -p benches -- load        # half load, a lone order, duplicates, memory
//! cargo run --profile dist -p benches -- steady      # ten minutes at full load: memory
//! cargo run --profile dist -p benches -- deep        # a million webhooks that wait
//! cargo run --profile dist -p benches -- pages       # the console's, over ten million orders
//! ```
//!
//! Every run of Onhand is checked: nothing answered 200 is missing, and `verify` is clean. A broken
//! promise fails the bench.

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::Context;

mod cpu;
mod distance;
mod drain;
mod grid;
mod growth;
mod load;
mod metrics;
mod pages;
mod pipe;
mod plot;
mod roles;
mod run;
mod scale;
mod speed;
mod table;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        [] | ["speed"] => speed::measure(&onhand()?, usize::MAX).await,
        ["speed", cases] => speed::measure(&onhand()?, number(cases)?).await,
        ["strategies"] => grid::measure(&onhand()?).await,
        ["scale"] => scale::measure(&onhand()?).await,
        ["growth"] => growth::measure(&onhand()?, u32::MAX).await,
        ["growth", most] => growth::measure(&onhand()?, number(most)?).await,
        ["load"] => load::measure(&onhand()?, None).await,
        ["load", part @ ("lone" | "half" | "duplicates")] => {
            load::measure(&onhand()?, Some(part)).await
        }
        ["load", rate] => load::paced(&onhand()?, number(rate)?).await,
        ["steady"] => load::steady(&onhand()?).await,
        ["deep"] => load::deep_queue(&onhand()?).await,
        ["pages"] => pages::measure(&onhand()?, pages::ROWS).await,
        ["pages", rows] => pages::measure(&onhand()?, number(rows)?).await,
        ["pipe-ingress", listen, broker] => pipe::ingress(listen, broker).await,
        ["pipe-worker", database, broker] => pipe::worker(database, broker).await,
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => anyhow::bail!(USAGE),
    }
}

const USAGE: &str = "usage: benches [speed [SO MANY CASES]|strategies|scale|\
    growth [EARLIER ORDERS AT MOST]|load [lone|half|duplicates|ORDERS/S]|steady|deep|pages [ORDERS]]";

fn number<T: FromStr>(text: &str) -> anyhow::Result<T> {
    text.parse().ok().with_context(|| format!("{text:?} is no number; {USAGE}"))
}

/// The binary beside this one.
fn onhand() -> anyhow::Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name("onhand");
    anyhow::ensure!(path.exists(), "build it first: cargo build --profile dist -p onhand");
    path.canonicalize().context("onhand's path")
}

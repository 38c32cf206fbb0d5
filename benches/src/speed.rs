//! How fast: both profiles, one item and a thousand, one worker and several, against the bare pipe
//! in the same minutes.

use std::path::Path;

use crate::roles::{Instance, Services};
use crate::run::{Run, bare, embedded, fleet};
use crate::table;

/// Orders of a run: some seconds of work.
const ORDERS: u32 = 40_000;

/// So many rounds; the middle of each row counts, because machines like this one are noisy.
const ROUNDS: usize = 3;

/// As the facts that the design rests on were measured.
const CONNECTIONS: &str = "256";

/// What is measured in each round, in this order: bare pipe first, so that each round has its own
/// yardstick.
#[derive(Clone, Copy, Debug)]
enum Case {
    Bare,
    Fleet { workers: u16, partitions: u16, skus: &'static str },
    Embedded { skus: &'static str },
}

const CASES: &[(&str, Case)] = &[
    ("bare pipe, 1,000 items", Case::Bare),
    ("fleet, 1 worker, 1,000 items", Case::Fleet { workers: 1, partitions: 1, skus: "1000" }),
    ("fleet, 1 worker, 1 item", Case::Fleet { workers: 1, partitions: 1, skus: "1" }),
    ("fleet, 2 workers, 1,000 items", Case::Fleet { workers: 2, partitions: 1, skus: "1000" }),
    ("fleet, 4 workers, 1,000 items", Case::Fleet { workers: 4, partitions: 1, skus: "1000" }),
    ("fleet, 4 workers, 1 item", Case::Fleet { workers: 4, partitions: 1, skus: "1" }),
    (
        "fleet, 2 workers, 4 partitions, 1,000 items",
        Case::Fleet { workers: 2, partitions: 4, skus: "1000" },
    ),
    ("embedded, 1,000 items", Case::Embedded { skus: "1000" }),
    ("embedded, 1 item", Case::Embedded { skus: "1" }),
];

/// The first `cases` of all.
pub(crate) async fn measure(onhand: &Path, cases: usize) -> anyhow::Result<()> {
    let cases = &CASES[..cases.clamp(1, CASES.len())];
    let mut runs: Vec<Vec<Run>> = vec![Vec::new(); cases.len()];
    for round in 1..=ROUNDS {
        for ((name, case), runs) in cases.iter().zip(&mut runs) {
            let run = one(onhand, *case).await?;
            eprintln!("round {round}: {name}: {:.0} orders/s", run.orders_per_second);
            runs.push(run);
        }
    }
    let middles: Vec<Run> = runs.iter().map(|runs| Run::median(runs)).collect();
    let yardstick = middles[0].orders_per_second;
    let row = |((name, _), (run, all)): (&(&str, Case), (&Run, &Vec<Run>))| {
        let rates = all.iter().map(|run| run.orders_per_second);
        let (low, high) = (rates.clone().fold(f64::MAX, f64::min), rates.fold(0.0, f64::max));
        let peaks = run.memory_mb.iter().map(|(role, mb)| format!("{role} {mb}"));
        vec![
            (*name).to_owned(),
            table::whole(run.orders_per_second),
            format!("{}–{}", table::whole(low), table::whole(high)),
            format!("{:.2}", run.orders_per_second / yardstick),
            table::whole(run.acks_per_second),
            format!("{:.1}", run.ack_p50_ms),
            format!("{:.1}", run.ack_p99_ms),
            run.cpu_in_words(),
            peaks.collect::<Vec<_>>().join(", "),
        ]
    };
    let rows: Vec<_> = cases.iter().zip(middles.iter().zip(&runs)).map(row).collect();
    let header = [
        "",
        "orders/s",
        "lowest–highest",
        "of the bare pipe",
        "200s/s",
        "ack p50, ms",
        "p99, ms",
        "CPU per order, µs",
        "memory at peak, MB",
    ];
    table::print(&header, &rows);
    Ok(())
}

async fn one(onhand: &Path, case: Case) -> anyhow::Result<Run> {
    let sale = |skus| ["--lines", "1", "--connections", CONNECTIONS, "--skus", skus];
    match case {
        Case::Bare => {
            let services = Services::start().await;
            let instance = Instance::bare(onhand, &services).await?;
            bare(&instance, &services, (0, ORDERS), &sale("1000")).await
        }
        Case::Fleet { workers, partitions, skus } => {
            let services = Services { partitions, ..Services::start().await };
            let instance = Instance::fleet(onhand, &services, workers, &[]).await?;
            fleet(&instance, &services, (0, ORDERS), &sale(skus)).await
        }
        Case::Embedded { skus } => {
            let instance = Instance::embedded(onhand).await?;
            embedded(&instance, ORDERS, &sale(skus)).await
        }
    }
}

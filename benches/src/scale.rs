//! How much more workers and lanes help, beside the database and far away from it. On a machine with
//! few cores they only help where one of them waits: for a database in another country, for example.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::distance::away;
use crate::drain::{drained, sound};
use crate::roles::{Instance, Services, connect_to};
use crate::run::{Run, cpu_seconds, median};
use crate::table;

/// Webhooks that are in the queue before the workers start.
const ORDERS: u32 = 60_000;

const ROUNDS: usize = 3;

/// Workers, and the lanes of each.
const FLEETS: [(u16, &str); 4] = [(1, "2"), (1, "4"), (2, "2"), (4, "2")];

/// How far the database is, each way: beside the workers, a city away, a country away.
const WAYS_MS: [u64; 3] = [0, 1, 10];

/// Times that the way there and back is measured.
const TRIPS: usize = 50;

#[derive(Default)]
struct Took {
    trip_ms: f64,
    runs: Vec<Run>,
    in_vain: Vec<f64>,
    busy: Vec<f64>,
}

pub(crate) async fn measure(onhand: &Path) -> anyhow::Result<()> {
    let mut services = Services::start().await;
    let mut cells: Vec<Vec<Took>> = WAYS_MS.map(|_| FLEETS.map(|_| Took::default()).into()).into();
    for round in 1..=ROUNDS {
        for (way, cells) in WAYS_MS.iter().zip(&mut cells) {
            for ((workers, lanes), took) in FLEETS.iter().zip(cells) {
                services.fresh(&format!("scale_{round}_{way}_{workers}_{lanes}")).await?;
                one(onhand, &services, Duration::from_millis(*way), (*workers, lanes), took)
                    .await?;
                let rate = took.runs.last().map_or(0.0, |run| run.orders_per_second);
                eprintln!(
                    "round {round}: {way} ms each way, {workers} workers of {lanes} lanes: \
                     {rate:.0} orders/s"
                );
            }
        }
    }
    let rows: Vec<Vec<String>> = cells.iter().flat_map(|cells| rows(cells)).collect();
    let header = [
        "there and back, ms",
        "workers",
        "lanes of each",
        "orders/s",
        "of one",
        "tries in vain",
        "CPU per order, µs",
        "cores busy",
    ];
    table::print(&header, &rows);
    Ok(())
}

/// The middle of the rounds at one distance.
fn rows(cells: &[Took]) -> Vec<Vec<String>> {
    let of_one = Run::median(&cells[0].runs).orders_per_second;
    let row = |((workers, lanes), took): (&(u16, &str), &Took)| {
        let run = Run::median(&took.runs);
        vec![
            format!("{:.1}", took.trip_ms),
            workers.to_string(),
            (*lanes).to_owned(),
            table::whole(run.orders_per_second),
            format!("{:.2}", run.orders_per_second / of_one),
            format!("{:.2}", median(took.in_vain.clone())),
            run.cpu_in_words(),
            format!("{:.1}", median(took.busy.clone())),
        ]
    };
    FLEETS.iter().zip(cells).map(row).collect()
}

async fn one(
    onhand: &Path,
    near: &Services,
    way: Duration,
    (workers, lanes): (u16, &str),
    took: &mut Took,
) -> anyhow::Result<()> {
    let mut instance = Instance::fleet(onhand, near, 0, &[]).await?;
    let sale = ["--setup", "--lines", "1", "--skus", "1000", "--connections", "256", "--orders"];
    instance.simulate(&[&sale[..], &[&ORDERS.to_string()]].concat()).await?;
    let near_url = near.database.clone();
    let url = if way.is_zero() { near_url } else { away(&near_url, way).await? };
    took.trip_ms = trip_ms(&url).await?;
    instance.set_database(url);

    let (began, before) = (Instant::now(), cpu_seconds(&instance, Some(near)));
    instance.workers(workers, &["--lanes", lanes]).await?;
    let orders_per_second = drained(near, ORDERS).await?;
    let mut run = Run { orders_per_second, ..Run::default() };
    run.note(&instance, Some(near), &before, ORDERS);
    let used = run.cpu_us.values().sum::<f64>() * f64::from(ORDERS) / 1e6;
    took.busy.push(used / began.elapsed().as_secs_f64());
    took.runs.push(run);
    sound(&instance, near, ORDERS).await?;

    let metrics = instance.metrics_of_workers(workers).await?;
    let tries = metrics.sum("onhand_commit_seconds_count") + metrics.tries_in_vain();
    took.in_vain.push(metrics.tries_in_vain() / tries);
    Ok(())
}

/// The middle of some trips there and back.
async fn trip_ms(url: &str) -> anyhow::Result<f64> {
    let client = connect_to(url).await?;
    let mut trips = Vec::new();
    for _ in 0..TRIPS {
        let began = Instant::now();
        client.simple_query("").await?;
        trips.push(began.elapsed().as_secs_f64() * 1_000.0);
    }
    Ok(median(trips))
}

//! At half load: how soon webhooks are answered and applied, and how much memory roles hold; a storm of
//! duplicates; and a deep queue.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::drain::{drained, sound};
use crate::metrics::Metrics;
use crate::roles::{Instance, Services};
use crate::run::{Run, bare, fleet, number};
use crate::table;

/// Orders of a run at full load, and seconds of each run at a part of what that took, if a sender can
/// hold so many orders.
const FULL: u32 = 40_000;
const PACED_SECONDS: f64 = 20.0;
const WARM_SECONDS: f64 = 5.0;

/// From the receiving of a webhook to its commit.
const LAG: &str = "onhand_apply_lag_seconds";

/// How often half load is run: its tail is what a disk does, and differs from run to run.
const ROUNDS: u32 = 3;

/// Webhooks that wait before a worker starts, in parts that a sender can hold in memory.
const DEEP: u32 = 1_000_000;
const PART: u32 = 100_000;

/// How long full load goes on, and after how long a process holds what it is going to hold.
const STEADY: Duration = Duration::from_secs(600);
const WARM: Duration = Duration::from_secs(120);

/// What a role may hold at full load, in megabytes.
const MEMORY_MAX: u64 = 150;

/// All of it, or the one part that is named.
pub(crate) async fn measure(onhand: &Path, part: Option<&str>) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    let wanted = |name| part.is_none_or(|part| part == name);
    if wanted("lone") {
        idle_and_lone(onhand, &mut rows).await?;
    }
    if wanted("half") {
        let full = full_load(onhand).await?;
        for _ in 0..ROUNDS {
            paced_pipe(onhand, full / 2.0, &mut rows).await?;
            paced_load(onhand, full / 2.0, &mut rows).await?;
        }
    }
    if wanted("duplicates") {
        duplicates(onhand, &mut rows).await?;
    }
    table::print(&["", "measured"], &rows);
    Ok(())
}

/// Any other load, for comparing programs at the same one.
pub(crate) async fn paced(onhand: &Path, rate: f64) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for _ in 0..ROUNDS {
        paced_pipe(onhand, rate, &mut rows).await?;
        paced_load(onhand, rate, &mut rows).await?;
    }
    table::print(&["", "measured"], &rows);
    Ok(())
}

fn note(rows: &mut Vec<Vec<String>>, what: &str, measured: String) {
    eprintln!("{what}: {measured}");
    rows.push(vec![what.to_owned(), measured]);
}

async fn idle_and_lone(onhand: &Path, rows: &mut Vec<Vec<String>>) -> anyhow::Result<()> {
    let services = Services::start().await;
    let mut instance = Instance::fleet(onhand, &services, 1, &[]).await?;
    // One at a time, each on an idle system.
    let sale = ["--skus", "1", "--lines", "1", "--connections", "1", "--rate", "20"];
    fleet(&instance, &services, (0, 100), &sale).await?;
    let metrics = instance.metrics(1).await?;
    let lone = [0.5, 0.99].map(|part| metrics.quantile(&Metrics::default(), LAG, part) * 1_000.0);
    let lone = format!("{:.0} · {:.0}", lone[0], lone[1]);
    note(rows, "a lone order, received to committed, p50 · p99 at most, ms", lone);
    // Now, and not the most so far: connections take more while they are made.
    note(rows, "memory when idle, after these, MB", in_words(instance.memory_now()));
    let times = instance.time_to_ready().await?;
    let times = times.into_iter().map(|(role, time)| format!("{role} {}", time.as_millis()));
    note(rows, "from start to ready, ms", times.collect::<Vec<_>>().join(", "));
    Ok(())
}

const SALE: [&str; 6] = ["--skus", "1000", "--lines", "1", "--connections", "256"];

/// Orders per second of a fleet of one worker, sent as fast as can be.
async fn full_load(onhand: &Path) -> anyhow::Result<f64> {
    let services = Services::start().await;
    let instance = Instance::fleet(onhand, &services, 1, &[]).await?;
    Ok(fleet(&instance, &services, (0, FULL), &SALE).await?.orders_per_second)
}

/// An open loop of so many orders per second. What comes before processes, caches and connections are
/// warm does not count.
struct Pace {
    rate: String,
    warm: u32,
    orders: u32,
}

impl Pace {
    fn of(rate: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "some thousands"
        )]
        let orders = |seconds| (rate * seconds) as u32;
        let (warm, orders) = (orders(WARM_SECONDS), orders(PACED_SECONDS).min(PART));
        Self { rate: format!("{rate:.0}"), warm, orders }
    }

    fn sale<'a>(&'a self, seed: &'a str) -> Vec<&'a str> {
        [&SALE[..], &["--rate", &self.rate, "--seed", seed]].concat()
    }

    fn note(&self, rows: &mut Vec<Vec<String>>, whose: &str, run: &Run) {
        let Run { ack_p50_ms, ack_p99_ms, ack_p999_ms, .. } = run;
        let what = format!("{whose} at {}/s: ack p50 · p99 · p99.9, ms", self.rate);
        note(rows, &what, format!("{ack_p50_ms:.1} · {ack_p99_ms:.1} · {ack_p999_ms:.1}"));
        note(rows, &format!("{whose}: CPU per webhook, µs"), run.cpu_in_words());
    }
}

async fn paced_load(onhand: &Path, rate: f64, rows: &mut Vec<Vec<String>>) -> anyhow::Result<()> {
    let pace = Pace::of(rate);
    let services = Services::start().await;
    let instance = Instance::fleet(onhand, &services, 1, &[]).await?;
    fleet(&instance, &services, (0, pace.warm), &pace.sale("1")).await?;
    let before = instance.metrics(1).await?;
    let run = fleet(&instance, &services, (pace.warm, pace.orders), &pace.sale("2")).await?;
    let metrics = instance.metrics(1).await?;
    pace.note(rows, "onhand", &run);
    let at = |quantile| metrics.quantile(&before, LAG, quantile) * 1_000.0;
    let lag = format!("{:.0} · {:.0}", at(0.5), at(0.99));
    note(rows, "onhand: received to committed, p50 · p99 at most, ms", lag);
    Ok(())
}

/// The same webhooks through the bare pipe: what no ingress on this machine could do better.
async fn paced_pipe(onhand: &Path, rate: f64, rows: &mut Vec<Vec<String>>) -> anyhow::Result<()> {
    let pace = Pace::of(rate);
    let services = Services::start().await;
    let instance = Instance::bare(onhand, &services).await?;
    bare(&instance, &services, (0, pace.warm), &pace.sale("1")).await?;
    let run = bare(&instance, &services, (pace.warm, pace.orders), &pace.sale("2")).await?;
    pace.note(rows, "bare pipe", &run);
    Ok(())
}

/// The same webhooks twice, each time all of them queued before the worker starts: what it absorbs, and
/// not what a sender can send.
async fn duplicates(onhand: &Path, rows: &mut Vec<Vec<String>>) -> anyhow::Result<()> {
    let services = Services::start().await;
    let mut instance = Instance::fleet(onhand, &services, 0, &[]).await?;
    let fresh = queued_first(&mut instance, &services, 1).await?;
    instance.stop_workers().await?;
    let again = queued_first(&mut instance, &services, 2).await?;
    let rates = format!("{} · {} · {:.2}", table::whole(again), table::whole(fresh), again / fresh);
    note(rows, "duplicates/s · fresh/s · ratio, drained", rates);
    Ok(())
}

/// Webhooks per second that a worker takes out of the queue; the `round`th time.
async fn queued_first(
    instance: &mut Instance,
    services: &Services,
    round: u32,
) -> anyhow::Result<f64> {
    let count = PART.to_string();
    let sale = ["--orders", &count, "--lines", "1", "--seed", "11", "--hot-share", "0"];
    let setup: &[&str] = if round == 1 { &["--setup"] } else { &[] };
    instance.simulate(&[&sale[..], setup, &["--connections", "256"]].concat()).await?;
    instance.workers(1, &[]).await?;
    let rate = drained(services, round * PART).await?;
    sound(instance, services, PART).await?;
    Ok(rate)
}

/// Full load for as long as memory that leaks would need to show: what comes next is sent while what
/// came before is worked off.
pub(crate) async fn steady(onhand: &Path) -> anyhow::Result<()> {
    let rows = &mut Vec::new();
    let services = Services::start().await;
    let instance = Instance::fleet(onhand, &services, 1, &[]).await?;
    let (began, mut parts, mut early) = (Instant::now(), 0, None);
    let part = PART.to_string();
    while began.elapsed() < STEADY {
        let (seed, since) = (parts.to_string(), Instant::now());
        let sale = ["--setup", "--orders", &part, "--lines", "1", "--skus", "1000"];
        let sender = ["--connections", "256", "--seed", &seed];
        instance.simulate(&[&sale[..], &sender].concat()).await?;
        drained(&services, parts * PART).await?;
        parts += 1;
        let rate = table::whole(f64::from(PART) / since.elapsed().as_secs_f64());
        let memory = instance.memory_now();
        if began.elapsed() > WARM {
            early.get_or_insert_with(|| memory.clone());
        }
        let what = format!("after {} s", began.elapsed().as_secs());
        note(rows, &what, format!("{rate} orders/s · {} MB", in_words(memory)));
    }
    drained(&services, parts * PART).await?;
    sound(&instance, &services, parts * PART).await?;
    let late = instance.memory_now();
    note(rows, "memory at peak, MB", in_words(instance.memory()));
    table::print(&["", "measured"], rows);
    for ((role, early), (_, late)) in early.iter().flatten().zip(&late) {
        anyhow::ensure!(*late <= MEMORY_MAX, "{role} holds {late} MB");
        anyhow::ensure!(*late <= early + early / 5, "{role} grew from {early} to {late} MB");
    }
    Ok(())
}

/// Webhooks by the million, before a worker comes.
pub(crate) async fn deep_queue(onhand: &Path) -> anyhow::Result<()> {
    let rows = &mut Vec::new();
    let services = Services::start().await;
    let mut instance = Instance::fleet(onhand, &services, 0, &[]).await?;
    let part = PART.to_string();
    let (mut acked, mut seconds) = (0.0, 0.0);
    for seed in 0..DEEP / PART {
        let seed = seed.to_string();
        let sale = ["--setup", "--orders", &part, "--lines", "1", "--seed", &seed];
        let report = instance.simulate(&[&sale[..], &["--connections", "256"]].concat()).await?;
        acked += f64::from(PART);
        seconds += number(&report, "/seconds")?;
    }
    note(rows, "200s/s without a worker", table::whole(acked / seconds));
    instance.workers(1, &[]).await?;
    let rate = drained(&services, DEEP).await?;
    let what = format!("{} waiting webhooks drained, orders/s", table::whole(DEEP.into()));
    note(rows, &what, table::whole(rate));
    sound(&instance, &services, DEEP).await?;
    let peaks = instance.memory();
    note(rows, "memory at peak with them waiting, MB", in_words(peaks.clone()));
    table::print(&["", "measured"], rows);
    for (role, peak) in peaks {
        anyhow::ensure!(peak <= MEMORY_MAX, "{role} held {peak} MB");
    }
    Ok(())
}

fn in_words(memory: Vec<(&str, u64)>) -> String {
    let each = memory.into_iter().map(|(role, mb)| format!("{role} {mb}"));
    each.collect::<Vec<_>>().join(", ")
}

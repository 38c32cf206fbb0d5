//! At half load: how soon webhooks are answered and applied, and how much memory roles hold; a storm of
//! duplicates; and a deep queue.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::metrics::Metrics;
use crate::roles::{Instance, Services};
use crate::run::{Run, checked, number};
use crate::table;

/// Orders of a run at full load, and seconds of each run at a part of what that took.
const FULL: u32 = 40_000;
const PACED_SECONDS: f64 = 20.0;

/// How often half load is run: its tail is what a disk does, and differs from run to run.
const ROUNDS: u32 = 3;

/// Webhooks that wait before a worker starts, in parts that a sender can hold in memory.
const DEEP: u32 = 1_000_000;
const PART: u32 = 100_000;

/// How long full load goes on.
const STEADY: Duration = Duration::from_secs(600);

/// All of it, or the one part that is named.
pub(crate) async fn measure(onhand: &Path, part: Option<&str>) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    let wanted = |name| part.is_none_or(|part| part == name);
    if wanted("lone") {
        idle_and_lone(onhand, &mut rows).await?;
    }
    if wanted("half") {
        let full = at_load(onhand, FULL, None).await?.0.orders_per_second;
        for _ in 0..ROUNDS {
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
    checked(&instance, Some(&services), 100, &sale).await?;
    let metrics = instance.metrics(1).await?;
    let lone = metrics.quantile("onhand_apply_lag_seconds", 0.5) * 1_000.0;
    note(rows, "a lone order, received to committed, p50 at most, ms", format!("{lone:.1}"));
    // Now, and not the most so far: connections take more while they are made.
    note(rows, "memory when idle, after these, MB", in_words(instance.memory_now()));
    let times = instance.time_to_ready().await?;
    let times = times.into_iter().map(|(role, time)| format!("{role} {}", time.as_millis()));
    note(rows, "from start to ready, ms", times.collect::<Vec<_>>().join(", "));
    Ok(())
}

/// A sale of a fleet of one worker, at so many orders per second or as fast as can be.
async fn at_load(onhand: &Path, orders: u32, rate: Option<f64>) -> anyhow::Result<(Run, Metrics)> {
    let services = Services::start().await;
    let instance = Instance::fleet(onhand, &services, 1, &[]).await?;
    let rate = rate.map(|rate| format!("{rate:.0}"));
    let paced = rate.as_deref().map(|rate| ["--rate", rate]);
    let sale = ["--skus", "1000", "--lines", "1", "--connections", "256"];
    let sale = [&sale[..], paced.as_ref().map_or(&[], |paced| &paced[..])].concat();
    let run = checked(&instance, Some(&services), orders, &sale).await?;
    Ok((run, instance.metrics(1).await?))
}

async fn paced_load(onhand: &Path, rate: f64, rows: &mut Vec<Vec<String>>) -> anyhow::Result<()> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some thousands")]
    let orders = (rate * PACED_SECONDS) as u32;
    let (run, metrics) = at_load(onhand, orders, Some(rate)).await?;
    let Run { ack_p50_ms, ack_p99_ms, ack_p999_ms, .. } = run;
    let ack = format!("{ack_p50_ms:.1} · {ack_p99_ms:.1} · {ack_p999_ms:.1}");
    note(rows, &format!("at {rate:.0}/s: ack p50 · p99 · p99.9, ms"), ack);
    let at = |quantile| metrics.quantile("onhand_apply_lag_seconds", quantile) * 1_000.0;
    let lag = format!("{:.0} · {:.0}", at(0.5), at(0.99));
    note(rows, &format!("at {rate:.0}/s: received to committed, p50 · p99 at most, ms"), lag);
    let parts = run.cpu_us.iter().map(|(part, cpu)| format!("{part} {cpu:.0}"));
    note(rows, "CPU per webhook, µs", parts.collect::<Vec<_>>().join(", "));
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
    round: i64,
) -> anyhow::Result<f64> {
    let count = PART.to_string();
    let sale = ["--orders", &count, "--lines", "1", "--seed", "11", "--hot-share", "0"];
    let setup: &[&str] = if round == 1 { &["--setup"] } else { &[] };
    instance.simulate(&[&sale[..], setup, &["--connections", "256"]].concat()).await?;
    let began = Instant::now();
    instance.workers(1, &[]).await?;
    instance.decided(services, round * i64::from(PART)).await?;
    let seconds = began.elapsed().as_secs_f64();
    instance.run(&["verify", "--json"]).await?;
    Ok(f64::from(PART) / seconds)
}

/// Full load for as long as memory that leaks would need to show.
pub(crate) async fn steady(onhand: &Path) -> anyhow::Result<()> {
    let rows = &mut Vec::new();
    let services = Services::start().await;
    let instance = Instance::fleet(onhand, &services, 1, &[]).await?;
    let (began, mut parts) = (Instant::now(), 0);
    let part = PART.to_string();
    while began.elapsed() < STEADY {
        parts += 1;
        let (seed, since) = (parts.to_string(), Instant::now());
        let sale = ["--setup", "--orders", &part, "--lines", "1", "--skus", "1000"];
        let sender = ["--connections", "256", "--seed", &seed];
        instance.simulate(&[&sale[..], &sender].concat()).await?;
        instance.decided(&services, i64::from(parts * PART)).await?;
        let rate = table::whole(f64::from(PART) / since.elapsed().as_secs_f64());
        let memory = in_words(instance.memory_now());
        let orders = table::whole((parts * PART).into());
        let what = format!("after {} s, {orders} orders", began.elapsed().as_secs());
        note(rows, &what, format!("{rate} orders/s · {memory} MB"));
    }
    instance.run(&["verify", "--json"]).await?;
    note(rows, "memory at peak, MB", peaks(&instance));
    table::print(&["", "measured"], rows);
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
    let began = Instant::now();
    instance.workers(1, &[]).await?;
    instance.decided(&services, i64::from(DEEP)).await?;
    let drained = f64::from(DEEP) / began.elapsed().as_secs_f64();
    let what = format!("{} waiting webhooks drained, orders/s", table::whole(DEEP.into()));
    note(rows, &what, table::whole(drained));
    instance.run(&["verify", "--json"]).await?;
    note(rows, "memory at peak with them waiting, MB", peaks(&instance));
    table::print(&["", "measured"], rows);
    Ok(())
}

fn peaks(instance: &Instance) -> String {
    in_words(instance.memory())
}

fn in_words(memory: Vec<(&str, u64)>) -> String {
    let each = memory.into_iter().map(|(role, mb)| format!("{role} {mb}"));
    each.collect::<Vec<_>>().join(", ")
}

//! One run: a sale played against an instance, and what it took.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::Context;
use serde_json::Value;

use crate::cpu;
use crate::drain::{drained, sound};
use crate::pipe;
use crate::roles::{Instance, LOOK, STUCK, Services};

/// What one run took.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    /// From the first request until the last order was committed.
    pub(crate) orders_per_second: f64,
    pub(crate) acks_per_second: f64,
    pub(crate) ack_p50_ms: f64,
    pub(crate) ack_p99_ms: f64,
    pub(crate) ack_p999_ms: f64,
    /// CPU per order, in microseconds, of each part.
    pub(crate) cpu_us: BTreeMap<String, f64>,
    /// Peak memory of each role, in megabytes.
    pub(crate) memory_mb: BTreeMap<String, u64>,
}

/// A sale of a fleet, worked off and checked, over a database that has so many orders already.
pub(crate) async fn fleet(
    instance: &Instance,
    services: &Services,
    (earlier, orders): (u32, u32),
    args: &[&str],
) -> anyhow::Result<Run> {
    let args = [&["--setup"], args].concat();
    let all = earlier + orders;
    let run = until(instance, services, orders, &args, drained(services, all)).await?;
    sound(instance, services, all).await?;
    Ok(run)
}

/// A sale through the bare pipe, which took so many orders before: there is nothing to check but that
/// all of it arrived.
pub(crate) async fn bare(
    instance: &Instance,
    services: &Services,
    (earlier, orders): (u32, u32),
    args: &[&str],
) -> anyhow::Result<Run> {
    let arrived = async {
        let began = Instant::now();
        while pipe::count(&services.postgres.url()).await? < i64::from(earlier + orders) {
            anyhow::ensure!(began.elapsed() < STUCK, "the bare pipe lost some");
            tokio::time::sleep(LOOK).await;
        }
        Ok(0.0)
    };
    until(instance, services, orders, args, arrived).await
}

/// From the first request until `done` is.
async fn until(
    instance: &Instance,
    services: &Services,
    orders: u32,
    args: &[&str],
    done: impl Future<Output = anyhow::Result<f64>>,
) -> anyhow::Result<Run> {
    let count = orders.to_string();
    let before = cpu_seconds(instance, Some(services));
    let report = instance.simulate(&[&["--orders", &count], args].concat()).await?;
    let sent = Instant::now();
    let reached = report.pointer("/rate_reached").and_then(Value::as_bool).unwrap_or(true);
    anyhow::ensure!(reached, "the sender did not reach the rate that it was asked for");
    done.await?;
    let seconds = number(&report, "/seconds")? + sent.elapsed().as_secs_f64();
    let mut run = Run::of(&report)?;
    run.orders_per_second = f64::from(orders) / seconds;
    run.note(instance, Some(services), &before, orders);
    Ok(run)
}

/// A sale of the embedded profile, which looks for losses and runs `verify` itself.
pub(crate) async fn embedded(
    instance: &Instance,
    orders: u32,
    args: &[&str],
) -> anyhow::Result<Run> {
    let count = orders.to_string();
    let before = cpu_seconds(instance, None);
    let args = [&["--setup", "--wait", "--orders", &count], args].concat();
    let report = instance.simulate(&args).await?;
    let applied = number(&report, "/applied/outcomes/applied")?;
    anyhow::ensure!(applied == f64::from(orders), "of {orders} orders {applied} are applied");
    let mut run = Run::of(&report)?;
    run.orders_per_second = number(&report, "/applied/orders_per_second")?;
    run.note(instance, None, &before, orders);
    Ok(run)
}

impl Run {
    pub(crate) fn of(report: &Value) -> anyhow::Result<Self> {
        Ok(Self {
            acks_per_second: number(report, "/acks_per_second")?,
            ack_p50_ms: number(report, "/ack_ms/p50")?,
            ack_p99_ms: number(report, "/ack_ms/p99")?,
            ack_p999_ms: number(report, "/ack_ms/p99_9")?,
            ..Self::default()
        })
    }

    /// Adds what the parts used since `before`.
    pub(crate) fn note(
        &mut self,
        instance: &Instance,
        services: Option<&Services>,
        before: &BTreeMap<String, f64>,
        orders: u32,
    ) {
        let after = cpu_seconds(instance, services);
        let per_order = |(part, seconds): (String, f64)| {
            let used = seconds - before.get(&part).copied().unwrap_or(0.0);
            (part, used * 1e6 / f64::from(orders))
        };
        self.cpu_us = after.into_iter().map(per_order).collect();
        let memory = instance.memory().into_iter();
        self.memory_mb = memory.map(|(role, peak)| (role.to_owned(), peak)).collect();
    }

    /// Of the parts that took any.
    pub(crate) fn cpu_in_words(&self) -> String {
        let took = self.cpu_us.iter().filter(|(_, us)| **us >= 0.5);
        let parts = took.map(|(part, us)| format!("{part} {us:.0}"));
        parts.collect::<Vec<_>>().join(", ")
    }

    /// The middle of three runs or more, number by number.
    pub(crate) fn median(runs: &[Run]) -> Run {
        let middle = |of: fn(&Run) -> f64| median(runs.iter().map(of).collect());
        let parts = runs.iter().flat_map(|run| run.cpu_us.keys());
        let cpu_of = |part: &String| {
            median(runs.iter().filter_map(|run| run.cpu_us.get(part)).copied().collect())
        };
        let roles = runs.iter().flat_map(|run| run.memory_mb.keys());
        let peak_of = |role: &String| {
            runs.iter().filter_map(|run| run.memory_mb.get(role)).copied().max().unwrap_or(0)
        };
        Run {
            orders_per_second: middle(|run| run.orders_per_second),
            acks_per_second: middle(|run| run.acks_per_second),
            ack_p50_ms: middle(|run| run.ack_p50_ms),
            ack_p99_ms: middle(|run| run.ack_p99_ms),
            ack_p999_ms: middle(|run| run.ack_p999_ms),
            cpu_us: parts.map(|part| (part.clone(), cpu_of(part))).collect(),
            memory_mb: roles.map(|role| (role.clone(), peak_of(role))).collect(),
        }
    }
}

pub(crate) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(0.0)
}

/// Of each part so far.
pub(crate) fn cpu_seconds(
    instance: &Instance,
    services: Option<&Services>,
) -> BTreeMap<String, f64> {
    let roles = instance.cpu().into_iter().map(|(role, seconds)| (role.to_owned(), seconds));
    let mut all: BTreeMap<String, f64> = roles.collect();
    all.insert("sender".to_owned(), cpu::of_commands());
    if let Some(services) = services {
        all.insert("postgres".to_owned(), cpu::seconds(services.postgres.pid()));
        all.insert("rabbitmq".to_owned(), cpu::seconds(services.broker.pid()));
    }
    all
}

pub(crate) fn number(report: &Value, pointer: &str) -> anyhow::Result<f64> {
    report
        .pointer(pointer)
        .and_then(Value::as_f64)
        .with_context(|| format!("the report has no number at {pointer}: {report}"))
}

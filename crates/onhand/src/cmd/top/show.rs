//! Two readings, as numbers and as lines. Pure.

use std::collections::BTreeMap;

use domain::Outcome;
use operate::health::{Facts, look};
use operate::output::{grouped, moment, or_more};
use operate::verify::Checks;
use serde::Serialize;
use store::pages::{LETTERS_MAX, MissingItem};

use super::reading::Reading;
use crate::cmd::status::QueueJson;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Shown {
    at: String,
    webhooks: BTreeMap<Outcome, i64>,
    /// Webhooks each second since the reading before.
    per_second: BTreeMap<Outcome, f64>,
    queue: Option<QueueJson>,
    /// Processes that apply webhooks, by their signs of life.
    workers: i64,
    /// Of the newest webhook that was decided; `None`: there is none.
    apply_lag_ms: Option<i64>,
    dead_letters: i64,
    short_orders: i64,
    /// What short orders ask for and there is none of, most asked first.
    missing: Vec<MissingShown>,
    /// In plain words; empty: all is well.
    todo: Vec<String>,
    #[serde(skip)]
    sentence: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct MissingShown {
    sku: String,
    orders: i64,
    available: i64,
}

impl Shown {
    pub(super) fn new(before: &Reading, now: &Reading) -> Self {
        let stored = &now.stored;
        let facts = Facts {
            queue: now.queue.clone(),
            stored: Ok(stored.clone()),
            work: now.work,
            checks: Checks::default(),
            // What silence is usual takes more than can be read every second.
            shops: None,
        };
        let verdict = look(&facts, now.at);
        let missing = |item: &MissingItem| MissingShown {
            sku: item.sku.to_string(),
            orders: item.orders,
            available: item.available,
        };
        Self {
            at: moment(now.at),
            webhooks: stored.totals.webhooks.clone(),
            per_second: per_second(before, now),
            queue: now.queue.as_ref().ok().map(QueueJson::from),
            workers: stored.workers,
            apply_lag_ms: now.lag.map(|micros| micros / 1_000),
            dead_letters: stored.totals.dead_letters,
            short_orders: stored.shortage.orders,
            missing: stored.shortage.missing.iter().map(missing).collect(),
            todo: verdict.todo.into_iter().map(|todo| todo.text).collect(),
            sentence: verdict.sentence,
        }
    }
}

/// A replay takes from `dead`; that is no rate.
fn per_second(before: &Reading, now: &Reading) -> BTreeMap<Outcome, f64> {
    let seconds = now.taken.saturating_duration_since(before.taken).as_secs_f64();
    let counts = now.stored.totals.webhooks.iter();
    let rate = |(outcome, count): (&Outcome, &i64)| {
        let earlier = before.stored.totals.webhooks.get(outcome).unwrap_or(&0);
        let more = u32::try_from((count - earlier).max(0)).unwrap_or(u32::MAX);
        let rate = if seconds > 0.0 { f64::from(more) / seconds } else { 0.0 };
        (*outcome, (rate * 10.0).round() / 10.0)
    };
    counts.map(rate).collect()
}

/// For people.
pub(super) fn lines(shown: &Shown) -> Vec<String> {
    let at = shown.at.get(..19).unwrap_or(&shown.at).replace('T', " ");
    let mut lines = vec![format!("onhand at {at} UTC"), String::new(), shown.sentence.clone()];
    lines.extend(shown.todo.iter().map(|todo| format!("  {todo}")));
    lines.push(String::new());
    lines.push(format!("{:<12} {:>10} {:>15}", "webhooks", "per second", "in all"));
    let row = |name: &str, rate: f64, count: i64| {
        format!("{name:<12} {rate:>10.1} {:>15}", grouped(count))
    };
    for (outcome, count) in &shown.webhooks {
        let rate = shown.per_second.get(outcome).copied().unwrap_or_default();
        lines.push(row(outcome.as_str(), rate, *count));
    }
    lines.push(row("all", shown.per_second.values().sum(), shown.webhooks.values().sum()));
    lines.push(String::new());
    let fact = |name: &str, value: String| format!("{name:<24} {value:>14}");
    let queue = |pick: fn(&QueueJson) -> Option<u64>| {
        shown.queue.as_ref().and_then(pick).map_or_else(|| "not known".to_owned(), grouped)
    };
    lines.push(fact("queue, ready (parcels)", queue(|queue| Some(queue.ready))));
    lines.push(fact("queue, being worked on", queue(|queue| queue.unacked)));
    lines.push(fact("queue, delayed", queue(|queue| Some(queue.delayed))));
    lines.push(fact("workers alive", grouped(shown.workers)));
    let lag = shown.apply_lag_ms.map_or_else(|| "–".to_owned(), |ms| format!("{} ms", grouped(ms)));
    lines.push(fact("apply lag of the newest", lag));
    lines.push(fact("dead letters", or_more(shown.dead_letters, LETTERS_MAX)));
    lines.push(fact("short orders", grouped(shown.short_orders)));
    lines
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use domain::{Sku, Timestamp};
    use operate::health::{Stored, Work};
    use queue::QueueStats;
    use store::pages::{ReasonRow, Shortage};
    use store::reports::Totals;

    use super::*;

    fn reading(taken: Instant, applied: i64, dead: i64) -> Reading {
        let mut webhooks: BTreeMap<Outcome, i64> =
            Outcome::ALL.into_iter().map(|outcome| (outcome, 0)).collect();
        webhooks.insert(Outcome::Applied, applied);
        webhooks.insert(Outcome::Dead, dead);
        let at = Timestamp(1_790_000_000_000_000);
        let stored = Stored {
            totals: Totals { webhooks, dead_letters: dead, ..Totals::default() },
            workers: 2,
            ..Stored::default()
        };
        let queue = QueueStats { ready: 1_234, delayed: 2, ..QueueStats::default() };
        let work = Work::look(None, Some(&queue), Some(&stored), at);
        Reading { at, taken, stored, queue: Ok(queue), work, lag: Some(12_345) }
    }

    #[test]
    fn what_happens_each_second_is_the_difference_of_two_readings() {
        let began = Instant::now();
        let before = reading(began, 1_000, 5);
        let mut now = reading(began + Duration::from_millis(500), 1_401, 3);
        now.stored.dead =
            vec![ReasonRow { reason: "unknown_sku".to_owned(), count: 3, oldest: now.at }];
        now.stored.shortage = Shortage {
            orders: 7,
            missing: vec![MissingItem { sku: Sku::new("CAP"), orders: 7, available: 0 }],
        };
        let shown = Shown::new(&before, &now);
        let json = serde_json::to_value(&shown).expect("JSON");
        assert_eq!(json["per_second"]["applied"], 802.0);
        assert_eq!(json["per_second"]["dead"], 0.0, "three were replayed");
        assert_eq!(json["webhooks"]["applied"], 1_401);
        assert_eq!(
            json["queue"],
            serde_json::json!({"ready": 1_234, "unacked": null, "delayed": 2})
        );
        assert_eq!((&json["apply_lag_ms"], &json["short_orders"]), (&12.into(), &7.into()));
        assert_eq!(json["workers"], 2);
        assert_eq!(json["missing"][0]["sku"], "CAP");
        assert_eq!(json["todo"].as_array().map(Vec::len), Some(3), "{json}");
        let text = lines(&shown).join("\n");
        for line in [
            "onhand at 2026-09-21 14:13:20 UTC",
            "3 things wait for you, the most urgent first.",
            "  3 webhooks could not be applied (unknown_sku)",
            "applied           802.0           1,401",
            "queue, ready (parcels)            1,234",
            "queue, being worked on        not known",
            "workers alive                         2",
            "apply lag of the newest           12 ms",
            "short orders                          7",
        ] {
            assert!(text.contains(line), "{line:?} is missing in:\n{text}");
        }
    }

    #[test]
    fn two_readings_of_one_moment_have_no_rate() {
        let began = Instant::now();
        let mut now = reading(began, 10, 0);
        now.queue = Err("refused".to_owned());
        let shown = Shown::new(&reading(began, 0, 0), &now);
        assert!(shown.per_second.values().all(|rate| *rate == 0.0));
        assert!(lines(&shown).iter().any(|line| line.contains("cannot be asked (refused)")));
        assert!(
            lines(&shown)
                .iter()
                .any(|line| line.starts_with("queue, delayed") && line.ends_with("not known"))
        );
    }
}

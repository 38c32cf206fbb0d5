//! How it goes right now, from what all processes counted in the last minute. Pure.

use domain::Timestamp;
use store::rollups::{Counts, Rollup, Span};

use super::queue::{Queue, waiting};
use super::trends::decided;
use crate::rollup::{BATCHES, CONFLICTS, HELD, OLDEST_HELD, Times, merge, per_second, quantile};
use crate::view::{decimal, duration, grouped};

/// How far back "lately" goes.
const LATELY: i64 = 60 * 1_000_000;

/// How old the latest word of what is in workers' hands may be: three times the pause between two.
const TOLD_WITHIN: i64 = 30 * 1_000_000;

/// What is said, and of what.
pub(super) type Rows = Vec<(&'static str, String)>;

/// What it is told from.
pub(super) struct Pulse<'a> {
    /// Of the last 15 minutes, those of this moment left out.
    pub(super) sums: &'a [Rollup],
    pub(super) queue: &'a Queue,
    pub(super) workers: i64,
    pub(super) knows_acks: bool,
    pub(super) now: Timestamp,
}

/// What workers had in their hands when they told last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) webhooks: i64,
    /// How old the oldest of them was.
    seconds: i64,
}

/// `None`: no worker has told lately.
pub(super) fn held(sums: &[Rollup], now: Timestamp) -> Option<Held> {
    let mut lately = sums.iter().rev().take_while(|sum| sum.at.0 >= now.0 - TOLD_WITHIN);
    lately.find_map(|Rollup { counts, .. }| {
        Some(Held { webhooks: *counts.get(HELD)?, seconds: *counts.get(OLDEST_HELD)? })
    })
}

impl Pulse<'_> {
    pub(super) fn rows(&self) -> Rows {
        let since = Span::Recent.start(Timestamp(self.now.0 - LATELY));
        let lately = self.sums.iter().filter(|sum| sum.at >= since);
        let seconds = Span::Recent.step() * u32::try_from(lately.clone().count()).unwrap_or(0);
        let mut counts = Counts::new();
        for sum in lately {
            merge(&mut counts, &sum.counts);
        }
        let count = |name: &str| grouped(counts.get(name).copied().unwrap_or_default());
        let speed = match per_second(decided(&counts), seconds) {
            Some(speed) => decimal(speed),
            None => "not known yet: counted every 10 s".to_owned(),
        };
        vec![
            ("Webhooks decided per second", speed),
            ("Acknowledged within", self.acks(&counts)),
            ("Applied after", self.lag(&counts)),
            ("Batches", count(BATCHES)),
            ("Conflicts", count(CONFLICTS)),
            ("Workers alive", grouped(self.workers)),
        ]
    }

    fn acks(&self, counts: &Counts) -> String {
        match percentiles(counts, Times::Ack) {
            Some(text) => text,
            None if self.knows_acks => "no webhook in the last minute".to_owned(),
            None => "not known: set `ONHAND_INGRESS_METRICS`".to_owned(),
        }
    }

    /// The age of the oldest webhook that is not applied; if none waits, of those applied lately.
    fn lag(&self, counts: &Counts) -> String {
        let lately = percentiles(counts, Times::Lag);
        let stats = self.queue.stats.as_ref().ok();
        let waits = stats.is_some_and(|stats| waiting(stats) > 0);
        let oldest = stats.and_then(|stats| stats.oldest);
        // While all is well a batch is put down sooner.
        let stuck = held(self.sums, self.now).filter(|held| held.seconds > 0);
        match (oldest, stuck, lately, self.queue.waiting_since) {
            (Some(oldest), ..) if waits => format!("the oldest waits for {}", self.age(oldest)),
            // The queue gives the oldest first, so nothing that waits there is older.
            (_, Some(held), ..) => format!("the oldest waits for {}", whole(held.seconds)),
            // The queue is in order of arrival: what is next is about as old as what was last.
            (_, _, Some(lately), _) => lately,
            _ if stats.is_none() => "not known".to_owned(),
            (.., Some(since)) if waits => {
                let since = self.last_decided().map_or(since, |last| last.max(since));
                format!("the oldest waits for {} or longer", self.age(since))
            }
            _ => "nothing waits".to_owned(),
        }
    }

    /// The end of the latest ten seconds in which anything was decided.
    fn last_decided(&self) -> Option<Timestamp> {
        let last = self.sums.iter().rev().find(|sum| decided(&sum.counts) > 0)?;
        let step = i64::try_from(Span::Recent.step().as_micros()).ok()?;
        Some(Timestamp(last.at.0 + step))
    }

    fn age(&self, since: Timestamp) -> String {
        whole(self.now.0.saturating_sub(since.0).max(0) / 1_000_000)
    }
}

fn whole(seconds: i64) -> String {
    duration(f64::from(u32::try_from(seconds).unwrap_or(u32::MAX)))
}

/// Half of them within so long, and 99 of 100.
fn percentiles(counts: &Counts, times: Times) -> Option<String> {
    let (half, most) = (quantile(counts, times, 0.5)?, quantile(counts, times, 0.99)?);
    Some(format!("{}\u{a0}(p50), {}\u{a0}(p99)", duration(half), duration(most)))
}

#[cfg(test)]
mod tests {
    use queue::QueueStats;

    use super::*;

    const NOW: Timestamp = Timestamp(1_795_262_400_000_000);

    fn counts(counts: &[(&str, i64)]) -> Counts {
        counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    }

    fn sum(seconds_ago: i64, what: &[(&str, i64)]) -> Rollup {
        let at = Span::Recent.start(Timestamp(NOW.0 - seconds_ago * 1_000_000));
        Rollup { at, counts: counts(what) }
    }

    fn queue(ready: u64, oldest: Option<i64>, since: Option<i64>) -> Queue {
        let ago = |seconds: i64| Timestamp(NOW.0 - seconds * 1_000_000);
        Queue {
            stats: Ok(QueueStats { ready, oldest: oldest.map(ago), ..QueueStats::default() }),
            waiting_since: since.map(ago),
        }
    }

    fn said(sums: &[Rollup], queue: &Queue, knows_acks: bool) -> Vec<String> {
        let pulse = Pulse { sums, queue, workers: 2, knows_acks, now: NOW };
        pulse.rows().into_iter().map(|(_, text)| text.replace('\u{a0}', " ")).collect()
    }

    #[test]
    fn the_last_minute_is_summed_up() {
        let busy = [("applied", 100), ("short", 20), ("conflicts", 3), ("batches", 4)];
        let times = [("ack_le_0.005", 9), ("ack_le_inf", 9), ("lag_le_0.5", 9), ("lag_le_inf", 9)];
        let sums = [
            sum(900, &[("applied", 1_000_000)]),
            sum(20, &busy),
            sum(10, &[&busy[..], &times[..]].concat()),
        ];
        let said = said(&sums, &queue(0, None, None), true);
        assert_eq!(said[0], "12");
        assert!(said[1].contains("ms (p50)") && said[1].contains("(p99)"), "{said:?}");
        assert!(said[2].contains("(p99)"), "{said:?}");
        assert_eq!(said[3..], ["8", "6", "2"]);
    }

    #[test]
    fn what_is_not_known_is_said() {
        let none = said(&[], &queue(0, None, None), false);
        assert!(none[0].starts_with("not known yet") && none[1].contains("ONHAND_INGRESS_METRICS"));
        assert_eq!(none[2], "nothing waits");
        assert_eq!(said(&[], &queue(0, None, None), true)[1], "no webhook in the last minute");
        let away = Queue { stats: Err("refused".to_owned()), waiting_since: None };
        assert_eq!(said(&[], &away, true)[2], "not known");
    }

    #[test]
    fn what_waits_is_as_old_as_the_queue_tells_or_at_least_so_old() {
        let lag = |sums: &[Rollup], queue: &Queue| said(sums, queue, true).swap_remove(2);
        let lately = [sum(10, &[("applied", 1), ("lag_le_4", 1), ("lag_le_inf", 1)])];
        assert_eq!(lag(&lately, &queue(1, Some(90), Some(30))), "the oldest waits for 90 s");
        assert!(lag(&lately, &queue(1, None, Some(30))).contains("(p99)"));
        assert_eq!(lag(&[], &queue(1, None, Some(30))), "the oldest waits for 30 s or longer");
        let stuck = [sum(70, &[("applied", 1)]), sum(10, &[("held", 9), ("oldest_held_max", 80)])];
        assert_eq!(lag(&stuck, &queue(0, None, None)), "the oldest waits for 80 s");
        let away = Queue { stats: Err("refused".to_owned()), waiting_since: None };
        assert_eq!(lag(&stuck, &away), "the oldest waits for 80 s");
        let before = [sum(70, &[("applied", 1)])];
        assert_eq!(lag(&before, &queue(1, None, Some(600))), "the oldest waits for 60 s or longer");
    }
}

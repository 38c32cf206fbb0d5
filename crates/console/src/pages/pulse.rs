//! How it goes right now, from what all processes counted in the last minute. Pure.

use domain::Timestamp;
use operate::health::waiting;
use store::rollups::{Counts, Rollup, Span};

use super::queue::Stats;
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
    pub(super) queue: &'a Stats,
    pub(super) workers: i64,
    /// Something waits since then at the latest, and nothing was decided.
    pub(super) still_since: Option<Timestamp>,
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
        // While all is well a batch is put down sooner.
        let stuck = held(self.sums, self.now).filter(|held| held.seconds > 0);
        let stuck = stuck.map(|held| format!("the oldest waits for {}", whole(held.seconds)));
        let Ok(stats) = self.queue else {
            return stuck.or(lately).unwrap_or_else(|| "not known".to_owned());
        };
        if !waiting(stats, self.sums, self.now).any() {
            return stuck.or(lately).unwrap_or_else(|| "nothing waits".to_owned());
        }
        match (stats.oldest, stuck, lately, self.still_since) {
            (Some(oldest), ..) => format!("the oldest waits for {}", self.age(oldest)),
            // The queue gives the oldest first, so nothing that waits there is older.
            (_, Some(stuck), ..) => stuck,
            // The queue is in order of arrival: what is next is about as old as what was last.
            (_, _, Some(lately), _) => lately,
            (.., Some(since)) => {
                format!("the oldest waits for {} or longer", self.age(since))
            }
            _ => "not known yet".to_owned(),
        }
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
        let at = Span::Recent.start(ago(seconds_ago));
        Rollup { at, counts: counts(what) }
    }

    fn ago(seconds: i64) -> Timestamp {
        Timestamp(NOW.0 - seconds * 1_000_000)
    }

    fn queue(ready: u64, oldest: Option<i64>) -> Stats {
        Ok(QueueStats { ready, oldest: oldest.map(ago), ..QueueStats::default() })
    }

    fn said(sums: &[Rollup], queue: &Stats, knows_acks: bool) -> Vec<String> {
        said_after(sums, queue, knows_acks, None)
    }

    fn said_after(
        sums: &[Rollup],
        queue: &Stats,
        knows_acks: bool,
        still: Option<i64>,
    ) -> Vec<String> {
        let still_since = still.map(ago);
        let pulse = Pulse { sums, queue, workers: 2, still_since, knows_acks, now: NOW };
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
        let said = said(&sums, &queue(0, None), true);
        assert_eq!(said[0], "12");
        assert!(said[1].contains("ms (p50)") && said[1].contains("(p99)"), "{said:?}");
        assert!(said[2].contains("(p99)"), "{said:?}");
        assert_eq!(said[3..], ["8", "6", "2"]);
    }

    #[test]
    fn what_is_not_known_is_said() {
        let none = said(&[], &queue(0, None), false);
        assert!(none[0].starts_with("not known yet") && none[1].contains("ONHAND_INGRESS_METRICS"));
        assert_eq!(none[2], "nothing waits");
        assert_eq!(said(&[], &queue(0, None), true)[1], "no webhook in the last minute");
        assert_eq!(said(&[], &Err("refused".to_owned()), true)[2], "not known");
        assert_eq!(said(&[], &queue(1, None), true)[2], "not known yet");
    }

    #[test]
    fn what_waits_is_as_old_as_the_queue_tells_or_at_least_so_old() {
        let lag = |sums: &[Rollup], queue: &Stats, still| {
            said_after(sums, queue, true, still).swap_remove(2)
        };
        let lately = [sum(10, &[("applied", 1), ("lag_le_4", 1), ("lag_le_inf", 1)])];
        assert_eq!(lag(&lately, &queue(1, Some(90)), Some(30)), "the oldest waits for 90 s");
        assert!(lag(&lately, &queue(1, None), Some(30)).contains("(p99)"));
        assert_eq!(lag(&[], &queue(1, None), Some(30)), "the oldest waits for 30 s or longer");
        let stuck = [sum(70, &[("applied", 1)]), sum(10, &[("held", 9), ("oldest_held_max", 80)])];
        assert_eq!(lag(&stuck, &queue(0, None), None), "the oldest waits for 80 s");
        assert_eq!(lag(&stuck, &Err("refused".to_owned()), None), "the oldest waits for 80 s");
    }
}

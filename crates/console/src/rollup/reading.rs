//! What a process has counted, read from the text that it shows Prometheus. Pure.
//!
//! One reader for this process's own text and for that of an ingress elsewhere, so both mean the
//! same. Only names that are known here are taken: whatever a page answers, it adds no others.

use domain::Outcome;
use store::rollups::{Counts, HELD};

use super::Times;
use crate::recorder::SECONDS;
use crate::series::{Series, series};

/// Counters, and what they are called in a rollup.
const COUNTERS: [(&str, &str); 2] =
    [("onhand_conflicts_total", super::CONFLICTS), ("onhand_commit_seconds_count", super::BATCHES)];

/// Histograms, and what they are of.
const HISTOGRAMS: [(&str, Times); 2] = [
    ("onhand_ingress_ack_seconds_bucket", Times::Ack),
    ("onhand_apply_lag_seconds_bucket", Times::Lag),
];

const STARTED: &str = "process_start_time_seconds";

const HELD_NOW: &str = "onhand_held_envelopes";

/// All that a process has counted since it started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Tells one run of a program from the next.
    started: String,
    counts: Counts,
    /// At this moment.
    held: i64,
}

impl Reading {
    pub(crate) fn parse(text: &str) -> Self {
        let mut reading = Self::default();
        for one in series(text) {
            if one.metric == STARTED {
                one.value.clone_into(&mut reading.started);
            } else if one.metric == HELD_NOW {
                reading.held = one.value.parse().unwrap_or_default();
            } else if let (Some(name), Ok(count)) = (name(one), one.value.parse()) {
                reading.counts.insert(name, count);
            }
        }
        reading
    }

    /// What came since `before`, and what is held now. After a restart that is everything.
    pub(crate) fn since(&self, before: &Self) -> Counts {
        let had = |name: &String| before.counts.get(name).copied().unwrap_or_default();
        let fell = before
            .counts
            .iter()
            .any(|(name, had)| self.counts.get(name).is_none_or(|count| count < had));
        let is_new = fell || self.started != before.started;
        let counts = self
            .counts
            .iter()
            .map(|(name, count)| (name.clone(), if is_new { *count } else { count - had(name) }));
        counts.chain([(HELD.to_owned(), self.held)]).filter(|(_, count)| *count != 0).collect()
    }
}

fn name(series: Series<'_>) -> Option<String> {
    let metric = series.metric;
    if metric == "onhand_webhooks_total" {
        let outcome: Outcome = series.label("outcome")?.parse().ok()?;
        return Some(outcome.as_str().to_owned());
    }
    if let Some((_, name)) = COUNTERS.iter().find(|(counter, _)| *counter == metric) {
        return Some((*name).to_owned());
    }
    let (_, times) = HISTOGRAMS.iter().find(|(histogram, _)| *histogram == metric)?;
    let bound = match series.label("le")? {
        "+Inf" => f64::INFINITY,
        bound => bound.parse().ok().filter(|bound| SECONDS.contains(bound))?,
    };
    Some(times.bucket(bound))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# HELP onhand_webhooks_total Webhooks\n\
        onhand_webhooks_total{outcome=\"applied\"} 7\n\
        onhand_webhooks_total{outcome=\"invented\"} 9\n\
        onhand_conflicts_total 3\n\
        onhand_commit_seconds_count 2\n\
        onhand_ingress_ack_seconds_bucket{le=\"0.0005\"} 4\n\
        onhand_ingress_ack_seconds_bucket{le=\"0.7\"} 5\n\
        onhand_ingress_ack_seconds_bucket{le=\"+Inf\"} 6\n\
        onhand_held_envelopes 5\n\
        onhand_something_else 8\n\
        process_start_time_seconds 1795262400.5\n\
        not a metric\n\n";

    fn counts(counts: &[(&str, i64)]) -> Counts {
        counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    }

    #[test]
    fn only_what_is_known_is_read() {
        let expected = [
            ("applied", 7),
            ("conflicts", 3),
            ("batches", 2),
            ("ack_le_0.0005", 4),
            ("ack_le_inf", 6),
            ("held", 5),
        ];
        assert_eq!(Reading::parse(TEXT).since(&Reading::default()), counts(&expected));
        assert_eq!(Reading::parse("<html>\u{0}{\"=").since(&Reading::default()), counts(&[]));
    }

    #[test]
    fn what_came_in_between_is_told_and_a_restart_begins_anew() {
        let before = Reading::parse(TEXT);
        assert_eq!(before.since(&before), counts(&[("held", 5)]), "still");
        let later = Reading::parse(&TEXT.replace(" 7\n", " 9\n").replace(" 5\n", " 0\n"));
        assert_eq!(later.since(&before), counts(&[("applied", 2)]));
        let fewer =
            Reading::parse("onhand_conflicts_total 1\nprocess_start_time_seconds 1795262400.5");
        assert_eq!(fewer.since(&before), counts(&[("conflicts", 1)]));
        let restarted = Reading::parse(&TEXT.replace("00.5", "01.5"));
        assert_eq!(restarted.since(&before).len(), 6);
    }

    #[test]
    fn what_this_program_shows_is_read() {
        let recorder = crate::recorder::builder().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            metrics::counter!("onhand_webhooks_total", "outcome" => "short").increment(2);
            metrics::counter!("onhand_conflicts_total").increment(1);
            metrics::histogram!("onhand_commit_seconds").record(0.2);
            metrics::histogram!("onhand_ingress_ack_seconds").record(0.002);
            metrics::histogram!("onhand_apply_lag_seconds").record(700.0);
            metrics::gauge!("onhand_held_envelopes").set(12.0);
        });
        let read = Reading::parse(&recorder.handle().render()).since(&Reading::default());
        assert_eq!((read["short"], read["conflicts"], read["batches"]), (2, 1, 1), "{read:?}");
        assert_eq!(read["held"], 12);
        assert_eq!((read["ack_le_0.0025"], read.get("ack_le_0.001")), (1, None));
        assert_eq!((read["lag_le_inf"], read.get("lag_le_300")), (1, None));
    }
}

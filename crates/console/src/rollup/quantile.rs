//! Percentiles from the counts of a histogram, as Prometheus estimates them. Pure.

use store::rollups::Counts;

use super::Times;
use crate::recorder::SECONDS;

/// Below how many seconds the share `q` of all lay; `None`: there were none. Within a bucket they
/// are taken to be spread evenly; beyond the last bound there is only that bound.
pub(crate) fn quantile(counts: &Counts, times: Times, q: f64) -> Option<f64> {
    let count = |bound| counts.get(&times.bucket(bound)).copied().unwrap_or_default();
    let all = count(f64::INFINITY);
    if all <= 0 {
        return None;
    }
    let rank = q * as_f64(all);
    let (mut from, mut before) = (0.0, 0.0);
    for bound in SECONDS {
        let upto = as_f64(count(bound));
        if upto >= rank && upto > before {
            return Some(from + (bound - from) * ((rank - before) / (upto - before)).max(0.0));
        }
        (from, before) = (bound, upto);
    }
    SECONDS.last().copied()
}

/// Counts of ten seconds, or of five minutes: exact.
pub(crate) fn as_f64(count: i64) -> f64 {
    f64::from(u32::try_from(count.max(0)).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acks(buckets: &[(f64, i64)]) -> Counts {
        // Counts go on up to the last bound, as in every histogram.
        let upto = |bound: f64| {
            let under = buckets.iter().filter(|(at, _)| *at <= bound);
            under.map(|(_, count)| count).sum::<i64>()
        };
        let bounds = SECONDS.into_iter().chain([f64::INFINITY]);
        bounds.map(|bound| (Times::Ack.bucket(bound), upto(bound))).collect()
    }

    #[test]
    fn percentiles_lie_where_the_counts_are() {
        let counts = acks(&[(0.001, 90), (0.25, 9), (10.0, 1)]);
        let at = |q| quantile(&counts, Times::Ack, q).expect("there are some");
        assert!((0.0005..=0.001).contains(&at(0.5)), "{}", at(0.5));
        assert!((0.1..=0.25).contains(&at(0.95)), "{}", at(0.95));
        assert!((4.0..=10.0).contains(&at(0.999)), "{}", at(0.999));
        assert_eq!(quantile(&counts, Times::Lag, 0.5), None);
    }

    #[test]
    fn what_is_beyond_the_last_bound_counts_as_the_bound() {
        let beyond = acks(&[(f64::INFINITY, 3)]);
        assert_eq!(quantile(&beyond, Times::Ack, 0.99), Some(300.0));
        assert_eq!(quantile(&Counts::new(), Times::Ack, 0.99), None);
    }
}

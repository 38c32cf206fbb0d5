//! The ladder on which one envelope waits when it alone keeps failing for passing reasons.
//!
//! Conflicts never come here (they are retried in the process, in milliseconds), nor does an
//! outage (consumption stops and nobody's attempts grow).

use std::time::Duration;

/// The rungs, first wait first: 1 s, 5 s, 30 s, 2 min, 10 min, then 1 h.
pub const RUNGS: [Duration; 6] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(120),
    Duration::from_secs(600),
    Duration::from_secs(3600),
];

/// How often the last rung is used before the envelope is given up as `retries_exhausted`.
pub const LAST_RUNG_TIMES: u32 = 6;

/// The wait after `attempts` earlier waits, or `None` when the ladder has ended.
pub fn wait_after(attempts: u32) -> Option<Duration> {
    let last = u32::try_from(RUNGS.len() - 1).expect("a handful of rungs");
    (attempts < last + LAST_RUNG_TIMES).then(|| RUNGS[attempts.min(last) as usize])
}

/// How long an envelope waits on the whole ladder.
pub fn length() -> Duration {
    (0..).map_while(wait_after).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ladder_climbs_stays_at_the_top_and_ends() {
        let waits: Vec<u64> = (0..).map_while(wait_after).map(|wait| wait.as_secs()).collect();
        assert_eq!(waits, [1, 5, 30, 120, 600, 3600, 3600, 3600, 3600, 3600, 3600]);
        assert_eq!(length().as_secs(), waits.iter().sum());
    }
}

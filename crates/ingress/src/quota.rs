//! Keeps a flood of bad requests from becoming a flood of log lines.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many lines pass in one [`WINDOW`]; the metrics count all of them.
const LINES_MAX: u32 = 20;
const WINDOW: Duration = Duration::from_secs(1);

/// A number of log lines for each second.
#[derive(Debug, Default)]
pub(crate) struct Quota {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    began: Option<Instant>,
    lines: u32,
    withheld: u64,
}

impl Quota {
    /// Whether a line may be written now; if so, how many were withheld since the last one.
    pub(crate) fn line(&self, now: Instant) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.began.is_none_or(|began| now.duration_since(began) >= WINDOW) {
            state.began = Some(now);
            state.lines = 0;
        }
        if state.lines >= LINES_MAX {
            state.withheld += 1;
            return None;
        }
        state.lines += 1;
        Some(std::mem::take(&mut state.withheld))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_beyond_the_quota_are_withheld_and_told_of_in_the_next_second() {
        let quota = Quota::default();
        let now = Instant::now();
        for _ in 0..LINES_MAX {
            assert_eq!(quota.line(now), Some(0));
        }
        assert_eq!(quota.line(now), None);
        assert_eq!(quota.line(now + WINDOW / 2), None);
        assert_eq!(quota.line(now + WINDOW), Some(2));
        assert_eq!(quota.line(now + WINDOW), Some(0));
    }
}

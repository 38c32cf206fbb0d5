//! How long a lane waits after a conflict: exponential, with full jitter.
//!
//! The only place that names the crate `backoff` (docs/adr/0001). Waits on the retry ladder are
//! another matter: `domain::retry`.

use std::time::Duration;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff;

/// The first wait is drawn from zero to twice this.
const FIRST_MS: u64 = 2;

/// No wait is longer than twice this.
const LONGEST_MS: u64 = 100;

/// Draws one wait after another; forget it when the conflict is over.
#[derive(Debug)]
pub struct ConflictBackoff(ExponentialBackoff);

impl Default for ConflictBackoff {
    fn default() -> Self {
        Self(ExponentialBackoff {
            current_interval: Duration::from_millis(FIRST_MS),
            initial_interval: Duration::from_millis(FIRST_MS),
            max_interval: Duration::from_millis(LONGEST_MS),
            multiplier: 2.0,
            // Full jitter: anything from nothing to twice the interval, so that two lanes that
            // collided do not meet again.
            randomization_factor: 1.0,
            // How often to try is the caller's decision.
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        })
    }
}

impl ConflictBackoff {
    pub fn next_wait(&mut self) -> Duration {
        self.0.next_backoff().unwrap_or(Duration::from_millis(LONGEST_MS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_but_stay_bounded() {
        let mut backoff = ConflictBackoff::default();
        let waits: Vec<Duration> = (0..200).map(|_| backoff.next_wait()).collect();
        assert!(waits[0] <= Duration::from_millis(2 * FIRST_MS));
        assert!(waits.iter().all(|wait| *wait <= Duration::from_millis(2 * LONGEST_MS)));
        assert!(waits[100..].iter().any(|wait| *wait > Duration::from_millis(LONGEST_MS)));
    }
}

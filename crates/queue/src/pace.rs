//! How long to wait between attempts to reach the broker.

use std::time::Duration;

/// The first wait is at most this long: most interruptions are over at once.
const FIRST: Duration = Duration::from_millis(100);

/// No wait is longer: while a publisher waits although the broker is back, webhooks get a 503. With
/// full jitter even a hundred processes bring no more than some forty attempts a second.
const LONGEST: Duration = Duration::from_secs(5);

/// Exponential backoff with full jitter, so that a fleet does not come back all at once.
#[derive(Debug)]
pub(crate) struct Pace {
    ceiling: Duration,
}

impl Pace {
    pub(crate) fn new() -> Self {
        Self { ceiling: FIRST }
    }

    pub(crate) fn next(&mut self) -> Duration {
        let wait = self.ceiling.mul_f64(rand::random_range(0.0..=1.0));
        self.ceiling = (self.ceiling * 2).min(LONGEST);
        wait
    }

    /// It worked: the next trouble is a new one.
    pub(crate) fn reset(&mut self) {
        self.ceiling = FIRST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_longest_and_start_small_again() {
        let mut pace = Pace::new();
        assert!(pace.next() <= FIRST);
        assert!((0..50).map(|_| pace.next()).all(|wait| wait <= LONGEST));
        assert_eq!(pace.ceiling, LONGEST);
        pace.reset();
        assert!(pace.next() <= FIRST);
    }
}

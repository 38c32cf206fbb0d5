//! So many things in a second, and no more: the lanes have the same database.

use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

/// What is done in a second unless somebody asks for another rate.
pub const RATE: u32 = 50;

/// Lets one thing pass at a time.
#[derive(Debug)]
pub struct Pace(Interval);

impl Pace {
    /// `rate`: at most so many in a second.
    pub fn new(rate: u32) -> Self {
        let mut ticks = interval(Duration::from_secs(1) / rate.max(1));
        // After a long one the next ones do not hurry.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self(ticks)
    }

    pub async fn wait(&mut self) {
        self.0.tick().await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, advance};

    use super::*;

    /// How long so many take.
    async fn time(pace: &mut Pace, passes: u32) -> Duration {
        let began = Instant::now();
        for _ in 0..passes {
            pace.wait().await;
        }
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_pass_in_a_second_than_may() {
        assert_eq!(time(&mut Pace::new(50), 101).await, Duration::from_secs(2), "one at once");
        assert_eq!(time(&mut Pace::new(1), 3).await, Duration::from_secs(2));
        assert_eq!(
            time(&mut Pace::new(0), 3).await,
            Duration::from_secs(2),
            "no rate is the least"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_long_one_the_next_do_not_hurry() {
        let mut pace = Pace::new(10);
        pace.wait().await;
        advance(Duration::from_secs(60)).await;
        assert_eq!(time(&mut pace, 11).await, Duration::from_secs(1));
    }
}

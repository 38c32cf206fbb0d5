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

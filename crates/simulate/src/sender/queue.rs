//! What all lanes take from, each webhook when it is due.
//!
//! tokio's timer goes by the millisecond: all that is due within one would be sent together at its
//! end, and that wait would be in every latency, which counts from when it was due. So a thread
//! sleeps until the next is due, which is finer than that and keeps no core busy, and lets
//! go all that are due by then.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::as_f64;

/// Between two looks at what is due: no shorter, so that no rate keeps a core busy…
const NAP_MIN: Duration = Duration::from_micros(100);
/// …and no longer, so that a stop is heard.
const NAP_MAX: Duration = Duration::from_millis(20);

pub(super) struct Queue {
    pub(super) began: Instant,
    next: AtomicUsize,
    length: usize,
    pace: Option<Paced>,
}

struct Paced {
    per_second: f64,
    /// As many permits as are due and not taken.
    due: Semaphore,
}

impl Queue {
    pub(super) fn new(length: usize, per_second: Option<f64>) -> Self {
        let pace = per_second.map(|per_second| Paced { per_second, due: Semaphore::new(0) });
        Self { began: Instant::now(), next: AtomicUsize::new(0), length, pace }
    }

    /// The next place in the plan once it is due, and when that was if there is a pace. `None`: that
    /// was all, or the sending is stopped.
    pub(super) async fn take(&self, stop: &CancellationToken) -> Option<(usize, Option<Instant>)> {
        if stop.is_cancelled() {
            return None;
        }
        if let Some(pace) = &self.pace {
            let permit = stop.run_until_cancelled(pace.due.acquire()).await?;
            permit.ok()?.forget();
        }
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        let due = self.pace.as_ref().map(|pace| self.due(pace, place));
        (place < self.length).then_some((place, due))
    }

    /// Lets go what is due, until that was all; then so many lanes, to find nothing. Without a pace
    /// there is nothing to do.
    #[expect(clippy::disallowed_methods, reason = "on a thread for blocking work")]
    pub(super) fn let_go(&self, lanes: usize, stop: &CancellationToken) {
        let Some(pace) = &self.pace else { return };
        let mut gone = 0;
        while gone < self.length && !stop.is_cancelled() {
            let now = Instant::now();
            let left = (gone..self.length).take_while(|place| self.due(pace, *place) <= now);
            let due = left.count();
            pace.due.add_permits(due);
            gone += due;
            let next = self.due(pace, gone).saturating_duration_since(Instant::now());
            std::thread::sleep(next.clamp(NAP_MIN, NAP_MAX));
        }
        pace.due.add_permits(lanes);
    }

    fn due(&self, pace: &Paced, place: usize) -> Instant {
        self.began + Duration::from_secs_f64(as_f64(place) / pace.per_second)
    }
}

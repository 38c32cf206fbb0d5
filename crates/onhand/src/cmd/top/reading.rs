//! What is read: counters are rows, so what happens each second is the difference of two readings.

use std::time::Instant;

use domain::Timestamp;
use operate::health::{Stored, Work, ask_queue, ask_store};
use queue::QueueStats;
use store::pages::WebhookPage;
use store::{Pages, StoreError};

use super::Source;

/// Everything at one moment.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    pub(super) at: Timestamp,
    /// By a clock that only goes forward.
    pub(super) taken: Instant,
    pub(super) stored: Stored,
    /// `Err`: why nobody knows.
    pub(super) queue: Result<QueueStats, String>,
    /// What this reading and those before it show of the work; `None`: nobody knows.
    pub(super) work: Option<Work>,
    /// From the arrival of the newest webhook that was decided to its commit, in microseconds.
    pub(super) lag: Option<i64>,
}

impl Source {
    pub(super) async fn read(&self, before: Option<&Reading>) -> Result<Reading, StoreError> {
        let at = operate::now();
        let stored = ask_store(&self.store, at).await?;
        let newest = WebhookPage { limit: 1, ..WebhookPage::default() };
        let newest = self.store.webhook_page(&newest).await?.rows.pop();
        let queue = ask_queue(&self.broker).await;
        let before = before.and_then(|before| before.work);
        Ok(Reading {
            at,
            taken: Instant::now(),
            work: Work::look(before, queue.as_ref().ok(), Some(&stored), at),
            stored,
            queue,
            lag: newest.map(|webhook| webhook.decided_at.0 - webhook.received_at.0),
        })
    }
}

//! The spool's file as publishers and drain see it, with one voice for log and metrics.

use std::sync::atomic::{AtomicBool, Ordering};

use domain::Envelope;

use super::measure;
use crate::embedded::EmbeddedPublisher;
use crate::{PublishError, Publisher};

#[derive(Debug)]
pub(super) struct Shelf {
    file: EmbeddedPublisher,
    /// There is something in it, and that has been said: a long outage is one line.
    holding: AtomicBool,
}

impl Shelf {
    pub(super) fn new(file: EmbeddedPublisher) -> Self {
        let left = file.waiting();
        if left > 0 {
            tracing::info!(spool.envelopes = left, "the spool holds webhooks of an earlier time");
        }
        let shelf = Self { file, holding: AtomicBool::new(left > 0) };
        shelf.show();
        shelf
    }

    /// Takes what the broker did not, and says why it did not.
    pub(super) async fn put(
        &self,
        envelope: Envelope,
        why: &PublishError,
    ) -> Result<(), PublishError> {
        self.file.publish(envelope).await.map_err(|error| {
            PublishError::Unavailable(format!("{why}; nor does the spool take it: {error}"))
        })?;
        measure::spooled();
        self.show();
        if !self.holding.swap(true, Ordering::Relaxed) {
            tracing::warn!(error = %why, "the broker does not take webhooks: they go to the spool");
        }
        Ok(())
    }

    /// The broker has taken so many, and they are gone from here. `first`: after a while of nothing.
    pub(super) fn handed_over(&self, envelopes: usize, first: bool) {
        measure::drained(envelopes);
        if first {
            let left = self.waiting();
            tracing::info!(spool.envelopes = left, "the broker takes webhooks out of the spool");
        }
        self.look();
    }

    /// Shows how much waits here. After a fault of the disk the file forgets later, or remembers
    /// later, than whoever asked it to was told.
    pub(super) fn look(&self) {
        self.show();
        if self.waiting() == 0 && self.holding.swap(false, Ordering::Relaxed) {
            tracing::info!("the spool is empty: the broker has everything");
        }
    }

    fn show(&self) {
        measure::waiting(self.waiting(), self.file.waiting_bytes());
    }

    pub(super) fn has_room(&self) -> bool {
        self.file.is_ready()
    }

    pub(super) fn waiting(&self) -> u64 {
        self.file.waiting()
    }
}

//! From the spool to the broker: the oldest first, a bounded number at a time.
//!
//! What is taken out is only lent: it leaves the file when the broker has confirmed it. A stop or
//! the end of the process in the middle leaves it there, and it may then go to the broker twice.

use std::time::Duration;

use domain::Envelope;
use futures_util::future::join_all;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::shelf::Shelf;
use crate::embedded::EmbeddedConsumer;
use crate::pace::Pace;
use crate::{Consumer, Content, Delivery, DeliveryId, Publisher, Settlement};

/// Envelopes on their way at the same time: half of what the broker's lanes carry, so that webhooks
/// that come just now have the other half.
const IN_FLIGHT_ENVELOPES: usize = 128;

/// A broker that has not confirmed by then has lost it or will never say. Longer than the
/// connection's own patience, which ends the connection.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(10);

/// What cannot be read waits for a version of Onhand that can, out of the way of the others.
const UNREADABLE_AGAIN: Duration = Duration::from_secs(60 * 60);

/// An envelope, and its name in the file.
type Lent = (DeliveryId, Envelope);

pub(super) struct Drain<'a, P> {
    broker: P,
    shelf: &'a Shelf,
    file: EmbeddedConsumer,
    /// The broker took the last one that it was given.
    flowing: bool,
}

impl<'a, P: Publisher> Drain<'a, P> {
    pub(super) fn new(broker: P, shelf: &'a Shelf, file: EmbeddedConsumer) -> Self {
        Self { broker, shelf, file, flowing: false }
    }

    pub(super) async fn run(mut self, stop: CancellationToken) {
        stop.run_until_cancelled(async {
            loop {
                let deliveries = self.file.next_batch(IN_FLIGHT_ENVELOPES).await;
                let lent = self.readable(deliveries).await;
                self.hand_over(lent).await;
            }
        })
        .await;
        self.file.close().await;
    }

    /// Tries until the broker has confirmed them all. Nothing in a spool is refused for what it is:
    /// it was packed before, by the same rules.
    async fn hand_over(&mut self, mut lent: Vec<Lent>) {
        let mut pace = Pace::new();
        while !lent.is_empty() {
            let mut confirmed = Vec::new();
            if self.broker.is_ready() {
                (confirmed, lent) = publish(&self.broker, lent).await;
            }
            if !confirmed.is_empty() {
                self.forget(confirmed).await;
                pace.reset();
            }
            if !lent.is_empty() {
                self.flowing = false;
                sleep(pace.next()).await;
            }
        }
        if self.shelf.waiting() == 0 {
            self.flowing = false;
        }
    }

    async fn forget(&mut self, confirmed: Vec<DeliveryId>) {
        let count = confirmed.len();
        self.file.settle(confirmed.into_iter().map(|id| (id, Settlement::Done)).collect()).await;
        let first = !std::mem::replace(&mut self.flowing, true);
        self.shelf.handed_over(count, first);
    }

    /// The envelopes among these; the rest is put off, never dropped.
    async fn readable(&mut self, deliveries: Vec<Delivery>) -> Vec<Lent> {
        let mut lent = Vec::with_capacity(deliveries.len());
        let mut put_off = Vec::new();
        for Delivery { id, content, .. } in deliveries {
            match content {
                Content::Envelope(envelope) | Content::GivenUp { envelope, .. } => {
                    lent.push((id, envelope));
                }
                Content::Unreadable { why, .. } => {
                    tracing::error!(error = why, "a parcel in the spool cannot be read: it stays");
                    put_off.push((id, Settlement::RetryIn(UNREADABLE_AGAIN)));
                }
            }
        }
        if !put_off.is_empty() {
            self.file.settle(put_off).await;
        }
        lent
    }
}

/// What the broker has confirmed, and what it has not.
async fn publish<P: Publisher>(broker: &P, lent: Vec<Lent>) -> (Vec<DeliveryId>, Vec<Lent>) {
    let attempts = lent.into_iter().map(async |(id, envelope)| {
        let why = match timeout(CONFIRM_TIMEOUT, broker.publish(envelope.clone())).await {
            Ok(Ok(())) => return Ok(id),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no publisher confirm in time".to_owned(),
        };
        tracing::debug!(error = why, "the broker did not take a webhook out of the spool");
        Err((id, envelope))
    });
    let (mut confirmed, mut rest) = (Vec::new(), Vec::new());
    for attempt in join_all(attempts).await {
        match attempt {
            Ok(id) => confirmed.push(id),
            Err(kept) => rest.push(kept),
        }
    }
    (confirmed, rest)
}

//! From the spool to the broker: the oldest first, a bounded number at a time.
//!
//! What is taken out is only lent: it leaves the file when the broker has confirmed it. A stop or
//! the end of the process in the middle leaves it there, and it may then go to the broker twice.
//! What the broker does not take is tried again, for ever, while others go past it.

use std::time::Duration;

use domain::Envelope;
use futures_util::future::join_all;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
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

const COMPLAIN_EVERY: Duration = Duration::from_secs(60);

/// How often to look how much waits while there is nothing to do.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// For giving back what was lent. A disk that hangs must not keep the process from stopping: the
/// next one has the file to itself in any case.
const LEAVE_WITHIN: Duration = Duration::from_secs(5);

/// An envelope, and its name in the file.
type Lent = (DeliveryId, Envelope);

pub(super) struct Drain<'a, P> {
    broker: P,
    shelf: &'a Shelf,
    file: EmbeddedConsumer,
    /// The broker took the last one that it was given.
    flowing: bool,
    /// When it was last said that the broker is there and does not take what it is given.
    complained_at: Option<Instant>,
}

impl<'a, P: Publisher> Drain<'a, P> {
    pub(super) fn new(broker: P, shelf: &'a Shelf, file: EmbeddedConsumer) -> Self {
        Self { broker, shelf, file, flowing: false, complained_at: None }
    }

    pub(super) async fn run(mut self, stop: CancellationToken) {
        stop.run_until_cancelled(async {
            let mut pace = Pace::new();
            let mut lent = Vec::new();
            loop {
                if lent.is_empty() {
                    self.fetch(&mut lent, Instant::now() + LOOK_EVERY).await;
                }
                if self.broker.is_ready() {
                    let round = publish(&self.broker, lent).await;
                    lent = round.rest;
                    if !round.confirmed.is_empty() {
                        self.forget(round.confirmed).await;
                        pace.reset();
                    } else if let Some(why) = round.why {
                        self.complain(lent.len(), &why);
                    }
                }
                if !lent.is_empty() {
                    self.wait_a_little(&mut lent, pace.next()).await;
                }
            }
        })
        .await;
        if timeout(LEAVE_WITHIN, self.file.close()).await.is_err() {
            tracing::warn!("the spool's disk does not answer: what waits there stays there");
        }
    }

    /// Waits for what is in the file and not lent yet.
    async fn fetch(&mut self, lent: &mut Vec<Lent>, until: Instant) {
        let room = IN_FLIGHT_ENVELOPES.saturating_sub(lent.len());
        if let Ok(deliveries) = timeout_at(until, self.file.next_batch(room)).await {
            lent.extend(self.readable(deliveries).await);
        }
        self.shelf.look();
        if self.shelf.waiting() == 0 {
            self.flowing = false;
        }
    }

    /// The broker did not take all of it. If it is there, it may take what comes behind: one webhook
    /// that it refuses each time, for being too large perhaps, must not hold up the rest.
    async fn wait_a_little(&mut self, lent: &mut Vec<Lent>, wait: Duration) {
        let until = Instant::now() + wait;
        if !self.broker.is_ready() {
            self.flowing = false;
        } else if lent.len() < IN_FLIGHT_ENVELOPES {
            self.fetch(lent, until).await;
        }
        sleep_until(until).await;
    }

    /// That the broker is away says the connection. That it is there and takes nothing has to be
    /// said here, or a spool that never empties has no reason in the log.
    fn complain(&mut self, envelopes: usize, why: &str) {
        self.flowing = false;
        if self.complained_at.is_none_or(|at| at.elapsed() >= COMPLAIN_EVERY) {
            self.complained_at = Some(Instant::now());
            tracing::warn!(
                error = why,
                spool.envelopes = envelopes,
                "the broker is there and does not take webhooks out of the spool: they stay there"
            );
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

/// What became of one attempt at all that is lent.
#[derive(Default)]
struct Round {
    confirmed: Vec<DeliveryId>,
    rest: Vec<Lent>,
    /// Of one of the rest.
    why: Option<String>,
}

async fn publish<P: Publisher>(broker: &P, lent: Vec<Lent>) -> Round {
    let attempts = lent.into_iter().map(async |(id, envelope)| {
        let why = match timeout(CONFIRM_TIMEOUT, broker.publish(envelope.clone())).await {
            Ok(Ok(())) => return Ok(id),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no publisher confirm in time".to_owned(),
        };
        Err(((id, envelope), why))
    });
    let mut round = Round::default();
    for attempt in join_all(attempts).await {
        match attempt {
            Ok(id) => round.confirmed.push(id),
            Err((kept, why)) => {
                round.rest.push(kept);
                round.why = Some(why);
            }
        }
    }
    round
}

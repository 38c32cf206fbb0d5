//! Takes parcels from the writer and keeps account of what is unsettled in each.
//!
//! A parcel is finished when all its envelopes are settled. The account is in memory only: if the
//! process dies, the parcels that are not finished are delivered again, whole.

use std::collections::HashMap;
use std::error::Error;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::command::{Command, Leased, Retry, Settle, Take, micros, now};
use crate::parcel::{self, ParcelError};
use crate::{Consumer, Content, Delivery, DeliveryId, Settlement};

/// The embedded queue's [`Consumer`]. Dropping it gives everything back, as `close` does, only
/// without waiting for that.
#[derive(Debug)]
pub struct EmbeddedConsumer {
    session: u64,
    commands: mpsc::Sender<Command>,
    departures: mpsc::UnboundedSender<u64>,
    /// Kept here, and not in the future of `next_batch`, so that dropping that loses nothing.
    asked: Option<oneshot::Receiver<Vec<Leased>>>,
    /// A bit for each unsettled envelope of each parcel: a parcel holds at most 64.
    unsettled: HashMap<u64, u64>,
}

impl EmbeddedConsumer {
    pub(super) fn new(
        session: u64,
        commands: mpsc::Sender<Command>,
        departures: mpsc::UnboundedSender<u64>,
    ) -> Self {
        Self { session, commands, departures, asked: None, unsettled: HashMap::new() }
    }

    /// `None`: the queue is closed.
    async fn take(&mut self, max: usize) -> Option<Vec<Leased>> {
        if self.asked.is_none() {
            let place = self.commands.reserve().await.ok()?;
            let (reply, answer) = oneshot::channel();
            place.send(Command::Take(Take { session: self.session, max, reply }));
            self.asked = Some(answer);
        }
        let taken = self.asked.as_mut().expect("asked just now or before").await;
        self.asked = None;
        taken.ok()
    }

    /// Waits until the writer has heard it, and its answer is in the file if it has one.
    async fn tell(&self, command: impl FnOnce(oneshot::Sender<()>) -> Command) {
        let (done, heard) = oneshot::channel();
        if self.commands.send(command(done)).await.is_ok() {
            // An error means that the queue is closed, which gave everything back.
            let _ = heard.await;
        }
    }

    fn unpack(&mut self, leased: Leased, into: &mut Vec<Delivery>) {
        let Leased { parcel, attempts, deliveries, body } = leased;
        let contents: Vec<Content> = match parcel::decode(&body) {
            Ok(envelopes) => envelopes.into_iter().map(Content::Envelope).collect(),
            Err(error) => vec![unreadable(body, &error)],
        };
        let parcel = parcel.cast_unsigned();
        let mut unsettled = 0;
        for (content, index) in contents.into_iter().zip(0_u32..) {
            unsettled |= 1 << index;
            into.push(Delivery {
                id: DeliveryId { session: self.session, parcel, index },
                attempts,
                redeliveries: deliveries.saturating_sub(1),
                content,
            });
        }
        self.unsettled.insert(parcel, unsettled);
    }

    /// Strikes one envelope off. `None`: there is nothing to settle under this name.
    fn strike(&mut self, id: DeliveryId) -> Option<Struck> {
        let unsettled =
            self.unsettled.get_mut(&id.parcel).filter(|_| id.session == self.session)?;
        let bit = 1_u64.checked_shl(id.index).filter(|bit| *unsettled & bit != 0)?;
        *unsettled &= !bit;
        if *unsettled == 0 {
            self.unsettled.remove(&id.parcel);
            return Some(Struck::Last);
        }
        Some(Struck::More)
    }
}

impl Consumer for EmbeddedConsumer {
    async fn next_batch(&mut self, max: usize) -> Vec<Delivery> {
        let Some(taken) = self.take(max).await else {
            // The queue was closed first, so there is nothing to come. The lane is being stopped.
            return std::future::pending().await;
        };
        let mut deliveries = Vec::with_capacity(max);
        for leased in taken {
            self.unpack(leased, &mut deliveries);
        }
        deliveries
    }

    async fn settle(&mut self, settled: Vec<(DeliveryId, Settlement)>) {
        // First the place, then the account: dropping this future must not lose a settlement.
        let commands = self.commands.clone();
        let Ok(place) = commands.reserve().await else {
            return;
        };
        let now = now();
        let mut settle = Settle::default();
        for (id, settlement) in settled {
            let Some(struck) = self.strike(id) else { continue };
            let parcel = id.parcel.cast_signed();
            let wait = match settlement {
                Settlement::Done => None,
                Settlement::RetryIn(delay) => Some((delay, true)),
                Settlement::HoldFor(delay) => Some((delay, false)),
            };
            if let Some((delay, tried)) = wait {
                // Zero would mean that it does not wait at all.
                let not_before = now.saturating_add(micros(delay)).max(1);
                settle.retries.push(Retry { parcel, index: id.index, not_before, tried });
            }
            if struck == Struck::Last {
                settle.finished.push(parcel);
            }
        }
        let (done, written) = oneshot::channel();
        place.send(Command::Settle(settle, done));
        // An error means that the queue was closed meanwhile.
        let _ = written.await;
    }

    async fn pause(&mut self) {
        let session = self.session;
        // Nothing was asked for: nothing can have come.
        if self.asked.is_some() {
            self.tell(|done| Command::Withdraw { session, done }).await;
            let came = self.asked.take().and_then(|mut asked| asked.try_recv().ok());
            if let Some(taken) = came {
                let parcels = taken.iter().map(|leased| leased.parcel).collect();
                self.tell(|done| Command::Return { parcels, done }).await;
            }
        }
        if !self.unsettled.is_empty() {
            self.unsettled.clear();
            self.tell(|done| Command::Leave { session, done }).await;
        }
    }

    async fn close(self) {
        let session = self.session;
        self.tell(|done| Command::Leave { session, done }).await;
    }
}

impl Drop for EmbeddedConsumer {
    fn drop(&mut self) {
        // The writer finds either this closed or the delivery in its own books.
        self.asked = None;
        // An error means that the queue is closed.
        let _ = self.departures.send(self.session);
    }
}

#[derive(PartialEq, Eq)]
enum Struck {
    More,
    Last,
}

fn unreadable(body: Vec<u8>, error: &ParcelError) -> Content {
    let mut why = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        why = format!("{why}: {error}");
        source = error.source();
    }
    Content::Unreadable { raw: Bytes::from(body), newer: error.is_newer(), why }
}

//! Consuming: one channel per worker lane, manual acknowledgements, and a rebuild for any trouble.
//!
//! A parcel is acknowledged when all its envelopes are settled; one that must wait is confirmed on
//! the retry ladder first. If the process dies in the middle of anything, the broker hands the
//! parcel to somebody else; at worst an envelope is then both on the ladder and in the queue.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use lapin::Acker;
use lapin::options::{BasicAckOptions, BasicNackOptions};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::TaskTracker;
use trace::Span;

use super::intake::{Arrival, Intake};
use super::link::{Link, Session};
use super::message::{self, Message, Part, Told};
use super::publisher::Outbox;
use super::topology::Names;
use crate::pace::Pace;
use crate::parcel::{self, ParcelError};
use crate::{Consumer, Content, Delivery, DeliveryId, Settlement, traced};

/// Unpacked bodies after which a batch is full, whatever its count: what a lane may hold in memory.
const BATCH_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How long a lane tries to put an envelope on the retry ladder before it gives the parcel back.
const LADDER_PATIENCE: Duration = Duration::from_secs(30);

/// For an acknowledgement to leave, and for closing a channel.
const STEP_TIMEOUT: Duration = Duration::from_secs(5);

/// What is kept of a delivery until it is settled.
#[derive(Debug)]
pub(super) struct Kept {
    acker: Acker,
    /// As it came: unpacked again in the rare case that an envelope must wait.
    payload: Bytes,
    told: Told,
}

/// One worker lane's way out of the queue.
#[derive(Debug)]
pub struct RabbitConsumer {
    link: Link,
    outbox: Outbox,
    names: Names,
    prefetch: u16,
    tasks: TaskTracker,
    intake: Option<Intake>,
    opening: Option<JoinHandle<Result<Intake, String>>>,
    /// How many channels there were.
    channels: u64,
    pace: Pace,
}

impl RabbitConsumer {
    pub(super) fn new(
        link: Link,
        outbox: Outbox,
        names: Names,
        prefetch: u16,
        tasks: TaskTracker,
    ) -> Self {
        // There from the first scrape on, so that a rate over it sees the first one.
        redeliveries_expected().increment(0);
        Self {
            link,
            outbox,
            names,
            // 0 would mean without bound, in lapin's memory.
            prefetch: prefetch.max(1),
            tasks,
            intake: None,
            opening: None,
            channels: 0,
            pace: Pace::new(),
        }
    }

    /// The channel, opened anew if the last one is gone. It opens in a task of its own: if it
    /// started over each time a caller stops waiting, an impatient caller would never have one,
    /// and each half-opened channel would take deliveries with it.
    async fn intake(&mut self) -> &mut Intake {
        while self.intake.is_none() {
            if self.opening.is_none() {
                let session = self.link.up().await;
                self.channels += 1;
                let pause = self.pace.next();
                let (number, names, prefetch) = (self.channels, self.names.clone(), self.prefetch);
                let channel =
                    Intake::open(session.clone(), number, names, prefetch, self.tasks.clone());
                let opening = open(session, channel, pause);
                self.opening = Some(self.tasks.spawn(opening));
            }
            if let Some(opening) = &mut self.opening {
                let opened = opening.await;
                self.opening = None;
                if let Ok(Ok(intake)) = opened {
                    self.pace.reset();
                    self.intake = Some(intake);
                }
            }
        }
        self.intake.as_mut().expect("just opened")
    }

    /// Waits for the first delivery and takes what else has arrived. Where it fails, the channel is
    /// of no more use, and everything it brought comes again.
    async fn receive(&mut self, max: usize) -> Result<Vec<Delivery>, String> {
        let mut link = self.link.clone();
        let intake = self.intake().await;
        let number = intake.session.number;
        let first = tokio::select! {
            biased;
            arrival = intake.next() => arrival?,
            why = link.left(number) => return Err(why),
        };
        // From here on nothing is awaited: a dropped future takes nothing with it.
        let mut batch = Vec::new();
        intake.unpack(first, &mut batch);
        let mut bytes: usize = batch.iter().map(Delivery::bytes).sum();
        while batch.len() < max
            && bytes < BATCH_BYTES_MAX
            && let Some(arrival) = intake.next_ready()
        {
            let before = batch.len();
            intake.unpack(arrival?, &mut batch);
            bytes += batch[before..].iter().map(Delivery::bytes).sum::<usize>();
        }
        Ok(batch)
    }

    /// Puts in the queues of the ladder what must wait. Gives back the places that are settled by
    /// that; parcels for which it did not succeed return to the queue. Fails when the connection that
    /// brought them is lost, because then they come again anyway.
    async fn climb(&mut self, waits: Vec<Wait>) -> Result<Vec<DeliveryId>, String> {
        let retries = waits.into_iter().filter_map(|wait| self.message(wait)).collect();
        let Some(intake) = &mut self.intake else { return Ok(Vec::new()) };
        let mut link = self.link.clone();
        let (climbed, failed) = tokio::select! {
            biased;
            climbed = climb(&self.outbox, retries) => climbed,
            why = link.left(intake.session.number) => return Err(why),
        };
        intake.give_back(failed).await;
        Ok(climbed)
    }

    /// The message that has these wait, if they are held.
    fn message(&self, Wait { mut ids, time, tried }: Wait) -> Option<(Vec<DeliveryId>, Message)> {
        let held = &self.intake.as_ref()?.held;
        ids.retain(|id| held.get(id.parcel, id.index).is_some());
        let first = ids.first()?;
        let kept = held.get(first.parcel, first.index)?;
        let payload = part(&kept.payload, ids.iter().map(|id| id.index));
        let mut past = kept.told.clone();
        if tried {
            (past.attempts, past.redeliveries) = (past.attempts.saturating_add(1), 0);
        }
        Some((ids, message::retry(&self.names, time, payload, &past)))
    }

    fn leave(&mut self, why: &str) {
        if let Some(intake) = self.intake.take() {
            tracing::debug!(why, session = intake.number, "consumer channel rebuilt");
        }
    }
}

impl Consumer for RabbitConsumer {
    async fn next_batch(&mut self, max: usize) -> Vec<Delivery> {
        loop {
            match self.receive(max).await {
                Ok(batch) if !batch.is_empty() => return batch,
                Ok(_) => {}
                Err(why) => self.leave(&why),
            }
        }
    }

    async fn settle(&mut self, settled: Vec<(DeliveryId, Settlement)>) {
        let current = self.intake.as_ref().map(|intake| intake.number);
        let total = settled.len();
        let mut done = Vec::new();
        let mut waits: Vec<Wait> = Vec::new();
        for (id, settlement) in settled.into_iter().filter(|(id, _)| Some(id.session) == current) {
            let (time, tried) = match settlement {
                Settlement::Done => {
                    done.push(id);
                    continue;
                }
                Settlement::RetryIn(time) => (time, true),
                Settlement::HoldFor(time) => (time, false),
            };
            match waits.last_mut() {
                Some(wait) if wait.takes(id, time, tried) => wait.ids.push(id),
                _ => waits.push(Wait { ids: vec![id], time, tried }),
            }
        }
        let known = done.len() + waits.iter().map(|wait| wait.ids.len()).sum::<usize>();
        expect_redeliveries(total - known);
        if !waits.is_empty() {
            match self.climb(waits).await {
                Ok(climbed) => done.extend(climbed),
                Err(why) => {
                    expect_redeliveries(known);
                    return self.leave(&why);
                }
            }
        }
        if let Some(intake) = &mut self.intake
            && let Err(why) = intake.acknowledge(&done).await
        {
            self.leave(&why);
        }
    }

    async fn pause(&mut self) {
        // It has subscribed already, or will in a moment.
        if let Some(opening) = &mut self.opening {
            let opened = opening.await;
            self.opening = None;
            self.intake = opened.ok().and_then(Result::ok);
        }
        if let Some(intake) = self.intake.take() {
            intake.end(&self.outbox, &self.names).await;
        }
    }

    /// As a pause: else each stop of a rollout would count for all that was taken ahead, and the third
    /// worker would take it for what killed two.
    async fn close(mut self) {
        self.pause().await;
    }
}

/// What waits together: one that was tried, or several of one parcel that were not.
#[derive(Debug)]
struct Wait {
    ids: Vec<DeliveryId>,
    time: Duration,
    tried: bool,
}

impl Wait {
    fn takes(&self, id: DeliveryId, time: Duration, tried: bool) -> bool {
        let same_parcel = self.ids.last().is_some_and(|last| last.parcel == id.parcel);
        !self.tried && !tried && self.time == time && same_parcel
    }
}

impl Intake {
    /// Turns a message into deliveries, and holds it.
    fn unpack(&mut self, arrival: Arrival, batch: &mut Vec<Delivery>) {
        let Arrival { source, delivery, .. } = arrival;
        let told = message::read(source, &delivery.properties, delivery.redelivered);
        let (attempts, redeliveries) = (told.attempts, told.redeliveries);
        let payload = Bytes::from(delivery.data);
        let tag = delivery.delivery_tag;
        let contents = contents(&payload, told.given_up.as_deref());
        let count = u32::try_from(contents.len()).expect("64 envelopes at most");
        let kept = Kept { acker: delivery.acker, payload, told };
        self.held.hold(tag, count, kept);
        let session = self.number;
        batch.extend((0..).zip(contents).map(|(index, content)| Delivery {
            id: DeliveryId { session, parcel: tag, index },
            attempts,
            redeliveries,
            content,
        }));
    }

    async fn give_back(&mut self, parcels: Vec<u64>) {
        for tag in parcels {
            if let Some(kept) = self.held.give_back(tag) {
                let options = BasicNackOptions { multiple: false, requeue: true };
                // Where this fails the channel has failed, which gives it back too.
                let _ = timeout(STEP_TIMEOUT, kept.acker.nack(options)).await;
            }
        }
    }

    async fn acknowledge(&mut self, done: &[DeliveryId]) -> Result<(), String> {
        let unknown = done.iter().filter(|id| !self.held.settle(id.parcel, id.index)).count();
        expect_redeliveries(unknown);
        for ack in self.held.take_acks() {
            let options = BasicAckOptions { multiple: ack.multiple };
            match timeout(STEP_TIMEOUT, ack.kept.acker.ack(options)).await {
                Ok(Ok(true)) => {}
                // Not sent, because the channel is gone: these come again.
                lost => {
                    expect_redeliveries(usize::try_from(ack.parcels).unwrap_or(usize::MAX));
                    return Err(format!("an acknowledgement was lost: {lost:?}"));
                }
            }
        }
        Ok(())
    }
}

/// Opens a channel. Where that fails the connection is given up, and there is a pause.
async fn open(
    session: Arc<Session>,
    channel: impl Future<Output = Result<Intake, String>>,
    pause: Duration,
) -> Result<Intake, String> {
    let opened = channel.await;
    if let Err(why) = &opened {
        session.give_up(why);
        sleep(pause).await;
    }
    opened
}

/// Puts on the ladder what must wait, all at once. Gives back the places that are settled by that,
/// and the parcels for which it did not succeed.
async fn climb(
    outbox: &Outbox,
    retries: Vec<(Vec<DeliveryId>, Message)>,
) -> (Vec<DeliveryId>, Vec<u64>) {
    let until = Instant::now() + LADDER_PATIENCE;
    let publishes = retries
        .into_iter()
        .map(|(ids, message)| async move { (ids, outbox.publish_retry(message, until).await) });
    let mut climbed = Vec::new();
    let mut failed = Vec::new();
    for (ids, published) in join_all(publishes).await {
        match published {
            Ok(()) => climbed.extend(ids),
            Err(error) => {
                tracing::warn!(%error, "an envelope that must wait is given back instead");
                failed.extend(ids.first().map(|id| id.parcel));
            }
        }
    }
    (climbed, failed)
}

fn contents(payload: &Bytes, given_up: Option<&str>) -> Vec<Content> {
    match (parcel::decode(payload), given_up) {
        (Ok(envelopes), None) => envelopes.into_iter().map(Content::Envelope).collect(),
        (Ok(envelopes), Some(why)) => envelopes
            .into_iter()
            .map(|envelope| Content::GivenUp { envelope, why: why.to_owned() })
            .collect(),
        (Err(error), given_up) => vec![unreadable(payload, &error, given_up)],
    }
}

fn unreadable(payload: &Bytes, error: &ParcelError, given_up: Option<&str>) -> Content {
    let why = match given_up {
        Some(given_up) => format!("{error}; {given_up}"),
        None => error.to_string(),
    };
    Content::Unreadable { raw: payload.clone(), newer: error.is_newer(), why }
}

/// Some envelopes of a parcel as a parcel of their own; what cannot be read stays as it is.
fn part(payload: &Bytes, places: impl IntoIterator<Item = u32>) -> Part {
    let envelopes = parcel::decode(payload).unwrap_or_default();
    match parcel::part(&envelopes, places) {
        Some((envelopes, parcel)) => Part {
            payload: parcel.into(),
            traceparent: traced::traceparent(&Span::default(), &envelopes),
        },
        None => Part { payload: payload.clone(), traceparent: None },
    }
}

/// Settled here, and handed out again all the same.
fn expect_redeliveries(count: usize) {
    if count > 0 {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        redeliveries_expected().increment(count);
    }
}

fn redeliveries_expected() -> metrics::Counter {
    metrics::counter!("onhand_redeliveries_expected_total")
}

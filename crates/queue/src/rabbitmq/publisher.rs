//! Publishing: a few lanes, each with one confirmed message in flight.
//!
//! lapin gives a returned (unroutable) message to whichever confirm of the channel comes next, so
//! with more than one in flight an unroutable publish can read as a plain success. One in flight
//! per channel excludes that, and parcels make up for it: a lone webhook goes at once, and what
//! arrives while a confirm is awaited goes out together, when the confirm is there or a parcel is
//! full (Nagle's rule). A message costs the broker and this process as much as ten webhooks in it.
//!
//! `Ok` means that the broker has said so: a quorum of its nodes has fsynced the parcel. If the
//! process dies before the answer, the parcel may or may not be there, and nobody was told it is.
//!
//! Each partition has lanes of its own, so that a parcel is for one queue.

use std::sync::Arc;
use std::time::Duration;

use domain::Envelope;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{Channel, Confirmation};
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use trace::Span;

use super::link::{Link, Session};
use super::message::{self, Message};
use super::partition;
use super::topology::Names;
use crate::pace::Pace;
use crate::{PublishError, measure, parcel, traced};

/// How many parcels wait for their confirms at the same time, or one for each partition: enough to
/// keep the broker's disk busy.
const LANES: usize = 4;

/// How many envelopes wait for a partition's lanes before publishers are held up. Ingress bounds the
/// bytes.
const INBOX_ENVELOPES: usize = 1024;

/// A broker that does not answer for so long is taken for gone, and the connection with it.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(5);

const UNCONFIRMED: &str = "onhand_publish_unconfirmed_total";

type Answer = Result<(), PublishError>;

/// What a lane takes from the inbox.
#[derive(Debug)]
enum Outgoing {
    Webhook(Envelope),
    /// A message of its own, ready to go.
    Retry(Message),
}

#[derive(Debug)]
struct Waiting {
    outgoing: Outgoing,
    answer: oneshot::Sender<Answer>,
}

/// The publishing side of a process: one connection and its lanes.
#[derive(Clone, Debug)]
pub(super) struct Outbox {
    /// One for each partition.
    inboxes: Arc<[mpsc::Sender<Waiting>]>,
    link: Link,
    /// For spans: where envelopes go.
    destination: Arc<str>,
}

impl Outbox {
    /// Starts the lanes. They stop when told to, after what they have in flight.
    pub(super) fn start(
        link: Link,
        names: &Names,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> Self {
        describe();
        let partitions = names.partitions.len().max(1);
        let inbox = |partition| {
            let (inbox, waiting) = mpsc::channel(INBOX_ENVELOPES);
            let waiting = Arc::new(Mutex::new(waiting));
            let in_flight = Arc::new(watch::Sender::new(0));
            for _ in 0..LANES.div_ceil(partitions) {
                let lane = Lane {
                    partition,
                    waiting: waiting.clone(),
                    in_flight: in_flight.clone(),
                    link: link.clone(),
                    names: names.clone(),
                    channel: None,
                    stop: stop.clone(),
                };
                tasks.spawn(lane.run());
            }
            inbox
        };
        Self {
            inboxes: (0..partitions).map(inbox).collect(),
            link: link.clone(),
            destination: names.webhooks.as_str().into(),
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.link.session().is_ok() && self.inboxes.iter().all(|inbox| !inbox.is_closed())
    }

    /// The outcome of the first attempt to connect.
    pub(super) async fn first_attempt(&self) -> Result<(), crate::QueueError> {
        self.link.clone().first_attempt().await
    }

    pub(super) async fn publish(&self, mut envelope: Envelope) -> Answer {
        let partition = match self.inboxes.len() {
            1 => 0,
            several => partition::of(&envelope, several),
        };
        let mut span = traced::publish(message::SYSTEM, &self.destination, &mut envelope);
        let answer = self.submit(partition, Outgoing::Webhook(envelope)).await;
        answer.inspect_err(|error| span.failed(error))
    }

    /// Publishes again and again until the broker has it or the time is over.
    pub(super) async fn publish_retry(&self, message: Message, until: Instant) -> Answer {
        let mut pace = Pace::new();
        // The lanes of any partition will do.
        let inbox = rand::random_range(0..self.inboxes.len());
        loop {
            let outgoing = Outgoing::Retry(message.clone());
            let tried = timeout_at(until, self.submit(inbox, outgoing)).await;
            let error = match tried {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => error,
                Err(_) => unavailable("no answer in time"),
            };
            let wait = pace.next();
            if Instant::now() + wait >= until {
                return Err(error);
            }
            sleep(wait).await;
        }
    }

    async fn submit(&self, partition: usize, outgoing: Outgoing) -> Answer {
        // Nobody waits for a connection that is not there.
        if let Err(why) = self.link.session() {
            measure::not_published(&unavailable(""), 1);
            return Err(unavailable(&why));
        }
        let (answer, answered) = oneshot::channel();
        let stopped = || unavailable("the publisher has stopped");
        let inbox = &self.inboxes[partition];
        inbox.send(Waiting { outgoing, answer }).await.map_err(|_| stopped())?;
        answered.await.unwrap_or_else(|_| Err(stopped()))
    }
}

/// A message and all who wait for it.
struct Parcel {
    message: Message,
    answers: Vec<oneshot::Sender<Answer>>,
    span: Span,
}

impl Parcel {
    fn answer(self, answer: &Answer) {
        for waiting in self.answers {
            // Who does not wait any more does not hear it.
            let _ = waiting.send(answer.clone());
        }
    }
}

struct Lane {
    partition: usize,
    waiting: Arc<Mutex<mpsc::Receiver<Waiting>>>,
    /// How many lanes of this inbox wait for a confirm.
    in_flight: Arc<watch::Sender<usize>>,
    link: Link,
    names: Names,
    channel: Option<(u64, Channel)>,
    stop: CancellationToken,
}

impl Lane {
    async fn run(mut self) {
        let mut taken = Vec::with_capacity(parcel::ENVELOPES_MAX);
        while let Some(on_its_way) = self.take(&mut taken).await {
            let mut on_its_way = Some(on_its_way);
            for mut parcel in gather(&self.names, self.partition, taken.drain(..)) {
                let answer = self.send(&parcel.message).await;
                // Whoever waits behind this lane waits for one confirm, and not for all of its parcels.
                drop(on_its_way.take());
                if let Err(error) = &answer {
                    measure::not_published(error, parcel.answers.len());
                    parcel.span.failed(error);
                }
                parcel.answer(&answer);
            }
        }
        // Who still waits is told so when the last lane drops the inbox.
    }

    /// Waits for the first, and for more until one of the other lanes has its confirm, up to a
    /// parcel's worth. Who is behind in line for the inbox waits meanwhile. `None`: stopped.
    async fn take(&self, taken: &mut Vec<Waiting>) -> Option<OnItsWay> {
        let mut waiting = self.waiting.lock().await;
        let mut in_flight = self.in_flight.subscribe();
        tokio::select! {
            biased;
            () = self.stop.cancelled() => return None,
            count = waiting.recv_many(taken, parcel::ENVELOPES_MAX) => if count == 0 { return None },
        }
        let awaited = *in_flight.borrow_and_update();
        while awaited > 0 && !is_full(taken) {
            let room = parcel::ENVELOPES_MAX - taken.len();
            tokio::select! {
                biased;
                more = waiting.recv_many(taken, room) => if more == 0 { break },
                _ = in_flight.wait_for(|lanes| *lanes < awaited) => break,
            }
        }
        // Before the next lane looks.
        Some(OnItsWay::begin(self.in_flight.clone()))
    }

    /// Publishes one message and waits for the broker's word.
    async fn send(&mut self, message: &Message) -> Answer {
        let session = self.link.session().map_err(|why| unavailable(&why))?;
        let channel = self.channel(&session).await.map_err(|why| {
            session.give_up(why.clone());
            unavailable(&why)
        })?;
        let mut link = self.link.clone();
        let started = Instant::now();
        let answer = tokio::select! {
            word = confirm(&channel, message) => word.and_then(|word| judge(&session, word)),
            // Blocked, mostly: the channel is abandoned with its publish, the connection is not.
            why = link.left(session.number) => Err(unavailable(&why)),
            () = sleep(CONFIRM_TIMEOUT) => {
                count_unconfirmed("none");
                let key = &message.routing_key;
                let why = format!("no publisher confirm in time, with routing key {key:?}");
                session.give_up(&why);
                Err(unavailable(&why))
            }
        };
        match &answer {
            Ok(()) => metrics::histogram!("onhand_publish_confirm_seconds")
                .record(started.elapsed().as_secs_f64()),
            Err(PublishError::Unavailable(_)) => self.channel = None,
            Err(PublishError::Refused(_)) => {}
        }
        answer
    }

    /// The lane's channel in this session.
    async fn channel(&mut self, session: &Session) -> Result<Channel, String> {
        if let Some((number, channel)) = &self.channel
            && *number == session.number
            && channel.status().connected()
        {
            return Ok(channel.clone());
        }
        let opened = timeout(CONFIRM_TIMEOUT, async {
            let channel = session.connection.create_channel().await?;
            // Without this every publish would be answered at once, and never truly.
            channel.confirm_select(ConfirmSelectOptions { nowait: false }).await?;
            Ok::<_, lapin::Error>(channel)
        });
        let channel = match opened.await {
            Ok(Ok(channel)) => channel,
            Ok(Err(error)) => return Err(error.to_string()),
            Err(_) => return Err("no channel in time".to_owned()),
        };
        self.channel = Some((session.number, channel.clone()));
        Ok(channel)
    }
}

/// A lane has a parcel on its way, for as long as this lives.
struct OnItsWay(Arc<watch::Sender<usize>>);

impl OnItsWay {
    fn begin(in_flight: Arc<watch::Sender<usize>>) -> Self {
        in_flight.send_modify(|lanes| *lanes += 1);
        Self(in_flight)
    }
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        self.0.send_modify(|lanes| *lanes -= 1);
    }
}

/// Whether it fills a parcel. A retry is one by itself: nothing is won by waiting for others.
fn is_full(taken: &[Waiting]) -> bool {
    let bytes = |waiting: &Waiting| match &waiting.outgoing {
        Outgoing::Webhook(envelope) => envelope.body.len(),
        Outgoing::Retry(_) => parcel::SHARED_BYTES_MAX,
    };
    taken.len() >= parcel::ENVELOPES_MAX
        || taken.iter().map(bytes).sum::<usize>() >= parcel::SHARED_BYTES_MAX
}

/// Puts webhooks into parcels, and answers at once where that cannot be.
fn gather(names: &Names, partition: usize, taken: impl Iterator<Item = Waiting>) -> Vec<Parcel> {
    let mut parcels = Vec::new();
    // Behind the webhooks, whose senders wait for an answer.
    let mut retries = Vec::new();
    let mut envelopes = Vec::new();
    let mut answers = Vec::new();
    // Who gave up waiting will send again: publishing it all the same would only double it.
    for waiting in taken.filter(|waiting| !waiting.answer.is_closed()) {
        match waiting.outgoing {
            Outgoing::Webhook(envelope) => {
                envelopes.push(envelope);
                answers.push(waiting.answer);
            }
            Outgoing::Retry(message) => {
                let (answers, span) = (vec![waiting.answer], Span::default());
                retries.push(Parcel { message, answers, span });
            }
        }
    }
    let mut answers = answers.into_iter();
    for envelopes in parcel::split(envelopes) {
        let answers: Vec<_> = answers.by_ref().take(envelopes.len()).collect();
        let span = traced::send(message::SYSTEM, &names.webhooks, &envelopes);
        let traceparent = traced::traceparent(&span, &envelopes);
        match message::webhooks(names, partition, &envelopes, traceparent) {
            Ok(message) => {
                let size = u32::try_from(envelopes.len()).unwrap_or(u32::MAX);
                metrics::histogram!("onhand_parcel_envelopes").record(f64::from(size));
                parcels.push(Parcel { message, answers, span });
            }
            Err(too_large) => {
                let refused = Err(PublishError::Refused(too_large.to_string()));
                answers.into_iter().for_each(|waiting| drop(waiting.send(refused.clone())));
            }
        }
    }
    parcels.extend(retries);
    parcels
}

/// Both halves of a publish: the frame's way out, and the broker's answer.
async fn confirm(channel: &Channel, message: &Message) -> Result<Confirmation, PublishError> {
    // Mandatory: the broker says so when it has no queue for it, instead of dropping it.
    // Immediate: RabbitMQ does not know it.
    let options = BasicPublishOptions { mandatory: true, immediate: false };
    let published = channel
        .basic_publish(
            message.exchange.as_str().into(),
            message.routing_key.as_str().into(),
            options,
            &message.payload,
            message.properties.clone(),
        )
        .await;
    let confirmed = match published {
        Ok(confirm) => confirm.await,
        Err(error) => Err(error),
    };
    confirmed.map_err(|error| unavailable(&error.to_string()))
}

/// What the broker's word means.
fn judge(session: &Session, word: Confirmation) -> Answer {
    match word {
        // The only success: an unroutable message is acknowledged too, but comes back with it.
        Confirmation::Ack(None) => Ok(()),
        Confirmation::Ack(Some(returned)) => {
            count_unconfirmed("returned");
            // Somebody deleted what we declared. The next session declares it anew.
            session.give_up("a queue or a binding is gone");
            let said = returned.reply_text.as_str();
            Err(PublishError::Refused(format!("the broker has no queue for it ({said})")))
        }
        Confirmation::Nack(_) => {
            count_unconfirmed("nacked");
            Err(PublishError::Refused("the broker's queue is full".to_owned()))
        }
        Confirmation::NotRequested => unreachable!("every lane selects confirms"),
    }
}

fn unavailable(why: &str) -> PublishError {
    PublishError::Unavailable(why.to_owned())
}

/// There from the first scrape on, so that a rate over it sees the first one.
fn describe() {
    metrics::describe_counter!(UNCONFIRMED, "Parcels that the broker did not confirm, by answer");
    for answer in ["returned", "nacked", "none"] {
        metrics::counter!(UNCONFIRMED, "answer" => answer).increment(0);
    }
    measure::describe();
}

fn count_unconfirmed(answer: &'static str) {
    metrics::counter!(UNCONFIRMED, "answer" => answer).increment(1);
}

//! A lane: takes batches from the queue, has them decided and committed, settles them.
//!
//! Nothing is settled before its effects are durable. While the store is away the lane holds its
//! batch and asks until it answers: nothing is lost and nobody's attempts grow. So it is while
//! operators have paused it all, or a shop ([`crate::pauses`]).

use std::sync::Arc;
use std::time::Duration;

use domain::{BodyHash, ChangeSet, DeadLetter, DeadReason, EnvelopeId, retry};
use platforms::Shops;
use queue::{Consumer, Content, Delivery, DeliveryId, Settlement};
use store::{Store, StoreError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::batch::{Done, Processor, RetryReason, UNWRITABLE_WAIT, answers};
use crate::hands::Hands;
use crate::pauses::Heard;
use crate::prepare::Work;
use crate::{clock, measure, traced};

/// Parcels that were handed out this often without being settled are decided envelope by envelope.
const SUSPECT_REDELIVERIES: u32 = 2;

/// So often a suspect is decided alone before it is held for the killer.
const SUSPECT_TRIES: u32 = 5;

/// Failures of one batch, with a store that answers in between, after which it is tried in halves.
const OUTAGES_MAX: u32 = 3;

pub(crate) struct Lane<C, S> {
    pub(crate) consumer: C,
    pub(crate) processor: Processor<S>,
    pub(crate) shops: watch::Receiver<Arc<Shops>>,
    pub(crate) pauses: Heard,
    pub(crate) batch_max: usize,
    pub(crate) hands: Hands,
    pub(crate) stop: CancellationToken,
}

impl<C: Consumer, S: Store> Lane<C, S> {
    /// Works until stopped; what was taken by then is finished first.
    pub(crate) async fn run(mut self) {
        while self.may_take().await.is_some() {
            let deliveries = tokio::select! {
                biased;
                () = self.stop.cancelled() => break,
                () = self.pauses.all_paused() => continue,
                deliveries = self.consumer.next_batch(self.batch_max) => deliveries,
            };
            let (held, deliveries) = self.held(deliveries);
            let _in_hand = self.hands.take(&deliveries);
            let (suspects, sound): (Vec<_>, Vec<_>) = deliveries
                .into_iter()
                .partition(|delivery| delivery.redeliveries >= SUSPECT_REDELIVERIES);
            if !sound.is_empty() {
                self.handle(sound).await;
            }
            for suspect in suspects {
                self.handle_suspect(suspect).await;
            }
            if !held.is_empty() {
                self.consumer.settle(held).await;
            }
        }
        self.consumer.close().await;
    }

    /// Waits while all is paused, without anything of the queue's. `None`: stopped meanwhile.
    async fn may_take(&mut self) -> Option<()> {
        if self.pauses.is_all_paused() {
            self.consumer.pause().await;
        }
        tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            () = self.pauses.open() => Some(()),
        }
    }

    /// What comes of paused shops, and the rest.
    fn held(&self, deliveries: Vec<Delivery>) -> (Vec<(DeliveryId, Settlement)>, Vec<Delivery>) {
        let shops = self.shops.borrow().clone();
        let mut held = Vec::new();
        let rest = deliveries.into_iter().filter(|delivery| {
            let wait = match &delivery.content {
                Content::Envelope(envelope) | Content::GivenUp { envelope, .. } => {
                    self.pauses.held_for(envelope, &shops)
                }
                Content::Unreadable { .. } => None,
            };
            held.extend(wait.map(|wait| (delivery.id, Settlement::HoldFor(wait))));
            wait.is_none()
        });
        let rest = rest.collect();
        (held, rest)
    }

    /// Has a batch decided and settles it; unsettled if the lane is stopped while the store is away.
    async fn handle(&mut self, deliveries: Vec<Delivery>) {
        let mut work = Vec::with_capacity(deliveries.len());
        let mut ids = Vec::with_capacity(deliveries.len());
        let mut spans = Vec::with_capacity(deliveries.len());
        let mut settled = Vec::new();
        for delivery in deliveries {
            match understand(delivery) {
                Understood::Work(id, mut one) => {
                    ids.push(id);
                    spans.push(traced::consume(&mut one));
                    work.push(*one);
                }
                Understood::Later(id, wait) => {
                    settled.push((id, retry_in(wait, RetryReason::Newer)));
                }
                Understood::Unreadable(id, letter) => {
                    let settlement = self.bury(*letter).await;
                    settled.extend(settlement.map(|settlement| (id, settlement)));
                }
            }
        }
        let done = self.decide(work).await;
        traced::consumed(&mut spans, done.as_deref());
        settled.extend(ids.into_iter().zip(done.into_iter().flatten().map(settlement)));
        self.consumer.settle(settled).await;
    }

    /// Decides one envelope alone, noting durably that it is about to: whatever it does to this
    /// process, its neighbours do not pay for it.
    async fn handle_suspect(&mut self, delivery: Delivery) {
        let id = delivery.id;
        let Understood::Work(_, mut work) = understand(delivery.clone()) else {
            return self.handle(vec![delivery]).await;
        };
        let Some(tries) = self.suspect(work.envelope.id).await else { return };
        if tries > SUSPECT_TRIES {
            let detail = format!("decided alone {SUSPECT_TRIES} times, and never to an end");
            work.verdict = Some((DeadReason::Poison, detail));
        }
        work.suspect = true;
        let mut span = traced::consume(&mut work);
        let done = self.decide(vec![*work]).await;
        traced::consumed(std::slice::from_mut(&mut span), done.as_deref());
        if let Some(mut done) = done {
            self.consumer.settle(vec![(id, settlement(done.remove(0)))]).await;
        }
    }

    /// `None`: stopped while the store was away.
    async fn decide(&mut self, work: Vec<Work>) -> Option<Vec<Done>> {
        if work.is_empty() {
            return Some(Vec::new());
        }
        let mut outages = 0;
        loop {
            let shops = self.shops.borrow().clone();
            let patient = outages < OUTAGES_MAX;
            match self.processor.process(work.clone(), &shops, patient).await {
                Ok(done) => return Some(done),
                Err(error) => {
                    self.wait_for_store(&error).await?;
                    outages += 1;
                }
            }
        }
    }

    async fn suspect(&mut self, envelope: EnvelopeId) -> Option<u32> {
        loop {
            match self.processor.store().suspect(envelope).await {
                Ok(tries) => return Some(tries),
                Err(error) => self.wait_for_store(&error).await?,
            }
        }
    }

    /// Keeps what is not even an envelope. `None`: stopped while the store was away.
    async fn bury(&mut self, letter: DeadLetter) -> Option<Settlement> {
        let changes = ChangeSet { dead: vec![letter], ..ChangeSet::default() };
        loop {
            match self.processor.store().commit(&changes).await {
                Ok(_) => return Some(Settlement::Done),
                Err(error @ StoreError::Rejected(_)) => {
                    let error = crate::error_chain(&error);
                    tracing::error!(error, "cannot write a dead letter");
                    return Some(retry_in(UNWRITABLE_WAIT, RetryReason::Unwritable));
                }
                Err(error) => self.wait_for_store(&error).await?,
            }
        }
    }

    /// Waits until the store answers. `None`: stopped meanwhile.
    async fn wait_for_store(&mut self, error: &StoreError) -> Option<()> {
        tracing::warn!(error = crate::error_chain(error), "the store is away; holding the batch");
        measure::store_outage();
        tokio::select! {
            biased;
            () = self.stop.cancelled() => return None,
            () = answers(self.processor.store()) => {}
        }
        tracing::info!("the store answers");
        Some(())
    }
}

/// A delivery, by what can be done with it.
enum Understood {
    Work(DeliveryId, Box<Work>),
    /// Written by a later version of Onhand: a worker that can read it may come.
    Later(DeliveryId, Duration),
    Unreadable(DeliveryId, Box<DeadLetter>),
}

fn understand(delivery: Delivery) -> Understood {
    let Delivery { id, attempts, content, .. } = delivery;
    match content {
        Content::Envelope(envelope) => {
            Understood::Work(id, Box::new(Work::new(envelope, attempts)))
        }
        Content::GivenUp { envelope, why } => {
            let mut work = Work::new(envelope, attempts);
            work.verdict = Some((DeadReason::BrokerDeadLetter, why));
            Understood::Work(id, Box::new(work))
        }
        Content::Unreadable { raw, newer, why } => match retry::wait_after(attempts) {
            Some(wait) if newer => Understood::Later(id, wait),
            _ => Understood::Unreadable(id, Box::new(unreadable(&raw, attempts, why))),
        },
    }
}

fn unreadable(raw: &[u8], attempts: u32, why: String) -> DeadLetter {
    let now = clock::now();
    DeadLetter {
        // The same bytes are the same dead letter, however often they are delivered.
        envelope: EnvelopeId(uuid::Uuid::from_bytes(BodyHash::of(raw).0)),
        shop: None,
        webhook: None,
        topic: String::new(),
        reason: DeadReason::Malformed,
        detail: why,
        attempts,
        received_at: now,
        died_at: now,
        raw: raw.to_vec(),
    }
}

fn settlement(done: Done) -> Settlement {
    match done {
        Done::Decided(_) => Settlement::Done,
        Done::RetryIn(wait, reason) => retry_in(wait, reason),
    }
}

/// To the retry ladder, and counted: whoever asks is about to settle.
fn retry_in(wait: Duration, reason: RetryReason) -> Settlement {
    measure::retried(reason);
    Settlement::RetryIn(wait)
}

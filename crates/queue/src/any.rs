//! The queue that the settings name, chosen at run time.
//!
//! Programs use this one, so that everything above the queue is compiled once and not once per
//! queue. A publish costs one small allocation more.

use std::convert::Infallible;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;

use domain::Envelope;

use crate::depth;
use crate::embedded::{EmbeddedConsumer, EmbeddedPublisher, EmbeddedQueue};
use crate::rabbitmq::{RabbitConsumer, RabbitMq, RabbitMqConfig, RabbitPublisher, Reach};
use crate::spool::{Spool, Spooling};
use crate::{
    Consumer, Delivery, DeliveryId, PublishError, Publisher, QueueError, QueueStats, Settlement,
};

/// Parcels that one consumer may hold unacknowledged.
const PREFETCH: u16 = 64;

/// What a call will answer.
pub(crate) type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where a queue is.
#[derive(Clone, Debug)]
pub enum Broker {
    /// A file.
    Embedded(PathBuf),
    RabbitMq(RabbitMqConfig),
}

impl Broker {
    /// Opens it. A broker that is away is waited for later; a file must open now.
    pub fn open(&self) -> Answer<'_, Result<AnyQueue, QueueError>> {
        Box::pin(async move {
            Ok(match self {
                Self::Embedded(path) => AnyQueue::Embedded(EmbeddedQueue::open(path).await?),
                Self::RabbitMq(config) => {
                    AnyQueue::RabbitMq(Box::new(RabbitMq::connect_lazily(config.clone())?))
                }
            })
        })
    }

    /// What waits, asked beside the processes that use it.
    pub fn stats(&self) -> Answer<'_, Result<QueueStats, QueueError>> {
        Box::pin(async move {
            match self {
                Self::Embedded(path) => EmbeddedQueue::peek_stats(path).await,
                Self::RabbitMq(config) => {
                    // Without the connection that publishes: each trip counts, to a broker far away.
                    let broker = RabbitMq::connect_lazily(config.clone())?;
                    let stats = broker.stats().await;
                    broker.close().await;
                    stats
                }
            }
        })
    }
}

/// One of the queues.
#[derive(Debug)]
pub enum AnyQueue {
    Embedded(EmbeddedQueue),
    RabbitMq(Box<RabbitMq>),
}

#[derive(Clone, Debug)]
pub enum AnyPublisher {
    Embedded(EmbeddedPublisher),
    RabbitMq(RabbitPublisher),
    /// One of the others, and a spool for what it does not take.
    Spooling(Box<Spooling<AnyPublisher>>),
}

#[derive(Debug)]
pub enum AnyConsumer {
    Embedded(Box<EmbeddedConsumer>),
    RabbitMq(Box<RabbitConsumer>),
}

/// Calls whichever it is. Boxed here, outside of any async body: that is what keeps the compiling
/// of both queues' futures in this crate.
macro_rules! whichever {
    ($any:expr, $queue:ident => $call:expr) => {{
        let answer: Answer<'_, _> = match $any {
            Self::Embedded($queue) => Box::pin($call),
            Self::RabbitMq($queue) => Box::pin($call),
        };
        answer
    }};
}

impl AnyQueue {
    pub fn publisher(&self) -> AnyPublisher {
        match self {
            Self::Embedded(queue) => AnyPublisher::Embedded(queue.publisher()),
            Self::RabbitMq(queue) => AnyPublisher::RabbitMq(queue.publisher()),
        }
    }

    /// A consumer for one lane.
    pub fn consumer(&self) -> AnyConsumer {
        match self {
            Self::Embedded(queue) => AnyConsumer::Embedded(Box::new(queue.consumer())),
            Self::RabbitMq(queue) => AnyConsumer::RabbitMq(Box::new(queue.consumer(PREFETCH))),
        }
    }

    /// What waits, asked over the connection that consumers have.
    pub fn stats(&self) -> Answer<'_, Result<QueueStats, QueueError>> {
        whichever!(self, queue => queue.stats())
    }

    /// Shows as metrics how much waits, for as long as it is polled.
    pub fn show_depth(&self) -> Answer<'_, Infallible> {
        Box::pin(depth::show(self))
    }

    /// Whether consumers reach the broker; a file needs no reaching.
    pub fn reach(&self) -> Option<Reach> {
        match self {
            Self::Embedded(_) => None,
            Self::RabbitMq(queue) => Some(queue.reach()),
        }
    }

    /// Gives back what consumers hold and closes connections and files.
    pub fn close(self) -> Answer<'static, ()> {
        whichever!(self, queue => queue.close())
    }
}

impl AnyPublisher {
    /// The same, with `spool` for what it does not take.
    pub fn spooling(self, spool: &Spool) -> Self {
        Self::Spooling(Box::new(spool.in_front_of(self)))
    }
}

impl Publisher for AnyPublisher {
    fn publish(&self, envelope: Envelope) -> impl Future<Output = Result<(), PublishError>> + Send {
        let answer: Answer<'_, _> = match self {
            Self::Embedded(queue) => Box::pin(queue.publish(envelope)),
            Self::RabbitMq(queue) => Box::pin(queue.publish(envelope)),
            Self::Spooling(queue) => Box::pin(queue.publish(envelope)),
        };
        answer
    }

    fn is_ready(&self) -> bool {
        match self {
            Self::Embedded(queue) => queue.is_ready(),
            Self::RabbitMq(queue) => queue.is_ready(),
            Self::Spooling(queue) => queue.is_ready(),
        }
    }
}

impl Consumer for AnyConsumer {
    fn next_batch(&mut self, max: usize) -> impl Future<Output = Vec<Delivery>> + Send {
        whichever!(self, queue => queue.next_batch(max))
    }

    fn settle(
        &mut self,
        settled: Vec<(DeliveryId, Settlement)>,
    ) -> impl Future<Output = ()> + Send {
        whichever!(self, queue => queue.settle(settled))
    }

    fn pause(&mut self) -> impl Future<Output = ()> + Send {
        whichever!(self, queue => queue.pause())
    }

    fn close(self) -> impl Future<Output = ()> + Send {
        whichever!(self, queue => queue.close())
    }
}

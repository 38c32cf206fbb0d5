//! The way from ingress to worker: durable, at least once, in parcels.
//!
//! Two implementations of one contract, and the only crate that names lapin:
//!
//! * [`rabbitmq`]: quorum queues, publisher confirms, a retry ladder of TTL queues
//! * [`embedded`]: a SQLite file in the data folder, for `onhand serve`
//!
//! [`AnyQueue`] is the one that the settings name. A [`spool`] in front of a publisher keeps what the
//! broker does not take.
//!
//! The contract (the conformance suite in `tests/` runs it on both):
//!
//! * `publish` answers `Ok` only when the envelope survives the death of every process here.
//!   `Err` means *unknown*: it may be in the queue all the same.
//! * Every published envelope is delivered until it is settled; never zero times, sometimes twice.
//! * A delivery that a dead process held comes back at once.
//! * `settle(RetryIn)` and `settle(HoldFor)` have the envelope durably waiting before the old delivery
//!   is given up.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use domain::{Envelope, Timestamp};

mod any;
mod depth;
pub mod embedded;
mod measure;
mod pace;
pub mod parcel;
pub mod rabbitmq;
pub mod spool;
mod traced;

pub use any::{AnyConsumer, AnyPublisher, AnyQueue, Broker};

/// Hands envelopes to the queue. Cheap to clone; all clones share connections and parcels.
pub trait Publisher: Clone + Send + Sync + 'static {
    /// Returns when the envelope is durable. What arrives while earlier confirms are in flight
    /// travels in one parcel; a lone envelope never waits for company. Has no timeout of its own
    /// beyond the broker's: the caller bounds it.
    fn publish(&self, envelope: Envelope) -> impl Future<Output = Result<(), PublishError>> + Send;

    /// Whether a publish now would have a chance: connected and not blocked.
    fn is_ready(&self) -> bool;
}

/// The envelope is not known to be durable.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PublishError {
    /// No connection, or it broke, or it is blocked by the broker.
    #[error("the queue is not reachable: {0}")]
    Unavailable(String),
    /// The broker refused (a full queue) or could not route.
    #[error("the queue refused the envelope: {0}")]
    Refused(String),
}

/// Takes deliveries from the queue, for one worker lane.
pub trait Consumer: Send + 'static {
    /// Waits for at least one delivery and returns what is there, up to about `max` envelopes
    /// (parcels are not split). While the broker is away it waits and reconnects by itself.
    /// Dropping the future loses nothing.
    fn next_batch(&mut self, max: usize) -> impl Future<Output = Vec<Delivery>> + Send;

    /// Settles deliveries. What is lost on the way (a broken connection) is delivered again.
    fn settle(&mut self, settled: Vec<(DeliveryId, Settlement)>)
    -> impl Future<Output = ()> + Send;

    /// Gives everything unsettled back to the queue, until the next [`Consumer::next_batch`]. What was
    /// taken ahead and never handed out goes back as if it had not been taken: no redelivery.
    fn pause(&mut self) -> impl Future<Output = ()> + Send;

    /// Gives everything unsettled back to the queue, for good; what was never handed out as
    /// [`Consumer::pause`] does.
    fn close(self) -> impl Future<Output = ()> + Send;
}

/// Names one delivery to [`Consumer::settle`]; means nothing to another consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId {
    /// Counts the consumer's connections: deliveries of an earlier one are void.
    pub session: u64,
    pub parcel: u64,
    /// The place within the parcel.
    pub index: u32,
}

/// One envelope as the queue hands it over.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub id: DeliveryId,
    /// How often it waited on the retry ladder.
    pub attempts: u32,
    /// How often its parcel was handed out before without being settled.
    pub redeliveries: u32,
    pub content: Content,
}

impl Delivery {
    /// The length of its body.
    pub fn bytes(&self) -> usize {
        match &self.content {
            Content::Envelope(envelope) | Content::GivenUp { envelope, .. } => envelope.body.len(),
            Content::Unreadable { raw, .. } => raw.len(),
        }
    }
}

/// What was in the queue.
#[derive(Clone, Debug)]
pub enum Content {
    Envelope(Envelope),
    /// The broker gave up on this one (delivery limit) or could not route it.
    GivenUp {
        envelope: Envelope,
        why: String,
    },
    /// Not a parcel we can read. `newer`: a later version of Onhand wrote it.
    Unreadable {
        raw: Bytes,
        newer: bool,
        why: String,
    },
}

/// What is done with a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// Its effects are durable elsewhere: forget it.
    Done,
    /// Deliver it again, not before this time has passed; `attempts` grows by one.
    RetryIn(Duration),
    /// Deliver it again, not before this time has passed, as if for the first time: nobody tried it,
    /// and nothing counts. What shared its parcel and waits as long, stays together.
    HoldFor(Duration),
}

/// How much is waiting, in parcels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueStats {
    pub ready: u64,
    /// `None`: the broker does not tell.
    pub unacked: Option<u64>,
    /// Waiting on the retry ladder.
    pub delayed: u64,
    /// When the oldest webhook arrived of those that wait for nothing but a worker. `None`: there is
    /// none, or the broker does not tell.
    pub oldest: Option<Timestamp>,
}

/// The queue cannot be reached or used at all.
#[derive(Clone, Debug, thiserror::Error)]
pub enum QueueError {
    #[error("cannot reach the broker: {0}")]
    Unreachable(String),
    /// It is there, but not as we need it: says what to mend.
    #[error("{0}")]
    Unusable(String),
}

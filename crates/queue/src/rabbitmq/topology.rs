//! What is declared on the broker, and why each option is what it is.
//!
//! ```text
//! publish ─▶ onhand (direct) ─ webhooks ─▶ onhand.webhooks ─ delivery limit ─▶ onhand.dead
//!              │      ▲
//!   no route   │      └── after its time ── onhand.retry.1s … 3600s ◀─ settle(RetryIn)
//!              ▼
//!         onhand.unrouted (fanout) ─▶ onhand.unrouted
//! ```
//!
//! With several partitions webhooks go to `onhand.webhooks.0`, `.1` and so on, each with a single
//! active consumer; what comes from the ladder still goes through `onhand.webhooks`.
//!
//! Every option is given by name and means the same on RabbitMQ 3.10 and 4: their defaults differ.
//! Options are queue arguments and not policies, so that no rights beyond configure, write and read
//! are needed and a queue that differs is a loud error at the start instead of a quiet loss later.
//! Everything is declared anew with each connection: declaring what is there changes nothing, and
//! what somebody deleted comes back.

use std::time::Duration;

use domain::retry::RUNGS;
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ErrorKind, ExchangeKind};

use crate::QueueError;

/// How often a parcel may be handed out without being settled before the broker sets it aside. A
/// backstop only: a worker notices a parcel that brings it down long before. Always positive,
/// because -1 means "no limit" to RabbitMQ 4 and "drop at the first redelivery" to 3.10.
pub(super) const DELIVERY_LIMIT: i64 = 100;

/// Where a limit would lose messages for want of a dead-letter queue: as good as none.
const NO_DELIVERY_LIMIT: i64 = 1_000_000_000;

/// A full queue refuses, and the sender sends again later. The broker keeps some 32 bytes of
/// memory per waiting parcel, so this bounds that to about 128 MiB.
const QUEUE_PARCELS_MAX: i64 = 4_000_000;

/// With what routing key webhooks go to the exchange.
pub(super) const WEBHOOKS_KEY: &str = "webhooks";

/// The names of everything on the broker, all under one prefix.
#[derive(Clone, Debug)]
pub(super) struct Names {
    pub(super) exchange: String,
    pub(super) webhooks: String,
    /// Queues beside `webhooks`, each with its routing key; none where one is enough.
    pub(super) partitions: Vec<Partition>,
    pub(super) dead: String,
    /// An exchange and a queue.
    pub(super) unrouted: String,
    rungs: Vec<(Duration, String)>,
    /// The first that is not there, unless there were more before.
    next_partition: String,
}

/// One of several queues that share the webhooks.
#[derive(Clone, Debug)]
pub(super) struct Partition {
    pub(super) queue: String,
    pub(super) key: String,
}

impl Partition {
    fn new(prefix: &str, number: u16) -> Self {
        let key = format!("{WEBHOOKS_KEY}.{number}");
        Self { queue: format!("{prefix}.{key}"), key }
    }
}

impl Names {
    pub(super) fn new(prefix: &str, partitions: u16) -> Self {
        let rung = |wait: Duration| (wait, format!("{prefix}.retry.{}s", wait.as_secs()));
        let count = if partitions > 1 { partitions } else { 0 };
        Self {
            partitions: (0..count).map(|number| Partition::new(prefix, number)).collect(),
            next_partition: Partition::new(prefix, count).queue,
            exchange: prefix.to_owned(),
            webhooks: format!("{prefix}.webhooks"),
            dead: format!("{prefix}.dead"),
            unrouted: format!("{prefix}.unrouted"),
            rungs: RUNGS.into_iter().map(rung).collect(),
        }
    }

    /// The queue in which a message waits at least this long; the longest for what is longer.
    pub(super) fn rung(&self, wait: Duration) -> &str {
        let fits = self.rungs.iter().find(|(rung, _)| *rung >= wait);
        let (_, queue) = fits.or(self.rungs.last()).expect("the ladder has rungs");
        queue
    }

    pub(super) fn rungs(&self) -> impl Iterator<Item = &str> {
        self.rungs.iter().map(|(_, queue)| queue.as_str())
    }

    /// With which routing key an envelope goes to the exchange: that of its partition, if any.
    pub(super) fn key(&self, partition: usize) -> &str {
        self.partitions.get(partition).map_or(WEBHOOKS_KEY, |partition| &partition.key)
    }

    /// Where webhooks wait for a worker.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &str> {
        let partitions = self.partitions.iter().map(|partition| partition.queue.as_str());
        std::iter::once(self.webhooks.as_str()).chain(partitions)
    }

    /// The queues that a worker drains.
    pub(super) fn drained(&self) -> impl Iterator<Item = &str> {
        self.waiting().chain([self.dead.as_str(), self.unrouted.as_str()])
    }
}

/// Declares everything, in an order in which no message could be lost in between.
pub(super) async fn declare(connection: &Connection, names: &Names) -> Result<(), QueueError> {
    let channel = connection.create_channel().await.map_err(|error| unusable("channel", error))?;

    exchange(&channel, &names.unrouted, ExchangeKind::Fanout, FieldTable::default()).await?;
    queue(&channel, &names.unrouted, at_rest()).await?;
    bind(&channel, &names.unrouted, &names.unrouted, "").await?;
    queue(&channel, &names.dead, at_rest()).await?;

    let mut options = FieldTable::default();
    // What no binding takes is kept for the workers to see, whoever published it.
    insert(&mut options, "alternate-exchange", text(&names.unrouted));
    exchange(&channel, &names.exchange, ExchangeKind::Direct, options).await?;

    // Through the default exchange ("") a dead letter goes to the queue that its key names.
    let webhooks = dead_lettering(quorum(DELIVERY_LIMIT), "", &names.dead);
    queue(&channel, &names.webhooks, webhooks).await?;
    bind(&channel, &names.webhooks, &names.exchange, WEBHOOKS_KEY).await?;
    for Partition { queue: name, key } in &names.partitions {
        let mut partition = dead_lettering(quorum(DELIVERY_LIMIT), "", &names.dead);
        // So that what is known of one order is decided by one lane after the other.
        insert(&mut partition, "x-single-active-consumer", AMQPValue::Boolean(true));
        queue(&channel, name, partition).await?;
        bind(&channel, name, &names.exchange, key).await?;
    }

    for (wait, name) in &names.rungs {
        let mut rung = dead_lettering(quorum(NO_DELIVERY_LIMIT), &names.exchange, WEBHOOKS_KEY);
        // One queue per wait and one time per queue: a time per message would only be looked at
        // when the message reaches the head.
        let wait_ms = i64::try_from(wait.as_millis()).expect("an hour at most");
        insert(&mut rung, "x-message-ttl", AMQPValue::LongLongInt(wait_ms));
        queue(&channel, name, rung).await?;
    }

    let closed = channel.close(200, "declared".into()).await;
    closed.map_err(|error| unusable("channel", error))?;
    look_beyond(connection, names).await;
    Ok(())
}

/// What the broker tells of a queue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Depth {
    pub(super) ready: u64,
    pub(super) consumers: u32,
}

pub(super) async fn depth(channel: &Channel, name: &str) -> Result<Depth, lapin::Error> {
    // Passive only asks. The other options do not matter then, but must be given.
    let passive = QueueDeclareOptions { passive: true, durable: true, ..Default::default() };
    let queue = channel.queue_declare(name.into(), passive, FieldTable::default()).await?;
    Ok(Depth { ready: queue.message_count().into(), consumers: queue.consumer_count() })
}

/// How many messages are ready in a queue.
pub(super) async fn ready(channel: &Channel, name: &str) -> Result<u64, lapin::Error> {
    Ok(depth(channel, name).await?.ready)
}

/// How many messages wait for a worker.
pub(super) async fn waiting(channel: &Channel, names: &Names) -> Result<u64, lapin::Error> {
    let mut count = 0;
    for queue in names.waiting() {
        count += ready(channel, queue).await?;
    }
    Ok(count)
}

/// Says so where a partition beyond ours is there: nobody of our count drains it.
async fn look_beyond(connection: &Connection, names: &Names) {
    // Asking for what is not there costs the channel.
    let Ok(channel) = connection.create_channel().await else { return };
    if let Ok(ready) = ready(&channel, &names.next_partition).await {
        let (queue, known) = (&names.next_partition, names.partitions.len());
        tracing::warn!(
            queue,
            ready,
            partitions = known,
            "there are more partitions than --partitions names; give every process the highest \
             number, until the others are empty and deleted"
        );
        let _ = channel.close(200, "looked".into()).await;
    }
}

/// A queue replicated by Raft and fsynced before it confirms.
fn quorum(delivery_limit: i64) -> FieldTable {
    let mut options = FieldTable::default();
    insert(&mut options, "x-queue-type", text("quorum"));
    // RabbitMQ 4 would take 20, and 3.10 none at all.
    insert(&mut options, "x-delivery-limit", AMQPValue::LongLongInt(delivery_limit));
    insert(&mut options, "x-max-length", AMQPValue::LongLongInt(QUEUE_PARCELS_MAX));
    // The default drops the oldest message of a full queue without a word.
    insert(&mut options, "x-overflow", text("reject-publish"));
    options
}

/// A queue in which messages lie until a worker takes them, and that passes nothing on.
fn at_rest() -> FieldTable {
    quorum(NO_DELIVERY_LIMIT)
}

fn dead_lettering(mut options: FieldTable, exchange: &str, key: &str) -> FieldTable {
    insert(&mut options, "x-dead-letter-exchange", text(exchange));
    insert(&mut options, "x-dead-letter-routing-key", text(key));
    // The default, at most once, forgets the message before the next queue has it. This needs
    // x-overflow = reject-publish and a bounded length.
    insert(&mut options, "x-dead-letter-strategy", text("at-least-once"));
    options
}

async fn exchange(
    channel: &Channel,
    name: &str,
    kind: ExchangeKind,
    arguments: FieldTable,
) -> Result<(), QueueError> {
    // Durable: an exchange that a broker's restart forgets would leave its bindings behind too.
    let options = ExchangeDeclareOptions {
        durable: true,
        auto_delete: false,
        internal: false,
        passive: false,
        nowait: false,
    };
    let declared = channel.exchange_declare(name.into(), kind, options, arguments).await;
    declared.map_err(|error| unusable(&format!("exchange {name:?}"), error))
}

async fn queue(channel: &Channel, name: &str, arguments: FieldTable) -> Result<(), QueueError> {
    // A quorum queue must be durable, and neither exclusive nor deleted with its last consumer.
    let options = QueueDeclareOptions {
        durable: true,
        exclusive: false,
        auto_delete: false,
        passive: false,
        nowait: false,
    };
    let declared = channel.queue_declare(name.into(), options, arguments).await;
    declared.map(|_| ()).map_err(|error| unusable(&format!("queue {name:?}"), error))
}

async fn bind(channel: &Channel, queue: &str, exchange: &str, key: &str) -> Result<(), QueueError> {
    let options = QueueBindOptions { nowait: false };
    let bound = channel
        .queue_bind(queue.into(), exchange.into(), key.into(), options, FieldTable::default())
        .await;
    bound.map_err(|error| unusable(&format!("binding of queue {queue:?}"), error))
}

/// Says what to mend where a person must mend it.
fn unusable(what: &str, error: lapin::Error) -> QueueError {
    let ErrorKind::ProtocolError(protocol) = error.kind() else {
        return QueueError::Unreachable(error.to_string());
    };
    let said = protocol.get_message();
    match protocol.kind() {
        AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED) => QueueError::Unusable(format!(
            "{what} exists on the broker with other settings ({said}): \
             drain and delete it, or choose another queue prefix"
        )),
        AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) => QueueError::Unusable(format!(
            "the broker does not let this user declare the {what} ({said}): \
             grant configure, write and read on it"
        )),
        _ => QueueError::Unreachable(format!("{what}: {said}")),
    }
}

fn insert(table: &mut FieldTable, name: &str, value: AMQPValue) {
    table.insert(name.into(), value);
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_never_shortened_but_by_the_end_of_the_ladder() {
        let names = Names::new("t", 1);
        let rung = |seconds| names.rung(Duration::from_secs(seconds)).to_owned();
        assert_eq!(rung(0), "t.retry.1s");
        assert_eq!(rung(1), "t.retry.1s");
        assert_eq!(rung(2), "t.retry.5s");
        assert_eq!(rung(3600), "t.retry.3600s");
        assert_eq!(rung(100_000), "t.retry.3600s");
    }

    #[test]
    fn one_partition_is_the_queue_itself() {
        let names = Names::new("t", 1);
        assert_eq!(names.waiting().collect::<Vec<_>>(), ["t.webhooks"]);
        assert_eq!(names.key(0), "webhooks");
        let names = Names::new("t", 2);
        let waiting: Vec<_> = names.waiting().collect();
        assert_eq!(waiting, ["t.webhooks", "t.webhooks.0", "t.webhooks.1"]);
        assert_eq!((names.key(1), names.next_partition.as_str()), ("webhooks.1", "t.webhooks.2"));
    }
}

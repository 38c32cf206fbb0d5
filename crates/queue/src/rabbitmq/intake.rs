//! One channel with its three subscriptions, and the watchdog over it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{FutureExt, ready};
use futures_util::stream::{BoxStream, SelectAll, StreamExt, once, select_all};
use lapin::Channel;
use lapin::message::Delivery;
use lapin::options::{BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use tokio::time::{Instant, sleep_until, timeout};

use super::consumer::Kept;
use super::held::Held;
use super::link::Session;
use super::message::Source;
use super::topology::{self, Names};

/// How often an idle channel asks whether it should be idle.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Messages ready, nothing held and nothing received for so long: the subscription is dead.
const STALLED_AFTER: Duration = Duration::from_secs(30);

/// For the broker's answer to that question.
const LOOK_TIMEOUT: Duration = Duration::from_secs(5);

/// How many dead letters a lane takes ahead: a trickle, never in the way of webhooks.
const PREFETCH_GIVEN_UP: u16 = 4;

/// A message, and from which queue.
pub(super) struct Arrival {
    pub(super) source: Source,
    pub(super) delivery: Delivery,
}

type Arrivals = SelectAll<BoxStream<'static, Result<Arrival, String>>>;

/// A lane's channel. Dropped, it closes, and the broker takes back what is not acknowledged.
pub(super) struct Intake {
    pub(super) session: Arc<Session>,
    /// Counts the lane's channels.
    pub(super) number: u64,
    pub(super) channel: Channel,
    pub(super) held: Held<Kept>,
    arrivals: Arrivals,
    webhooks: String,
    next_look: Instant,
    idle_since: Option<Instant>,
}

impl Intake {
    pub(super) async fn open(
        session: Arc<Session>,
        number: u64,
        names: &Names,
        prefetch: u16,
    ) -> Result<Self, lapin::Error> {
        let channel = session.connection.create_channel().await?;
        let mut arrivals = Vec::new();
        let sources = [Source::Webhooks, Source::Dead, Source::Unrouted];
        for (source, queue) in sources.into_iter().zip(names.drained()) {
            let prefetch = match source {
                Source::Webhooks => prefetch,
                Source::Dead | Source::Unrouted => PREFETCH_GIVEN_UP,
            };
            arrivals.push(subscribe(&channel, source, queue, prefetch).await?);
        }
        Ok(Self {
            session,
            number,
            channel,
            held: Held::new(),
            arrivals: select_all(arrivals),
            webhooks: names.webhooks.clone(),
            next_look: Instant::now() + LOOK_EVERY,
            idle_since: None,
        })
    }

    /// Waits for a message. Dropped while it waits, it takes none with it.
    pub(super) async fn next(&mut self) -> Result<Arrival, String> {
        loop {
            tokio::select! {
                biased;
                arrival = self.arrivals.next() => return self.arrived(arrival),
                () = sleep_until(self.next_look) => {}
            }
            self.look().await?;
        }
    }

    /// A message that is here already.
    pub(super) fn next_ready(&mut self) -> Option<Result<Arrival, String>> {
        let arrival = self.arrivals.next().now_or_never()?;
        Some(self.arrived(arrival))
    }

    fn arrived(&mut self, arrival: Option<Result<Arrival, String>>) -> Result<Arrival, String> {
        self.idle_since = None;
        arrival.unwrap_or_else(|| Err("all subscriptions ended".to_owned()))
    }

    /// The watchdog. A subscription that silently delivers nothing is the worst failure of a
    /// consumer, so the broker is asked what is ready. Seen twice with nothing in between, the
    /// connection itself is not trusted any more.
    async fn look(&mut self) -> Result<(), String> {
        self.next_look = Instant::now() + LOOK_EVERY;
        let ready =
            match timeout(LOOK_TIMEOUT, topology::ready(&self.channel, &self.webhooks)).await {
                Ok(ready) => ready.map_err(|error| error.to_string())?,
                Err(_) => return Err(self.distrust("the broker does not answer on this channel")),
            };
        if ready == 0 || !self.held.is_empty() {
            self.idle_since = None;
            return Ok(());
        }
        let since = *self.idle_since.get_or_insert_with(Instant::now);
        if since.elapsed() > STALLED_AFTER {
            return Err(self.distrust("messages are ready and none arrives"));
        }
        Ok(())
    }

    fn distrust(&self, why: &str) -> String {
        self.session.give_up(why);
        why.to_owned()
    }
}

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake").field("number", &self.number).finish_non_exhaustive()
    }
}

async fn subscribe(
    channel: &Channel,
    source: Source,
    queue: &str,
    prefetch: u16,
) -> Result<BoxStream<'static, Result<Arrival, String>>, lapin::Error> {
    // Before the subscription, or lapin takes in the whole queue. Not global: it counts for the
    // next subscription of this channel, and quorum queues refuse a global one.
    channel.basic_qos(prefetch, BasicQosOptions { global: false }).await?;
    let options = BasicConsumeOptions {
        no_local: false, // RabbitMQ ignores it.
        no_ack: false,   // Delivered is not settled.
        exclusive: false,
        nowait: false,
    };
    // The broker chooses the consumer's tag.
    let tag = "";
    let consumer =
        channel.basic_consume(queue.into(), tag.into(), options, FieldTable::default()).await?;
    let arrivals = consumer.map(move |delivery| {
        delivery.map(|delivery| Arrival { source, delivery }).map_err(|error| error.to_string())
    });
    // When its queue is deleted the broker cancels a subscription: one of three must not end
    // unnoticed.
    let ended = once(ready(Err("the broker ended a subscription".to_owned())));
    Ok(arrivals.chain(ended).boxed())
}

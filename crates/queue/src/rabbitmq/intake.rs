//! One channel with its subscriptions, and the watchdog over it.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::FutureExt;
use futures_util::stream::{SelectAll, StreamExt, select_all};
use lapin::Channel;
use lapin::message::Delivery;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::task::TaskTracker;

use super::consumer::Kept;
use super::held::Held;
use super::link::Session;
use super::message::Source;
use super::share::{Arrivals, Line, Place, Shares};
use super::topology::{self, Names};

/// How often an idle channel asks whether it should be idle.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Messages ready, nothing held and nothing received for so long: the subscription is dead.
const STALLED_AFTER: Duration = Duration::from_secs(30);

/// For an answer of the broker's; for all answers of a look.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// How many dead letters a lane takes ahead: a trickle, never in the way of webhooks.
const PREFETCH_GIVEN_UP: u16 = 4;

/// What a lane takes ahead of each partition, at the least: it may be served by one alone.
const PREFETCH_PARTITION_MIN: u16 = 8;

/// A message, and from which queue.
pub(super) struct Arrival {
    pub(super) source: Source,
    pub(super) partition: Option<usize>,
    pub(super) delivery: Delivery,
}

/// A lane's channel. Dropped, it closes, and the broker takes back what is not acknowledged.
pub(super) struct Intake {
    pub(super) session: Arc<Session>,
    /// Counts the lane's channels.
    pub(super) number: u64,
    pub(super) channel: Channel,
    pub(super) held: Held<Kept>,
    pub(super) arrivals: SelectAll<Arrivals>,
    pub(super) shares: Shares,
    /// Places that are not passed on.
    pub(super) kept: Vec<Place>,
    names: Names,
    next_look: Instant,
    idle_since: Option<Instant>,
}

impl Intake {
    pub(super) async fn open(
        session: Arc<Session>,
        number: u64,
        names: Names,
        prefetch: u16,
        tasks: TaskTracker,
    ) -> Result<Self, String> {
        let channel = in_time("no channel", session.connection.create_channel()).await?;
        let (mut places, mut kept, mut arrivals) = (Vec::new(), Vec::new(), Vec::new());
        for line in lines(&names, prefetch) {
            let is_partition = line.partition.is_some();
            // A queue without a leader answers everything but this. Who mends it has to know which.
            let why = format!("queue {:?} takes no consumer (has it a leader?)", line.queue);
            let (place, arriving) = in_time(&why, line.join(&channel)).await?;
            arrivals.push(arriving);
            if is_partition { &mut places } else { &mut kept }.push(place);
        }
        Ok(Self {
            session,
            number,
            shares: Shares::new(channel.clone(), &names.webhooks, places, tasks),
            kept,
            channel,
            held: Held::new(),
            arrivals: select_all(arrivals),
            names,
            next_look: Instant::now() + LOOK_EVERY,
            idle_since: None,
        })
    }

    /// Waits for a message. Dropped while it waits, it takes none with it.
    pub(super) async fn next(&mut self) -> Result<Arrival, String> {
        loop {
            tokio::select! {
                biased;
                arrivals = self.shares.change() => self.arrivals.push(arrivals?),
                arrival = self.arrivals.next() => return self.arrived(arrival),
                () = sleep_until(self.next_look) => self.look().await?,
            }
        }
    }

    /// A message that is here already.
    pub(super) fn next_ready(&mut self) -> Option<Result<Arrival, String>> {
        let arrival = self.arrivals.next().now_or_never()?;
        Some(self.arrived(arrival))
    }

    fn arrived(&mut self, arrival: Option<Result<Arrival, String>>) -> Result<Arrival, String> {
        self.idle_since = None;
        let arrival = arrival.unwrap_or_else(|| Err("all subscriptions ended".to_owned()))?;
        if let Some(partition) = arrival.partition {
            self.shares.saw(partition);
        }
        Ok(arrival)
    }

    /// The watchdog. A subscription that silently delivers nothing is the worst failure of a
    /// consumer, so the broker is asked what is ready. Seen twice with nothing in between, the
    /// connection itself is not trusted any more. With partitions, another lane may be the one that
    /// is served: then only the channel is opened anew, which passes on what it holds up.
    async fn look(&mut self) -> Result<(), String> {
        self.next_look = Instant::now() + LOOK_EVERY;
        let answer = timeout(ANSWER_TIMEOUT, topology::waiting(&self.channel, &self.names)).await;
        let ready = match answer {
            Ok(ready) => ready.map_err(|error| error.to_string())?,
            Err(_) => return Err(self.distrust("the broker does not answer on this channel")),
        };
        if ready == 0 || !self.held.is_empty() {
            self.idle_since = None;
            return Ok(());
        }
        let since = *self.idle_since.get_or_insert_with(Instant::now);
        let why = "messages are ready and none arrives";
        match since.elapsed() > STALLED_AFTER {
            true if self.names.partitions.is_empty() => Err(self.distrust(why)),
            true => Err(why.to_owned()),
            false => Ok(()),
        }
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

/// The broker's answer, or `why` there is none.
async fn in_time<T>(
    why: &str,
    answer: impl Future<Output = Result<T, lapin::Error>>,
) -> Result<T, String> {
    match timeout(ANSWER_TIMEOUT, answer).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err(format!("{why} within {} s", ANSWER_TIMEOUT.as_secs())),
    }
}

/// What a lane subscribes to, webhooks last: should a queue before take no consumer, the channel ends
/// without having taken any, and nobody counts them as handed out once more.
fn lines(names: &Names, prefetch: u16) -> Vec<Line> {
    let line = |source, queue: &str, partition, prefetch| {
        let queue = queue.to_owned();
        Line { source, queue, partition, prefetch }
    };
    let count = u16::try_from(names.partitions.len()).unwrap_or(u16::MAX).max(1);
    let each = (prefetch / count).max(PREFETCH_PARTITION_MIN.min(prefetch));
    let partitions = names.partitions.iter().enumerate();
    let partitions = partitions
        .map(|(number, partition)| line(Source::Webhooks, &partition.queue, Some(number), each));
    let aside = [
        line(Source::Dead, &names.dead, None, PREFETCH_GIVEN_UP),
        line(Source::Unrouted, &names.unrouted, None, PREFETCH_GIVEN_UP),
    ];
    let common = line(Source::Webhooks, &names.webhooks, None, each);
    aside.into_iter().chain(partitions).chain([common]).collect()
}

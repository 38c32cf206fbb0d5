//! Partitions shared out among lanes, with nobody in charge.
//!
//! Every lane subscribes to every partition, and the broker serves one of them: the first in line
//! (a single active consumer). If it goes, the next is served at once. A lane that is served by more
//! partitions than its part leaves the line of the latest and joins it again at the end. Lanes with
//! too much pass a partition on until one keeps it that has room, so those that come late get
//! theirs, too. Only partitions that bring something count.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::ready;
use futures_util::stream::{BoxStream, StreamExt, once};
use lapin::Channel;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::{FieldTable, ShortString};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_util::task::TaskTracker;

use super::intake::Arrival;
use super::message::Source;
use super::topology;

/// How often a lane looks whether it has more than its part.
const SHARE_EVERY: Duration = Duration::from_secs(2);

/// For the broker's answers while a partition changes hands.
const HAND_OVER_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) type Arrivals = BoxStream<'static, Result<Arrival, String>>;

/// What to subscribe to.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) source: Source,
    pub(super) queue: String,
    /// The place among the partitions, for one of them.
    pub(super) partition: Option<usize>,
    pub(super) prefetch: u16,
}

/// A place in a queue's line of consumers.
#[derive(Clone, Debug)]
pub(super) struct Place {
    line: Line,
    tag: ShortString,
    /// We left by ourselves: that its arrivals end is no failure.
    left: Arc<AtomicBool>,
}

impl Line {
    pub(super) async fn join(self, channel: &Channel) -> Result<(Place, Arrivals), lapin::Error> {
        // Before the subscription, or lapin takes in the whole queue. Not global: it counts for the
        // next subscription of this channel, and quorum queues refuse a global one.
        channel.basic_qos(self.prefetch, BasicQosOptions { global: false }).await?;
        let options = BasicConsumeOptions {
            no_local: false, // RabbitMQ ignores it.
            no_ack: false,   // Delivered is not settled.
            exclusive: false,
            nowait: false,
        };
        // The broker chooses the consumer's tag.
        let (queue, tag) = (self.queue.as_str().into(), "".into());
        let consumer = channel.basic_consume(queue, tag, options, FieldTable::default()).await?;
        let (source, partition) = (self.source, self.partition);
        let place = Place { line: self, tag: consumer.tag(), left: Arc::default() };
        let arrivals = consumer.map(move |delivery| {
            let arrival = |delivery| Arrival { source, partition, delivery };
            delivery.map(arrival).map_err(|error| error.to_string())
        });
        // When its queue is deleted the broker cancels a subscription: one of several must not end
        // unnoticed.
        let left = place.left.clone();
        let ended = once(ready(())).filter_map(move |()| {
            let lost = !left.load(Ordering::Acquire);
            ready(lost.then(|| Err("the broker ended a subscription".to_owned())))
        });
        Ok((place, arrivals.chain(ended).boxed()))
    }
}

impl Place {
    /// What it had brought still arrives, and then its arrivals end.
    pub(super) async fn leave(&self, channel: &Channel) -> Result<(), lapin::Error> {
        self.left.store(true, Ordering::Release);
        channel.basic_cancel(self.tag.clone(), BasicCancelOptions { nowait: false }).await
    }
}

/// The partitions of one lane's channel.
pub(super) struct Shares {
    channel: Channel,
    /// A queue that serves all lanes at once.
    common: String,
    places: Vec<Place>,
    served: Served,
    next: Instant,
    tasks: TaskTracker,
    handing_over: Option<JoinHandle<HandedOver>>,
}

/// `None`: the lane has no more than its part.
type HandedOver = Result<Option<(usize, Place, Arrivals)>, String>;

impl Shares {
    /// `places`: one for each partition, in their order.
    pub(super) fn new(
        channel: Channel,
        common: &str,
        places: Vec<Place>,
        tasks: TaskTracker,
    ) -> Self {
        let (next, common) = (Instant::now() + SHARE_EVERY, common.to_owned());
        let served = Served::default();
        Self { channel, common, places, served, next, tasks, handing_over: None }
    }

    pub(super) fn saw(&mut self, partition: usize) {
        self.served.saw(partition);
    }

    /// Leaves every line for good. Returns the arrivals of a place that was just being changed.
    pub(super) async fn leave(&mut self) -> Result<Option<Arrivals>, String> {
        let changed = match self.handing_over.take() {
            Some(running) => running.await.map_err(|error| error.to_string())??,
            None => None,
        };
        let arrivals = changed.map(|(partition, place, arrivals)| {
            self.places[partition] = place;
            arrivals
        });
        for place in &self.places {
            place.leave(&self.channel).await.map_err(|error| error.to_string())?;
        }
        Ok(arrivals)
    }

    /// Gives up what is too much, again and again. Returns the arrivals of a place that was changed
    /// for one at the end of the line. Dropping the future loses nothing: the change goes on.
    pub(super) async fn change(&mut self) -> Result<Arrivals, String> {
        loop {
            let Some(running) = &mut self.handing_over else {
                if self.places.is_empty() {
                    return std::future::pending().await;
                }
                tokio::time::sleep_until(self.next).await;
                self.next = Instant::now() + SHARE_EVERY;
                let served = self.served.look();
                if let Some(latest) = served.last().map(|latest| self.places[*latest].clone()) {
                    let (channel, common) = (self.channel.clone(), self.common.clone());
                    let work = hand_over(channel, common, latest, served.len(), self.places.len());
                    self.handing_over = Some(self.tasks.spawn(work));
                }
                continue;
            };
            let handed_over = running.await;
            self.handing_over = None;
            let handed_over = handed_over.map_err(|error| error.to_string())?;
            if let Some((partition, place, arrivals)) = handed_over? {
                self.served.forget(partition);
                self.places[partition] = place;
                return Ok(arrivals);
            }
        }
    }
}

/// In a task of its own: stopped half way, the lane would be in no line at all.
async fn hand_over(
    channel: Channel,
    common: String,
    latest: Place,
    served: usize,
    all: usize,
) -> HandedOver {
    let work = async {
        // A partition's own queue counts the one that it serves and not those in line.
        let consumers = topology::depth(&channel, &common).await?.consumers;
        if served <= part(all, consumers) {
            return Ok(None);
        }
        latest.leave(&channel).await?;
        let partition = latest.line.partition.unwrap_or_default();
        let (place, arrivals) = latest.line.join(&channel).await?;
        tracing::debug!(partition, consumers, "a partition was handed on");
        Ok(Some((partition, place, arrivals)))
    };
    match timeout(HAND_OVER_TIMEOUT, work).await {
        Ok(handed_over) => handed_over.map_err(|error: lapin::Error| error.to_string()),
        Err(_) => Err("a partition did not change hands in time".to_owned()),
    }
}

/// How many partitions one of `consumers` should have.
fn part(partitions: usize, consumers: u32) -> usize {
    partitions.div_ceil(usize::try_from(consumers).unwrap_or(usize::MAX).max(1))
}

/// The partitions that bring something, in the order in which they began to.
#[derive(Debug, Default)]
struct Served {
    since: BTreeMap<usize, u64>,
    seen: BTreeSet<usize>,
    count: u64,
}

impl Served {
    fn saw(&mut self, partition: usize) {
        self.seen.insert(partition);
        self.since.entry(partition).or_insert_with(|| {
            self.count += 1;
            self.count
        });
    }

    /// Those that brought something since the last look, the latest last.
    fn look(&mut self) -> Vec<usize> {
        self.since.retain(|partition, _| self.seen.contains(partition));
        self.seen.clear();
        let mut served: Vec<usize> = self.since.keys().copied().collect();
        served.sort_by_key(|partition| self.since[partition]);
        served
    }

    fn forget(&mut self, partition: usize) {
        self.since.remove(&partition);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_what_all_can_have_without_one_left_over() {
        assert_eq!([part(4, 1), part(4, 2), part(4, 3), part(4, 8)], [4, 2, 2, 1]);
        assert_eq!(part(4, 0), 4);
    }

    #[test]
    fn the_latest_is_last_and_what_is_silent_does_not_count() {
        let mut served = Served::default();
        [2, 0, 2].into_iter().for_each(|partition| served.saw(partition));
        assert_eq!(served.look(), [2, 0]);
        served.saw(0);
        assert_eq!(served.look(), [0]);
        [1, 0].into_iter().for_each(|partition| served.saw(partition));
        served.forget(1);
        assert_eq!(served.look(), [0]);
    }
}

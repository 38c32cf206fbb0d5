//! Sends a plan over HTTP, as a platform would, and keeps a list of what was answered 200.
//!
//! A webhook that is not taken (503, a broken connection, no answer in time) is sent again, with
//! the same id and the same body, a bounded number of times. It is signed anew where a signature
//! holds the moment at which it was made. A connection carries one request at a
//! time, so two webhooks that stand side by side in the plan travel on two connections at once.
//!
//! The list is what the store is later held against: it has a webhook once for each 200 that this
//! side has seen, never for one that it has not.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use domain::Timestamp;
use hdrhistogram::Histogram;
use http::Uri;
use http::uri::Scheme;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::sale::Plan;

mod connection;
mod queue;

use connection::Connection;
use queue::Queue;

/// How often a webhook is tried. With the longest pauses that is most of a minute, in which a
/// server can be started again.
const ATTEMPTS_MAX: u32 = 60;

/// Latencies beyond this count as this.
const LATENCY_MICROS_MAX: u64 = 120_000_000;

/// Where webhooks go: `http://host:port`, perhaps with a path before `/webhooks`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Host and port.
    authority: String,
    path: String,
}

/// What is wrong with a target.
#[derive(Debug, thiserror::Error)]
pub enum BadTarget {
    #[error("{0:?} is not a URL like http://127.0.0.1:8080")]
    NotUrl(String),
    #[error("only http:// URLs are served: aim at the ingress itself, behind any TLS")]
    NotHttp,
}

/// How fast, and over how many connections.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub connections: usize,
    /// Webhooks per second, sent at their time whether the ones before have been answered or not,
    /// as far as there are connections. `None`: each connection sends as fast as it is answered, a
    /// closed loop: what answers slowly is asked less often.
    pub per_second: Option<f64>,
}

/// How far the sending is, for whoever watches.
#[derive(Debug, Default)]
pub struct Progress {
    accepted: AtomicUsize,
    ended: AtomicUsize,
}

impl Progress {
    /// Answers 200 so far.
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Sends that are over, accepted or not.
    pub fn ended(&self) -> usize {
        self.ended.load(Ordering::Relaxed)
    }
}

/// What came of the sending.
#[derive(Clone, Debug)]
pub struct Sent {
    /// For each 200 the webhook it was for: an index into the plan's webhooks.
    pub accepted: Vec<usize>,
    /// Answered with a status that no repeat would change.
    pub refused: Vec<(usize, u16)>,
    /// Tried so often that it is given up.
    pub given_up: Vec<usize>,
    pub answers: BTreeMap<u16, u64>,
    /// Requests whose connection was refused, or broke before the answer.
    pub broken: u64,
    /// Requests without an answer in time.
    pub timeouts: u64,
    /// Of 200s, in microseconds: from the moment at which the pace wanted the webhook sent, so that
    /// waiting for a connection counts; without a pace, from its first request. Either way to the
    /// 200, however often it was refused before.
    pub latency: Histogram<u64>,
    /// From the start until the last webhook was sent for the first time.
    pub sending: Duration,
    /// From the first request to the last answer.
    pub elapsed: Duration,
}

impl FromStr for Target {
    type Err = BadTarget;

    fn from_str(text: &str) -> Result<Self, BadTarget> {
        let uri: Uri = text.parse().map_err(|_| BadTarget::NotUrl(text.to_owned()))?;
        match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => {}
            Some(_) => return Err(BadTarget::NotHttp),
            None => return Err(BadTarget::NotUrl(text.to_owned())),
        }
        let host = uri.host().ok_or_else(|| BadTarget::NotUrl(text.to_owned()))?;
        Ok(Self {
            authority: format!("{host}:{}", uri.port_u16().unwrap_or(80)),
            path: uri.path().trim_end_matches('/').to_owned(),
        })
    }
}

impl Target {
    /// Whether anybody listens.
    pub async fn probe(&self) -> std::io::Result<()> {
        tokio::net::TcpStream::connect(&self.authority).await.map(drop)
    }
}

/// Sends everything, then returns. On `stop` it begins nothing new.
pub async fn send(
    target: &Target,
    plan: Arc<Plan>,
    pace: Pace,
    progress: Arc<Progress>,
    stop: CancellationToken,
) -> Sent {
    // Should the caller drop this future, its connections end too.
    let stop = stop.child_token();
    let _end = stop.clone().drop_guard();
    let tracker = TaskTracker::new();
    let connections = pace.connections.max(1);
    let queue = Arc::new(Queue::new(plan.sends.len(), pace.per_second));
    tracker.spawn_blocking({
        let (queue, stop) = (Arc::clone(&queue), stop.clone());
        move || queue.let_go(connections, &stop)
    });
    let lanes: Vec<_> = (0..connections)
        .map(|_| {
            let lane = Lane {
                connection: Connection::new(target.clone(), tracker.clone()),
                plan: Arc::clone(&plan),
                queue: Arc::clone(&queue),
                progress: Arc::clone(&progress),
                stop: stop.clone(),
                sent: Sent::nothing(),
            };
            tracker.spawn(lane.run())
        })
        .collect();
    let mut all = Sent::nothing();
    for lane in lanes {
        // A lane that panicked has lost its list: the check against the store shows the gap.
        if let Ok(sent) = lane.await {
            all.add(sent);
        }
    }
    all.elapsed = queue.began.elapsed();
    all
}

/// One connection's worth of sending.
struct Lane {
    connection: Connection,
    plan: Arc<Plan>,
    queue: Arc<Queue>,
    progress: Arc<Progress>,
    stop: CancellationToken,
    sent: Sent,
}

impl Lane {
    async fn run(mut self) -> Sent {
        let plan = Arc::clone(&self.plan);
        while let Some((place, due)) = self.queue.take(&self.stop).await {
            let index = plan.sends[place];
            self.sent.sending = self.queue.began.elapsed();
            self.deliver(index, due).await;
            self.progress.ended.fetch_add(1, Ordering::Relaxed);
        }
        self.sent
    }

    /// Sends one webhook until it is taken, refused or given up.
    async fn deliver(&mut self, index: usize, due: Option<Instant>) {
        let plan = Arc::clone(&self.plan);
        let began = due.unwrap_or_else(Instant::now);
        let mut pause = connection::PAUSE_MIN;
        for _ in 0..ATTEMPTS_MAX {
            let request = plan.webhooks[index].message.request(now());
            let wanted = match self.connection.request(&request).await {
                connection::Answer::Taken => return self.accept(index, began),
                connection::Answer::Refused(status) => {
                    self.count(status);
                    return self.sent.refused.push((index, status));
                }
                connection::Answer::Later(status, wanted) => {
                    self.count(status);
                    wanted
                }
                connection::Answer::Broken => {
                    self.sent.broken += 1;
                    None
                }
                connection::Answer::Timeout => {
                    self.sent.timeouts += 1;
                    None
                }
            };
            let wait = tokio::time::sleep(wanted.unwrap_or(pause));
            if self.stop.run_until_cancelled(wait).await.is_none() {
                break;
            }
            pause = (pause * 2).min(connection::PAUSE_MAX);
        }
        self.sent.given_up.push(index);
    }

    fn accept(&mut self, index: usize, began: Instant) {
        self.count(200);
        self.sent.accepted.push(index);
        self.progress.accepted.fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.sent.latency.saturating_record(micros);
    }

    fn count(&mut self, status: u16) {
        *self.sent.answers.entry(status).or_default() += 1;
    }
}

impl Sent {
    fn nothing() -> Self {
        Self {
            accepted: vec![],
            refused: vec![],
            given_up: vec![],
            answers: BTreeMap::new(),
            broken: 0,
            timeouts: 0,
            latency: Histogram::new_with_bounds(1, LATENCY_MICROS_MAX, 3)
                .expect("bounds that a histogram can have"),
            sending: Duration::ZERO,
            elapsed: Duration::ZERO,
        }
    }

    fn add(&mut self, more: Sent) {
        self.accepted.extend(more.accepted);
        self.refused.extend(more.refused);
        self.given_up.extend(more.given_up);
        for (status, count) in more.answers {
            *self.answers.entry(status).or_default() += count;
        }
        self.broken += more.broken;
        self.timeouts += more.timeouts;
        self.sending = self.sending.max(more.sending);
        self.latency.add(more.latency).expect("of the same bounds");
    }

    /// How often each webhook of the plan was answered 200; those that never were are not there.
    pub fn acceptances(&self) -> BTreeMap<usize, usize> {
        let mut counts = BTreeMap::new();
        for index in &self.accepted {
            *counts.entry(*index).or_default() += 1;
        }
        counts
    }

    /// How much later than at this rate the last webhook was sent.
    pub fn behind(&self, per_second: f64) -> Duration {
        let due = Duration::from_secs_f64(self.after_the_first() / per_second);
        self.sending.saturating_sub(due)
    }

    /// Webhooks per second as they were sent, each for the first time.
    pub fn sent_per_second(&self) -> f64 {
        self.after_the_first() / self.sending.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    fn after_the_first(&self) -> f64 {
        let sent = self.accepted.len() + self.refused.len() + self.given_up.len();
        as_f64(sent.saturating_sub(1))
    }

    /// 200s per second.
    pub fn accepted_per_second(&self) -> f64 {
        as_f64(self.accepted.len()) / self.elapsed.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_microsecond())
}

/// Exact up to 2^32, which is more than any plan has.
fn as_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

#[cfg(test)]
mod tests;

//! The queue of the fleet: RabbitMQ, quorum queues, works the same on 3.10 and on 4.
//!
//! Guaranteed, whatever dies or breaks at whatever moment, and without anybody doing anything:
//!
//! * what was confirmed to a publisher is delivered until it is settled: it is fsynced on a quorum
//!   of the broker's nodes, moves between queues at least once, and is never dropped for want of a
//!   route (`topology`);
//! * connections come back by themselves, for ever (`link`): publishers fail fast meanwhile and
//!   consumers wait;
//! * publishing and consuming have a connection each, because a broker short of memory stops
//!   reading from those who publish, and acknowledgements must not stop with them.

mod consumer;
mod held;
mod intake;
mod link;
mod message;
mod partition;
mod pause;
mod publisher;
mod share;
mod topology;

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use domain::Envelope;
use lapin::uri::AMQPUri;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

pub use consumer::RabbitConsumer;

use self::link::{Link, Target};
use self::publisher::Outbox;
use self::topology::Names;
use crate::{PublishError, Publisher, QueueError, QueueStats};

/// How often both sides show that they live, where the URL does not say. A silent peer is dropped
/// after twice this; the broker's default of 60 s would hold deliveries back for two minutes.
const HEARTBEAT_SECONDS: u16 = 15;

/// The longest frame, where the URL does not say. lapin holds 32 of them for each way of each
/// connection; with the broker's default of 128 KB that is 8 MB for a connection that idles.
const FRAME_BYTES_MAX: u32 = 32 * 1024;

/// For the TCP (and TLS) handshake, where the URL does not say.
const CONNECT_TIMEOUT_MS: u64 = 5_000;

/// For the broker's word on how much is waiting.
const STATS_TIMEOUT: Duration = Duration::from_secs(5);

/// For confirms in flight and farewells at the end.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(8);

/// AMQP names end at 255 bytes, and ours add an ending.
const PREFIX_BYTES_MAX: usize = 100;

/// Where the broker is, and under which names things live there.
#[derive(Clone)]
pub struct RabbitMqConfig {
    /// `amqp://user:password@host:port/vhost`, or `amqps` for TLS with the machine's own roots.
    pub url: String,
    /// Shown in the broker's own tools.
    pub connection_name: String,
    /// All queues and exchanges start with this.
    pub prefix: String,
    /// Over how many queues webhooks are spread; the same in every process.
    pub partitions: u16,
}

impl RabbitMqConfig {
    pub fn new(url: impl Into<String>) -> Self {
        let (connection_name, prefix) = ("onhand".to_owned(), "onhand".to_owned());
        Self { url: url.into(), connection_name, prefix, partitions: 1 }
    }
}

/// Without the URL: it holds a password.
impl fmt::Debug for RabbitMqConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RabbitMqConfig")
            .field("connection_name", &self.connection_name)
            .field("prefix", &self.prefix)
            .field("partitions", &self.partitions)
            .finish_non_exhaustive()
    }
}

/// A broker, and this process's connections to it: each is opened when first needed. Dropping it
/// without [`RabbitMq::close`] ends the connections at once.
#[derive(Debug)]
pub struct RabbitMq {
    config: RabbitMqConfig,
    uri: AMQPUri,
    names: Names,
    lanes: TaskTracker,
    links: TaskTracker,
    stop_lanes: CancellationToken,
    stop_links: CancellationToken,
    outbox: OnceLock<Outbox>,
    consume: OnceLock<Link>,
    _stop: [DropGuard; 2],
}

impl RabbitMq {
    /// Connects and declares what is needed; one try, with a clear error where it fails.
    pub async fn connect(config: RabbitMqConfig) -> Result<Self, QueueError> {
        let broker = Self::connect_lazily(config)?;
        broker.outbox().first_attempt().await?;
        Ok(broker)
    }

    /// Comes up without the broker and keeps trying. Fails only where the configuration can never
    /// work.
    pub fn connect_lazily(config: RabbitMqConfig) -> Result<Self, QueueError> {
        let uri = parse(&config.url)?;
        let names = Names::new(check_prefix(&config.prefix)?, config.partitions);
        let (stop_lanes, stop_links) = (CancellationToken::new(), CancellationToken::new());
        let stop = [stop_lanes.clone().drop_guard(), stop_links.clone().drop_guard()];
        Ok(Self {
            config,
            uri,
            names,
            lanes: TaskTracker::new(),
            links: TaskTracker::new(),
            stop_lanes,
            stop_links,
            outbox: OnceLock::new(),
            consume: OnceLock::new(),
            _stop: stop,
        })
    }

    pub fn publisher(&self) -> RabbitPublisher {
        RabbitPublisher { outbox: self.outbox().clone() }
    }

    /// A consumer for one worker lane, with a channel of its own. It takes at most `prefetch`
    /// parcels from the broker that are not settled: about twice what a batch holds keeps it busy.
    pub fn consumer(&self, prefetch: u16) -> RabbitConsumer {
        let (link, outbox) = (self.consume().clone(), self.outbox().clone());
        RabbitConsumer::new(link, outbox, self.names.clone(), prefetch, self.links.clone())
    }

    /// Whether consumers are connected, for who must know without asking the broker.
    pub fn reach(&self) -> Reach {
        Reach { link: self.consume().clone() }
    }

    /// How much is waiting. What is handed out is not told over AMQP.
    pub async fn stats(&self) -> Result<QueueStats, QueueError> {
        // The consuming connection is never blocked.
        let mut link = self.consume().clone();
        link.first_attempt().await?;
        let session = link.session().map_err(QueueError::Unreachable)?;
        match timeout(STATS_TIMEOUT, self.count(&session.connection)).await {
            Ok(Ok(stats)) => Ok(stats),
            Ok(Err(error)) => Err(QueueError::Unreachable(error.to_string())),
            Err(_) => Err(QueueError::Unreachable("the broker does not answer".to_owned())),
        }
    }

    async fn count(&self, connection: &lapin::Connection) -> Result<QueueStats, lapin::Error> {
        let channel = connection.create_channel().await?;
        let mut stats = QueueStats::default();
        for queue in self.names.drained() {
            stats.ready += topology::ready(&channel, queue).await?;
        }
        for queue in self.names.rungs() {
            stats.delayed += topology::ready(&channel, queue).await?;
        }
        channel.close(200, "counted".into()).await?;
        Ok(stats)
    }

    /// Lets what is in flight be confirmed, then leaves; close consumers first. Bounded: what is
    /// not done by then is left to the broker.
    pub async fn close(self) {
        self.lanes.close();
        self.links.close();
        let leave = async {
            self.stop_lanes.cancel();
            self.lanes.wait().await;
            self.stop_links.cancel();
            self.links.wait().await;
        };
        if timeout(CLOSE_TIMEOUT, leave).await.is_err() {
            tracing::warn!("the broker did not let us go in time");
        }
    }

    fn outbox(&self) -> &Outbox {
        self.outbox.get_or_init(|| {
            let link = self.link("publish");
            Outbox::start(link, &self.names, &self.lanes, &self.stop_lanes)
        })
    }

    fn consume(&self) -> &Link {
        self.consume.get_or_init(|| self.link("consume"))
    }

    fn link(&self, purpose: &'static str) -> Link {
        let target = Target {
            uri: self.uri.clone(),
            connection_name: format!("{} {purpose}", self.config.connection_name),
            purpose,
            names: self.names.clone(),
        };
        Link::start(target, &self.links, self.stop_links.clone())
    }
}

/// A view of the connection that brings deliveries. A broker that is short of memory or disk blocks
/// publishing, and this one never.
#[derive(Clone, Debug)]
pub struct Reach {
    link: Link,
}

impl Reach {
    /// `Err`: why nothing comes.
    pub fn check(&self) -> Result<(), String> {
        self.link.session().map(drop)
    }
}

/// Publishes to RabbitMQ; all clones share its lanes.
#[derive(Clone, Debug)]
pub struct RabbitPublisher {
    outbox: Outbox,
}

impl Publisher for RabbitPublisher {
    async fn publish(&self, envelope: Envelope) -> Result<(), PublishError> {
        self.outbox.publish(envelope).await
    }

    fn is_ready(&self) -> bool {
        self.outbox.is_ready()
    }
}

fn parse(url: &str) -> Result<AMQPUri, QueueError> {
    // The parser's own message can repeat the URL, password included.
    let mut uri: AMQPUri = url.parse().map_err(|_| {
        QueueError::Unusable(
            "the broker's URL is not like amqp://user:password@host:port/vhost".to_owned(),
        )
    })?;
    if uri.vhost.is_empty() {
        // Strictly, "amqp://host/" names a virtual host with an empty name. Nobody has one.
        "/".clone_into(&mut uri.vhost);
    }
    uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
    uri.query.frame_max.get_or_insert(FRAME_BYTES_MAX);
    uri.query.connection_timeout.get_or_insert(CONNECT_TIMEOUT_MS);
    Ok(uri)
}

fn check_prefix(prefix: &str) -> Result<&str, QueueError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if prefix.is_empty() || prefix.len() > PREFIX_BYTES_MAX || !prefix.chars().all(allowed) {
        return Err(QueueError::Unusable(format!(
            "a queue prefix has 1 to {PREFIX_BYTES_MAX} letters, digits, dots, dashes, underscores"
        )));
    }
    Ok(prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_completed_and_a_bad_one_is_not_repeated() {
        let uri = parse("amqp://u:p@broker:5672/").expect("fine");
        assert_eq!((uri.vhost.as_str(), uri.query.heartbeat), ("/", Some(HEARTBEAT_SECONDS)));
        let uri = parse("amqps://broker/%2f?heartbeat=20").expect("fine");
        assert_eq!((uri.vhost.as_str(), uri.query.heartbeat), ("/", Some(20)));
        let error = parse("amqp:secret").expect_err("no host").to_string();
        assert!(!error.contains("secret"), "{error}");
    }

    #[test]
    fn a_prefix_is_checked_and_no_password_is_printed() {
        assert!(check_prefix("shop-1.onhand").is_ok());
        assert!(check_prefix("").is_err());
        assert!(check_prefix("a b").is_err());
        let config = RabbitMqConfig::new("amqp://u:hunter2@h");
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}

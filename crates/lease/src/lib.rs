//! Locks with a time limit, in Redis: the only crate that names `redis`.
//!
//! A name is taken with `SET name token NX PX ttl`, kept by a heartbeat that renews it while the
//! work goes on, and given back by a script that deletes it only if the token is still ours. Names
//! are taken in their order, so holders never wait for each other in a circle.
//!
//! **A lease promises nothing.** Its holder may be paused, or cut off from Redis, for longer than
//! the limit, and somebody else then holds the same name. Whoever writes under a lease must find out
//! by the write itself that it came too late: here by the version of every row. A lease only saves
//! work that would be in vain. So without Redis the work goes on without leases, and one that is
//! silent is left alone for a while.
//!
//! If the process dies, its names are free again after the time limit.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::Script;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use tokio::time::{Instant, interval_at, sleep, timeout};
use uuid::Uuid;

/// How long a name stays taken without a sign of life. Many times what a batch takes; the longest
/// that others wait for a process that died.
pub const TTL: Duration = Duration::from_secs(3);

/// How long names are waited for before all are given back.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest pause before a taken name is tried again; drawn anew each time.
const PAUSE_MAX: Duration = Duration::from_millis(4);

/// For one answer of Redis.
const ANSWER: Duration = Duration::from_secs(1);

/// So long a Redis that did not answer in time is not asked again: each try of each lane would wait
/// for it, and all that a lease saves is tries.
const REST: Duration = Duration::from_secs(10);

/// Deletes the names that hold our token, and no others, as one step.
const GIVE_BACK: &str = "
    for _, name in ipairs(KEYS) do
        if redis.call('GET', name) == ARGV[1] then redis.call('DEL', name) end
    end";

/// Renews the names that hold our token. Returns how many did.
const RENEW: &str = "
    local held = 0
    for _, name in ipairs(KEYS) do
        if redis.call('GET', name) == ARGV[1] then
            held = held + redis.call('PEXPIRE', name, ARGV[2])
        end
    end
    return held";

/// Why there is no lease.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    #[error("Redis is not available")]
    Unavailable(#[from] redis::RedisError),
    #[error("Redis does not answer in time")]
    Silent,
    #[error("others hold the names for too long")]
    Busy,
}

/// Where leases are taken. Clones share one connection, which comes back by itself.
#[derive(Clone)]
pub struct Leases {
    redis: ConnectionManager,
    /// What all names start with: fleets that share a Redis differ in it.
    prefix: String,
    ttl: Duration,
    /// Until when Redis is not asked.
    rests: Arc<Mutex<Option<Instant>>>,
}

/// Names that are taken. Dropped, they are free after the time limit.
#[must_use]
#[derive(Debug)]
pub struct Lease {
    leases: Leases,
    names: Vec<String>,
    token: String,
}

impl std::fmt::Debug for Leases {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The connection knows a password.
        f.debug_struct("Leases").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl Leases {
    /// Connects to `redis://…`.
    pub async fn connect(url: &str, prefix: &str, ttl: Duration) -> Result<Self, LeaseError> {
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(ANSWER))
            .set_response_timeout(Some(ANSWER))
            // The caller goes on without a lease rather than wait for a Redis that is away.
            .set_number_of_retries(0);
        let client = redis::Client::open(url)?;
        let redis = ConnectionManager::new_with_config(client, config).await?;
        Ok(Self { redis, prefix: prefix.to_owned(), ttl, rests: Arc::default() })
    }

    /// Redis was silent a short time ago.
    fn is_resting(&self) -> bool {
        let rests = self.rests.lock().unwrap_or_else(PoisonError::into_inner);
        rests.is_some_and(|until| Instant::now() < until)
    }

    fn rest(&self) {
        let mut rests = self.rests.lock().unwrap_or_else(PoisonError::into_inner);
        *rests = Some(Instant::now() + REST);
    }

    /// Takes all of `names`, or none.
    pub async fn take<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<Lease, LeaseError> {
        if self.is_resting() {
            return Err(LeaseError::Silent);
        }
        // In their order, each once.
        let wanted: BTreeSet<String> =
            names.into_iter().map(|name| format!("{}:lease:{name}", self.prefix)).collect();
        let mut wanted: Vec<String> = wanted.into_iter().collect();
        let mut lease =
            Lease { leases: self.clone(), names: Vec::new(), token: Uuid::now_v7().to_string() };
        let until = Instant::now() + PATIENCE;
        let mut renewed = Instant::now();
        while !wanted.is_empty() {
            let taken = match self.try_take(&wanted, &lease.token).await {
                Ok(taken) => taken,
                Err(error @ LeaseError::Silent) => {
                    // It would not answer now either: what it has taken for us is free in time.
                    self.rest();
                    return Err(error);
                }
                Err(error) => {
                    // What was not answered may have been done all the same.
                    self.give_back(&wanted, &lease.token).await;
                    lease.give_back().await;
                    return Err(error);
                }
            };
            // Names behind one that others hold are given back: who holds those may wait for ours.
            let kept = taken.iter().take_while(|taken| **taken).count();
            let early = (kept..wanted.len()).filter(|place| taken[*place]);
            let early: Vec<String> = early.map(|place| wanted[place].clone()).collect();
            lease.names.extend(wanted.drain(..kept));
            if wanted.is_empty() {
                break;
            }
            self.give_back(&early, &lease.token).await;
            if Instant::now() > until {
                lease.give_back().await;
                return Err(LeaseError::Busy);
            }
            if renewed.elapsed() > self.ttl / 3 {
                lease.renew().await;
                renewed = Instant::now();
            }
            sleep(PAUSE_MAX.mul_f64(rand::random())).await;
        }
        Ok(lease)
    }

    async fn try_take(&self, names: &[String], token: &str) -> Result<Vec<bool>, LeaseError> {
        let mut pipeline = redis::pipe();
        for name in names {
            pipeline.cmd("SET").arg(name).arg(token).arg("NX").arg("PX").arg(millis(self.ttl));
        }
        let mut redis = self.redis.clone();
        let answers =
            timeout(ANSWER, pipeline.query_async::<Vec<Option<String>>>(&mut redis)).await;
        match answers {
            Ok(Ok(answers)) => Ok(answers.iter().map(Option::is_some).collect()),
            Ok(Err(error)) if !error.is_timeout() => Err(LeaseError::Unavailable(error)),
            Ok(Err(_)) | Err(_) => Err(LeaseError::Silent),
        }
    }

    async fn give_back(&self, names: &[String], token: &str) {
        if names.is_empty() {
            return;
        }
        let script = Script::new(GIVE_BACK);
        let mut call = script.prepare_invoke();
        for name in names {
            call.key(name);
        }
        call.arg(token);
        let mut redis = self.redis.clone();
        if let Err(error) = call.invoke_async::<()>(&mut redis).await {
            tracing::debug!(%error, "names stay taken until their time is over");
        }
    }
}

impl Lease {
    /// Does `work` and keeps the names taken meanwhile, as far as Redis can be reached.
    pub async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        let period = self.leases.ttl / 3;
        let beat = async {
            let mut beat = interval_at(Instant::now() + period, period);
            loop {
                beat.tick().await;
                self.renew().await;
            }
        };
        tokio::select! {
            biased;
            done = work => done,
            () = beat => unreachable!("a heartbeat has no end"),
        }
    }

    /// Frees the names that are still ours.
    pub async fn give_back(self) {
        self.leases.give_back(&self.names, &self.token).await;
    }

    /// How many of the names are still ours: none that is not is taken back.
    pub async fn renew(&self) -> usize {
        if self.names.is_empty() {
            return 0;
        }
        let script = Script::new(RENEW);
        let mut call = script.prepare_invoke();
        for name in &self.names {
            call.key(name);
        }
        call.arg(&self.token).arg(millis(self.leases.ttl));
        let mut redis = self.leases.redis.clone();
        match call.invoke_async(&mut redis).await {
            Ok(held) => held,
            Err(error) => {
                tracing::debug!(%error, "names could not be renewed");
                0
            }
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

//! The embedded queue: one SQLite file, for `onhand serve`.
//!
//! What it guarantees, and how:
//!
//! * `publish` answers `Ok` after the fsync of the transaction that holds the envelope. All that
//!   waits while one transaction commits goes into the next one together, as parcels; a lone
//!   publish waits for nobody.
//! * A delivery is counted in the file before it is handed out, so a parcel that brings the process
//!   down is known by its `redeliveries`.
//! * A lease is the number of a process's time with the file, the *epoch*, which grows with each
//!   opening: whatever a dead process held is free at once, and nothing waits for an expiry.
//! * `settle` returns when it is in the file. `RetryIn` writes the envelope anew in the transaction
//!   that settles the old delivery.
//!
//! If the process dies, the file holds every publish that was answered. Marks of deliveries and
//! settlements are written without an fsync of their own: the death of the process loses none of
//! them, a power cut may lose the last few, and then their parcels are delivered again.
//!
//! One task, the writer, owns the only connection; everybody else talks to it. **Only one
//! process may have the file open for serving**: whoever opens it takes it that all earlier leases
//! are void. The binary sees to that with a lock on the data folder. [`EmbeddedQueue::peek_stats`]
//! only reads, from any process.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::{QueueError, QueueStats};

mod aside;
mod books;
mod command;
mod consumer;
mod fault;
mod file;
mod group;
mod measure;
mod publisher;
mod writer;

pub use consumer::EmbeddedConsumer;
pub use publisher::EmbeddedPublisher;

use command::Command;
use fault::Cause;
use file::{Counts, File};
use writer::Writer;

/// How many publishes, settlements and requests may wait for the writer before the next one waits
/// for a place. Envelopes among them are in memory, within what ingress allows.
const COMMANDS_MAX: usize = 1024;

/// How much may wait in the file. Beyond it publishes are refused and the sender tries again later.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Of parcels as stored, which is about a fifth of what was sent.
    pub waiting_bytes_max: u64,
    pub waiting_parcels_max: u64,
}

impl Default for Limits {
    /// Days of a busy shop's webhooks, and little enough that the disk is not a surprise.
    fn default() -> Self {
        Self { waiting_bytes_max: 8 * 1024 * 1024 * 1024, waiting_parcels_max: 4_000_000 }
    }
}

/// What becomes of a file whose content is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WhenDamaged {
    /// Nothing gets in or out: what it holds is nowhere else, and somebody has to look.
    Refuse,
    /// It gets another name, and an empty one takes its place.
    SetAside,
}

/// The queue, open for serving. Dropping it stops the writer where it stands, as a crash would;
/// [`close`](Self::close) is the way to leave.
#[derive(Debug)]
pub struct EmbeddedQueue {
    commands: mpsc::Sender<Command>,
    departures: mpsc::UnboundedSender<u64>,
    shared: Arc<Shared>,
    tasks: TaskTracker,
    _abandon: DropGuard,
}

/// What publishers and consumers look at without asking the writer.
#[derive(Debug, Default)]
struct Shared {
    /// The last attempt to write succeeded and there is room.
    accepting: AtomicBool,
    /// How many envelopes are in the file.
    waiting: AtomicU64,
    /// And how many bytes, as stored.
    waiting_bytes: AtomicU64,
    /// Numbers the consumers.
    sessions: AtomicU64,
}

impl EmbeddedQueue {
    /// Opens or creates the file. Must not be called while another process serves from it.
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self, QueueError> {
        Self::open_with(path, Limits::default()).await
    }

    pub async fn open_with(path: impl Into<PathBuf>, limits: Limits) -> Result<Self, QueueError> {
        let path = path.into();
        let opened = File::open(&path, &[]).await.map_err(|unopened| unopened.error)?;
        Ok(Self::start(path, Ok(opened), limits, WhenDamaged::Refuse))
    }

    /// For a process that has another way for its webhooks: neither the disk nor the file's content
    /// keeps it from opening. While the disk is full or fails, nothing is in the queue and nothing
    /// gets into it; when it is mended, that is noticed. A damaged file is set aside, now or when
    /// the damage is met, and the queue goes on with an empty one.
    pub(crate) async fn open_spool(path: PathBuf, limits: Limits) -> Result<Self, QueueError> {
        measure::set_aside(aside::count(&path).await);
        let opened = match File::open(&path, &[]).await {
            Err(unopened) if unopened.cause == Cause::Damage => {
                aside::replace(&path, 0, &unopened.error.to_string()).await
            }
            opened => opened,
        };
        let opened = match opened {
            Ok(opened) => Ok(opened),
            Err(unopened) if unopened.cause == Cause::Other => return Err(unopened.error),
            Err(unopened) => Err(unopened.error.to_string()),
        };
        Ok(Self::start(path, opened, limits, WhenDamaged::SetAside))
    }

    fn start(
        path: PathBuf,
        opened: Result<(File, Counts), String>,
        limits: Limits,
        when_damaged: WhenDamaged,
    ) -> Self {
        measure::describe();
        let (commands, received) = mpsc::channel(COMMANDS_MAX);
        // Holds at most one message per consumer, so it needs no bound of its own.
        let (departures, departed) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared::default());
        let abandoned = CancellationToken::new();
        let tasks = TaskTracker::new();
        let writer = Writer::new(path, opened, limits, when_damaged, Arc::clone(&shared));
        tasks.spawn(writer.run(received, departed, abandoned.clone()));
        tasks.close();
        Self { commands, departures, shared, tasks, _abandon: abandoned.drop_guard() }
    }

    pub fn publisher(&self) -> EmbeddedPublisher {
        EmbeddedPublisher::new(self.commands.clone(), Arc::clone(&self.shared))
    }

    /// A consumer for one lane.
    pub fn consumer(&self) -> EmbeddedConsumer {
        let session = self.shared.sessions.fetch_add(1, Ordering::Relaxed);
        EmbeddedConsumer::new(session, self.commands.clone(), self.departures.clone())
    }

    /// What is waiting, after everything that was asked of the queue before.
    pub async fn stats(&self) -> Result<QueueStats, QueueError> {
        let (reply, answer) = oneshot::channel();
        let closed = || QueueError::Unreachable("the embedded queue is closed".to_owned());
        self.commands.send(Command::Stats(reply)).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())
    }

    /// Writes what was handed over, gives back every delivery, and leaves one tidy file. Publishers
    /// and consumers that are still around find the queue gone.
    pub async fn close(self) {
        // A writer that is gone has nothing left to write.
        let _ = self.commands.send(Command::Close).await;
        self.tasks.wait().await;
    }

    /// What is waiting in the file at `path`, read beside a process that may be serving from it;
    /// nothing, where there is no file. Deliveries of a process that was killed count as `unacked`
    /// until the next one opens the file.
    pub async fn peek_stats(path: impl AsRef<Path>) -> Result<QueueStats, QueueError> {
        file::peek(path.as_ref()).await
    }
}

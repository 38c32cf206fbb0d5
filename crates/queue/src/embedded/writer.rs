//! The one task that works on the file: whatever is asked while a transaction commits goes into the
//! next one together.
//!
//! A failed transaction ends the connection. Publishes in it are answered `Unavailable`; what was
//! settled or given back stays owed and goes into the first transaction that succeeds, and waiting
//! consumers wait on. Until the file can be opened and written again, publishes fail at once. Only a
//! spool's file that is damaged is set aside: what comes next goes into an empty one. If the process
//! dies, what was not answered may be lost, and everything handed out comes back.

use std::mem;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::Envelope;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use super::books::Books;
use super::command::{Command, Published, now};
use super::fault::{Cause, Fault};
use super::file::{Counts, File};
use super::group::{Group, Packed, Written};
use super::{COMMANDS_MAX, Limits, Shared, WhenDamaged, aside, measure};
use crate::parcel;
use crate::{PublishError, QueueStats};

/// The clock may be set while we sleep, so nobody sleeps longer than this.
const SLEEP_MAX: Duration = Duration::from_secs(60);

/// Nothing to do for this long: time to look after the file.
const IDLE: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct Writer {
    path: PathBuf,
    limits: Limits,
    when_damaged: WhenDamaged,
    shared: Arc<Shared>,
    file: Result<File, Fault>,
    /// A write failed, and no publish has succeeded since: it has been said once.
    troubled: bool,
    books: Books,
    arrived: Vec<(Envelope, Published)>,
    /// To be told after the next transaction. If that fails they are told all the same: what they
    /// asked for is owed then, and waiting for the disk would not make it safer.
    done: Vec<oneshot::Sender<()>>,
    asking: Vec<oneshot::Sender<QueueStats>>,
    closing: bool,
    /// When the file is to be looked after, if nothing else happens.
    tidy_at: Option<Instant>,
}

impl Writer {
    pub(super) fn new(
        path: PathBuf,
        opened: Result<(File, Counts), String>,
        limits: Limits,
        when_damaged: WhenDamaged,
        shared: Arc<Shared>,
    ) -> Self {
        let (file, counts) = match opened {
            Ok((file, counts)) => (Ok(file), counts),
            Err(why) => {
                error!(why, "the embedded queue takes no webhooks");
                (Err(Fault::new(why)), Counts::default())
            }
        };
        let troubled = file.is_err();
        let writer = Self {
            path,
            limits,
            when_damaged,
            shared,
            file,
            troubled,
            books: Books::new(counts),
            arrived: Vec::new(),
            done: Vec::new(),
            asking: Vec::new(),
            closing: false,
            tidy_at: None,
        };
        writer.show();
        writer
    }

    pub(super) async fn run(
        mut self,
        mut commands: mpsc::Receiver<Command>,
        mut departures: mpsc::UnboundedReceiver<u64>,
        abandoned: CancellationToken,
    ) {
        let mut batch = Vec::with_capacity(COMMANDS_MAX);
        loop {
            tokio::select! {
                biased;
                () = abandoned.cancelled() => return,
                Some(session) = departures.recv() => self.books.depart(session),
                received = commands.recv_many(&mut batch, COMMANDS_MAX) => {
                    // Closed, and every command is done.
                    if received == 0 {
                        break;
                    }
                }
                () = sleep_until(self.wake_at()) => self.tidy_if_idle().await,
            }
            for command in batch.drain(..) {
                self.accept(command);
            }
            if self.closing {
                commands.close();
                self.books.depart_all();
            }
            self.turn().await;
        }
        if let Ok(file) = self.file
            && let Err(error) = file.close().await
        {
            warn!(%error, "the queue file was left with its log, which loses nothing");
        }
    }

    fn accept(&mut self, command: Command) {
        match command {
            Command::Publish(envelope, reply) => self.arrived.push((*envelope, reply)),
            Command::Take(take) => self.books.ask(take),
            Command::Settle(settle, done) => {
                self.books.settle(settle);
                self.done.push(done);
            }
            Command::Withdraw { session, done } => {
                self.books.withdraw(session);
                self.done.push(done);
            }
            Command::Return { parcels, done } => {
                self.books.owed.untouched.extend(parcels);
                self.done.push(done);
            }
            Command::Leave { session, done } => {
                self.books.depart(session);
                self.done.push(done);
            }
            Command::Stats(reply) => self.asking.push(reply),
            Command::Close => self.closing = true,
        }
    }

    /// One transaction, if there is anything to do, and the answers.
    async fn turn(&mut self) {
        let arrived = mem::take(&mut self.arrived);
        if let Err(fault) = &self.file
            && Instant::now() >= fault.mend_at
        {
            self.mend().await;
        }
        match &self.file {
            Ok(_) => {
                let (parcels, replies) = self.pack(arrived);
                if !parcels.is_empty() || self.books.has_work(now()) {
                    self.write(&parcels, replies).await;
                }
            }
            Err(fault) => {
                refuse(arrived.into_iter().map(|(_, reply)| reply), fault.refusal());
            }
        }
        for done in self.done.drain(..) {
            // Whoever does not listen any more does not need the answer; so below.
            let _ = done.send(());
        }
        let stats = self.books.stats();
        for reply in self.asking.drain(..) {
            let _ = reply.send(stats);
        }
    }

    /// Packs what arrived into parcels, refusing what does not fit.
    fn pack(&self, arrived: Vec<(Envelope, Published)>) -> (Vec<Packed>, Vec<Published>) {
        let (envelopes, replies): (Vec<_>, Vec<_>) = arrived.into_iter().unzip();
        let (mut parcels, mut accepted) = (Vec::new(), Vec::with_capacity(replies.len()));
        let mut replies = replies.into_iter();
        let Counts { parcels: mut count, mut bytes, .. } = self.books.counts;
        for envelopes in parcel::split(envelopes) {
            let replies = replies.by_ref().take(envelopes.len());
            let body = match parcel::encode(&envelopes) {
                Ok(body) => body,
                Err(error) => {
                    refuse(replies, PublishError::Refused(error.to_string()));
                    continue;
                }
            };
            let heavier = bytes.saturating_add(u64::try_from(body.len()).unwrap_or(u64::MAX));
            if count >= self.limits.waiting_parcels_max || heavier > self.limits.waiting_bytes_max {
                refuse(replies, PublishError::Refused("it is full".to_owned()));
                continue;
            }
            (count, bytes) = (count + 1, heavier);
            accepted.extend(replies);
            parcels.push(Packed { envelopes: envelopes.len(), body });
        }
        (parcels, accepted)
    }

    async fn write(&mut self, parcels: &[Packed], replies: Vec<Published>) {
        let Ok(file) = &mut self.file else { return };
        let started = Instant::now();
        let mut written = transact(file, &self.books, parcels).await;
        if let Err(error) = &written
            && self.gives_way(Cause::of(error))
        {
            self.start_anew(error.to_string()).await;
            if let Ok(file) = &mut self.file {
                // Some senders do not come again: what has just arrived need not be refused.
                written = transact(file, &self.books, parcels).await;
            }
        }
        match written {
            Ok(written) => {
                measure::published(parcels, started.elapsed());
                if !parcels.is_empty() && mem::take(&mut self.troubled) {
                    info!("the queue file is written again");
                }
                self.books.enter(written);
                self.tidy_at = Some(Instant::now() + IDLE);
                self.show();
                for reply in replies {
                    // A caller that is out of patience has the envelope in the queue all the same.
                    let _ = reply.send(Ok(()));
                }
            }
            Err(error) => {
                if self.file.is_ok() {
                    self.fail(format!("the queue file cannot be written: {error}")).await;
                }
                if let Err(fault) = &self.file {
                    refuse(replies.into_iter(), fault.refusal());
                }
            }
        }
    }

    /// Whether a file with such a failure is given up for an empty one.
    fn gives_way(&self, cause: Cause) -> bool {
        cause == Cause::Damage && self.when_damaged == WhenDamaged::SetAside
    }

    /// Puts an empty file in the place of a damaged one, if that can be done.
    async fn start_anew(&mut self, why: String) {
        measure::failed();
        self.abandon(why.clone()).await;
        match aside::replace(&self.path, self.books.newest(), &why).await {
            Ok((file, counts)) => {
                self.file = Ok(file);
                self.books.start_anew(counts);
                self.show();
            }
            Err(unopened) => self.fail(unopened.error.to_string()).await,
        }
    }

    /// Ends the connection, which is in an unknown state.
    async fn fail(&mut self, why: String) {
        measure::failed();
        if mem::replace(&mut self.troubled, true) {
            debug!(why, "the embedded queue still takes no webhooks");
        } else {
            error!(why, "the embedded queue takes no webhooks");
        }
        self.abandon(why).await;
        self.show();
    }

    async fn abandon(&mut self, why: String) {
        if let Ok(file) = mem::replace(&mut self.file, Err(Fault::new(why))) {
            // It failed already; what matters is that it is closed before the next is opened.
            let _ = file.abandon().await;
        }
    }

    async fn mend(&mut self) {
        match File::open(&self.path, &self.books.held()).await {
            Ok((file, counts)) => {
                self.file = Ok(file);
                self.books.counts = counts;
                self.show();
            }
            Err(unopened) => {
                let why = unopened.error.to_string();
                if self.gives_way(unopened.cause) {
                    self.start_anew(why).await;
                } else {
                    self.fail(why).await;
                }
            }
        }
    }

    fn wake_at(&self) -> Instant {
        let now_at = Instant::now();
        if let Err(fault) = &self.file {
            return fault.mend_at;
        }
        if !self.books.owed.is_empty() {
            return now_at;
        }
        let due = self.books.counts.next_due.map(|due| {
            let micros = u64::try_from(due.saturating_sub(now())).unwrap_or(0);
            now_at + Duration::from_micros(micros).min(SLEEP_MAX)
        });
        [due, self.tidy_at].into_iter().flatten().fold(now_at + SLEEP_MAX, Instant::min)
    }

    async fn tidy_if_idle(&mut self) {
        if self.tidy_at.is_none_or(|at| at > Instant::now()) {
            return;
        }
        self.tidy_at = None;
        if let Ok(file) = &mut self.file
            && let Err(error) = file.shrink(&self.books.counts).await
        {
            warn!(%error, "the queue file could not be made smaller");
        }
    }

    fn show(&self) {
        let accepting = self.file.is_ok() && self.books.has_room(&self.limits);
        self.shared.accepting.store(accepting, Ordering::Relaxed);
        self.shared.waiting.store(self.books.counts.envelopes, Ordering::Relaxed);
        self.shared.waiting_bytes.store(self.books.counts.bytes, Ordering::Relaxed);
    }
}

async fn transact(
    file: &mut File,
    books: &Books,
    parcels: &[Packed],
) -> Result<Written, sqlx::Error> {
    let wanted = books.wanted();
    let group = Group { parcels, owed: &books.owed, wanted: &wanted, now: now() };
    group.write(file, books.counts).await
}

fn refuse(replies: impl Iterator<Item = Published>, error: PublishError) {
    for reply in replies {
        crate::measure::not_published(&error, 1);
        // Whoever does not listen any more has given up already.
        let _ = reply.send(Err(error.clone()));
    }
}

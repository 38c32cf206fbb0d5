//! One connection to the broker, kept up for ever.
//!
//! lapin's own recovery stays off: it gives up after some attempts, says nothing to consumers and
//! does not bring back a channel. Here any trouble ends the whole [`Session`], and a new one starts
//! from nothing: connection, topology, and then (by those who use it) channels. If the process
//! dies, the broker notices the closed socket and hands out what was unsettled.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::StreamExt;
use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};
use lapin::uri::AMQPUri;
use lapin::{Connection, ConnectionProperties, ErrorKind, Event};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::topology::{self, Names};
use crate::QueueError;
use crate::pace::Pace;

/// From the first packet to the last declaration.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);

/// For the farewell on a connection that may be half dead.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// A session that lasted this long was a good one: what ends it is a new trouble.
const STEADY: Duration = Duration::from_secs(10);

/// How often to look whether lapin closed the connection without an event.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What to connect to, and as whom.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) uri: AMQPUri,
    /// Shown in the broker's own tools.
    pub(super) connection_name: String,
    /// "publish" or "consume": a label in metrics and logs.
    pub(super) purpose: &'static str,
    pub(super) names: Names,
}

/// One connection's life.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) number: u64,
    pub(super) connection: Connection,
    fault: OnceLock<String>,
    broken: CancellationToken,
}

impl Session {
    /// Ends the session for everybody: for those who find that it does not work.
    pub(super) fn give_up(&self, why: impl Into<String>) {
        // A later complaint follows from the first.
        let _ = self.fault.set(why.into());
        self.broken.cancel();
    }
}

#[derive(Clone, Debug)]
enum State {
    /// The first attempt is not over yet.
    Connecting,
    Up(Arc<Session>),
    /// The broker is short of memory or disk and reads no more from this connection.
    Blocked(String),
    Down(QueueError),
}

/// A view of the connection, for those who use it.
#[derive(Clone, Debug)]
pub(super) struct Link {
    state: watch::Receiver<State>,
}

impl Link {
    /// Starts to connect; goes on until `stop`.
    pub(super) fn start(target: Target, tasks: &TaskTracker, stop: CancellationToken) -> Self {
        let (sender, state) = watch::channel(State::Connecting);
        reconnects(target.purpose).increment(0);
        tasks.spawn(Supervisor { target, state: sender, stop, opened: 0 }.run());
        Self { state }
    }

    /// The session as it is now, or why there is none.
    pub(super) fn session(&self) -> Result<Arc<Session>, String> {
        match &*self.state.borrow() {
            State::Connecting => Err("still connecting".to_owned()),
            State::Up(session) => Ok(session.clone()),
            State::Blocked(why) => Err(format!("blocked by the broker: {why}")),
            State::Down(error) => Err(error.to_string()),
        }
    }

    /// The outcome of the first attempt.
    pub(super) async fn first_attempt(&mut self) -> Result<(), QueueError> {
        let decided = self.state.wait_for(|state| !matches!(state, State::Connecting)).await;
        match decided.as_deref() {
            Ok(State::Down(error)) => Err(error.clone()),
            Ok(_) => Ok(()),
            Err(_) => Err(QueueError::Unreachable("stopped".to_owned())),
        }
    }

    /// Waits for a session, however long it takes.
    pub(super) async fn up(&mut self) -> Arc<Session> {
        let up = match self.state.wait_for(|state| matches!(state, State::Up(_))).await.as_deref() {
            Ok(State::Up(session)) => Some(session.clone()),
            _ => None,
        };
        match up {
            Some(session) => session,
            // Stopped: there will be none.
            None => std::future::pending().await,
        }
    }

    /// Waits for the end (or the blocking) of this session and says why.
    pub(super) async fn left(&mut self, number: u64) -> String {
        let stays = |state: &State| matches!(state, State::Up(session) if session.number == number);
        let _ = self.state.wait_for(|state| !stays(state)).await;
        self.session().err().unwrap_or_else(|| "the connection was replaced".to_owned())
    }
}

struct Supervisor {
    target: Target,
    state: watch::Sender<State>,
    stop: CancellationToken,
    opened: u64,
}

impl Supervisor {
    async fn run(mut self) {
        let mut pace = Pace::new();
        let mut said = String::new();
        loop {
            let opened = tokio::select! {
                () = self.stop.cancelled() => return,
                opened = open(&self.target) => opened,
            };
            let error = match opened {
                Ok(connection) => {
                    let since = Instant::now();
                    said.clear();
                    let Some(why) = self.serve(connection).await else { return };
                    if since.elapsed() >= STEADY {
                        pace.reset();
                    }
                    QueueError::Unreachable(why)
                }
                Err(error) => error,
            };
            // A long outage is one line, not one for each attempt.
            let why = error.to_string();
            if why != said {
                tracing::warn!(
                    purpose = self.target.purpose,
                    error = why,
                    "broker connection down"
                );
                said = why;
            }
            self.state.send_replace(State::Down(error));
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = sleep(pace.next()) => {}
            }
        }
    }

    /// Watches over one connection until it ends, and says why; `None` when asked to stop.
    async fn serve(&mut self, connection: Connection) -> Option<String> {
        let mut events = Box::pin(connection.events_listener());
        let session = Arc::new(Session {
            number: self.opened,
            connection,
            fault: OnceLock::new(),
            broken: CancellationToken::new(),
        });
        self.announce(&session);
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let why = loop {
            tokio::select! {
                () = self.stop.cancelled() => break None,
                () = session.broken.cancelled() => break session.fault.get().cloned(),
                event = events.next() => match event {
                    Some(Event::ConnectionBlocked(why)) => {
                        tracing::warn!(purpose = self.target.purpose, why, "broker blocks us");
                        self.state.send_replace(State::Blocked(why));
                    }
                    Some(Event::ConnectionUnblocked) => {
                        tracing::info!(purpose = self.target.purpose, "broker unblocked us");
                        self.state.send_replace(State::Up(session.clone()));
                    }
                    // A channel's error comes here too; its owner sees to that.
                    Some(Event::Error(error)) if !session.connection.status().connected() => {
                        break Some(error.to_string());
                    }
                    Some(_) => {}
                    None => break Some("the connection ended".to_owned()),
                },
                _ = look.tick() => if !session.connection.status().connected() {
                    break Some("the connection ended".to_owned());
                },
            }
        };
        let farewell = why.clone().unwrap_or_else(|| "closed".to_owned());
        self.state.send_replace(State::Down(QueueError::Unreachable(farewell)));
        // Of no consequence: the broker notices the closed socket too.
        let _ = timeout(CLOSE_TIMEOUT, session.connection.close(200, "done".into())).await;
        why
    }

    fn announce(&mut self, session: &Arc<Session>) {
        if self.opened > 0 {
            reconnects(self.target.purpose).increment(1);
        }
        self.opened += 1;
        tracing::info!(purpose = self.target.purpose, "broker connected");
        self.state.send_replace(State::Up(session.clone()));
    }
}

fn reconnects(purpose: &'static str) -> metrics::Counter {
    metrics::counter!("onhand_broker_reconnects_total", "purpose" => purpose)
}

async fn open(target: &Target) -> Result<Connection, QueueError> {
    let address = format!("{}:{}", target.uri.authority.host, target.uri.authority.port);
    let opened = timeout(OPEN_TIMEOUT, async {
        // Auto-recovery is off unless asked for, and so are lapin's own retries.
        let properties = ConnectionProperties::default()
            .with_connection_name(target.connection_name.as_str().into());
        let connection = Connection::connect_uri(target.uri.clone(), properties)
            .await
            .map_err(|error| refused(&address, &error))?;
        topology::declare(&connection, &target.names).await?;
        Ok(connection)
    });
    opened.await.unwrap_or_else(|_| {
        Err(QueueError::Unreachable(format!(
            "{address} did not answer within {} s",
            OPEN_TIMEOUT.as_secs()
        )))
    })
}

/// Tells a broker that does not want us from one that is not there.
fn refused(address: &str, error: &lapin::Error) -> QueueError {
    let ErrorKind::ProtocolError(protocol) = error.kind() else {
        return QueueError::Unreachable(format!("{address}: {error}"));
    };
    let said = protocol.get_message();
    match protocol.kind() {
        AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) => {
            QueueError::Unusable(format!("{address} refuses user name or password ({said})"))
        }
        AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED) => QueueError::Unusable(format!(
            "{address} does not let this user into the virtual host ({said})"
        )),
        _ => QueueError::Unreachable(format!("{address}: {said}")),
    }
}

//! A TCP proxy that stands in front of a broker or a database and breaks its connections.
//!
//! Crude faults: [`cut`](ChaosProxy::cut) resets every connection, [`refuse`](ChaosProxy::refuse)
//! turns new ones away, [`stall`](ChaosProxy::stall) keeps the sockets open and moves no byte. The
//! precise one, [`drop_replies_after`](ChaosProxy::drop_replies_after), loses exactly the answer to
//! a COMMIT or a publish: the request arrives, the server acts on it, the client never learns. Its
//! counterpart, [`lose_request`](ChaosProxy::lose_request), loses the request itself, and
//! [`hold_request`](ChaosProxy::hold_request) has it come late.
//!
//! A fault that is not hit proves nothing, so the precise ones count: a test ends with
//! [`wait_hit`](ChaosProxy::wait_hit) or looks at [`hits`](ChaosProxy::hits).

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

mod wire;

use wire::Wire;

/// Bytes taken from a socket at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// Connections that may wait to be accepted.
const BACKLOG_CONNECTIONS: u32 = 1024;

/// The request that is lost, or whose answer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// PostgreSQL: a COMMIT, as a plain query or as a prepared statement.
    Commit,
    /// AMQP 0-9-1: a `basic.publish` on a channel with publisher confirms.
    Publish,
    /// AMQP 0-9-1: a consumer's `basic.ack`, which has no answer and so can only be lost itself.
    Ack,
    /// Any protocol: these bytes, even across reads. Whatever comes next is their answer.
    Bytes(Vec<u8>),
}

/// What happens once the answer has been swallowed, and so the server is known to have acted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The connection is reset.
    Cut,
    /// It stays open, but nothing comes from the server any more: only a deadline can tell.
    Silence,
}

/// The proxy. Dropping it closes every connection.
#[derive(Debug)]
pub struct ChaosProxy {
    address: SocketAddr,
    /// Bound but not listening: keeps the port ours while connections are refused.
    _port: TcpSocket,
    shared: Arc<Shared>,
    accepting: Mutex<Option<Accepting>>,
    stop: CancellationToken,
}

#[derive(Debug)]
struct Accepting {
    stop: CancellationToken,
    tasks: TaskTracker,
}

#[derive(Debug)]
struct Shared {
    upstream: String,
    stalled: watch::Sender<bool>,
    /// Requests that are held back may go.
    released: watch::Sender<bool>,
    hits: watch::Sender<usize>,
    /// Parent of all connections of today; replaced by `cut`.
    connections: Mutex<CancellationToken>,
    faults: Mutex<Faults>,
    tasks: TaskTracker,
}

/// What is lost from the trigger on.
#[derive(Clone, Copy, Debug)]
enum Loss {
    Request,
    /// Nothing but time.
    Time,
    Replies(Then),
}

#[derive(Debug, Default)]
struct Faults {
    waiting: VecDeque<(Trigger, Loss)>,
    armed: usize,
}

impl ChaosProxy {
    /// Starts a proxy on a free port in front of `upstream` (`host:port`).
    pub async fn start(upstream: impl Into<String>) -> Self {
        let port = reusable_socket().expect("a TCP socket can be made");
        port.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("there is a free port");
        let address = port.local_addr().expect("a bound socket has an address");
        let stop = CancellationToken::new();
        let shared = Shared {
            upstream: upstream.into(),
            stalled: watch::Sender::new(false),
            released: watch::Sender::new(false),
            hits: watch::Sender::new(0),
            connections: Mutex::new(stop.child_token()),
            faults: Mutex::default(),
            tasks: TaskTracker::new(),
        };
        let accepting = Mutex::new(None);
        let proxy = Self { address, _port: port, shared: Arc::new(shared), accepting, stop };
        proxy.restore();
        proxy
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `url` with its host and port replaced by the proxy's.
    pub fn url(&self, url: &str) -> String {
        let (scheme, rest) = url.split_once("://").expect("a URL has a scheme");
        let authority = rest.find(['/', '?']).unwrap_or(rest.len());
        let user = rest[..authority].rfind('@').map_or("", |at| &rest[..=at]);
        format!("{scheme}://{user}{}{}", self.address, &rest[authority..])
    }

    /// Resets every connection. No byte passes on them any more; new ones are welcome.
    pub fn cut(&self) {
        let fresh = self.stop.child_token();
        let old = std::mem::replace(&mut *lock(&self.shared.connections), fresh);
        old.cancel();
    }

    /// Refuses new connections from when it returns; the open ones live on.
    pub async fn refuse(&self) {
        let accepting = lock(&self.accepting).take();
        if let Some(accepting) = accepting {
            accepting.stop.cancel();
            accepting.tasks.wait().await;
        }
    }

    /// Accepts new connections again.
    pub fn restore(&self) {
        let mut accepting = lock(&self.accepting);
        if accepting.is_some() {
            return;
        }
        let socket = reusable_socket().expect("a TCP socket can be made");
        socket.bind(self.address).expect("the port is still ours");
        let listener = socket.listen(BACKLOG_CONNECTIONS).expect("nobody else listens there");
        let stop = self.stop.child_token();
        let tasks = TaskTracker::new();
        tasks.spawn(accept(listener, Arc::clone(&self.shared), stop.clone()));
        tasks.close();
        *accepting = Some(Accepting { stop, tasks });
    }

    /// Half-open: sockets stay, nothing flows, neither way.
    pub fn stall(&self) {
        self.shared.stalled.send_replace(true);
    }

    /// Lets everything flow again, beginning with what was held back.
    pub fn resume(&self) {
        self.shared.stalled.send_replace(false);
    }

    /// Loses the answer to the next request that matches, on whichever connection; then the fault
    /// is spent. Armed twice, it is hit twice.
    ///
    /// From the trigger on everything that the server sends on that connection is dropped. When the
    /// answer has come, and with it the proof that the server acted, `then` happens.
    pub fn drop_replies_after(&self, trigger: Trigger, then: Then) {
        self.arm(trigger, Loss::Replies(then));
    }

    /// Loses the next request that matches, on whichever connection; then the fault is spent.
    ///
    /// What was read together with it does not arrive, nor does anything that the client sends
    /// later. The connection stays open, as if the network had gone away.
    pub fn lose_request(&self, trigger: Trigger) {
        self.arm(trigger, Loss::Request);
    }

    /// Holds back the next request that matches, on whichever connection, with what was read together
    /// with it and what follows on that connection, until [`release`](Self::release).
    pub fn hold_request(&self, trigger: Trigger) {
        self.shared.released.send_replace(false);
        self.arm(trigger, Loss::Time);
    }

    /// Lets what is held back go to the server.
    pub fn release(&self) {
        self.shared.released.send_replace(true);
    }

    fn arm(&self, trigger: Trigger, loss: Loss) {
        let mut faults = lock(&self.shared.faults);
        faults.waiting.push_back((trigger, loss));
        faults.armed += 1;
    }

    /// How many requests and answers were lost or held back.
    pub fn hits(&self) -> usize {
        *self.shared.hits.borrow()
    }

    /// Waits until every armed fault was hit.
    pub async fn wait_hit(&self) {
        let armed = lock(&self.shared.faults).armed;
        let mut hits = self.shared.hits.subscribe();
        hits.wait_for(|hits| *hits >= armed).await.expect("the sender lives in self");
    }
}

impl Drop for ChaosProxy {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        if let Ok((client, _)) = accepted {
            let cut = lock(&shared.connections).child_token();
            shared.tasks.spawn(serve(client, Arc::clone(&shared), cut));
        }
    }
}

/// One connection from first to last byte. Both sides are reset unless both closed in good order.
async fn serve(mut client: TcpStream, shared: Arc<Shared>, cut: CancellationToken) {
    let Ok(mut server) = TcpStream::connect(&shared.upstream).await else {
        let _ = client.set_zero_linger();
        return;
    };
    // A proxy that waits for full segments would add delays that nobody asked for.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let link = Link { shared: &shared, state: Mutex::default() };
    let ended = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        tokio::select! {
            biased;
            () = cut.cancelled() => Err(io::ErrorKind::ConnectionReset.into()),
            ended = async { tokio::try_join!(
                link.requests(from_client, to_server),
                link.replies(from_server, to_client),
            ) } => ended,
        }
    };
    if ended.is_err() {
        let _ = (client.set_zero_linger(), server.set_zero_linger());
    }
}

/// What both directions of a connection share.
struct Link<'a> {
    shared: &'a Shared,
    state: Mutex<LinkState>,
}

#[derive(Default)]
struct LinkState {
    wire: Wire,
    /// A fault that was triggered here, and what is lost from then on.
    fault: Option<Loss>,
    answered: bool,
}

impl Link<'_> {
    async fn requests(&self, mut from: ReadHalf<'_>, mut to: WriteHalf<'_>) -> io::Result<()> {
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let bytes = self.read(&mut from, &mut chunk).await?;
            // Before the request leaves, so that its answer cannot slip through.
            match self.fault(bytes) {
                Some(Loss::Request) => {}
                Some(Loss::Time) => {
                    let mut released = self.shared.released.subscribe();
                    released.wait_for(|released| *released).await.map_err(io::Error::other)?;
                    to.write_all(bytes).await?;
                }
                Some(Loss::Replies(_)) | None => to.write_all(bytes).await?,
            }
            if bytes.is_empty() {
                return to.shutdown().await;
            }
        }
    }

    async fn replies(&self, mut from: ReadHalf<'_>, mut to: WriteHalf<'_>) -> io::Result<()> {
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let bytes = self.read(&mut from, &mut chunk).await?;
            match self.swallow(bytes) {
                None => to.write_all(bytes).await?,
                Some(Then::Cut) => return Err(io::ErrorKind::ConnectionReset.into()),
                Some(Then::Silence) => {}
            }
            if bytes.is_empty() {
                return to.shutdown().await;
            }
        }
    }

    /// Reads what is there; while the proxy is stalled, neither reads nor returns.
    async fn read<'b>(&self, from: &mut ReadHalf<'_>, into: &'b mut [u8]) -> io::Result<&'b [u8]> {
        let mut stalled = self.shared.stalled.subscribe();
        stalled.wait_for(|stalled| !stalled).await.map_err(io::Error::other)?;
        let count = from.read(into).await?;
        stalled.wait_for(|stalled| !stalled).await.map_err(io::Error::other)?;
        Ok(&into[..count])
    }

    /// Looks for the trigger in what the client sends, and says what is lost on this connection.
    fn fault(&self, bytes: &[u8]) -> Option<Loss> {
        let mut state = lock(&self.state);
        let mut faults = lock(&self.shared.faults);
        let armed = faults.waiting.front().filter(|_| state.fault.is_none());
        let hit = state.wire.request(bytes, armed.map(|(trigger, _)| trigger));
        if hit {
            state.fault = faults.waiting.pop_front().map(|(_, loss)| loss);
            if matches!(state.fault, Some(Loss::Request | Loss::Time)) {
                self.shared.hits.send_modify(|hits| *hits += 1);
            }
        }
        state.fault
    }

    /// `None`: the bytes may pass.
    fn swallow(&self, bytes: &[u8]) -> Option<Then> {
        let mut state = lock(&self.state);
        let answer = state.wire.reply(bytes);
        let Some(Loss::Replies(then)) = state.fault else { return None };
        if answer && !state.answered {
            state.answered = true;
            self.shared.hits.send_modify(|hits| *hits += 1);
        }
        // Until the answer has come a cut could take the request along.
        Some(if state.answered { then } else { Then::Silence })
    }
}

/// A socket that may share its port with one that does not listen.
fn reusable_socket() -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    Ok(socket)
}

/// The values behind these locks are whole at every moment, so a panic elsewhere spoils nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;

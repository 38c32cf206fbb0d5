//! A TCP proxy in front of the broker that can cut every connection, refuse new ones, and fall
//! silent.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    upstream: String,
    open: AtomicBool,
    /// Connections that were cut in the middle.
    cut: AtomicU64,
    current: Mutex<CancellationToken>,
    /// Sockets stay open, and no byte passes.
    silent: watch::Sender<bool>,
    tasks: TaskTracker,
}

impl Proxy {
    pub(crate) async fn start(upstream: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            upstream,
            open: AtomicBool::new(true),
            cut: AtomicU64::new(0),
            current: Mutex::new(CancellationToken::new()),
            silent: watch::Sender::new(false),
            tasks: TaskTracker::new(),
        });
        let proxy = Self { address, shared };
        let accepting = proxy.clone();
        proxy.shared.tasks.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                // Dropped at once where closed: the client sees its connection end.
                if accepting.shared.open.load(Ordering::SeqCst) {
                    let carrying = accepting.clone();
                    accepting.shared.tasks.spawn(async move { carrying.carry(client).await });
                }
            }
        });
        proxy
    }

    async fn carry(&self, mut client: TcpStream) {
        let current = self.shared.current.lock().expect("not poisoned").clone();
        let Ok(mut broker) = TcpStream::connect(&self.shared.upstream).await else { return };
        tokio::select! {
            _ = self.copy(&mut client, &mut broker) => {}
            () = current.cancelled() => {
                self.shared.cut.fetch_add(1, Ordering::SeqCst);
            }
        }
    }

    /// Copies both ways until either side ends or silence falls, and then holds the sockets.
    async fn copy(&self, client: &mut TcpStream, broker: &mut TcpStream) {
        let mut silent = self.shared.silent.subscribe();
        let fell_silent = async { drop(silent.wait_for(|silent| *silent).await) };
        tokio::select! {
            biased;
            () = fell_silent => pending().await,
            _ = copy_bidirectional(client, broker) => {}
        }
    }

    /// From now on no byte passes, on connections old and new. What is silent once stays so: end it
    /// with a cut.
    pub(crate) fn set_silent(&self, silent: bool) {
        self.shared.silent.send_replace(silent);
    }

    /// Cuts all connections that there are.
    pub(crate) fn cut(&self) {
        let mut current = self.shared.current.lock().expect("not poisoned");
        std::mem::take(&mut *current).cancel();
    }

    /// Lets new connections in, or not.
    pub(crate) fn set_open(&self, open: bool) {
        self.shared.open.store(open, Ordering::SeqCst);
    }

    pub(crate) fn times_cut(&self) -> u64 {
        self.shared.cut.load(Ordering::SeqCst)
    }
}

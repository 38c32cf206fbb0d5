//! The accept loop and the graceful stop.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::{Limits, connection};

/// The pause after a failed accept: when file descriptors run out, trying again at once only burns
/// the processor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `router` on `listener` until `stop`, then lets what is in progress finish.
///
/// Returns when no connection is left. Dropping the future cuts them all.
pub async fn run(listener: TcpListener, router: Router, limits: Limits, stop: CancellationToken) {
    connection::describe();
    let permits = Arc::new(Semaphore::new(limits.connections_max));
    let connections = TaskTracker::new();
    let cut = CancellationToken::new();
    let _cut_on_drop = cut.clone().drop_guard();
    while let Some((stream, permit)) = stop.run_until_cancelled(accept(&listener, &permits)).await {
        let served = connection::serve(stream, router.clone(), limits, stop.clone());
        let cut = cut.clone();
        connections.spawn(async move {
            cut.run_until_cancelled_owned(served).await;
            drop(permit);
        });
    }
    // Closed now, so that a load balancer is refused and goes elsewhere at once.
    drop(listener);
    connections.close();
    if timeout(limits.drain_timeout, connections.wait()).await.is_err() {
        tracing::warn!(http.connections = connections.len(), "cutting what did not finish in time");
        cut.cancel();
        connections.wait().await;
    }
}

/// Takes a permit, then a connection: at the limit, peers wait in the backlog, not in our memory.
async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> (TcpStream, OwnedSemaphorePermit) {
    let permit = permits.clone().acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are small and final: none should wait for the one before to be acked.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection is gone before it began");
                }
                return (stream, permit);
            }
            Err(error) if is_the_peers_doing(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_the_peers_doing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset)
}

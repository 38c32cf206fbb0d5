//! `--spool`: a folder for webhooks that the broker does not take, for roles that receive.
//!
//! It is drained as long as the role runs, and after a stop until it is empty: an ingress that is
//! scaled away may never be started with this folder again. What is left when the broker is away or
//! the drain deadline passes, and after a kill, waits for the next process that has the folder.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use queue::spool::Spool;
use queue::{AnyPublisher, Broker};
use tokio_util::sync::CancellationToken;

use crate::exit::bad_config;

#[derive(Debug, Args)]
pub(super) struct SpoolArgs {
    /// Folder for webhooks that the broker does not take within 2 s: they wait there, are answered
    /// 200, and go to the broker when it is back. Must be on a disk that outlives the process; one
    /// folder for each process. Without it such webhooks get a 503, and WooCommerce never sends
    /// them again
    #[arg(long, env = "ONHAND_SPOOL", value_name = "DIR")]
    spool: Option<PathBuf>,
    /// How much the spool may hold, in bytes as stored (about a fifth of what was sent); beyond it
    /// webhooks get a 503
    #[arg(long, env = "ONHAND_SPOOL_MAX_BYTES", default_value_t = 1 << 30,
          value_parser = clap::value_parser!(u64).range(1 << 20..=1 << 40))]
    spool_max_bytes: u64,
}

impl SpoolArgs {
    /// The spool, where one is wanted.
    pub(super) async fn open(&self, broker: &Broker) -> anyhow::Result<Option<Spool>> {
        let Some(folder) = &self.spool else { return Ok(None) };
        if let Broker::Embedded(_) = broker {
            return Err(bad_config(
                "ONHAND_SPOOL (--spool) keeps webhooks on this disk while the broker is away, and \
                 the embedded queue is on this disk already: drop it, or set ONHAND_BROKER_URL \
                 (--broker-url), for example amqp://guest:guest@localhost:5672/%2f",
            ));
        }
        let spool = Spool::open(folder, self.spool_max_bytes).await?;
        tracing::info!(
            spool.folder = %folder.display(),
            spool.max_bytes = self.spool_max_bytes,
            "what the broker does not take goes to the spool"
        );
        Ok(Some(spool))
    }
}

/// `publisher`, with the spool for what it does not take.
pub(super) fn before(publisher: AnyPublisher, spool: Option<&Spool>) -> AnyPublisher {
    match spool {
        Some(spool) => publisher.spooling(spool),
        None => publisher,
    }
}

/// Hands what is in the spool to `broker` while `receiving` goes on, and then what is left in it for
/// up to `deadline`. Without a spool there is nothing to do.
pub(super) async fn drain(
    spool: Option<&Spool>,
    broker: AnyPublisher,
    deadline: Duration,
    receiving: impl Future<Output = ()>,
) {
    let Some(spool) = spool else { return receiving.await };
    let stop = CancellationToken::new();
    let stopping = async {
        receiving.await;
        let _ = tokio::time::timeout(deadline, spool.emptied(&broker)).await;
        stop.cancel();
    };
    tokio::join!(spool.drain(broker.clone(), stop.clone()), stopping);
}

impl SpoolArgs {
    /// Says what stays behind.
    pub(super) fn tell_what_is_left(&self, spool: Option<&Spool>) {
        let left = spool.map_or(0, Spool::waiting);
        if let Some(folder) = &self.spool
            && left > 0
        {
            tracing::warn!(
                spool.envelopes = left,
                spool.folder = %folder.display(),
                "stopping with webhooks in the spool, which were answered 200: they go on only \
                 when a process is started with this folder again"
            );
        }
    }
}

pub(super) async fn close(spool: Option<Spool>) {
    if let Some(spool) = spool {
        spool.close().await;
    }
}

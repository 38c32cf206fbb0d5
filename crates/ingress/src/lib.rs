//! HTTP in, envelope out: the only part of Onhand that platforms talk to.
//!
//! Guaranteed: a webhook is answered 200 only after the queue has it durably (promise P1), and
//! whatever else happens it is answered, with a status that `routes.rs` lists and one clear line.
//! Nothing is queued that a known secret did not sign, but Mollie's classic callbacks, which are not
//! signed and say nothing. What a sender can make this process hold is bounded by [`Limits`].
//!
//! It never sees the store, so it works while the database is down. While the queue is down it
//! answers 503 with `Retry-After`, soon enough for the sender to see it, and works again by itself
//! when the queue does. With a publisher that has a spool (`queue::spool`) it goes on with 200.
//!
//! If the process dies in the middle, the sender has no answer and sends again; the envelope may be
//! in the queue all the same, and the repeat is then recognised by its webhook id.

use std::sync::Arc;

use platforms::Shops;
use queue::Publisher;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

mod body;
mod limits;
mod measure;
mod per_shop;
mod quota;
mod receive;
mod respond;
mod routes;
mod sender;

pub use limits::Limits;

/// What an ingress works with.
#[derive(Debug)]
pub struct Ingress<P> {
    pub publisher: P,
    /// The newest good shops file. Each request uses the one that is there when it arrives.
    pub shops: watch::Receiver<Arc<Shops>>,
}

/// Receives webhooks on `listener` until `stop`, then finishes those that have begun.
pub async fn run<P: Publisher>(
    listener: TcpListener,
    ingress: Ingress<P>,
    limits: Limits,
    stop: CancellationToken,
) {
    measure::describe();
    per_shop::describe();
    let routes = routes::routes(receive::Receiver::new(ingress, limits));
    serve::run(listener, routes, limits.http, stop).await;
}

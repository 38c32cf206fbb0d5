//! One connection, from accept to close.

use std::convert::Infallible;
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Request, Response, StatusCode};
use futures_util::FutureExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, Phase};
use crate::socket::Socket;
use crate::{BUFFER_BYTES_MAX, HEADER_BYTES_MAX, Limits};

const PANICS: &str = "onhand_http_panics_total";
const TIMEOUTS: &str = "onhand_http_timeouts_total";

/// There from the first scrape on, so that a rate over them sees the first.
pub(crate) fn describe() {
    metrics::describe_counter!(PANICS, "Requests whose handler panicked");
    metrics::describe_counter!(TIMEOUTS, "Connections closed for slowness, by phase");
    metrics::counter!(PANICS).increment(0);
    for phase in [Phase::Header, Phase::Request, Phase::Linger] {
        metrics::counter!(TIMEOUTS, "phase" => phase.as_str()).increment(0);
    }
}

/// Serves requests until the peer closes, a timeout ends it, or `stop` lets the last one finish.
pub(crate) async fn serve(
    stream: TcpStream,
    router: Router,
    limits: Limits,
    stop: CancellationToken,
) {
    let clock = Arc::new(Clock::start(limits));
    let mut timer = pin!(sleep_until(clock.deadline()));
    let service = service_fn(|request| answer(router.clone(), &clock, request));
    let socket = Socket { stream, clock: clock.clone() };
    let mut connection = pin!(http().serve_connection(TokioIo::new(socket), service));
    let mut stopping = false;
    loop {
        tokio::select! {
            // The connection first: what the peer has sent before the stop is read before it.
            biased;
            closed = connection.as_mut() => {
                if let Err(error) = closed {
                    tracing::debug!(%error, "an HTTP connection broke");
                }
                return;
            }
            () = stop.cancelled(), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            () = poll_fn(|cx| clock.poll_expired(timer.as_mut(), cx)) => {
                expired(clock.phase());
                return;
            }
        }
    }
}

fn http() -> http1::Builder {
    let mut http = http1::Builder::new();
    http
        // Ours tells an idle connection from a slow header (see `Clock`).
        .header_read_timeout(None)
        // A sender that closes its side after sending has still handed us a webhook: finish it.
        .half_close(true)
        .max_header_size(HEADER_BYTES_MAX)
        // Hyper's own default is about 400 KB for each connection.
        .max_buf_size(BUFFER_BYTES_MAX);
    http
}

async fn answer(
    router: Router,
    clock: &Clock,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    clock.request_began();
    // A handler owns what it works on, so a panic leaves nothing half done behind.
    let handled = AssertUnwindSafe(TowerToHyperService::new(router).call(request));
    let response = match handled.catch_unwind().await {
        Ok(Ok(response)) => response,
        Err(_) => panicked(),
    };
    let closing = response.headers().get(CONNECTION).is_some_and(|value| value == "close");
    clock.request_ended(closing);
    Ok(response)
}

/// The panic hook has already said where; the sender learns nothing of it.
fn panicked() -> Response<Body> {
    metrics::counter!(PANICS).increment(1);
    tracing::error!("a request handler panicked");
    let mut response = Response::new(Body::from("internal error\n"));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// An idle connection that is closed is business as usual; the others are worth counting.
fn expired(phase: Phase) {
    if phase != Phase::Idle {
        metrics::counter!(TIMEOUTS, "phase" => phase.as_str()).increment(1);
    }
    tracing::debug!(http.phase = phase.as_str(), "an HTTP connection was too slow");
}

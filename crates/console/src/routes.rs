//! Every path of the ops port:
//!
//! | path | answers |
//! |---|---|
//! | `GET /healthz` | 200: the process is alive; asks nobody |
//! | `GET /readyz` | 200, or 503 with what is missing |
//! | `GET /metrics` | Prometheus text |
//! | `/console…` | the pages, where the role has them (`pages/mod.rs`) |

use std::future::Future;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::time::timeout;

use crate::{Console, Ops, READY_TIMEOUT, pages, process};

/// The version of Prometheus' text format that the exporter writes.
const METRICS_CONTENT_TYPE: &str = "text/plain; version=0.0.4";

pub(crate) fn routes<R, F>(ops: Ops<R>) -> Router
where
    R: Fn() -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    let own = Some(ops.metrics.clone());
    let console = ops.console.clone().map(|console| Console { metrics: own, ..console });
    let console = console.map_or_else(Router::new, pages::router);
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz::<R, F>))
        .route("/metrics", get(metrics::<R>))
        .with_state(ops)
        .merge(console)
}

async fn readyz<R, F>(State(ops): State<Ops<R>>) -> Response
where
    R: Fn() -> F,
    F: Future<Output = Result<(), String>>,
{
    let missing = match timeout(READY_TIMEOUT, (ops.ready)()).await {
        Ok(Ok(())) => return "ready\n".into_response(),
        Ok(Err(missing)) => missing,
        Err(_) => "the readiness check took too long".to_owned(),
    };
    (StatusCode::SERVICE_UNAVAILABLE, missing + "\n").into_response()
}

async fn metrics<R>(State(ops): State<Ops<R>>) -> Response {
    process::measure();
    ([(CONTENT_TYPE, METRICS_CONTENT_TYPE)], ops.metrics.render()).into_response()
}

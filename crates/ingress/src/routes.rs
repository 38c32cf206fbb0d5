//! Every path of an ingress:
//!
//! | path | answers |
//! |---|---|
//! | `POST /webhooks/shopify` | 200 durable, 400, 401, 408, 413, 503 with `Retry-After` |
//! | `POST /webhooks/woocommerce/{shop}` | the same, 404 unknown shop; the unsigned ping: 200 |
//! | `POST /webhooks/payments/{provider}/{shop}` | the same, 404 unknown shop or provider |
//! | `GET /healthz` | 200: the process is alive; asks nobody |
//! | `GET /readyz` | 200, or 503 while no webhook could be made durable |
//!
//! A 200 has no body, but for Adyen, which wants to read `[accepted]`. Another path is 404, another
//! method 405; nothing redirects.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use queue::Publisher;

use crate::measure;
use crate::receive::{self, Receiver};
use crate::respond::Refusal;

pub(crate) fn routes<P: Publisher>(receiver: Receiver<P>) -> Router {
    Router::new()
        .route("/webhooks/shopify", post(receive::shopify::<P>))
        .route("/webhooks/woocommerce/{shop}", post(receive::woocommerce::<P>))
        .route("/webhooks/payments/{provider}/{shop}", post(receive::payments::<P>))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz::<P>))
        .fallback(|| async { astray(Refusal::NotFound) })
        .method_not_allowed_fallback(|| async { astray(Refusal::MethodNotAllowed) })
        .with_state(Arc::new(receiver))
}

async fn readyz<P: Publisher>(State(receiver): State<Arc<Receiver<P>>>) -> Response {
    if receiver.is_ready() {
        "ready\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the queue is not reachable\n").into_response()
    }
}

/// Not a webhook, so counted but not logged: the internet is full of these.
fn astray(refusal: Refusal) -> Response {
    measure::answered("none", refusal.status());
    measure::refused(refusal.reason());
    refusal.into_response()
}

//! One webhook, from request to answer: body, signature, queue, 200.

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::{EnvelopeId, Platform, Timestamp};
use platforms::shopify;
use queue::Publisher;
use tokio::time::timeout;
use uuid::Uuid;

use crate::body::Bodies;
use crate::quota::Quota;
use crate::respond::Refusal;
use crate::{Ingress, Limits, measure};

/// How much of a header that anybody could have sent goes into a log line.
const LOGGED_CHARS_MAX: usize = 100;

/// What all requests share.
#[derive(Debug)]
pub(crate) struct Receiver<P> {
    ingress: Ingress<P>,
    limits: Limits,
    bodies: Bodies,
    /// Lines about what senders do wrong, and lines about what goes wrong here: a flood of the
    /// first must not hide the second.
    refusal_lines: Quota,
    failure_lines: Quota,
}

impl<P: Publisher> Receiver<P> {
    pub(crate) fn new(ingress: Ingress<P>, limits: Limits) -> Self {
        Self {
            ingress,
            limits,
            bodies: Bodies::new(limits),
            refusal_lines: Quota::default(),
            failure_lines: Quota::default(),
        }
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.ingress.publisher.is_ready()
    }

    /// `Ok` once the webhook is durable. The body's room is held until then.
    async fn receive(&self, headers: &HeaderMap, body: Body) -> Result<(), Refusal> {
        let (body, _room) = self.bodies.read(body).await?;
        let shops = self.ingress.shops.borrow().clone();
        let id = EnvelopeId(Uuid::now_v7());
        let now = Timestamp(jiff::Timestamp::now().as_microsecond());
        let envelope = shopify::receive(headers, body, &shops, id, now)?;
        let published = self.ingress.publisher.publish(envelope);
        match timeout(self.limits.publish_timeout, published).await {
            Ok(queued) => queued.map_err(Refusal::NotQueued),
            Err(_) => Err(Refusal::NotConfirmed),
        }
    }

    /// The one place where a webhook that was not accepted is logged.
    fn log(&self, headers: &HeaderMap, refusal: &Refusal) {
        let failure = refusal.status().is_server_error();
        let lines = if failure { &self.failure_lines } else { &self.refusal_lines };
        let Some(withheld) = lines.line(Instant::now()) else { return };
        let domain = logged(headers, "shop-domain");
        let topic = logged(headers, "topic");
        let reason = refusal.reason();
        let error = refusal as &(dyn Error + 'static);
        if failure {
            tracing::warn!(
                shop.domain = domain,
                webhook.topic = topic,
                reason,
                error,
                lines.withheld = withheld,
                "a webhook was not accepted: its sender is asked to send it again"
            );
        } else {
            tracing::info!(
                shop.domain = domain,
                webhook.topic = topic,
                reason,
                error,
                lines.withheld = withheld,
                "a webhook was refused"
            );
        }
    }
}

pub(crate) async fn shopify<P: Publisher>(
    State(receiver): State<Arc<Receiver<P>>>,
    request: Request,
) -> Response {
    let began = Instant::now();
    let (head, body) = request.into_parts();
    let received = receiver.receive(&head.headers, body).await;
    let status = received.as_ref().map_or_else(Refusal::status, |()| StatusCode::OK);
    measure::answered(Platform::Shopify.as_str(), status);
    match received {
        Ok(()) => {
            measure::acked(began.elapsed());
            StatusCode::OK.into_response()
        }
        Err(refusal) => {
            measure::refused(refusal.reason());
            receiver.log(&head.headers, &refusal);
            refusal.into_response()
        }
    }
}

/// A Shopify header, as far as it may go into a log: printable, and not long. Newer ones have no
/// `X-`.
fn logged<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let value = headers
        .get(format!("x-shopify-{name}"))
        .or_else(|| headers.get(format!("shopify-{name}")))
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    // A header value that is a `str` is ASCII, so every index is a boundary.
    &value[..value.len().min(LOGGED_CHARS_MAX)]
}

//! One webhook, from request to answer: its sender, body, signature, queue, 200.

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::Envelope;
use futures_util::future::try_join_all;
use queue::Publisher;
use tokio::time::timeout;
use trace::Span;

use crate::body::Bodies;
use crate::quota::Quota;
use crate::respond::Refusal;
use crate::sender::Door;
use crate::{Ingress, Limits, measure, per_shop};

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

    /// The one way of every webhook.
    async fn answer(&self, door: Door, request: Request) -> Response {
        let began = Instant::now();
        let (head, body) = request.into_parts();
        let received = self.receive(&door, began, &head.headers, body).await;
        let status = received.as_ref().map_or_else(Refusal::status, |_| StatusCode::OK);
        measure::answered(door.label(), status);
        match received {
            Ok(yes) => {
                measure::acked(began.elapsed());
                match yes {
                    "" => StatusCode::OK.into_response(),
                    yes => yes.into_response(),
                }
            }
            Err(refusal) => {
                measure::refused(refusal.reason());
                self.log(&door, &head.headers, &refusal);
                refusal.into_response()
            }
        }
    }

    /// `Ok`, with what the sender wants to read, once all that it sent is durable. The body's room
    /// is held until then.
    async fn receive(
        &self,
        door: &Door,
        began: Instant,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<&'static str, Refusal> {
        let shops = self.ingress.shops.borrow().clone();
        let sender = door.sender(&shops)?;
        let (body, _room) = self.bodies.read(body).await?;
        let mut envelopes = sender.receive(headers, body).inspect_err(|refused| {
            if let Some(shop) = sender.claimed(headers) {
                per_shop::refused(&shops, &shop.name, *refused);
            }
        })?;
        // All of one request are of one shop. What nobody signed, anybody may have sent: it says nothing
        // of the shop.
        let signed = envelopes.first().filter(|envelope| envelope.signed_by.is_some());
        let shop = signed.map(|envelope| envelope.shop.clone());
        let mut span = traced(door, began, &mut envelopes);
        let published = self.publish(envelopes).await;
        let status = published.as_ref().map_or_else(Refusal::status, |()| StatusCode::OK);
        span.tell("http.response.status_code", || usize::from(status.as_u16()));
        published.inspect_err(|refusal| span.failed(refusal.reason()))?;
        if let Some(shop) = shop {
            per_shop::taken(&shops, &shop);
        }
        Ok(sender.yes())
    }

    /// All of them or an error: then the sender sends all again, and those that the queue has
    /// already are known by their webhook ids.
    async fn publish(&self, envelopes: Vec<Envelope>) -> Result<(), Refusal> {
        let publisher = &self.ingress.publisher;
        let all = try_join_all(envelopes.into_iter().map(|envelope| publisher.publish(envelope)));
        match timeout(self.limits.publish_timeout, all).await {
            Ok(queued) => queued.map(drop).map_err(Refusal::NotQueued),
            Err(_) => Err(Refusal::NotConfirmed),
        }
    }

    /// The one place where a webhook that was not accepted is logged.
    fn log(&self, door: &Door, headers: &HeaderMap, refusal: &Refusal) {
        let failure = refusal.status().is_server_error();
        let lines = if failure { &self.failure_lines } else { &self.refusal_lines };
        let Some(withheld) = lines.line(Instant::now()) else { return };
        let claims = door.claims(headers);
        let reason = refusal.reason();
        let error = refusal as &(dyn Error + 'static);
        if failure {
            tracing::warn!(
                platform = door.label(),
                shop.id = claims.shop,
                shop.domain = claims.domain,
                webhook.topic = claims.topic,
                reason,
                error,
                trace.id = trace::id(claims.traceparent),
                lines.withheld = withheld,
                "a webhook was not accepted: its sender is asked to send it again"
            );
        } else {
            tracing::info!(
                platform = door.label(),
                shop.id = claims.shop,
                shop.domain = claims.domain,
                webhook.topic = claims.topic,
                reason,
                error,
                trace.id = trace::id(claims.traceparent),
                lines.withheld = withheld,
                "a webhook was refused"
            );
        }
    }
}

/// The request's place in a trace; what it brought goes on from there. Only from here on, when a known
/// secret has signed it: nobody else may have this process send spans.
fn traced(door: &Door, began: Instant, envelopes: &mut [Envelope]) -> Span {
    let Some(first) = envelopes.first() else { return Span::default() };
    let mut span = trace::request(first.traceparent.as_deref(), door.span(), began);
    if let Some(context) = span.context() {
        span.tell("http.request.method", || "POST");
        span.tell("http.route", || door.span().trim_start_matches("POST "));
        span.tell("onhand.shop.id", || first.shop.to_string());
        span.tell("onhand.webhook.topic", || first.topic.clone());
        for envelope in envelopes {
            envelope.traceparent = Some(context.to_string());
        }
    }
    span
}

/// What a path holds. Bytes that are not text name nobody, and neither does an empty text.
type Named<T> = Result<Path<T>, PathRejection>;

pub(crate) async fn shopify<P: Publisher>(
    State(receiver): State<Arc<Receiver<P>>>,
    request: Request,
) -> Response {
    receiver.answer(Door::Shopify, request).await
}

pub(crate) async fn woocommerce<P: Publisher>(
    State(receiver): State<Arc<Receiver<P>>>,
    path: Named<String>,
    request: Request,
) -> Response {
    let shop = path.map(|Path(shop)| shop).unwrap_or_default();
    receiver.answer(Door::WooCommerce { shop }, request).await
}

pub(crate) async fn payments<P: Publisher>(
    State(receiver): State<Arc<Receiver<P>>>,
    path: Named<(String, String)>,
    request: Request,
) -> Response {
    let (provider, shop) = path.map(|Path(both)| both).unwrap_or_default();
    receiver.answer(Door::Payments { provider, shop }, request).await
}

//! Publishing, as spans of the webhooks' traces, by OpenTelemetry's conventions for messaging
//! (<https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/>).
//!
//! Each envelope is a message to them, with a creation context of its own: that of its publish span,
//! which travels in the envelope, where no broker can change it. A parcel of several is a batch: its
//! span belongs to the first envelope that is sampled and is linked to all of them.

use domain::Envelope;
use trace::{Context, Kind, Span};

/// The publish of one envelope, from the handing over to the confirm. Whoever consumes the envelope
/// goes on from here.
pub(crate) fn publish(system: &'static str, destination: &str, envelope: &mut Envelope) -> Span {
    let Some(parent) = trace::sampled(envelope.traceparent.as_deref()) else {
        return Span::default();
    };
    let mut span = Span::under(Some(parent), Kind::Producer, format!("publish {destination}"));
    describe(&mut span, system, destination);
    span.tell("messaging.message.id", || envelope.id.to_string());
    span.tell("messaging.message.body.size", || envelope.body.len());
    if let Some(context) = span.context() {
        envelope.traceparent = Some(context.to_string());
    }
    span
}

/// The sending of one parcel; none where it holds one envelope, whose publish says it all.
pub(crate) fn send(system: &'static str, destination: &str, envelopes: &[Envelope]) -> Span {
    if envelopes.len() < 2 {
        return Span::default();
    }
    let sampled = |envelope: &Envelope| trace::sampled(envelope.traceparent.as_deref());
    let links: Vec<Context> = envelopes.iter().filter_map(sampled).collect();
    let Some(first) = links.first() else { return Span::default() };
    let name = format!("send {destination}");
    let mut span = Span::linked(Some(*first), Kind::Client, name, &links);
    describe(&mut span, system, destination);
    span.tell("messaging.batch.message_count", || envelopes.len());
    span
}

/// What other tools are to read beside a parcel: where its sending is in a trace, or else the trace
/// that all of its envelopes have in common, if there is such a one.
pub(crate) fn traceparent(span: &Span, envelopes: &[Envelope]) -> Option<String> {
    if let Some(context) = span.context() {
        return Some(context.to_string());
    }
    let (first, rest) = envelopes.split_first()?;
    let traceparent = first.traceparent.as_deref().filter(|text| Context::parse(text).is_some())?;
    let common = rest.iter().all(|other| other.traceparent.as_deref() == Some(traceparent));
    common.then(|| traceparent.to_owned())
}

fn describe(span: &mut Span, system: &'static str, destination: &str) {
    span.tell("messaging.system", || system);
    span.tell("messaging.destination.name", || destination.to_owned());
    span.tell("messaging.operation.type", || "send");
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use domain::{EnvelopeId, Platform, ShopId, Timestamp, WebhookId};
    use uuid::Uuid;

    use super::*;

    fn envelope(traceparent: Option<&str>) -> Envelope {
        Envelope {
            provider: None,
            id: EnvelopeId(Uuid::from_u128(7)),
            platform: Platform::Shopify,
            shop: ShopId::new("demo"),
            webhook: WebhookId::new("w-1"),
            topic: "orders/create".to_owned(),
            event: None,
            api_version: None,
            triggered_at: None,
            received_at: Timestamp(5),
            signature: None,
            signed_by: None,
            traceparent: traceparent.map(str::to_owned),
            body: Bytes::new(),
        }
    }

    #[test]
    fn a_parcel_names_the_trace_that_all_of_it_has_in_common() {
        let one = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let other = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01";
        let of = |all: &[Option<&str>]| {
            let envelopes: Vec<_> = all.iter().copied().map(envelope).collect();
            traceparent(&Span::default(), &envelopes)
        };
        assert_eq!(of(&[Some(one)]).as_deref(), Some(one));
        assert_eq!(of(&[Some(one), Some(one)]).as_deref(), Some(one));
        assert_eq!(of(&[Some(one), Some(other)]), None);
        assert_eq!(of(&[Some(one), None]), None);
        assert_eq!(of(&[None, Some(one)]), None);
        assert_eq!(of(&[Some("junk")]), None);
        assert_eq!(of(&[]), None);
    }
}

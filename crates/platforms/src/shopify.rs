//! Shopify.
use crate::{Refused, Shops};
use bytes::Bytes;
use domain::{Envelope, EnvelopeId, Meaning, Timestamp};
use http::HeaderMap;

pub fn receive(
    headers: &HeaderMap,
    body: Bytes,
    shops: &Shops,
    id: EnvelopeId,
    now: Timestamp,
) -> Result<Envelope, Refused> {
    let _ = (headers, body, shops, id, now);
    unimplemented!()
}
pub fn parse(envelope: &Envelope) -> Meaning {
    let _ = envelope;
    unimplemented!()
}

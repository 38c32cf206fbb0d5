//! The release after this one, for the test of rolling upgrades: an envelope has a field more, which
//! this release does not know and that one does without when it is not there.

use domain::Envelope;
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
struct Written<'a> {
    #[serde(flatten)]
    envelope: &'a Envelope,
    packed_by: &'static str,
}

#[derive(Deserialize)]
struct Read {
    #[serde(default)]
    packed_by: Option<String>,
}

pub(super) fn write_header(envelope: &Envelope) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Written { envelope, packed_by: "next" })
}

pub(super) fn read_header(header: &[u8]) -> serde_json::Result<Envelope> {
    let Read { packed_by } = serde_json::from_slice(header)?;
    tracing::info!(packed_by = packed_by.as_deref().unwrap_or("before"), "read an envelope");
    serde_json::from_slice(header)
}

//! Traces: which request a webhook's work belongs to, told to an OpenTelemetry collector.
//!
//! A trace goes with the envelope, as a W3C `traceparent`. One webhook is one trace: its request, its
//! publish, its consuming with its decision and its commit, whichever processes they happen in. A
//! parcel and a batch belong to many traces, so what they do for one webhook is a span of that
//! webhook's trace, and what they do as a whole is linked.
//!
//! What it costs. In a build without the feature `otlp` a [`Span`] has no size and every call here is
//! empty. With it, and no collector named, each call is one atomic load. With a collector, whether a
//! webhook is sampled is decided once, when its request is verified, for two random numbers; the
//! decision travels as the flag of its `traceparent`, and what has none, or an unset flag, is passed
//! over without a span, an allocation or a look at the clock. Only sampled webhooks pay: about five
//! spans each.
//!
//! Telling never holds up or fails the work: a finished span goes into a bounded queue or is dropped
//! and counted ([`otlp`](self)'s exporter). What the process had not told when it dies is lost.

mod context;
#[cfg(feature = "otlp")]
mod otlp;
mod settings;
mod span;

pub use context::{Context, id};
pub use settings::{BadSetting, Sampler, Settings, endpoint};
pub use span::{Kind, Span, Value, request, sampled};

use std::future::Future;
use std::pin::Pin;

use tokio_util::sync::CancellationToken;

/// What tells spans to the collector, to be run beside the work.
pub type Telling = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Why no spans are told.
#[derive(Debug, thiserror::Error)]
pub enum NoTraces {
    #[error("this onhand was built without traces; build it with `--features otlp`")]
    NotBuilt,
    #[error("{0}")]
    Unusable(String),
}

/// Begins to make spans, for the whole process and once. The future tells them until `stop`, then
/// what is left, within a few seconds.
#[cfg(feature = "otlp")]
pub fn start(settings: &Settings, stop: CancellationToken) -> Result<Telling, NoTraces> {
    otlp::start(settings, stop)
}

#[cfg(not(feature = "otlp"))]
pub fn start(_settings: &Settings, _stop: CancellationToken) -> Result<Telling, NoTraces> {
    Err(NoTraces::NotBuilt)
}

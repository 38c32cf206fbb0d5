//! The OpenTelemetry SDK behind [`crate::Span`]. Nothing else of ours names its crates.

use std::borrow::Cow;
use std::sync::OnceLock;
use std::time::{Instant, SystemTime};

use opentelemetry::trace::{
    Link, Span as _, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId,
    TraceState, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context as Parent, KeyValue};
use opentelemetry_otlp::{RetryPolicy, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    Sampler as SdkSampler, SdkTracer, SdkTracerProvider, Span as SdkSpan, SpanExporter as _,
};
use outbound::Receiver;
use tokio_util::sync::CancellationToken;

use crate::{Context, Kind, NoTraces, Sampler, Settings, Telling, Value};

mod client;
mod exporter;

use client::Collector;

/// Where the collector takes traces, from its address on.
const PATH: &str = "/v1/traces";

struct Traces {
    tracer: SdkTracer,
    /// The tracer has only a weak hold of it.
    _provider: SdkTracerProvider,
}

static TRACES: OnceLock<Traces> = OnceLock::new();

pub(crate) fn start(settings: &Settings, stop: CancellationToken) -> Result<Telling, NoTraces> {
    let unusable = |error: &dyn std::fmt::Display| {
        NoTraces::Unusable(format!(
            "spans cannot be sent to OTEL_EXPORTER_OTLP_ENDPOINT (--otlp-endpoint): {error}"
        ))
    };
    let resource = Resource::builder()
        .with_service_name(settings.service.clone())
        .with_attributes([
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("process.pid", i64::from(std::process::id())),
        ])
        .build();
    let url = format!("{}{PATH}", settings.endpoint);
    let receiver = Receiver::new(&url.clone().into()).map_err(|error| unusable(&error))?;
    let mut exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Collector(receiver))
        .with_endpoint(url)
        // Without the SDK's own runtime it would sleep on ours.
        .with_retry_policy(RetryPolicy::disabled())
        .build()
        .map_err(|error| unusable(&error))?;
    exporter.set_resource(&resource);
    let (queue, finished) = exporter::queue();
    let provider = SdkTracerProvider::builder()
        .with_resource(resource)
        .with_sampler(sampler(settings.sampler))
        .with_span_processor(queue)
        .build();
    let traces = Traces { tracer: provider.tracer("onhand"), _provider: provider };
    if TRACES.set(traces).is_err() {
        return Err(NoTraces::Unusable("traces were started before".to_owned()));
    }
    Ok(Box::pin(exporter::run(exporter, finished, stop)))
}

fn sampler(Sampler { ratio, parent_based }: Sampler) -> SdkSampler {
    // Above 1 and below 0 the SDK clamps; at both ends it is exact.
    let own = SdkSampler::TraceIdRatioBased(ratio);
    if parent_based { SdkSampler::ParentBased(Box::new(own)) } else { own }
}

pub(crate) fn is_on() -> bool {
    TRACES.get().is_some()
}

/// A span that is kept.
pub(crate) struct Live(SdkSpan);

impl Live {
    pub(crate) fn context(&self) -> Context {
        let context = self.0.span_context();
        Context {
            trace: u128::from_be_bytes(context.trace_id().to_bytes()),
            span: u64::from_be_bytes(context.span_id().to_bytes()),
            sampled: context.is_sampled(),
        }
    }

    pub(crate) fn tell(&mut self, name: &'static str, value: Value) {
        let value = match value {
            Value::Text(text) => opentelemetry::Value::from(text),
            Value::Number(number) => opentelemetry::Value::from(number),
        };
        self.0.set_attribute(KeyValue::new(name, value));
    }

    pub(crate) fn failed(&mut self, why: String) {
        self.0.set_status(Status::error(why));
    }
}

pub(crate) fn request(
    traceparent: Option<&str>,
    name: &'static str,
    began: Instant,
) -> Option<Live> {
    let tracer = &TRACES.get()?.tracer;
    let parent = match traceparent.and_then(Context::parse) {
        Some(parent) => Parent::new().with_remote_span_context(foreign(parent, true)),
        None => Parent::new(),
    };
    let builder = tracer
        .span_builder(name)
        .with_kind(SpanKind::Server)
        .with_start_time(SystemTime::now() - began.elapsed());
    kept(tracer.build_with_context(builder, &parent))
}

pub(crate) fn begin(
    parent: Context,
    kind: Kind,
    name: Cow<'static, str>,
    links: &[Context],
) -> Option<Live> {
    let tracer = &TRACES.get()?.tracer;
    // What is consumed came from elsewhere; all else goes on with what began here.
    let parent = foreign(parent, kind == Kind::Consumer);
    let builder = tracer.span_builder(name).with_kind(match kind {
        Kind::Internal => SpanKind::Internal,
        Kind::Client => SpanKind::Client,
        Kind::Producer => SpanKind::Producer,
        Kind::Consumer => SpanKind::Consumer,
    });
    let links = links.iter().map(|to| Link::with_context(foreign(*to, true))).collect();
    let builder = builder.with_links(links);
    kept(tracer.build_with_context(builder, &Parent::new().with_remote_span_context(parent)))
}

fn kept(span: SdkSpan) -> Option<Live> {
    span.is_recording().then_some(Live(span))
}

fn foreign(context: Context, is_remote: bool) -> SpanContext {
    let flags = if context.sampled { TraceFlags::SAMPLED } else { TraceFlags::NOT_SAMPLED };
    let (trace, span) = (TraceId::from(context.trace), SpanId::from(context.span));
    SpanContext::new(trace, span, flags, is_remote, TraceState::NONE)
}

//! Where spans go, by OpenTelemetry's own variables. Without a collector there are none.

use clap::Args;
use trace::{NoTraces, Sampler, Settings};

use super::Role;
use crate::exit::bad_config;

/// What the specification says for where nothing is said.
const SAMPLER: &str = "parentbased_always_on";

#[derive(Debug, Args)]
pub(super) struct TraceArgs {
    /// Collector that takes OTLP over HTTP, which gets a span for each step of a webhook (a build
    /// with the feature `otlp`); without it there are no traces. Its headers come from
    /// OTEL_EXPORTER_OTLP_HEADERS
    #[arg(
        long,
        env = "OTEL_EXPORTER_OTLP_ENDPOINT",
        hide_env_values = true,
        value_name = "http://HOST:4318"
    )]
    otlp_endpoint: Option<String>,
    /// Which traces are kept: always_on, always_off, traceidratio, or one of these after
    /// `parentbased_`: then whoever began a trace has decided
    /// [default: parentbased_always_on]
    #[arg(long, env = "OTEL_TRACES_SAMPLER", value_name = "SAMPLER")]
    traces_sampler: Option<String>,
    /// For the samplers with traceidratio: the part of all traces to keep, as 0.01
    #[arg(long, env = "OTEL_TRACES_SAMPLER_ARG", value_name = "0..1")]
    traces_sampler_arg: Option<String>,
    /// What the collector calls this process [default: onhand, onhand-ingress or onhand-worker]
    #[arg(long, env = "OTEL_SERVICE_NAME", value_name = "NAME")]
    service_name: Option<String>,
}

impl TraceArgs {
    /// Traces from here on, if they are wanted, until `role` is done.
    pub(super) fn start(&self, service: &str, role: &Role) -> anyhow::Result<()> {
        let Some(endpoint) = set(&self.otlp_endpoint) else { return Ok(()) };
        let bad = |error: trace::BadSetting| bad_config(error.to_string());
        let sampler = set(&self.traces_sampler).unwrap_or(SAMPLER);
        let settings = Settings {
            endpoint: trace::endpoint(endpoint).map_err(bad)?,
            sampler: Sampler::named(sampler, set(&self.traces_sampler_arg)).map_err(bad)?,
            service: set(&self.service_name).unwrap_or(service).to_owned(),
        };
        match trace::start(&settings, role.done.clone()) {
            Ok(telling) => {
                role.tasks.spawn(telling);
                tracing::info!(service.name = settings.service, "traces go to a collector");
            }
            // Platforms set the variable for everything that they run.
            Err(why @ NoTraces::NotBuilt) => {
                tracing::warn!(error = %why, "no traces, though OTEL_EXPORTER_OTLP_ENDPOINT is set");
            }
            Err(why @ NoTraces::Unusable(_)) => return Err(bad_config(why.to_string())),
        }
        Ok(())
    }
}

/// To OpenTelemetry an empty variable is one that is not set.
fn set(variable: &Option<String>) -> Option<&str> {
    variable.as_deref().filter(|value| !value.is_empty())
}

//! What OpenTelemetry's own variables say, checked. Pure.

/// Where spans go, and which are made.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The collector, as `http://localhost:4318`.
    pub endpoint: String,
    pub sampler: Sampler,
    /// What the collector calls this process.
    pub service: String,
}

/// Which traces are kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampler {
    /// How many of a hundred, as a fraction: 1 keeps all, 0 none.
    pub(crate) ratio: f64,
    /// Whoever began a trace has decided for all of it.
    pub(crate) parent_based: bool,
}

/// A setting that nobody can follow; says what to write instead.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadSetting(String);

impl Sampler {
    /// By the names of `OTEL_TRACES_SAMPLER`; the ratio is `OTEL_TRACES_SAMPLER_ARG`, 1 without it.
    pub fn named(name: &str, ratio: Option<&str>) -> Result<Self, BadSetting> {
        let (parent_based, kind) = match name.strip_prefix("parentbased_") {
            Some(kind) => (true, kind),
            None => (false, name),
        };
        let ratio = match kind {
            "always_on" => 1.0,
            "always_off" => 0.0,
            "traceidratio" => ratio.map_or(Ok(1.0), fraction)?,
            _ => {
                return Err(BadSetting(format!(
                    "OTEL_TRACES_SAMPLER (--traces-sampler) is {name:?}; it is always_on, \
                     always_off or traceidratio, or one of these after `parentbased_`; \
                     for example parentbased_traceidratio"
                )));
            }
        };
        Ok(Self { ratio, parent_based })
    }
}

fn fraction(text: &str) -> Result<f64, BadSetting> {
    text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio)).ok_or_else(|| {
        BadSetting(format!(
            "OTEL_TRACES_SAMPLER_ARG (--traces-sampler-arg) is {text:?}; it is the part of all \
             traces to keep, from 0 to 1; for example 0.01"
        ))
    })
}

/// Checks the address of a collector. It is not repeated: it may hold a password.
pub fn endpoint(url: &str) -> Result<String, BadSetting> {
    let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    match host {
        Some(rest) if !rest.is_empty() && !rest.starts_with(['/', ':']) => {
            Ok(url.trim_end_matches('/').to_owned())
        }
        _ => Err(BadSetting(
            "OTEL_EXPORTER_OTLP_ENDPOINT (--otlp-endpoint) is not http(s)://HOST[:PORT] of a \
             collector that takes OTLP over HTTP; for example http://localhost:4318"
                .to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sampler_is_known_by_its_standard_name() {
        let named = |name, ratio| Sampler::named(name, ratio).expect("in order");
        let sampler = |ratio, parent_based| Sampler { ratio, parent_based };
        assert_eq!(named("always_on", Some("junk")), sampler(1.0, false));
        assert_eq!(named("parentbased_always_off", None), sampler(0.0, true));
        assert_eq!(named("traceidratio", Some("0.25")), sampler(0.25, false));
        assert_eq!(named("parentbased_traceidratio", None), sampler(1.0, true));
    }

    #[test]
    fn what_cannot_be_followed_says_what_to_write() {
        let refused = |name, ratio| Sampler::named(name, ratio).expect_err("bad").to_string();
        assert!(refused("jaeger_remote", None).contains("for example parentbased_traceidratio"));
        for ratio in ["", "1.5", "-1", "NaN", "ten"] {
            assert!(refused("traceidratio", Some(ratio)).contains("for example 0.01"), "{ratio}");
        }
        assert_eq!(endpoint("http://localhost:4318/").expect("fine"), "http://localhost:4318");
        for url in ["", "localhost:4318", "http://", "https:///v1", "grpc://secret@c"] {
            let error = endpoint(url).expect_err("bad").to_string();
            assert!(error.contains("for example http") && !error.contains("secret"), "{error}");
        }
    }
}

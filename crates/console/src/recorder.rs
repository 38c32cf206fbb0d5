//! Where everything that is counted in this process comes together.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::process;

/// For `…_seconds`: finest where the promises are (acks within 10 and 50 ms, answers within 4 s).
pub(crate) const SECONDS: [f64; 16] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 4.0, 10.0, 60.0,
    300.0,
];

/// For `…_bytes`: webhooks are about 7 KB, bodies end at 8 MiB.
const BYTES: [f64; 9] = [
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    2_097_152.0,
    4_194_304.0,
    8_388_608.0,
];

/// For everything else, which is how many of something went together: parcels hold up to 64
/// envelopes, batches some hundreds.
const SIZES: [f64; 13] =
    [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1_024.0, 2_048.0, 4_096.0];

/// Makes this process count, and returns what renders the counts. Only the first call installs
/// anything, so every role in a process may call it.
///
/// What is counted before the first call is lost.
pub fn install_metrics() -> PrometheusHandle {
    static INSTALLED: OnceLock<PrometheusHandle> = OnceLock::new();
    let handle = INSTALLED.get_or_init(|| {
        let installed = builder().install_recorder();
        process::describe();
        installed.expect("nothing else in this program installs a metrics recorder")
    });
    handle.clone()
}

pub(crate) fn builder() -> PrometheusBuilder {
    PrometheusBuilder::new()
        .set_buckets(&SIZES)
        .and_then(|it| it.set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS))
        .and_then(|it| it.set_buckets_for_metric(Matcher::Suffix("_bytes".into()), &BYTES))
        .expect("no list of buckets is empty")
}

//! What Prometheus wants to know of any process, under the names that it expects.

use std::time::{SystemTime, UNIX_EPOCH};

const RESIDENT: &str = "process_resident_memory_bytes";
const BUILD: &str = "onhand_build_info";
const STARTED: &str = "process_start_time_seconds";

/// Called once, near the start of the process, which it takes as the start.
pub(crate) fn describe() {
    metrics::describe_gauge!(RESIDENT, "Memory of this process that is in RAM");
    metrics::describe_gauge!(STARTED, "When this process started, in seconds since 1970");
    metrics::describe_gauge!(BUILD, "1; the version of Onhand that runs");
    metrics::gauge!(BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    metrics::gauge!(STARTED).set(since_epoch.as_secs_f64());
}

/// Taken when somebody looks; where there is no `/proc`, the gauge is not there either.
pub(crate) fn measure() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(bytes) = resident_bytes(&status) {
        metrics::gauge!(RESIDENT).set(bytes);
    }
}

fn resident_bytes(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u32 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(f64::from(kib) * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_read_from_the_kernels_status() {
        let status = "Name:\tonhand\nVmHWM:\t   30000 kB\nVmRSS:\t   12345 kB\nThreads:\t4\n";
        assert_eq!(resident_bytes(status), Some(12_641_280.0));
        assert_eq!(resident_bytes("Name:\tonhand\n"), None);
    }
}

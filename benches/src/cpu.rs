//! CPU time and memory of process trees, from /proc.

use std::collections::BTreeMap;

/// The kernel counts in hundredths of a second on every Linux that matters here.
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU seconds of a process and all of its descendants so far, those that have ended included.
pub(crate) fn seconds(root: u32) -> f64 {
    let all = processes();
    let mut ticks = 0;
    let mut family = vec![root];
    while let Some(pid) = family.pop() {
        ticks += all.get(&pid).map_or(0, |process| process.own + process.waited_for);
        family.extend(all.iter().filter(|(_, process)| process.parent == pid).map(|(pid, _)| pid));
    }
    in_seconds(ticks)
}

/// CPU seconds of the commands that this process has run to their ends.
pub(crate) fn of_commands() -> f64 {
    in_seconds(stat(std::process::id()).map_or(0, |process| process.waited_for))
}

fn in_seconds(ticks: u64) -> f64 {
    f64::from(u32::try_from(ticks).unwrap_or(u32::MAX)) / TICKS_PER_SECOND
}

struct Process {
    parent: u32,
    /// User and system time in ticks, its own and that of children it has waited for.
    own: u64,
    waited_for: u64,
}

fn processes() -> BTreeMap<u32, Process> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| Some((pid, stat(pid)?))).collect()
}

fn stat(pid: u32) -> Option<Process> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in brackets may hold anything. Behind it: state, parent, … utime, stime, cutime, cstime.
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
    let (own, waited_for) = (ticks(11)? + ticks(12)?, ticks(13)? + ticks(14)?);
    Some(Process { parent: fields.get(1)?.parse().ok()?, own, waited_for })
}

/// A line of /proc/PID/status in megabytes: `VmHWM:` is the peak, `VmRSS:` what is held now.
pub(crate) fn megabytes(pid: u32, line: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let kilobytes = status.lines().find_map(|it| it.strip_prefix(line))?;
    Some(kilobytes.trim().trim_end_matches(" kB").parse::<u64>().ok()? / 1024)
}

//! A server process with everything it started, so that all of it can be killed at once.

use std::collections::BTreeMap;
use std::fs::File;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::last_lines;

/// A server that does not answer by then has a problem. Generous, because machines may be busy.
const READY_SECONDS: u64 = 120;

/// Between two looks at a server that is starting or stopping.
const POLL: Duration = Duration::from_millis(20);

/// Lines of a server's log that a panic message shows.
const LOG_TAIL_LINES: usize = 30;

/// A running server.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command` with its output in `log`.
    pub(super) fn start(command: &mut Command, log: &Path) -> Self {
        let file = File::options().create(true).append(true).open(log).expect("a log can be made");
        let errors = file.try_clone().expect("a file handle can be cloned");
        let child = command
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(errors)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        Self { child, log: log.to_owned() }
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `probe` says yes. Panics with the end of the log if the process ends instead.
    pub(super) async fn ready<F: Future<Output = bool>>(&mut self, mut probe: impl FnMut() -> F) {
        let deadline = Instant::now() + Duration::from_secs(READY_SECONDS);
        while !probe().await {
            let ended = self.child.try_wait().expect("our own child can be waited for");
            if ended.is_some() || Instant::now() > deadline {
                let log = last_lines(&self.log, LOG_TAIL_LINES).unwrap_or_default();
                panic!("the server did not start ({ended:?}); its log ends with:\n{log}");
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// SIGKILL to the process and all its descendants, at one moment: they are stopped first, so
    /// that none of them can notice that another has died.
    pub(super) fn kill9(&mut self) {
        let family = self.family();
        signal("STOP", &family);
        signal("KILL", &family);
        let _ = self.child.wait();
        // A descendant that is still dying holds memory and ports that the next server wants.
        let deadline = Instant::now() + Duration::from_secs(READY_SECONDS);
        while family.iter().any(|pid| is_alive(*pid)) {
            assert!(Instant::now() < deadline, "a killed server does not go");
            std::thread::yield_now();
        }
    }

    /// Asks the process to end, with `name` as the signal, and waits until it has.
    pub(super) async fn end(&mut self, name: &str) {
        signal(name, &[self.child.id()]);
        let deadline = Instant::now() + Duration::from_secs(READY_SECONDS);
        while self.child.try_wait().expect("our own child can be waited for").is_none() {
            assert!(Instant::now() < deadline, "the server does not stop on SIG{name}");
            tokio::time::sleep(POLL).await;
        }
    }

    /// The process and its descendants, parents first.
    fn family(&self) -> Vec<u32> {
        let children = children();
        let mut family = vec![self.child.id()];
        let mut next = 0;
        while let Some(parent) = family.get(next) {
            family.extend(children.get(parent).into_iter().flatten());
            next += 1;
        }
        family
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            self.kill9();
        }
    }
}

/// A zombie waits for its parent only, and holds nothing.
fn is_alive(pid: u32) -> bool {
    stat(Path::new(&format!("/proc/{pid}"))).is_some_and(|(state, _)| !matches!(state, 'Z' | 'X'))
}

/// A process's state and its parent; `None`: it is gone.
fn stat(process: &Path) -> Option<(char, u32)> {
    let stat = std::fs::read_to_string(process.join("stat")).ok()?;
    // The name in brackets may hold anything; the state and the parent follow it.
    let mut fields = stat.rsplit(')').next()?.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

/// Every process of this machine by its parent.
fn children() -> BTreeMap<u32, Vec<u32>> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        if let Some((_, parent)) = stat(&entry.path()) {
            children.entry(parent).or_default().push(pid);
        }
    }
    children
}

/// Through the shell, because its `kill` is everywhere. A process that is gone already is fine.
fn signal(name: &str, pids: &[u32]) {
    let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
    let _ = Command::new("sh")
        .arg("-c")
        .arg(format!("kill -{name} {}", pids.join(" ")))
        .stderr(Stdio::null())
        .status();
}

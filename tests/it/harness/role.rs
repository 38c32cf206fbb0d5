//! A running role of the program.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::{DEADLINE, Release, http, log_fields};

/// How long a role may take to stop: longer than it gives itself.
const STOP_WITHIN: Duration = Duration::from_secs(40);

/// Lines of a role's log that a failed test shows.
const LOG_TAIL_LINES: usize = 40;

/// A process. Dropping it kills it.
pub(crate) struct Role {
    name: String,
    child: Child,
    log: watch::Receiver<Vec<Value>>,
    _reading: TaskTracker,
}

/// The program with nothing of our own environment but what is needed to run at all.
pub(crate) fn command(
    release: Release,
    folder: &Path,
    settings: &BTreeMap<&'static str, String>,
) -> Command {
    within(Command::new(release.program()), folder, settings)
}

/// The same, but that a file which reaches its limit is an error of the write, as on a full disk, and
/// not the end of the process.
fn limitable(
    release: Release,
    folder: &Path,
    settings: &BTreeMap<&'static str, String>,
) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(release.program());
    within(shell, folder, settings)
}

fn within(
    mut command: Command,
    folder: &Path,
    settings: &BTreeMap<&'static str, String>,
) -> Command {
    command.env_clear().envs(settings).current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

impl Role {
    pub(crate) fn start(
        name: &str,
        args: &[&str],
        folder: &Path,
        settings: &BTreeMap<&'static str, String>,
    ) -> Self {
        Self::start_of(Release::This, name, args, folder, settings)
    }

    pub(crate) fn start_of(
        release: Release,
        name: &str,
        args: &[&str],
        folder: &Path,
        settings: &BTreeMap<&'static str, String>,
    ) -> Self {
        let mut command = limitable(release, folder, settings);
        command.arg(name).args(args).stdout(Stdio::null());
        let mut child = command.spawn().expect("the program can be started");
        let lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let (said, log) = watch::channel(Vec::new());
        let reading = TaskTracker::new();
        reading.spawn(read(lines, said));
        Self { name: name.to_owned(), child, log, _reading: reading }
    }

    /// Waits for a line of the log that `pick` finds something in.
    pub(crate) async fn logged<T>(&self, pick: impl Fn(&Value) -> Option<T>) -> T {
        let mut log = self.log.clone();
        let found =
            timeout(DEADLINE, log.wait_for(|lines| lines.iter().any(|l| pick(l).is_some())));
        match found.await {
            Ok(Ok(lines)) => lines.iter().find_map(pick).expect("just found"),
            Ok(Err(_)) => panic!("it ended without the line that was waited for: {self:?}"),
            Err(_) => panic!("the line that was waited for did not come: {self:?}"),
        }
    }

    /// Waits for a line that holds `text` in its message.
    pub(crate) async fn says(&self, text: &str) {
        self.logged(|line| line["message"].as_str()?.contains(text).then_some(())).await;
    }

    /// Waits for a line with an error that holds `text`.
    pub(crate) async fn complains(&self, text: &str) {
        self.logged(|line| line["error"].as_str()?.contains(text).then_some(())).await;
    }

    /// Waits until `field` of the lines with `text` adds up to `sum`.
    pub(crate) async fn sums(&self, text: &str, field: &str, sum: u64) {
        let of_line = |line: &Value| {
            line["message"].as_str().filter(|message| message.contains(text))?;
            line[field].as_u64()
        };
        let mut log = self.log.clone();
        let reached = log.wait_for(|lines| lines.iter().filter_map(of_line).sum::<u64>() >= sum);
        match timeout(DEADLINE, reached).await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) | Err(_) => panic!("{text} did not add up to {sum}: {self:?}"),
        }
    }

    /// Where it receives webhooks.
    pub(crate) async fn listen(&self) -> SocketAddr {
        self.logged(|line| line["listen"].as_str()?.parse().ok()).await
    }

    /// Where it tells how it is.
    pub(crate) async fn ops(&self) -> SocketAddr {
        self.logged(|line| line["ops.listen"].as_str()?.parse().ok()).await
    }

    /// The sum of a counter over its labels; 0 as long as it was never counted.
    pub(crate) async fn counter(&self, name: &str) -> f64 {
        let page = http::get(self.ops().await, "/metrics").await.expect("the ops port answers");
        let of_name =
            |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{']));
        let values = page.body.lines().filter(of_name).filter_map(|line| line.rsplit(' ').next());
        values.filter_map(|value| value.parse::<f64>().ok()).sum()
    }

    /// The value of one line of its metrics, which is named with its labels.
    pub(crate) async fn metric(&self, line: &str) -> Option<f64> {
        let page = http::get(self.ops().await, "/metrics").await.expect("the ops port answers");
        let mut lines = page.body.lines().filter_map(|found| found.rsplit_once(' '));
        lines.find(|(name, _)| *name == line)?.1.parse().ok()
    }

    /// Bounds every file that it writes from now on, as a full disk does; `None`: there is room.
    pub(crate) async fn limit_files(&self, bytes: Option<u64>) {
        let pid = self.child.id().expect("it was not waited for").to_string();
        let bytes = bytes.map_or("unlimited".to_owned(), |bytes| bytes.to_string());
        let limit = format!("--fsize={bytes}:");
        let done = Command::new("prlimit").args(["--pid", &pid, &limit]).status().await;
        assert!(done.is_ok_and(|status| status.success()), "{self:?}");
    }

    /// SIGKILL; returns when the process is gone.
    pub(crate) async fn kill9(mut self) {
        self.child.kill().await.expect("our own child can be killed");
    }

    /// SIGTERM, and no waiting.
    pub(crate) async fn ask_to_stop(&self) {
        self.signal("-TERM").await;
    }

    /// Does nothing and notices nothing until it is thawed: a paused machine.
    pub(crate) async fn freeze(&self) {
        self.signal("-STOP").await;
    }

    pub(crate) async fn thaw(&self) {
        self.signal("-CONT").await;
    }

    async fn signal(&self, name: &str) {
        let pid = self.child.id().expect("it was not waited for").to_string();
        let sent = Command::new("kill").args([name, &pid]).status().await;
        assert!(sent.is_ok_and(|status| status.success()), "{self:?}");
    }

    /// Waits until it has ended by itself.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        match timeout(STOP_WITHIN, self.child.wait()).await {
            Ok(status) => status.expect("our own child can be waited for"),
            Err(_) => panic!("it does not stop: {self:?}"),
        }
    }

    /// SIGTERM, and an end in good order.
    pub(crate) async fn stop(mut self) {
        self.ask_to_stop().await;
        let status = self.ended().await;
        assert_eq!(status.code(), Some(0), "{self:?}");
        log_fields::check(&self.log.borrow());
    }
}

/// Its name, whether it runs, and the end of its log.
impl fmt::Debug for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let log = self.log.borrow();
        writeln!(f, "onhand {} (process {:?}); its log ends with:", self.name, self.child.id())?;
        log[log.len().saturating_sub(LOG_TAIL_LINES)..].iter().try_for_each(|l| writeln!(f, "{l}"))
    }
}

/// Lines that are not JSON are kept as text: the last words of a process are often not.
async fn read(
    mut lines: tokio::io::Lines<BufReader<tokio::process::ChildStderr>>,
    said: watch::Sender<Vec<Value>>,
) {
    while let Ok(Some(line)) = lines.next_line().await {
        let line = serde_json::from_str(&line).unwrap_or(Value::String(line));
        said.send_modify(|log| log.push(line));
    }
}

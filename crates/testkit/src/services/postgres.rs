//! A private PostgreSQL server.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use tokio_postgres::NoTls;

use super::process::Process;
use super::{free_port, open_folder, optional};

/// Where Debian and its relatives keep the server programs, one folder for each version.
const DEBIAN_ROOT: &str = "/usr/lib/postgresql";

/// A PostgreSQL server that a test may kill and restart. Dropping it removes all of it.
#[derive(Debug)]
pub struct Postgres {
    bin: PathBuf,
    port: u16,
    process: Option<Process>,
    folder: TempDir,
    settings: Vec<String>,
}

/// For tests. A killed process loses nothing that the kernel has, only a power cut would; and small
/// machines run several of these side by side.
const FRUGAL: &[&str] = &["fsync=off", "shared_buffers=32MB"];

impl Postgres {
    /// Makes a cluster and starts it; returns when it answers.
    pub async fn start() -> Self {
        Self::start_with(FRUGAL).await
    }

    /// The same with other settings, as `name=value`.
    pub async fn start_with(settings: &[&str]) -> Self {
        let bin = bin();
        let folder = open_folder();
        give_to_postgres(folder.path());
        let mut initdb = command(&bin.join("initdb"));
        initdb.args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C"]);
        // Nothing here has to survive a power cut.
        initdb.arg("--no-sync").arg("--pgdata").arg(folder.path().join("data"));
        let made = initdb.output().expect("initdb can be run");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let settings = settings.iter().map(ToString::to_string).collect();
        let mut server = Self { bin, port: free_port(), process: None, folder, settings };
        server.start_again().await;
        server
    }

    /// The URL of the database `postgres`, as superuser.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// `host:port`, for a proxy.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The server's process; its backends are its children.
    pub fn pid(&self) -> u32 {
        self.process.as_ref().map_or(0, Process::pid)
    }

    /// SIGKILL to the server and all its backends at one moment.
    pub fn kill9(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill9();
        }
    }

    /// Starts the server on the same data and port; returns when it answers.
    pub async fn start_again(&mut self) {
        let mut postgres = command(&self.bin.join("postgres"));
        postgres.arg("-D").arg(self.folder.path().join("data"));
        postgres.arg("-k").arg(self.folder.path()).args(["-p", &self.port.to_string()]);
        for setting in ["listen_addresses=127.0.0.1", "max_connections=50"] {
            postgres.args(["-c", setting]);
        }
        for setting in &self.settings {
            postgres.args(["-c", setting]);
        }
        let mut process = Process::start(&mut postgres, &self.folder.path().join("log"));
        let url = self.url();
        process.ready(|| answers(&url)).await;
        self.process = Some(process);
    }

    /// A fast shutdown (connections are closed with an error) and a start.
    pub async fn restart_fast(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.end("INT").await;
        }
        self.start_again().await;
    }
}

async fn answers(url: &str) -> bool {
    let Ok((client, connection)) = tokio_postgres::connect(url, NoTls).await else {
        return false;
    };
    tokio::select! {
        answer = client.simple_query("SELECT 1") => answer.is_ok(),
        _ = connection => false,
    }
}

fn bin() -> PathBuf {
    let found = optional("ONHAND_TEST_PG_BIN").map(PathBuf::from).or_else(highest_installed);
    let bin = found.filter(|bin| bin.join("initdb").exists());
    bin.unwrap_or_else(|| {
        panic!(
            "no PostgreSQL server found: install the package `postgresql`, or set \
             ONHAND_TEST_PG_BIN to the folder with initdb and postgres"
        )
    })
}

fn highest_installed() -> Option<PathBuf> {
    let versions = std::fs::read_dir(DEBIAN_ROOT).ok()?;
    let highest = versions
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .max()?;
    Some(Path::new(DEBIAN_ROOT).join(highest.to_string()).join("bin"))
}

/// PostgreSQL refuses to run as root, so root runs it as the user `postgres`.
fn command(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    // Its own start folder may be one that the user must not enter.
    command.current_dir("/");
    command
}

fn give_to_postgres(folder: &Path) {
    if is_root() {
        let done = Command::new("chown").arg("postgres").arg(folder).status();
        let given = done.is_ok_and(|status| status.success());
        assert!(
            given,
            "as root the tests need a user `postgres`: install the package `postgresql`"
        );
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

//! Real processes of the release build, on a fresh folder, database and broker.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context;
use tempfile::TempDir;
use tokio::process::{Child, Command};

const LISTEN: &str = "127.0.0.1:18080";

/// How long roles may take to come up.
const READY: Duration = Duration::from_secs(30);

/// One fresh Onhand. Its processes end with it.
pub(crate) struct Instance {
    onhand: PathBuf,
    folder: TempDir,
    environment: Vec<(&'static str, String)>,
    roles: Vec<(&'static str, Child)>,
}

/// What a role took at the most.
pub(crate) struct Memory {
    role: &'static str,
    peak_mb: u64,
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.role, self.peak_mb)
    }
}

impl Instance {
    pub(crate) async fn embedded(onhand: &Path) -> anyhow::Result<Self> {
        let mut instance = Self::new(onhand, Vec::new())?;
        instance.start("serve", &["--listen", LISTEN, "--ops-listen", "127.0.0.1:18081"])?;
        instance.ready("http://127.0.0.1:18081/readyz").await?;
        Ok(instance)
    }

    pub(crate) async fn fleet(
        onhand: &Path,
        database: &str,
        broker: &str,
        workers: u16,
    ) -> anyhow::Result<Self> {
        let environment = vec![
            ("ONHAND_DATABASE_URL", database.to_owned()),
            ("ONHAND_BROKER_URL", broker.to_owned()),
        ];
        let mut instance = Self::new(onhand, environment)?;
        instance.run(&["migrate"]).await?;
        instance.start("ingress", &["--listen", LISTEN, "--ops-listen", "127.0.0.1:18081"])?;
        for worker in 0..workers {
            let ops = format!("127.0.0.1:{}", 18082 + worker);
            instance.start("worker", &["--ops-listen", &ops])?;
            instance.ready(&format!("http://{ops}/readyz")).await?;
        }
        instance.ready("http://127.0.0.1:18081/readyz").await?;
        Ok(instance)
    }

    fn new(onhand: &Path, environment: Vec<(&'static str, String)>) -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        let shops = "[[shop]]\nname = \"demo\"\nplatform = \"shopify\"\n\
                     domain = \"demo.myshopify.com\"\nsecrets = [\"plain:bench\"]\n";
        std::fs::write(folder.path().join("shops.toml"), shops)?;
        Ok(Self { onhand: onhand.to_owned(), folder, environment, roles: Vec::new() })
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.onhand);
        command
            .args(args)
            .current_dir(self.folder.path())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    fn start(&mut self, role: &'static str, args: &[&str]) -> anyhow::Result<()> {
        let log = std::fs::File::create(self.folder.path().join(format!("{role}.log")))?;
        let child = self
            .command(&[&[role, "--log", "warn"], args].concat())
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start onhand {role}"))?;
        self.roles.push((role, child));
        Ok(())
    }

    async fn run(&self, args: &[&str]) -> anyhow::Result<Vec<u8>> {
        let output = self.command(args).stderr(Stdio::inherit()).output().await?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        anyhow::ensure!(output.status.success(), "onhand {args:?} failed: {said}");
        Ok(output.stdout)
    }

    async fn ready(&self, url: &str) -> anyhow::Result<()> {
        let began = Instant::now();
        while began.elapsed() < READY {
            let check = self.command(&["healthcheck", url]).output().await?;
            if check.status.success() {
                return Ok(());
            }
        }
        anyhow::bail!("{url} did not become ready within {} s", READY.as_secs())
    }

    /// Plays a sale, waits until all is applied, and gives the report.
    pub(crate) async fn simulate(&self, args: &[&str]) -> anyhow::Result<serde_json::Value> {
        let url = format!("http://{LISTEN}");
        let fixed =
            ["simulate", "--json", "--setup", "--wait", "--secret", "plain:bench", "--url", &url];
        let report = self.run(&[&fixed, args].concat()).await?;
        serde_json::from_slice(&report).context("simulate did not print JSON")
    }

    /// The peak resident memory of every role so far.
    pub(crate) fn memory(&self) -> anyhow::Result<Vec<Memory>> {
        self.roles
            .iter()
            .map(|(role, child)| {
                let pid = child.id().context("a role has ended")?;
                let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
                let kb = status
                    .lines()
                    .find_map(|line| line.strip_prefix("VmHWM:"))
                    .and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok())
                    .context("no VmHWM in the process status")?;
                Ok(Memory { role, peak_mb: kb / 1024 })
            })
            .collect()
    }
}

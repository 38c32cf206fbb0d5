//! Real processes of the release build, on a fresh folder, database and broker.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context;
use tempfile::TempDir;
use testkit::services::{Postgres, RabbitMq};
use tokio::process::{Child, Command};
use tokio_postgres::NoTls;

use crate::cpu;
use crate::metrics::Metrics;

/// What webhooks are signed with.
pub(crate) const SECRET: &str = "bench";

/// Where webhooks go, and the first of the ops ports.
const LISTEN: &str = "127.0.0.1:18080";
const OPS: u16 = 18081;

/// Its place among the ops ports.
const CONSOLE: u16 = 7;

/// How often the end of a run is looked for.
pub(crate) const LOOK: Duration = Duration::from_millis(20);

/// So long nothing is decided when something is lost.
pub(crate) const STUCK: Duration = Duration::from_secs(60);

/// How long roles may take to come up.
const READY: Duration = Duration::from_secs(30);

/// As a database server of its own would be set up, on a machine that it shares here: commits are
/// fsynced, and a checkpoint comes every few gigabytes.
const POSTGRES: &[&str] = &[
    "fsync=on",
    "shared_buffers=1GB",
    "max_wal_size=4GB",
    "min_wal_size=1GB",
    "wal_compression=on",
];

/// A server that is new makes each 16 MB of its log when they are first needed, and writes and fsyncs
/// all of them, which holds up every other fsync of the disk for a tenth of a second. One that has
/// run for a while takes what is not needed any more: so many pieces are made ahead.
const LOG_PIECES: u32 = 48;

/// A database and a broker of their own.
pub(crate) struct Services {
    pub(crate) postgres: Postgres,
    pub(crate) broker: RabbitMq,
    /// Where what is measured lives on them.
    pub(crate) database: String,
    pub(crate) prefix: String,
    pub(crate) partitions: u16,
}

impl Services {
    pub(crate) async fn start() -> Self {
        let postgres = Postgres::start_with(POSTGRES).await;
        make_log(&postgres.url()).await.expect("a server that answers makes its log");
        let broker = RabbitMq::start_with(&[]).await;
        let (database, prefix) = (postgres.url(), "onhand".to_owned());
        Self { postgres, broker, database, prefix, partitions: 1 }
    }

    /// Goes on with an empty database and queues of other names.
    pub(crate) async fn fresh(&mut self, name: &str) -> anyhow::Result<()> {
        self.database = self.postgres.url();
        connect(self).await?.batch_execute(&format!("CREATE DATABASE {name}")).await?;
        let server = self.database.rsplit_once('/').context("a URL names a database")?.0.to_owned();
        (self.database, self.prefix) = (format!("{server}/{name}"), name.to_owned());
        Ok(())
    }
}

/// What is measured: fresh processes, which end with it.
pub(crate) struct Instance {
    onhand: PathBuf,
    folder: TempDir,
    environment: Vec<(&'static str, String)>,
    roles: Vec<(String, Child)>,
}

impl Instance {
    pub(crate) async fn embedded(onhand: &Path) -> anyhow::Result<Self> {
        let mut instance = Self::new(onhand, Vec::new())?;
        let ops = ops(0);
        instance.start(onhand, "serve", &["--listen", LISTEN, "--ops-listen", &ops])?;
        ready(&ops).await?;
        Ok(instance)
    }

    /// An ingress, and as many workers, each with `args`.
    pub(crate) async fn fleet(
        onhand: &Path,
        services: &Services,
        workers: u16,
        args: &[&str],
    ) -> anyhow::Result<Self> {
        let environment = vec![
            ("ONHAND_DATABASE_URL", services.database.clone()),
            ("ONHAND_BROKER_URL", services.broker.url()),
            ("ONHAND_BROKER_PREFIX", services.prefix.clone()),
            ("ONHAND_PARTITIONS", services.partitions.to_string()),
        ];
        let mut instance = Self::new(onhand, environment)?;
        instance.run(&["migrate"]).await?;
        instance.start(onhand, "ingress", &["--listen", LISTEN, "--ops-listen", &ops(0)])?;
        ready(&ops(0)).await?;
        instance.workers(workers, args).await?;
        Ok(instance)
    }

    /// Starts so many workers, where there are none yet.
    pub(crate) async fn workers(&mut self, workers: u16, args: &[&str]) -> anyhow::Result<()> {
        let onhand = self.onhand.clone();
        for worker in 1..=workers {
            self.start(&onhand, "worker", &[&["--ops-listen", &ops(worker)], args].concat())?;
        }
        for worker in 1..=workers {
            ready(&ops(worker)).await?;
        }
        Ok(())
    }

    /// A console beside the others; where it is.
    pub(crate) async fn console(&mut self) -> anyhow::Result<String> {
        let (onhand, address) = (self.onhand.clone(), ops(CONSOLE));
        self.start(&onhand, "console", &["--ops-listen", &address])?;
        ready(&address).await?;
        Ok(address)
    }

    /// Kills all workers; what they hold goes back to the queue.
    pub(crate) async fn stop_workers(&mut self) -> anyhow::Result<()> {
        for (role, child) in &mut self.roles {
            if role == "worker" {
                child.kill().await?;
            }
        }
        self.roles.retain(|(role, _)| role != "worker");
        Ok(())
    }

    /// Starts each role once more beside those that run, on the topology and schema that are there;
    /// from its start until it says that it is ready.
    pub(crate) async fn time_to_ready(&mut self) -> anyhow::Result<Vec<(&'static str, Duration)>> {
        let onhand = self.onhand.clone();
        let mut times = Vec::new();
        for (place, role) in [(8, "ingress"), (9, "worker")] {
            let (listen, address) = (["--listen", "127.0.0.1:0"], ops(place));
            let listen = if role == "ingress" { &listen[..] } else { &[] };
            let began = Instant::now();
            self.start(&onhand, role, &[&["--ops-listen", &address], listen].concat())?;
            ready(&address).await?;
            times.push((role, began.elapsed()));
        }
        Ok(times)
    }

    /// The bare pipe: this program itself, in the roles of [`crate::pipe`].
    pub(crate) async fn bare(onhand: &Path, services: &Services) -> anyhow::Result<Self> {
        let (database, broker) = (services.postgres.url(), services.broker.url());
        crate::pipe::prepare(&database).await?;
        let mut instance = Self::new(onhand, Vec::new())?;
        let me = std::env::current_exe()?;
        instance.start(&me, "pipe-ingress", &[LISTEN, &broker])?;
        instance.start(&me, "pipe-worker", &[&database, &broker])?;
        ready(LISTEN).await?;
        Ok(instance)
    }

    /// Where the database is for whatever starts from now on.
    pub(crate) fn set_database(&mut self, url: String) {
        self.environment.push(("ONHAND_DATABASE_URL", url));
    }

    fn new(onhand: &Path, environment: Vec<(&'static str, String)>) -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        let shops = format!(
            "[[shop]]\nname = \"demo\"\nplatform = \"shopify\"\n\
             domain = \"demo.myshopify.com\"\nsecrets = [\"plain:{SECRET}\"]\n"
        );
        std::fs::write(folder.path().join("shops.toml"), shops)?;
        Ok(Self { onhand: onhand.to_owned(), folder, environment, roles: Vec::new() })
    }

    fn command(&self, program: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(args)
            .current_dir(self.folder.path())
            .env("ONHAND_LOG", "warn")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    fn start(&mut self, program: &Path, role: &str, args: &[&str]) -> anyhow::Result<()> {
        let log = self.folder.path().join(format!("{role}-{}.log", self.roles.len()));
        let child = self
            .command(program, &[&[role], args].concat())
            .stderr(std::fs::File::create(log)?)
            .spawn()
            .with_context(|| format!("cannot start {role}"))?;
        self.roles.push((role.to_owned(), child));
        Ok(())
    }

    /// Runs a command of Onhand to its end; what it printed.
    pub(crate) async fn run(&self, args: &[&str]) -> anyhow::Result<Vec<u8>> {
        let output = self.command(&self.onhand, args).output().await?;
        let (said, errors) = (text(&output.stdout), text(&output.stderr));
        anyhow::ensure!(output.status.success(), "onhand {args:?} failed: {said}{errors}");
        Ok(output.stdout)
    }

    /// Plays a sale; its report. With `--wait` among `args` it has also looked for losses and run
    /// verify, and fails if a promise is broken.
    pub(crate) async fn simulate(&self, args: &[&str]) -> anyhow::Result<serde_json::Value> {
        let (url, secret) = (format!("http://{LISTEN}"), format!("plain:{SECRET}"));
        let fixed = ["simulate", "--json", "--secret", &secret, "--url", &url];
        let report = self.run(&[&fixed, args].concat()).await?;
        serde_json::from_slice(&report).context("simulate did not print JSON")
    }

    /// CPU seconds per role so far; workers together.
    pub(crate) fn cpu(&self) -> Vec<(&str, f64)> {
        let mut sums: Vec<(&str, f64)> = Vec::new();
        for (role, child) in &self.roles {
            let seconds = child.id().map_or(0.0, cpu::seconds);
            match sums.iter_mut().find(|(name, _)| name == role) {
                Some((_, sum)) => *sum += seconds,
                None => sums.push((role, seconds)),
            }
        }
        sums
    }

    /// Peak resident memory, in megabytes, of the largest process of each role.
    pub(crate) fn memory(&self) -> Vec<(&str, u64)> {
        self.megabytes("VmHWM:")
    }

    /// The same, as it is now.
    pub(crate) fn memory_now(&self) -> Vec<(&str, u64)> {
        self.megabytes("VmRSS:")
    }

    fn megabytes(&self, line: &str) -> Vec<(&str, u64)> {
        let peak = |child: &Child| child.id().and_then(|pid| cpu::megabytes(pid, line));
        let mut peaks: Vec<(&str, u64)> = Vec::new();
        for (role, child) in &self.roles {
            let megabytes = peak(child).unwrap_or(0);
            match peaks.iter_mut().find(|(name, _)| name == role) {
                Some((_, most)) => *most = megabytes.max(*most),
                None => peaks.push((role, megabytes)),
            }
        }
        peaks
    }

    /// Those of so many workers together.
    pub(crate) async fn metrics_of_workers(&self, workers: u16) -> anyhow::Result<Metrics> {
        let mut all = Metrics::default();
        for worker in 1..=workers {
            all.0 += &self.metrics(worker).await?.0;
        }
        Ok(all)
    }

    /// The metrics of a worker (from 1) or of the first role (0).
    pub(crate) async fn metrics(&self, place: u16) -> anyhow::Result<Metrics> {
        Ok(Metrics(get(&ops(place), "/metrics").await?))
    }
}

fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// Waits until a role is ready.
async fn ready(address: &str) -> anyhow::Result<()> {
    let began = Instant::now();
    while began.elapsed() < READY {
        if get(address, "/readyz").await.is_ok_and(|said| said.starts_with("HTTP/1.1 200")) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    anyhow::bail!("{address} did not become ready within {} s", READY.as_secs())
}

/// All that is answered, head included.
pub(crate) async fn get(address: &str, path: &str) -> anyhow::Result<String> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    Ok(text)
}

async fn make_log(url: &str) -> anyhow::Result<()> {
    let client = connect_to(url).await?;
    for _ in 0..LOG_PIECES {
        let sql = "SELECT pg_logical_emit_message(false, 'piece', ''), pg_switch_wal()";
        client.query_one(sql, &[]).await?;
    }
    Ok(client.batch_execute("CHECKPOINT").await?)
}

/// A connection to the database beside Onhand's own.
pub(crate) async fn connect(services: &Services) -> anyhow::Result<tokio_postgres::Client> {
    connect_to(&services.database).await
}

pub(crate) async fn connect_to(url: &str) -> anyhow::Result<tokio_postgres::Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    #[expect(clippy::disallowed_methods, reason = "ends with its client, as this process does")]
    tokio::spawn(async move { drop(connection.await) });
    Ok(client)
}

fn ops(place: u16) -> String {
    format!("127.0.0.1:{}", OPS + place)
}

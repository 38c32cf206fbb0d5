//! A private RabbitMQ server.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::process::Process;
use super::{free_port, open_folder, optional, short_id};

const DEFAULT_BIN: &str = "/usr/lib/rabbitmq/bin";

/// What an AMQP 0-9-1 client says first; the broker answers with `connection.start`.
const GREETING: &[u8; 8] = b"AMQP\x00\x00\x09\x01";

/// The log of quorum queues is allocated ahead: half a gigabyte unless told.
const SMALL_LOG: &str = "raft.wal_max_size_bytes = 33554432";

/// A RabbitMQ server that a test may kill and restart. Dropping it removes all of it.
#[derive(Debug)]
pub struct RabbitMq {
    bin: PathBuf,
    node: String,
    port: u16,
    epmd_port: u16,
    dist_port: u16,
    server: Option<Process>,
    /// Erlang's port mapper: our own, so that nothing of other nodes is touched or left behind.
    _epmd: Process,
    folder: TempDir,
}

impl RabbitMq {
    /// Starts a node of its own; returns when it accepts clients.
    pub async fn start() -> Self {
        Self::start_with(&[SMALL_LOG]).await
    }

    /// With lines of rabbitmq.conf of its own; with none it is what the broker's makers ship.
    pub async fn start_with(settings: &[&str]) -> Self {
        let bin = bin();
        let folder = open_folder();
        write_settings(folder.path(), settings).expect("a temporary folder can be written");
        let epmd_port = free_port();
        let mut epmd = Command::new("epmd");
        epmd.args(["-port", &epmd_port.to_string(), "-address", "127.0.0.1"]);
        let mut epmd = Process::start(&mut epmd, &folder.path().join("epmd.log"));
        epmd.ready(|| async { TcpStream::connect(("127.0.0.1", epmd_port)).await.is_ok() }).await;
        let mut broker = Self {
            bin,
            node: format!("onhand-{}@localhost", short_id()),
            port: free_port(),
            epmd_port,
            dist_port: free_port(),
            server: None,
            _epmd: epmd,
            folder,
        };
        broker.start_again().await;
        broker
    }

    pub fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.port)
    }

    /// `host:port`, for a proxy.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The broker's process.
    pub fn pid(&self) -> u32 {
        self.server.as_ref().map_or(0, Process::pid)
    }

    /// SIGKILL to the broker.
    pub fn kill9(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill9();
        }
    }

    /// A graceful stop: clients are told, queues are closed.
    pub async fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.end("TERM").await;
        }
    }

    /// Has a queue of the default virtual host neither take nor give anything, as one without a leader.
    pub fn freeze_queue(&self, queue: &str) {
        self.eval(&format!("sys:suspend('%2F_{queue}')."));
    }

    pub fn thaw_queue(&self, queue: &str) {
        self.eval(&format!("sys:resume('%2F_{queue}')."));
    }

    /// Has the node run this.
    fn eval(&self, expression: &str) {
        let answer = self.command("rabbitmqctl").args(["eval", expression]).output();
        let answer = answer.expect("rabbitmqctl can be run");
        let said = String::from_utf8_lossy(&answer.stdout);
        assert!(answer.status.success() && said.trim() == "ok", "{expression}: {answer:?}");
    }

    /// A program of the broker's makers, for this node.
    fn command(&self, program: &str) -> Command {
        let home = self.folder.path();
        let mut command = Command::new(self.bin.join(program));
        command
            .env("HOME", home)
            .env("ERL_EPMD_PORT", self.epmd_port.to_string())
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_NODENAME", &self.node)
            .env("RABBITMQ_CONF_ENV_FILE", home.join("no-such-file"));
        command
    }

    /// Starts the node on the same data and port; returns when it accepts clients.
    pub async fn start_again(&mut self) {
        let home = self.folder.path();
        let mut command = self.command("rabbitmq-server");
        command
            .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_NODE_PORT", self.port.to_string())
            .env("RABBITMQ_DIST_PORT", self.dist_port.to_string())
            .env("RABBITMQ_MNESIA_BASE", home.join("data"))
            .env("RABBITMQ_LOG_BASE", home.join("logs"))
            .env("RABBITMQ_LOGS", "-")
            .env("RABBITMQ_CONFIG_FILE", home.join("rabbitmq"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", home.join("enabled_plugins"))
            // Schedulers that spin while idle would starve the tests.
            .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "+S 2:2 +sbwt none +sbwtdcpu none")
            // The start script then becomes the server, so a signal to it reaches the server.
            .env("RUNNING_UNDER_SYSTEMD", "1")
            .env_remove("NOTIFY_SOCKET");
        let mut server = Process::start(&mut command, &home.join("log"));
        let address = self.address();
        server.ready(|| async { answers(&address).await.is_ok() }).await;
        self.server = Some(server);
    }
}

async fn answers(address: &str) -> io::Result<u8> {
    let mut client = TcpStream::connect(address).await?;
    client.write_all(GREETING).await?;
    client.read_u8().await
}

fn write_settings(home: &Path, settings: &[&str]) -> io::Result<()> {
    // Erlang insists that nobody else may read the cookie.
    let cookie = home.join(".erlang.cookie");
    fs::write(&cookie, short_id())?;
    fs::set_permissions(&cookie, fs::Permissions::from_mode(0o400))?;
    fs::write(home.join("enabled_plugins"), "[].\n")?;
    let lines = settings.join("\n");
    fs::write(home.join("rabbitmq.conf"), format!("disk_free_limit.absolute = 50MB\n{lines}\n"))
}

fn bin() -> PathBuf {
    let bin = optional("ONHAND_TEST_RABBITMQ_BIN").map_or(DEFAULT_BIN.into(), PathBuf::from);
    assert!(
        bin.join("rabbitmq-server").exists(),
        "no RabbitMQ server found in {}: install the package `rabbitmq-server`, or set \
         ONHAND_TEST_RABBITMQ_BIN to the folder with the script rabbitmq-server (not to the \
         wrapper in /usr/sbin, which changes the user)",
        bin.display()
    );
    bin
}

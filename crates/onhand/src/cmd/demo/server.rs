//! The serving process: this program again, with `serve`.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::process::{Child, Command};
use tokio::time::Instant;

use crate::cmd::healthcheck;
use crate::config::DATABASE_FILE;

pub(super) const DOMAIN: &str = "demo.myshopify.com";
pub(super) const SECRET: &str = "only-for-demos";
pub(super) const SHOPS_FILE: &str = "shops.toml";
const LOG_FILE: &str = "serve.log";

/// How long a start may take.
const START: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(20);

/// How long a graceful end may take.
const STOP: Duration = Duration::from_secs(5);

/// Ports are tried from here. They lie below the range that systems draw outgoing ports from:
/// in it, one of the sender's own connections could take the port while the server is down.
const FIRST_PORT: u16 = 20_000;
const PORTS: u16 = 10_000;

/// Where it serves, and the process while there is one.
pub(super) struct Server {
    home: PathBuf,
    pub(super) ingress: SocketAddr,
    pub(super) ops: SocketAddr,
    child: Option<Child>,
}

impl Server {
    pub(super) fn new(home: &Path) -> anyhow::Result<Self> {
        let shops = format!(
            "[[shop]]\nname = \"demo\"\nplatform = \"shopify\"\ndomain = \"{DOMAIN}\"\n\
             secrets = [\"plain:{SECRET}\"]\n"
        );
        std::fs::write(home.join(SHOPS_FILE), shops).context("cannot write the shops file")?;
        let offset = u16::try_from(std::process::id() % u32::from(PORTS)).unwrap_or(0);
        let mut free = (0..PORTS)
            .map(|step| FIRST_PORT + (offset + step) % PORTS)
            .map(|port| SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))
            .filter(|address| TcpListener::bind(address).is_ok());
        let mut next = || free.next().map(SocketAddr::V4).context("no free port");
        Ok(Self { home: home.to_owned(), ingress: next()?, ops: next()?, child: None })
    }

    /// Starts the process and waits until it is ready.
    pub(super) async fn start(&mut self) -> anyhow::Result<()> {
        let log_path = self.home.join(LOG_FILE);
        let log = File::options().create(true).append(true).open(&log_path)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve", "--broker-url", "embedded", "--database-url"]);
        command.arg(format!("sqlite://{}", self.home.join(DATABASE_FILE).display()));
        command.arg("--data-dir").arg(&self.home);
        command.arg("--shops").arg(self.home.join(SHOPS_FILE));
        command.args(["--listen", &self.ingress.to_string()]);
        command.args(["--ops-listen", &self.ops.to_string()]);
        // Nothing that is set for another instance, and no onhand.toml of another folder.
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("ONHAND_") && name != "ONHAND_LOG")
            {
                command.env_remove(name);
            }
        }
        command.current_dir(&self.home).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let mut child = command.spawn().context("cannot start the serving process")?;
        let began = Instant::now();
        while !self.is_ready().await {
            if let Some(status) = child.try_wait()? {
                let said = std::fs::read_to_string(&log_path).unwrap_or_default();
                let last = said.lines().last().unwrap_or("without a word").to_owned();
                bail!("the serving process ended ({status}): {last}");
            }
            if began.elapsed() > START {
                bail!("the serving process is not ready after {} s", START.as_secs());
            }
            tokio::time::sleep(LOOK).await;
        }
        self.child = Some(child);
        Ok(())
    }

    /// SIGKILL: no handler runs, nothing is flushed.
    pub(super) async fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill().await.context("cannot kill the serving process")?;
        }
        Ok(())
    }

    /// A Ctrl-C in a terminal has reached the process, too, and it ends by itself. Otherwise it is
    /// killed, which loses nothing either.
    pub(super) async fn stop(mut self) {
        let Some(mut child) = self.child.take() else { return };
        if tokio::time::timeout(STOP, child.wait()).await.is_err() {
            // Already gone is as good.
            let _ = child.kill().await;
        }
    }

    async fn is_ready(&self) -> bool {
        healthcheck::get(&self.ops.to_string(), "readyz")
            .await
            .is_ok_and(|answer| answer.contains(" 200 "))
    }
}

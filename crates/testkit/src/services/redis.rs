//! A private Redis server.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::process::Process;
use super::{free_port, open_folder, optional};

/// A Redis server that keeps nothing on disk. Dropping it ends it.
#[derive(Debug)]
pub struct Redis {
    port: u16,
    _process: Process,
    _folder: TempDir,
}

impl Redis {
    /// Starts it; returns when it answers.
    pub async fn start() -> Self {
        let (port, folder) = (free_port(), open_folder());
        let program = optional("ONHAND_TEST_REDIS_SERVER").unwrap_or("redis-server".to_owned());
        let mut command = Command::new(PathBuf::from(program));
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1"]);
        command.args(["--save", "", "--appendonly", "no"]).arg("--dir").arg(folder.path());
        let mut process = Process::start(&mut command, &folder.path().join("log"));
        process.ready(|| async { answers(port).await.is_ok_and(|answer| answer == b'+') }).await;
        Self { port, _process: process, _folder: folder }
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// What a name has as its value, if it is there.
    pub async fn get(&self, name: &str) -> Option<String> {
        let client = TcpStream::connect(("127.0.0.1", self.port)).await;
        let mut client = BufReader::new(client.expect("Redis is there"));
        let asked = client.write_all(format!("GET {name}\r\n").as_bytes()).await;
        asked.expect("Redis is asked");
        let mut answer = client.lines();
        let mut line = async || answer.next_line().await.expect("Redis answers").expect("a line");
        // Its length comes first.
        if line().await == "$-1" { None } else { Some(line().await) }
    }

    /// `host:port`, for a proxy.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

async fn answers(port: u16) -> std::io::Result<u8> {
    let mut client = TcpStream::connect(("127.0.0.1", port)).await?;
    client.write_all(b"PING\r\n").await?;
    client.read_u8().await
}

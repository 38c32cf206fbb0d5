//! `onhand healthcheck`: a GET for containers that have no curl.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::exit::{NOT_FINE, bad_config};

const TIMEOUT: Duration = Duration::from_secs(3);

/// Enough for what a role says it misses.
const ANSWER_BYTES_MAX: u64 = 4 * 1024;

pub(crate) async fn run(url: &str) -> anyhow::Result<ExitCode> {
    let (host, path) = url
        .strip_prefix("http://")
        .map(|rest| rest.split_once('/').unwrap_or((rest, "")))
        .ok_or_else(|| bad_config("the URL must be as in http://127.0.0.1:8081/healthz"))?;
    let answer = tokio::time::timeout(TIMEOUT, get(host, path))
        .await
        .with_context(|| format!("{url} did not answer within {} s", TIMEOUT.as_secs()))?
        .with_context(|| format!("cannot ask {url}"))?;
    let line = answer.lines().next().unwrap_or_default();
    outln!("{url}: {line}");
    let fine = line.split(' ').nth(1) == Some("200");
    if let (false, Some((_, why))) = (fine, answer.split_once("\r\n\r\n")) {
        outln!("{}", why.trim_end());
    }
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::from(NOT_FINE) })
}

pub(crate) async fn get(host: &str, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(host).await?;
    let request = format!("GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

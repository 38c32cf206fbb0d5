//! A database that is far away: all that is sent takes its time, there and back.

use std::io;
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// What is read at a time, and how many of these may be under way.
const CHUNK_BYTES: usize = 64 * 1024;
const CHUNKS: usize = 1_024;

/// The URL under which the database at `url` is so far away, each way, for as long as this process
/// lives. Tokio's clock ticks in milliseconds: each way takes up to one more.
pub(crate) async fn away(url: &str, way: Duration) -> anyhow::Result<String> {
    let (rest, name) = url.rsplit_once('/').context("a URL names a database")?;
    let (credentials, server) = rest.rsplit_once('@').context("a URL names a user")?;
    let (server, listener) = (server.to_owned(), TcpListener::bind("127.0.0.1:0").await?);
    let here = listener.local_addr()?;
    go_on(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = server.clone();
            go_on(async move { drop(link(client, &server, way).await) });
        }
    });
    Ok(format!("{credentials}@{here}/{name}"))
}

async fn link(mut client: TcpStream, server: &str, way: Duration) -> io::Result<()> {
    let mut server = TcpStream::connect(server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    tokio::try_join!(carry(from_client, to_server, way), carry(from_server, to_client, way))?;
    Ok(())
}

/// What was read later is under way while what was read before is.
async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    way: Duration,
) -> io::Result<()> {
    let (on_its_way, mut arriving) = mpsc::channel::<(Instant, Vec<u8>)>(CHUNKS);
    let leave = async move {
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let count = from.read(&mut chunk).await?;
            let sent = on_its_way.send((Instant::now() + way, chunk[..count].to_vec()));
            if sent.await.is_err() || count == 0 {
                return Ok(());
            }
        }
    };
    let arrive = async move {
        while let Some((at, bytes)) = arriving.recv().await {
            // Who sleeps until what is past sleeps for one more tick.
            if at > Instant::now() {
                sleep_until(at).await;
            }
            if bytes.is_empty() {
                return to.shutdown().await;
            }
            to.write_all(&bytes).await?;
        }
        Ok(())
    };
    tokio::try_join!(leave, arrive).map(drop)
}

fn go_on(what: impl Future<Output = ()> + Send + 'static) {
    #[expect(clippy::disallowed_methods, reason = "ends as this process does")]
    tokio::spawn(what);
}

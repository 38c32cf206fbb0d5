//! The least HTTP/1.1 client that will do, so that a test may also send what no library would.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// A connection that is kept alive.
#[derive(Debug)]
pub(crate) struct Connection(BufReader<TcpStream>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
    pub(crate) body: String,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    pub(crate) async fn request(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, String)],
        body: &[u8],
    ) -> io::Result<Response> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n");
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("Content-Length: {}\r\n\r\n", body.len());
        let request = [head.as_bytes(), body].concat();
        let (read, mut write) = self.0.get_mut().split();
        let mut read = BufReader::new(read);
        // A server may answer, and close, before it has read everything.
        let (_, response) = tokio::join!(write.write_all(&request), receive(&mut read));
        response
    }
}

/// One GET on a connection of its own.
pub(crate) async fn get(address: SocketAddr, path: &str) -> io::Result<Response> {
    Connection::open(address).await?.request("GET", path, &[], b"").await
}

async fn receive(from: &mut (impl AsyncBufReadExt + Unpin)) -> io::Result<Response> {
    let broken = || io::Error::from(io::ErrorKind::InvalidData);
    let first = line(from).await?;
    let status = first.split(' ').nth(1).and_then(|s| s.parse().ok()).ok_or_else(broken)?;
    let mut response = Response { status, retry_after: None, body: String::new() };
    let mut length = 0;
    loop {
        let header = line(from).await?;
        let Some((name, value)) = header.split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().map_err(|_| broken())?,
            "retry-after" => response.retry_after = Some(value.trim().to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).await?;
    response.body = String::from_utf8(body).map_err(|_| broken())?;
    Ok(response)
}

async fn line(from: &mut (impl AsyncBufReadExt + Unpin)) -> io::Result<String> {
    let mut line = String::new();
    if from.read_line(&mut line).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().to_owned())
}

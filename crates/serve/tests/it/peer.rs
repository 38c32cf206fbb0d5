//! The other end of a connection, byte by byte. Shared by the tests of all crates that serve.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Far longer than anything here takes: a test that hangs fails.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Peer {
    stream: TcpStream,
    read: Vec<u8>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    /// In lower case.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Peer {
    pub(crate) async fn connect(address: SocketAddr) -> Peer {
        let stream = TcpStream::connect(address).await.expect("the server accepts");
        Peer { stream, read: Vec::new() }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let sent = timeout(PATIENCE, self.stream.write_all(bytes.as_ref()));
        sent.await.expect("the server reads in time").expect("the server reads");
    }

    /// `GET path`, and its answer.
    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n")).await;
        self.answer().await
    }

    pub(crate) async fn answer(&mut self) -> Answer {
        timeout(PATIENCE, self.read_answer()).await.expect("the answer comes in time")
    }

    /// Reads until the text is there, and takes all up to its end.
    pub(crate) async fn read_until(&mut self, text: &str) -> String {
        let find = |read: &[u8]| read.windows(text.len()).position(|it| it == text.as_bytes());
        let found = timeout(PATIENCE, async {
            loop {
                match find(&self.read) {
                    Some(at) => break at,
                    None => self.read_more().await,
                }
            }
        });
        let at = found.await.unwrap_or_else(|_| panic!("waited in vain for {text}"));
        self.take(at + text.len())
    }

    /// Nothing has been answered so far, and the connection is open.
    pub(crate) fn assert_silent(&self) {
        assert!(self.read.is_empty());
        let read = self.stream.try_read(&mut [0; 1]);
        let error = read.expect_err("neither bytes nor the end of the connection");
        assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    }

    /// The server closes without another byte.
    pub(crate) async fn assert_closed(self) {
        assert_eq!(self.ended().await, "");
    }

    /// The server closes; what it still sent before.
    pub(crate) async fn ended(mut self) -> String {
        let ended = timeout(PATIENCE, self.stream.read_to_end(&mut self.read)).await;
        // A reset is an end too.
        let _ = ended.expect("the connection ends in time");
        String::from_utf8_lossy(&self.read).into_owned()
    }

    /// Nothing more will be sent from this side.
    pub(crate) async fn finish_sending(&mut self) {
        self.stream.shutdown().await.expect("the connection is open");
    }

    async fn read_answer(&mut self) -> Answer {
        let head = loop {
            if let Some(end) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                break self.take(end + 4);
            }
            self.read_more().await;
        };
        let head = head.to_ascii_lowercase();
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.parse().expect("a length"));
        while self.read.len() < length {
            self.read_more().await;
        }
        Answer { status: status.expect("a status line"), head, body: self.take(length) }
    }

    async fn read_more(&mut self) {
        let read = self.stream.read_buf(&mut self.read).await.expect("the connection is intact");
        assert_ne!(read, 0, "the connection ended after {:?}", String::from_utf8_lossy(&self.read));
    }

    fn take(&mut self, length: usize) -> String {
        let rest = self.read.split_off(length);
        let taken = std::mem::replace(&mut self.read, rest);
        String::from_utf8(taken).expect("text")
    }
}

//! Where alerts are posted, as a channel's incoming webhook: it takes them, or does not.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::DEADLINE;

/// Must be in no log and no output.
pub(crate) const SECRET_PATH: &str = "/services/T0/B0/the-secret-of-the-channel";

/// What it does with a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Takes,
    Fails,
    /// Reads, and never answers.
    IsSilent,
}

/// Listens until it is dropped.
pub(crate) struct Receiver {
    address: SocketAddr,
    scheme: &'static str,
    mood: watch::Sender<Mood>,
    /// The texts that were posted, with the mood that they met.
    posts: watch::Receiver<Vec<(Mood, String)>>,
    _stop: DropGuard,
}

impl Receiver {
    pub(crate) async fn start(mood: Mood) -> Self {
        Self::listening(TcpListener::bind("127.0.0.1:0").await.expect("a free port"), mood, None)
    }

    /// Where somebody was told to post before it was there.
    pub(crate) async fn start_at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.expect("it was free before");
        Self::listening(listener, Mood::Takes, None)
    }

    /// With a certificate of `localhost`, in PEM for those who are to trust it.
    pub(crate) async fn start_tls() -> (Self, String) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a key");
        let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has them")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.expect("a key"))
            .expect("key and certificate fit");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let pem = STANDARD.encode(made.cert.der());
        let pem = format!("-----BEGIN CERTIFICATE-----\n{pem}\n-----END CERTIFICATE-----\n");
        (Self::listening(listener, Mood::Takes, Some(acceptor)), pem)
    }

    fn listening(listener: TcpListener, mood: Mood, tls: Option<TlsAcceptor>) -> Self {
        let address = listener.local_addr().expect("it is bound");
        let scheme = if tls.is_some() { "https" } else { "http" };
        let (mood, moods) = watch::channel(mood);
        let (posted, posts) = watch::channel(Vec::new());
        let stop = CancellationToken::new();
        let accept = async move {
            loop {
                let (stream, _) = listener.accept().await.expect("accepts");
                let (moods, posted) = (&moods, &posted);
                // One after the other: who posts waits for its answer.
                match &tls {
                    None => serve(stream, moods, posted).await,
                    Some(tls) => match tls.accept(stream).await {
                        Ok(stream) => serve(stream, moods, posted).await,
                        Err(_) => None,
                    },
                };
            }
        };
        TaskTracker::new().spawn(stop.clone().run_until_cancelled_owned(async {
            let never: std::convert::Infallible = accept.await;
            match never {}
        }));
        Self { address, scheme, mood, posts, _stop: stop.drop_guard() }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://localhost:{}{SECRET_PATH}", self.scheme, self.address.port())
    }

    pub(crate) fn becomes(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    /// The texts that it took.
    pub(crate) fn taken(&self) -> Vec<String> {
        let posts = self.posts.borrow();
        posts
            .iter()
            .filter(|(mood, _)| *mood == Mood::Takes)
            .map(|(_, text)| text.clone())
            .collect()
    }

    /// Waits for the `number`th text that it takes.
    pub(crate) async fn took(&self, number: usize) -> String {
        self.met(Mood::Takes, number).await
    }

    /// Waits for the `number`th post that meets this mood.
    pub(crate) async fn met(&self, mood: Mood, number: usize) -> String {
        let mut posts = self.posts.clone();
        let of_mood = |posts: &Vec<(Mood, String)>| {
            posts.iter().filter(|(met, _)| *met == mood).nth(number - 1).cloned()
        };
        let found = timeout(DEADLINE, posts.wait_for(|posts| of_mood(posts).is_some())).await;
        match found.map(|found| found.map(|posts| of_mood(&posts))) {
            Ok(Ok(Some((_, text)))) => text,
            _ => panic!("post {number} did not come: {:?}", self.posts.borrow()),
        }
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    moods: &watch::Receiver<Mood>,
    posted: &watch::Sender<Vec<(Mood, String)>>,
) -> Option<()> {
    let mut request = Vec::new();
    let body = loop {
        if stream.read_buf(&mut request).await.ok()? == 0 {
            return None;
        }
        if let Some(body) = body(&request) {
            break body;
        }
    };
    assert!(request.starts_with(format!("POST {SECRET_PATH} HTTP/1.1\r\n").as_bytes()));
    let text = body["text"].as_str().expect("a text").to_owned();
    let mood = *moods.borrow();
    posted.send_modify(|posts| posts.push((mood, text)));
    let answer = match mood {
        Mood::Takes => "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        Mood::Fails => "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 4\r\n\r\nnope",
        Mood::IsSilent => {
            // Until whoever waits has had enough.
            let _ = timeout(Duration::from_secs(60), stream.read_buf(&mut request)).await;
            return None;
        }
    };
    stream.write_all(answer.as_bytes()).await.ok()?;
    stream.shutdown().await.ok()
}

/// The JSON behind the header, once it is whole.
fn body(request: &[u8]) -> Option<Value> {
    let end = request.windows(4).position(|window| window == b"\r\n\r\n")?;
    serde_json::from_slice(&request[end + 4..]).ok()
}

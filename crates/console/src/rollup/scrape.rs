//! What ingresses elsewhere have counted: they never see the store, so the console asks them.
//!
//! A name may stand for several (a headless service of Kubernetes, a compose service that was
//! scaled): each address is asked for itself. One that is asked for the first time tells only from
//! where to count.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use futures_util::future::join_all;
use store::rollups::Counts;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::watch;
use tokio::time::timeout;

use super::merge;
use super::reading::Reading;
use crate::refused::{Refused, Told};

/// How long an ingress may take to answer.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Ingresses that are asked, over all names.
const ADDRESSES_MAX: usize = 256;

/// Bytes of the longest answer.
const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// Where an ingress shows what it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricsUrl {
    /// `host:port`
    authority: String,
    path: String,
}

/// Not where metrics can be asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it must be as in http://ingress:8082/metrics, with the port of the ingress's ops address")]
pub struct BadMetricsUrl;

impl FromStr for MetricsUrl {
    type Err = BadMetricsUrl;

    fn from_str(text: &str) -> Result<Self, BadMetricsUrl> {
        let rest = text.strip_prefix("http://").ok_or(BadMetricsUrl)?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, "metrics"));
        let (host, port) = authority.rsplit_once(':').ok_or(BadMetricsUrl)?;
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        // What stands before an `@` would be a password, which logs would show.
        let is_host = !host.is_empty() && !host.contains('@');
        if !is_host || port.parse::<u16>().is_err() || !is_plain(rest) {
            return Err(BadMetricsUrl);
        }
        Ok(Self { authority: authority.to_owned(), path: format!("/{path}") })
    }
}

/// Those that are asked, and what each address told the last time.
#[derive(Debug, Default)]
pub struct Ingresses {
    urls: Vec<MetricsUrl>,
    known: BTreeMap<(String, SocketAddr), Reading>,
    /// Names of which it was said that nobody answers.
    silent: BTreeSet<String>,
    /// For pages.
    told: watch::Sender<Told>,
}

impl Ingresses {
    pub fn new(urls: Vec<MetricsUrl>) -> Self {
        Self { urls, ..Self::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.urls.is_empty()
    }

    pub(crate) fn told(&self) -> watch::Receiver<Told> {
        self.told.subscribe()
    }

    /// What all of them counted since they were last asked.
    pub(super) async fn counts(&mut self) -> Counts {
        let answers = join_all(self.urls.iter().map(ask)).await;
        let (mut counts, mut known, mut told) = (Counts::new(), BTreeMap::new(), Told::default());
        for (url, answer) in self.urls.iter().zip(answers) {
            self.silent = said(std::mem::take(&mut self.silent), url, &answer);
            // A name that stands for nobody is one that does not answer.
            for answer in answer.unwrap_or_else(|_| vec![None]) {
                told.add(answer.as_ref().and_then(|it| it.refused.as_ref()));
                let Some(Answer { address, reading, .. }) = answer else { continue };
                let key = (url.authority.clone(), address);
                let before = self.known.get(&key).unwrap_or(&reading);
                merge(&mut counts, &reading.since(before));
                known.insert(key, reading);
            }
        }
        // Whoever did not answer and comes again is counted from then on.
        self.known = known;
        self.told.send_replace(told);
        counts
    }
}

/// What an ingress shows.
struct Answer {
    address: SocketAddr,
    reading: Reading,
    /// `None`: it is no ingress.
    refused: Option<Refused>,
}

/// Of everybody behind a name; `None`: this one does not answer.
type Answers = Result<Vec<Option<Answer>>, io::Error>;

/// Says once that nobody answers to a name, and once that somebody does again.
fn said(mut silent: BTreeSet<String>, url: &MetricsUrl, answer: &Answers) -> BTreeSet<String> {
    match answer {
        Ok(_) => {
            if silent.remove(&url.authority) {
                tracing::info!(ingress.metrics = url.authority, "the ingress answers again");
            }
        }
        Err(error) => {
            if silent.insert(url.authority.clone()) {
                tracing::warn!(
                    %error,
                    ingress.metrics = url.authority,
                    "no ingress answers there: how fast webhooks are acknowledged is not known"
                );
            }
        }
    }
    silent
}

/// Everybody behind a name; an error only if that is nobody.
async fn ask(url: &MetricsUrl) -> Answers {
    let addresses = timeout(TIMEOUT, lookup_host(&url.authority)).await??;
    let addresses: BTreeSet<SocketAddr> = addresses.take(ADDRESSES_MAX).collect();
    let asked = addresses.iter().map(async |&address| {
        let text = timeout(TIMEOUT, get(url, address)).await??;
        let (reading, refused) = (Reading::parse(&text), Refused::read(&text));
        Ok::<_, io::Error>(Answer { address, reading, refused })
    });
    let (mut answers, mut failed) = (Vec::new(), None);
    for (address, answer) in addresses.iter().zip(join_all(asked).await) {
        match answer {
            Ok(answer) => answers.push(Some(answer)),
            // `localhost` has two addresses, and an ingress listens on one of them.
            Err(error) if address.ip().is_loopback() => failed = Some(error),
            Err(error) => {
                failed = Some(error);
                answers.push(None);
            }
        }
    }
    match failed {
        Some(error) if answers.iter().all(Option::is_none) => Err(error),
        _ => Ok(answers),
    }
}

/// HTTP/1.0: the answer ends with the connection, and is not in pieces.
async fn get(url: &MetricsUrl, address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {} HTTP/1.0\r\nhost: {}\r\n\r\n", url.path, url.authority);
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let line = head.lines().next().unwrap_or_default();
    match line.split(' ').nth(1) {
        Some("200") => Ok(body.to_owned()),
        _ => Err(io::Error::other(format!("it answered {line:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// Answers one request.
    async fn answer(listener: &TcpListener, head: &str, body: &str) {
        let (mut stream, _) = listener.accept().await.expect("somebody asks");
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            stream.read_buf(&mut asked).await.expect("asks");
        }
        assert!(asked.starts_with(b"GET /metrics HTTP/1.0\r\n"));
        stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).await.expect("listens");
    }

    #[tokio::test]
    async fn an_ingress_is_counted_from_when_it_was_first_asked() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let url = format!("http://{address}/metrics").parse().expect("a URL");
        let mut ingresses = Ingresses::new(vec![url]);
        let told = ingresses.told();
        let mut counted = async |head: &str, acks: u32| {
            let body = format!(
                "onhand_ingress_ack_seconds_bucket{{le=\"+Inf\"}} {acks}\n\
                 onhand_ingress_bytes_in_flight 0\n\
                 onhand_shop_signatures_refused_total{{shop=\"demo\"}} {acks}\n"
            );
            tokio::join!(answer(&listener, head, &body), ingresses.counts()).1
        };
        let refused = || {
            let told = told.borrow();
            (told.refused.of(&"demo".into()), told.answered, told.silent)
        };
        let some = |acks| Counts::from([("ack_le_inf".to_owned(), acks)]);
        assert_eq!(
            counted("HTTP/1.0 200 OK", 40).await,
            Counts::new(),
            "what was before is not now"
        );
        assert_eq!(refused(), (40, 1, 0), "but refused it is");
        assert_eq!(counted("HTTP/1.0 200 OK", 42).await, some(2));
        assert_eq!(counted("HTTP/1.0 503 Service Unavailable", 43).await, Counts::new());
        assert_eq!(refused(), (0, 0, 1), "nobody knows");
        assert_eq!(counted("HTTP/1.0 200 OK", 50).await, Counts::new(), "nobody knows since when");
        assert_eq!(counted("HTTP/1.0 200 OK", 51).await, some(1));
        drop(listener);
        assert_eq!(ingresses.counts().await, Counts::new());
        assert_eq!(refused(), (0, 0, 1));
    }

    #[tokio::test]
    async fn an_ingress_of_this_machine_is_one_whatever_addresses_the_machine_has() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let url = format!("http://localhost:{port}/metrics").parse().expect("a URL");
        let mut ingresses = Ingresses::new(vec![url]);
        let body = "onhand_ingress_bytes_in_flight 0\n";
        tokio::join!(answer(&listener, "HTTP/1.0 200 OK", body), ingresses.counts());
        let told = ingresses.told.borrow();
        assert_eq!((told.answered, told.silent), (1, 0));
    }

    #[test]
    fn a_url_of_metrics_is_told_from_others() {
        let parsed = |text: &str| text.parse::<MetricsUrl>().map(|url| (url.authority, url.path));
        let fine = |authority: &str, path: &str| Ok((authority.to_owned(), path.to_owned()));
        assert_eq!(parsed("http://ingress:8082/metrics"), fine("ingress:8082", "/metrics"));
        assert_eq!(parsed("http://[::1]:8082"), fine("[::1]:8082", "/metrics"));
        for text in [
            "ingress:8082",
            "https://a:1/",
            "http://a/",
            "http://:1/",
            "http://a:1/\r\nx",
            "http://kim:secret@a:1/",
        ] {
            assert_eq!(parsed(text), Err(BadMetricsUrl), "{text}");
        }
    }
}

//! One keep-alive connection to the target, made anew whenever it is needed and gone.

use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, RETRY_AFTER};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::Target;
use crate::request::Request as Webhook;

/// As long as Shopify waits for an answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// The pause before a webhook is sent again: doubled each time, from the one to the other. Shopify
/// waits for minutes and hours; here an outage lasts seconds.
pub(super) const PAUSE_MIN: Duration = Duration::from_millis(20);
pub(super) const PAUSE_MAX: Duration = Duration::from_secs(1);

/// `Retry-After` is honoured so much faster, for the same reason.
const RETRY_AFTER_DIVISOR: u32 = 25;

/// Answers are a line at the most.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

pub(super) struct Connection {
    target: Target,
    tracker: TaskTracker,
    open: Option<SendRequest<Full<Bytes>>>,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// 200.
    Taken,
    /// A status that a repeat would not change.
    Refused(u16),
    /// A status that asks for a repeat, and when.
    Later(u16, Option<Duration>),
    Broken,
    Timeout,
}

impl Connection {
    pub(super) fn new(target: Target, tracker: TaskTracker) -> Self {
        Self { target, tracker, open: None }
    }

    pub(super) async fn request(&mut self, webhook: &Webhook) -> Answer {
        // Taken out: after a timeout or an error the connection is in no known state.
        let open = self.open.take();
        match timeout(REQUEST_TIMEOUT, self.exchange(open, webhook)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Answer::Broken,
            Err(_) => Answer::Timeout,
        }
    }

    async fn exchange(
        &mut self,
        open: Option<SendRequest<Full<Bytes>>>,
        webhook: &Webhook,
    ) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
        let mut sender = match open {
            Some(open) if !open.is_closed() => open,
            _ => self.connect().await?,
        };
        sender.ready().await?;
        let response = sender.send_request(self.target.request(webhook)?).await?;
        let answer = answer(response.status(), response.headers());
        // What has been answered stays answered, whatever becomes of the connection.
        if finish(response.into_body()).await {
            self.open = Some(sender);
        }
        Ok(answer)
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, std::io::Error> {
        let stream = TcpStream::connect(&self.target.authority).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(std::io::Error::other)?;
        // Ends when its sender is dropped; its errors reach us as those of requests.
        self.tracker.spawn(async move { drop(connection.await) });
        Ok(sender)
    }
}

impl Target {
    fn request(&self, webhook: &Webhook) -> Result<Request<Full<Bytes>>, http::Error> {
        let uri = format!("{}{}", self.path, webhook.path);
        let mut request =
            Request::builder().method(Method::POST).uri(uri).header(HOST, &self.authority);
        for (name, value) in &webhook.headers {
            request = request.header(*name, value);
        }
        request.body(Full::new(webhook.body.clone()))
    }
}

fn answer(status: StatusCode, headers: &HeaderMap) -> Answer {
    let again = status.is_server_error()
        || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS);
    match status {
        StatusCode::OK => Answer::Taken,
        _ if again => Answer::Later(status.as_u16(), retry_after(headers)),
        _ => Answer::Refused(status.as_u16()),
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some((Duration::from_secs(seconds) / RETRY_AFTER_DIVISOR).min(PAUSE_MAX))
}

/// Reads the rest of an answer; whether its connection can be used again.
async fn finish(body: Incoming) -> bool {
    Limited::new(body, ANSWER_BYTES_MAX).collect().await.is_ok()
}

//! Calls to the outside: what Onhand itself asks of others over HTTP.
//!
//! A [`Receiver`] is one URL, which is a secret: whoever has it may post there. It is in no error,
//! no log and no `Debug`. A call takes at most [`POST_TIMEOUT`], follows no redirects (the secret
//! would go along), and reads at most [`ANSWER_BYTES_MAX`] of the answer. It knows nothing of what
//! is posted or why.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::uri::{Scheme, Uri};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use secrecy::{ExposeSecret, SecretString};

/// From the look-up of the name to the end of the answer.
pub const POST_TIMEOUT: Duration = Duration::from_secs(10);

/// Of an answer that is longer nothing is kept.
pub const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// Where something is posted.
#[derive(Clone)]
pub struct Receiver {
    url: Uri,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// What was answered, whatever it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub text: String,
}

impl Answer {
    /// It was taken.
    pub fn is_success(&self) -> bool {
        StatusCode::from_u16(self.status).is_ok_and(|status| status.is_success())
    }
}

/// Not a URL to post to. Does not say what it is: it may be a secret with a typo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    #[error("it is not a URL such as https://hooks.example.com/services/T0/B0/x")]
    NotOne,
    #[error("it begins neither with https:// nor with http://")]
    Scheme,
    #[error("it names a user, which would not be sent: put what it is to know into the path")]
    User,
}

/// Nothing was answered.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    #[error("no answer within {} s", POST_TIMEOUT.as_secs())]
    TimedOut,
    #[error("{0}")]
    Failed(String),
}

impl Receiver {
    pub fn new(url: &SecretString) -> Result<Self, BadUrl> {
        let url: Uri = url.expose_secret().trim().parse().map_err(|_| BadUrl::NotOne)?;
        match url.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS || *scheme == Scheme::HTTP => {}
            Some(_) => return Err(BadUrl::Scheme),
            None => return Err(BadUrl::NotOne),
        }
        if url.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(BadUrl::User);
        }
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls())
            .https_or_http()
            .enable_http1()
            .build();
        // Posts are hours apart, so no connection is kept for the next.
        let client =
            Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        Ok(Self { url, client })
    }

    /// Where it is, without what is secret.
    pub fn host(&self) -> &str {
        self.url.host().unwrap_or_default()
    }

    pub async fn post_json(&self, body: String) -> Result<Answer, PostError> {
        let json = HeaderValue::from_static("application/json");
        self.post(HeaderMap::from_iter([(CONTENT_TYPE, json)]), body.into()).await
    }

    /// Posts anything, with headers that say what it is.
    pub async fn post(&self, headers: HeaderMap, body: Bytes) -> Result<Answer, PostError> {
        match tokio::time::timeout(POST_TIMEOUT, self.send(headers, body)).await {
            Ok(answer) => answer,
            Err(_) => Err(PostError::TimedOut),
        }
    }

    async fn send(&self, headers: HeaderMap, body: Bytes) -> Result<Answer, PostError> {
        let mut request = Request::post(self.url.clone())
            .body(Full::from(body))
            .map_err(|error| PostError::Failed(error.to_string()))?;
        *request.headers_mut() = headers;
        let user_agent = HeaderValue::from_static(concat!("onhand/", env!("CARGO_PKG_VERSION")));
        request.headers_mut().insert(USER_AGENT, user_agent);
        let answer = self.client.request(request).await.map_err(|error| failed(&error))?;
        let (head, body) = answer.into_parts();
        // The status says whether it was taken; the text is only for people.
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let bytes = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).trim().to_owned();
        Ok(Answer { status: head.status.as_u16(), text })
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("host", &self.host()).finish_non_exhaustive()
    }
}

/// The machine's own trust roots, and `SSL_CERT_FILE` where that is set.
fn tls() -> rustls::ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has the default versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// With all causes: the first says only that it did not work. None of them holds the URL.
fn failed(error: &dyn Error) -> PostError {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    PostError::Failed(text)
}

//! The way to the collector: that of everything else which Onhand posts.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use http::{Request, Response};
use opentelemetry_http::{HttpClient, HttpError};
use outbound::Receiver;

/// Posts to one URL, within `outbound`'s time.
#[derive(Debug)]
pub(super) struct Collector(pub(super) Receiver);

impl HttpClient for Collector {
    fn send_bytes<'client, 'answer>(
        &'client self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'answer>>
    where
        'client: 'answer,
        Self: 'answer,
    {
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let answer = self.0.post(head.headers, body).await?;
            // What it says beside its status is for nobody here.
            Ok(Response::builder().status(answer.status).body(Bytes::new())?)
        })
    }
}

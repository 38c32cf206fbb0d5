//! A collector of traces: real HTTP and real OTLP bytes, kept as what they say.

use std::future::pending;
use std::io;
use std::net::SocketAddr;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use prost::Message;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What one span says, ids in hexadecimal as in a `traceparent`.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) service: String,
    pub(crate) name: String,
    pub(crate) kind: i32,
    pub(crate) trace: String,
    pub(crate) id: String,
    pub(crate) parent: String,
    pub(crate) links: Vec<(String, String)>,
    pub(crate) began: u64,
    pub(crate) ended: u64,
    attributes: Vec<KeyValue>,
    pub(crate) error: Option<String>,
}

impl Told {
    pub(crate) fn attribute(&self, name: &str) -> Option<String> {
        text(&self.attributes, name)
    }
}

/// Listens until it is dropped.
pub(crate) struct Collector {
    address: SocketAddr,
    told: watch::Receiver<Vec<Told>>,
    _listening: JoinSet<()>,
}

impl Collector {
    pub(crate) async fn start() -> Self {
        Self::listen(true).await
    }

    /// One that takes connections and never says a word.
    pub(crate) async fn dumb() -> Self {
        Self::listen(false).await
    }

    async fn listen(answers: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (tell, told) = watch::channel(Vec::new());
        let mut listening = JoinSet::new();
        listening.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let tell = tell.clone();
                connections.spawn(async move {
                    if answers {
                        // Ends when the process does; its spans came before.
                        let _ = answer(stream, &tell).await;
                    } else {
                        pending::<TcpStream>().await;
                        drop(stream);
                    }
                });
            }
        });
        Self { address, told, _listening: listening }
    }

    pub(crate) fn setting(&self) -> (&'static str, String) {
        ("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", self.address))
    }

    /// All that came so far.
    pub(crate) fn told(&self) -> Vec<Told> {
        self.told.borrow().clone()
    }

    /// What came of one trace.
    pub(crate) fn of(&self, trace: &str) -> Vec<Told> {
        self.told().into_iter().filter(|span| span.trace == trace).collect()
    }
}

async fn answer(stream: TcpStream, tell: &watch::Sender<Vec<Told>>) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let (head, body) = receive(&mut stream).await?;
        assert!(head.starts_with("post /v1/traces http/1.1\r\n"), "{head}");
        assert!(head.contains("content-type: application/x-protobuf\r\n"), "{head}");
        let request = ExportTraceServiceRequest::decode(&*body).expect("OTLP");
        tell.send_modify(|told| told.extend(spans(request)));
        let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\n\
                       content-length: 0\r\n\r\n";
        stream.write_all(answer).await?;
    }
}

/// Head, in lower case, and body of one request.
async fn receive(stream: &mut BufReader<TcpStream>) -> io::Result<(String, Vec<u8>)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    head.make_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length = length.and_then(|length| length.parse().ok()).expect("a request has a length");
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok((head, body))
}

fn spans(request: ExportTraceServiceRequest) -> Vec<Told> {
    let mut told = Vec::new();
    for resource in request.resource_spans {
        let of_process = resource.resource.unwrap_or_default().attributes;
        let service = text(&of_process, "service.name").expect("a service has a name");
        for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            let status = span.status.unwrap_or_default();
            let links = span.links.iter().map(|to| (hex(&to.trace_id), hex(&to.span_id)));
            told.push(Told {
                service: service.clone(),
                name: span.name,
                kind: span.kind,
                trace: hex(&span.trace_id),
                id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
                links: links.collect(),
                began: span.start_time_unix_nano,
                ended: span.end_time_unix_nano,
                attributes: span.attributes,
                error: (status.code == 2).then_some(status.message),
            });
        }
    }
    told
}

fn text(attributes: &[KeyValue], name: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == name)?;
    match &found.value {
        Some(AnyValue { value: Some(Value::StringValue(text)) }) => Some(text.clone()),
        Some(AnyValue { value: Some(Value::IntValue(number)) }) => Some(number.to_string()),
        other => panic!("{name} is {other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

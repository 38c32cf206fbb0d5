use std::time::Duration;

use tokio::time::timeout;

use super::*;

/// Long enough for loopback, short enough to wait for in vain.
const QUIET: Duration = Duration::from_millis(100);

/// A server that sends back what it gets, and tells what it got.
struct Echo {
    address: SocketAddr,
    heard: watch::Receiver<Vec<u8>>,
    _tasks: TaskTracker,
}

impl Echo {
    async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (said, heard) = watch::channel(Vec::new());
        let tasks = TaskTracker::new();
        let connections = tasks.clone();
        tasks.spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let said = said.clone();
                connections.spawn(async move {
                    let mut chunk = [0; 1024];
                    while let Ok(count @ 1..) = client.read(&mut chunk).await {
                        said.send_modify(|all| all.extend_from_slice(&chunk[..count]));
                        let _ = client.write_all(&chunk[..count]).await;
                    }
                });
            }
        });
        Self { address, heard, _tasks: tasks }
    }

    async fn proxied(&self) -> ChaosProxy {
        ChaosProxy::start(self.address.to_string()).await
    }
}

async fn round_trip(client: &mut TcpStream, text: &str) -> io::Result<String> {
    client.write_all(text.as_bytes()).await?;
    let mut answer = vec![0; text.len()];
    client.read_exact(&mut answer).await?;
    Ok(String::from_utf8(answer).unwrap())
}

async fn is_quiet(client: &mut TcpStream) -> bool {
    timeout(QUIET, client.read_u8()).await.is_err()
}

#[tokio::test]
async fn bytes_pass_both_ways() {
    let echo = Echo::start().await;
    let proxy = echo.proxied().await;
    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(round_trip(&mut client, "hello").await.unwrap(), "hello");
    client.shutdown().await.unwrap();
    assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0, "closed in good order");
}

#[tokio::test]
async fn a_cut_resets_every_connection_and_welcomes_new_ones() {
    let echo = Echo::start().await;
    let proxy = echo.proxied().await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = TcpStream::connect(proxy.address()).await.unwrap();
        round_trip(&mut client, "x").await.unwrap();
        clients.push(client);
    }
    proxy.cut();
    for mut client in clients {
        let error = client.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }
    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(round_trip(&mut client, "again").await.unwrap(), "again");
}

#[tokio::test]
async fn refused_connections_are_refused_and_open_ones_live_on() {
    let echo = Echo::start().await;
    let proxy = echo.proxied().await;
    let mut old = TcpStream::connect(proxy.address()).await.unwrap();
    round_trip(&mut old, "x").await.unwrap();
    for _ in 0..2 {
        proxy.refuse().await;
        let error = TcpStream::connect(proxy.address()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(round_trip(&mut old, "still").await.unwrap(), "still");
        proxy.restore();
        let mut new = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(round_trip(&mut new, "y").await.unwrap(), "y");
    }
}

#[tokio::test]
async fn a_stall_holds_bytes_back_until_it_is_over() {
    let echo = Echo::start().await;
    let proxy = echo.proxied().await;
    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    round_trip(&mut client, "x").await.unwrap();
    proxy.stall();
    client.write_all(b"z").await.unwrap();
    assert!(is_quiet(&mut client).await);
    assert_eq!(*echo.heard.borrow(), b"x");
    proxy.resume();
    assert_eq!(client.read_u8().await.unwrap(), b'z');
}

#[tokio::test]
async fn a_lost_reply_was_heard_by_the_server() {
    let mut echo = Echo::start().await;
    let proxy = echo.proxied().await;
    proxy.drop_replies_after(Trigger::Bytes(b"pay".to_vec()), Then::Cut);
    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(round_trip(&mut client, "p").await.unwrap(), "p");
    assert_eq!(proxy.hits(), 0);
    let error = round_trip(&mut client, "ay").await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    proxy.wait_hit().await;
    assert_eq!(proxy.hits(), 1);
    echo.heard.wait_for(|heard| heard == b"pay").await.unwrap();

    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(round_trip(&mut client, "pay").await.unwrap(), "pay", "the fault is spent");
}

#[tokio::test]
async fn a_lost_request_was_never_heard_and_neither_is_anything_after_it() {
    let echo = Echo::start().await;
    let proxy = echo.proxied().await;
    proxy.lose_request(Trigger::Bytes(b"pay".to_vec()));
    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(round_trip(&mut client, "x").await.unwrap(), "x");
    client.write_all(b"pay").await.unwrap();
    proxy.wait_hit().await;
    client.write_all(b"more").await.unwrap();
    assert!(is_quiet(&mut client).await);
    assert_eq!(*echo.heard.borrow(), b"x");
}

#[tokio::test]
async fn a_held_request_and_what_follows_it_come_late_and_in_order() {
    let echo = Echo::start().await;
    let proxy = echo.proxied().await;
    proxy.hold_request(Trigger::Bytes(b"pay".to_vec()));
    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(round_trip(&mut client, "x").await.unwrap(), "x");
    client.write_all(b"pay").await.unwrap();
    proxy.wait_hit().await;
    client.write_all(b"more").await.unwrap();
    let mut other = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(round_trip(&mut other, "pay").await.unwrap(), "pay", "the fault is spent");
    assert!(is_quiet(&mut client).await);
    proxy.release();
    assert_eq!(round_trip(&mut client, "y").await.unwrap(), "p");
    let mut answer = [0; 7];
    client.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"aymorey");
}

#[tokio::test]
async fn silence_keeps_the_connection_open() {
    let echo = Echo::start().await;
    let proxy = echo.proxied().await;
    proxy.drop_replies_after(Trigger::Bytes(b"q".to_vec()), Then::Silence);
    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    client.write_all(b"q").await.unwrap();
    proxy.wait_hit().await;
    client.write_all(b"more").await.unwrap();
    assert!(is_quiet(&mut client).await);
}

#[tokio::test]
async fn a_url_keeps_all_but_its_host_and_port() {
    let proxy = ChaosProxy::start("127.0.0.1:1").await;
    let at = proxy.address();
    assert_eq!(proxy.url("amqp://u:p@host:5672/%2f"), format!("amqp://u:p@{at}/%2f"));
    assert_eq!(proxy.url("postgres://host/db?x=1"), format!("postgres://{at}/db?x=1"));
}

/// Feeds the bytes one at a time, as a hostile network would, and returns where it was hit.
fn hits_at(wire: &mut Wire, bytes: &[u8], armed: Option<&Trigger>) -> Option<usize> {
    (0..bytes.len()).filter(|&at| wire.request(&bytes[at..=at], armed)).last()
}

fn answers_at(wire: &mut Wire, bytes: &[u8]) -> Option<usize> {
    (0..bytes.len()).filter(|&at| wire.reply(&bytes[at..=at])).last()
}

fn pg(kind: u8, body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(body.len() + 4).unwrap();
    [&[kind][..], &size.to_be_bytes(), body].concat()
}

fn pg_startup(code: u32) -> Vec<u8> {
    [8_u32.to_be_bytes(), code.to_be_bytes()].concat()
}

#[test]
fn a_plain_commit_and_its_tag_are_seen_even_after_an_ssl_refusal() {
    let mut wire = Wire::default();
    let armed = Some(&Trigger::Commit);
    assert_eq!(hits_at(&mut wire, &pg_startup(80_877_103), armed), None);
    assert_eq!(answers_at(&mut wire, b"N"), None);
    assert_eq!(hits_at(&mut wire, &pg_startup(196_608), armed), None);
    assert_eq!(hits_at(&mut wire, &pg(b'Q', b"SELECT 'commit'\0"), armed), None);
    assert!(hits_at(&mut wire, &pg(b'Q', b"COMMIT\0"), armed).is_some());
    assert_eq!(answers_at(&mut wire, &pg(b'C', b"SELECT 1\0")), None, "an earlier answer");
    assert!(answers_at(&mut wire, &pg(b'C', b"COMMIT\0")).is_some());
}

#[test]
fn a_prepared_commit_is_seen_when_it_is_executed() {
    let mut wire = Wire::default();
    let armed = Some(&Trigger::Commit);
    assert_eq!(hits_at(&mut wire, &pg_startup(196_608), armed), None);
    for (kind, body) in [
        (b'P', &b"s1\0 commit ;\0\0\0"[..]),
        (b'P', b"s2\0SELECT 1\0\0\0"),
        (b'B', b"\0s2\0\0\0\0\0\0\0"),
        (b'E', b"\0\0\0\0\0"),
        (b'B', b"\0s1\0\0\0\0\0\0\0"),
    ] {
        assert_eq!(hits_at(&mut wire, &pg(kind, body), armed), None);
    }
    assert!(hits_at(&mut wire, &pg(b'E', b"\0\0\0\0\0"), armed).is_some());
}

fn amqp(channel: u16, class: u16, method: u16, arguments: &[u8]) -> Vec<u8> {
    let payload = [&class.to_be_bytes()[..], &method.to_be_bytes(), arguments].concat();
    let size = u32::try_from(payload.len()).unwrap();
    [&[1][..], &channel.to_be_bytes(), &size.to_be_bytes(), &payload, &[0xce]].concat()
}

fn ack(channel: u16, tag: u64, multiple: bool) -> Vec<u8> {
    amqp(channel, 60, 80, &[&tag.to_be_bytes()[..], &[u8::from(multiple)]].concat())
}

#[test]
fn a_confirm_is_told_from_those_of_other_publishes() {
    let mut wire = Wire::default();
    let armed = Some(&Trigger::Publish);
    assert_eq!(hits_at(&mut wire, b"AMQP\x00\x00\x09\x01", armed), None);
    assert_eq!(hits_at(&mut wire, &amqp(1, 60, 40, b"unconfirmed"), armed), None);
    assert_eq!(hits_at(&mut wire, &amqp(1, 85, 10, b""), armed), None);
    assert_eq!(hits_at(&mut wire, &amqp(1, 60, 40, b"first"), None), None, "not armed yet");
    assert!(hits_at(&mut wire, &amqp(1, 60, 40, b"second"), armed).is_some());
    assert_eq!(answers_at(&mut wire, &ack(1, 1, false)), None, "of the first");
    assert_eq!(answers_at(&mut wire, &ack(2, 2, false)), None, "on another channel");
    assert!(answers_at(&mut wire, &ack(1, 2, false)).is_some());
    assert!(answers_at(&mut wire, &ack(1, 3, true)).is_some(), "or of several at once");
}

#[test]
fn an_acknowledgement_is_seen_as_a_request() {
    let mut wire = Wire::default();
    let armed = Some(&Trigger::Ack);
    assert_eq!(hits_at(&mut wire, b"AMQP\x00\x00\x09\x01", armed), None);
    assert_eq!(hits_at(&mut wire, &amqp(1, 60, 40, b"a publish"), armed), None);
    assert!(hits_at(&mut wire, &ack(1, 7, true), armed).is_some());
}

//! Posts to real listeners. One that says nothing, and one that speaks TLS, are for a process that
//! can wait and has trust roots of its own: tests/it/alerting.rs of the workspace.

use outbound::{Answer, BadUrl, Receiver};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;

const PATH: &str = "/services/T0/B0/the-secret";

fn receiver(url: &str) -> Receiver {
    Receiver::new(&url.into()).expect("a URL")
}

/// Reads one request to the end of its body, and answers.
async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &str) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"}") {
        assert_ne!(stream.read_buf(&mut request).await.expect("reads"), 0, "{request:?}");
    }
    stream.write_all(answer.as_bytes()).await.expect("writes");
    stream.shutdown().await.expect("closes");
    String::from_utf8(request).expect("text")
}

#[test]
fn what_is_no_url_is_refused_without_being_quoted() {
    for (url, why) in [
        ("", BadUrl::NotOne),
        ("hooks.example.com/the-secret", BadUrl::NotOne),
        ("/the-secret", BadUrl::NotOne),
        ("https://exa mple/the-secret", BadUrl::NotOne),
        ("ftp://example.com/the-secret", BadUrl::Scheme),
        ("https://me:the-secret@example.com/", BadUrl::User),
    ] {
        let error = Receiver::new(&url.into()).expect_err(url);
        assert_eq!(error, why, "{url}");
        assert!(!error.to_string().contains("the-secret"));
    }
    let good = receiver(&format!(" https://example.com:8443{PATH}\n"));
    assert_eq!(good.host(), "example.com");
    assert!(!format!("{good:?}").contains("the-secret"));
}

#[tokio::test]
async fn what_is_posted_arrives_and_what_is_answered_comes_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let receiver = receiver(&format!("http://localhost:{port}{PATH}?a=b"));
    for (said, expected) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", (200, "ok", true)),
        ("HTTP/1.1 500 Oh\r\nconnection: close\r\n\r\nno_service\n", (500, "no_service", false)),
        // Not followed: the secret would go along.
        ("HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n", (302, "", false)),
    ] {
        let accept = async { answer(listener.accept().await.expect("accepts").0, said).await };
        let (request, answer) = tokio::join!(accept, receiver.post_json("{\"text\":1}".to_owned()));
        let head = request.to_ascii_lowercase();
        assert!(request.starts_with(&format!("POST {PATH}?a=b HTTP/1.1\r\n")), "{request}");
        assert!(head.contains("content-type: application/json"), "{request}");
        assert!(request.ends_with("\r\n\r\n{\"text\":1}"), "{request}");
        let answer = answer.expect("an answer");
        assert_eq!((answer.status, answer.text.as_str(), answer.is_success()), expected);
    }
}

#[tokio::test]
async fn an_answer_that_does_not_end_is_cut_and_its_status_counts() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let long = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(1 << 20));
    let accept = async {
        let (mut stream, _) = listener.accept().await.expect("accepts");
        let mut request = [0; 1024];
        let _ = stream.read(&mut request).await;
        let _ = stream.write_all(long.as_bytes()).await;
    };
    let receiver = receiver(&format!("http://127.0.0.1:{port}/"));
    let (answer, ()) = tokio::join!(receiver.post_json("{}".to_owned()), accept);
    assert_eq!(answer.expect("an answer"), Answer { status: 200, text: String::new() });
}

#[tokio::test]
async fn who_is_not_there_is_an_error_without_the_url() {
    let port = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}{PATH}", port.local_addr().expect("bound"));
    drop(port);
    let error = receiver(&url).post_json("{}".to_owned()).await.expect_err("nobody listens");
    assert!(error.to_string().contains("refused"), "{error}");
    assert!(!error.to_string().contains("the-secret"), "{error}");
}

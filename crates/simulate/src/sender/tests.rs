use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Mutex;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::*;
use crate::sale::{Channel, Sale};

/// What the double does with a request.
#[derive(Clone, Copy)]
enum Play {
    Answer(u16),
    /// Closes the connection instead of an answer.
    Break,
    /// Answers 200, but so much later.
    Stall(Duration),
}

/// A server that does as the test says, and keeps a list of its own.
struct Double {
    address: SocketAddr,
    /// Webhook ids answered 200.
    taken: Arc<Mutex<Vec<String>>>,
    /// The ids and bodies of all requests.
    heard: Arc<Mutex<Vec<(String, Bytes)>>>,
    stop: CancellationToken,
}

impl Double {
    /// `play` gets the number of requests with this id before, and the number of all before.
    async fn start(play: fn(usize, usize) -> Play) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let double = Self {
            address: listener.local_addr().unwrap(),
            taken: Arc::default(),
            heard: Arc::default(),
            stop: CancellationToken::new(),
        };
        let (taken, heard) = (double.taken.clone(), double.heard.clone());
        let tracker = TaskTracker::new();
        let connections = tracker.clone();
        let stop = double.stop.clone();
        let serve = async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (taken, heard) = (taken.clone(), heard.clone());
                let service =
                    service_fn(move |request| answer(request, play, taken.clone(), heard.clone()));
                let connection =
                    http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                connections.spawn(async move { drop(connection.await) });
            }
        };
        tracker.spawn(async move { stop.run_until_cancelled(serve).await });
        double
    }

    fn target(&self) -> Target {
        format!("http://{}", self.address).parse().unwrap()
    }

    fn taken(&self) -> Vec<String> {
        let mut ids = self.taken.lock().unwrap().clone();
        ids.sort();
        ids
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn answer(
    request: Request<Incoming>,
    play: fn(usize, usize) -> Play,
    taken: Arc<Mutex<Vec<String>>>,
    heard: Arc<Mutex<Vec<(String, Bytes)>>>,
) -> Result<Response<Full<Bytes>>, &'static str> {
    assert_eq!(request.uri().path(), "/webhooks/shopify");
    let id = request.headers()["x-shopify-webhook-id"].to_str().unwrap().to_owned();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let (same, all) = {
        let mut heard = heard.lock().unwrap();
        heard.push((id.clone(), body));
        (heard.iter().filter(|(other, _)| *other == id).count() - 1, heard.len() - 1)
    };
    let status = match play(same, all) {
        Play::Answer(status) => status,
        Play::Break => return Err("as the test wants"),
        Play::Stall(time) => {
            let _: Result<Infallible, _> = timeout(time, pending()).await;
            200
        }
    };
    if status == 200 {
        taken.lock().unwrap().push(id);
    }
    let response = Response::builder().status(status).header("Retry-After", "1");
    Ok(response.body(Full::default()).unwrap())
}

fn plan(orders: usize) -> Arc<Plan> {
    let sale = Sale {
        orders,
        skus: 10,
        hot_skus: 1,
        hot_share: 0.5,
        lines_per_order: 2,
        pay_share: 0.5,
        cancel_share: 0.0,
        late_share: 0.0,
        duplicate_share: 0.3,
        same_instant_share: 0.5,
        disorder: 5,
        seed: 1,
        channel: Channel::Shopify { domain: "demo.myshopify.com".to_owned() },
        life_share: 0.0,
        secret: "only-for-tests".to_owned(),
    };
    Arc::new(sale.plan())
}

async fn send_to(double: &Double, plan: &Arc<Plan>, pace: Pace) -> Sent {
    let progress = Arc::new(Progress::default());
    let stop = CancellationToken::new();
    let sent = send(&double.target(), plan.clone(), pace, progress.clone(), stop).await;
    assert_eq!(progress.accepted(), sent.accepted.len());
    assert_eq!(progress.ended(), plan.sends.len());
    sent
}

fn ids(plan: &Plan, indexes: &[usize]) -> Vec<String> {
    let mut ids: Vec<_> =
        indexes.iter().map(|index| plan.webhooks[*index].id.clone().unwrap()).collect();
    ids.sort();
    ids
}

const EIGHT: Pace = Pace { connections: 8, per_second: None };

#[tokio::test]
async fn everything_is_sent_once_and_the_list_is_the_servers_own() {
    let (double, plan) = (Double::start(|_, _| Play::Answer(200)).await, plan(40));
    let sent = send_to(&double, &plan, EIGHT).await;
    assert_eq!(ids(&plan, &sent.accepted), ids(&plan, &plan.sends));
    assert_eq!(ids(&plan, &sent.accepted), double.taken());
    assert_eq!(sent.answers, BTreeMap::from([(200, plan.sends.len() as u64)]));
    assert_eq!(sent.latency.len(), plan.sends.len() as u64);
    assert_eq!((sent.broken, sent.timeouts), (0, 0));
    let twice = sent.acceptances().values().filter(|times| **times == 2).count();
    assert_eq!(twice, plan.duplicates());
}

#[tokio::test]
async fn what_is_not_taken_is_sent_again_with_the_same_bytes() {
    let play = |same, _| if same < 2 { Play::Answer(503) } else { Play::Answer(200) };
    let (double, plan) = (Double::start(play).await, plan(10));
    let sent = send_to(&double, &plan, EIGHT).await;
    assert_eq!(ids(&plan, &sent.accepted), double.taken());
    assert_eq!(sent.accepted.len(), plan.sends.len());
    assert_eq!(sent.answers[&503], plan.webhooks.len() as u64 * 2);
    // Twice what `Retry-After: 1` comes to.
    let slowest = Duration::from_micros(sent.latency.max());
    assert!(slowest >= Duration::from_millis(80), "{slowest:?}: the tries before are left out");
    for (id, body) in &*double.heard.lock().unwrap() {
        let webhook =
            plan.webhooks.iter().find(|webhook| webhook.id.as_deref() == Some(id)).unwrap();
        assert_eq!(webhook.message.body(), *body);
    }
}

#[tokio::test]
async fn a_broken_connection_is_made_anew_and_never_counts_as_accepted() {
    let play = |_, all| if all % 3 == 0 { Play::Break } else { Play::Answer(200) };
    let (double, plan) = (Double::start(play).await, plan(20));
    let sent = send_to(&double, &plan, EIGHT).await;
    assert_eq!(ids(&plan, &sent.accepted), double.taken());
    assert_eq!(ids(&plan, &sent.accepted), ids(&plan, &plan.sends));
    let heard = double.heard.lock().unwrap().len();
    assert_eq!(usize::try_from(sent.broken).unwrap(), heard - plan.sends.len());
}

#[tokio::test]
async fn a_refusal_is_final() {
    let (double, plan) = (Double::start(|_, _| Play::Answer(401)).await, plan(5));
    let sent = send_to(&double, &plan, EIGHT).await;
    assert!(sent.accepted.is_empty());
    assert_eq!(sent.refused.len(), plan.sends.len());
    assert_eq!(double.heard.lock().unwrap().len(), plan.sends.len());
}

#[tokio::test]
async fn with_a_pace_a_stalled_connection_counts_for_all_that_wait_behind_it() {
    let stall = Duration::from_millis(150);
    let play = |_, all| match all {
        0 => Play::Stall(Duration::from_millis(150)),
        _ => Play::Answer(200),
    };
    let (double, plan) = (Double::start(play).await, plan(20));
    let pace = Pace { connections: 1, per_second: Some(1e6) };
    let sent = send_to(&double, &plan, pace).await;
    let least = Duration::from_micros(sent.latency.min());
    assert!(least > stall * 9 / 10, "{least:?}: the wait for the connection is left out");

    let double = Double::start(play).await;
    let sent = send_to(&double, &plan, Pace { per_second: None, ..pace }).await;
    let least = Duration::from_micros(sent.latency.min());
    assert!(least < stall, "{least:?}: without a pace each request is measured by itself");
}

#[tokio::test]
async fn with_a_pace_nothing_is_sent_before_its_time() {
    let (double, plan) = (Double::start(|_, _| Play::Answer(200)).await, plan(20));
    let pace = Pace { connections: 4, per_second: Some(500.0) };
    let sent = send_to(&double, &plan, pace).await;
    assert_eq!(sent.accepted.len(), plan.sends.len());
    let least = Duration::from_millis(2) * u32::try_from(plan.sends.len() - 1).unwrap();
    assert!(sent.sending >= least, "{:?} is less than {least:?}", sent.sending);
    assert!(sent.elapsed >= sent.sending);
    assert!(sent.sent_per_second() <= 500.0, "{}", sent.sent_per_second());
    assert_eq!(sent.behind(500.0), sent.sending - least);
    assert_eq!(sent.behind(1.0), Duration::ZERO);
}

#[tokio::test]
async fn a_stop_ends_the_wait_for_what_is_not_due() {
    let (double, plan) = (Double::start(|_, _| Play::Answer(200)).await, plan(5));
    let pace = Pace { connections: 4, per_second: Some(0.1) };
    let (progress, stop) = (Arc::new(Progress::default()), CancellationToken::new());
    let target = double.target();
    let sending = send(&target, plan, pace, progress.clone(), stop.clone());
    let first = async {
        while progress.ended() == 0 {
            tokio::task::yield_now().await;
        }
        stop.cancel();
    };
    let (sent, ()) = tokio::join!(sending, first);
    assert_eq!(sent.accepted.len(), 1);
}

#[tokio::test]
async fn a_stop_begins_nothing_new() {
    let (double, plan) = (Double::start(|_, _| Play::Answer(200)).await, plan(5));
    let stop = CancellationToken::new();
    stop.cancel();
    let sent = send(&double.target(), plan, EIGHT, Arc::default(), stop).await;
    assert!(sent.accepted.is_empty());
    assert!(double.heard.lock().unwrap().is_empty());
}

#[test]
fn targets_are_plain_http_urls() {
    let target: Target = "http://127.0.0.1:8080".parse().unwrap();
    assert_eq!(target.authority, "127.0.0.1:8080");
    assert_eq!(target.path, "");
    let target: Target = "http://example.com/onhand/".parse().unwrap();
    assert_eq!(target.authority, "example.com:80");
    assert_eq!(target.path, "/onhand");
    assert!(matches!("https://example.com".parse::<Target>(), Err(BadTarget::NotHttp)));
    assert!(matches!("localhost:8080x y".parse::<Target>(), Err(BadTarget::NotUrl(_))));
}

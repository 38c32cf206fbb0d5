//! Many webhooks over many connections, by a sender that repeats as Shopify does: the same webhook
//! again until it is answered 200.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use testkit::shopify::SignedWebhook;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::DEADLINE;
use super::http::{Connection, Response};
use super::post::{Post, key};

/// Shopify waits no longer for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Shopify waits minutes before it sends again; a test has no minutes.
const PAUSE: Duration = Duration::from_millis(100);

/// A burst that is on its way. Faults happen meanwhile.
pub(crate) struct Burst {
    senders: JoinSet<()>,
    post: watch::Receiver<Post>,
    accepted_before: usize,
}

impl Burst {
    pub(super) fn start(
        address: SocketAddr,
        webhooks: Vec<SignedWebhook>,
        connections: usize,
        post: &watch::Sender<Post>,
    ) -> Self {
        let accepted_before = post.borrow().answered(200);
        let left = Arc::new(Mutex::new(VecDeque::from(webhooks)));
        let mut senders = JoinSet::new();
        for _ in 0..connections {
            senders.spawn(send_all(address, left.clone(), post.clone()));
        }
        Self { senders, post: post.subscribe(), accepted_before }
    }

    /// Waits until so many deliveries of this burst were answered 200.
    pub(crate) async fn accepted(&mut self, count: usize) {
        let wanted = self.accepted_before + count;
        let reached = self.post.wait_for(|post| post.answered(200) >= wanted);
        let reached = timeout(DEADLINE, reached).await.map(|found| found.is_ok());
        assert_eq!(reached, Ok(true), "{wanted} webhooks were not accepted in time");
    }

    /// Waits until every webhook was answered 200.
    pub(crate) async fn done(mut self) {
        while let Some(sender) = self.senders.join_next().await {
            sender.expect("a sender panicked");
        }
    }
}

async fn send_all(
    address: SocketAddr,
    left: Arc<Mutex<VecDeque<SignedWebhook>>>,
    post: watch::Sender<Post>,
) {
    let mut connection = None;
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    while let Some(webhook) = next() {
        let deadline = Instant::now() + DEADLINE;
        while !send(address, &mut connection, &webhook, &post).await {
            assert!(Instant::now() < deadline, "{} is never accepted", webhook.webhook_id);
            sleep(PAUSE).await;
        }
    }
}

/// One delivery; true if it was answered 200. Other answers than that and 503 are wrong, and so is
/// none at all from a server that is there.
async fn send(
    address: SocketAddr,
    connection: &mut Option<Connection>,
    webhook: &SignedWebhook,
    post: &watch::Sender<Post>,
) -> bool {
    if connection.is_none() {
        // Nobody there: nothing was sent.
        *connection = Connection::open(address).await.ok();
    }
    let Some(open) = connection else { return false };
    let began = Instant::now();
    let headers = webhook.headers();
    let request = open.request("POST", "/webhooks/shopify", &headers, &webhook.body);
    let answer = timeout(PATIENCE, request).await;
    let answer = answer.expect("an answer within the time that Shopify waits for one");
    post.send_modify(|post| post.note(key(&headers, &webhook.body), &answer, began.elapsed()));
    match answer {
        Ok(Response { status: 200, .. }) => true,
        Ok(Response { status: 503, retry_after, .. }) => {
            assert!(retry_after.is_some(), "503 says when to come again");
            *connection = None;
            false
        }
        Ok(other) => panic!("{other:?} to a webhook that is in order"),
        Err(_) => {
            *connection = None;
            false
        }
    }
}

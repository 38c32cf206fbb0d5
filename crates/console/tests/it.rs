//! The ops port behind a real socket.

#[path = "../../serve/tests/it/peer.rs"]
#[expect(dead_code, reason = "shared with crates that need more of it")]
mod peer;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use console::{Ops, install_metrics};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use peer::Peer;

struct Console {
    address: SocketAddr,
    ready: Arc<AtomicBool>,
    stop: CancellationToken,
    tracker: TaskTracker,
}

impl Console {
    async fn start() -> Console {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let ready = Arc::new(AtomicBool::new(true));
        let asked = ready.clone();
        let ops = Ops {
            ready: move || {
                let ready = asked.load(Ordering::SeqCst);
                async move { if ready { Ok(()) } else { Err("no database".to_owned()) } }
            },
            metrics: install_metrics(),
            console: None,
        };
        let stop = CancellationToken::new();
        let tracker = TaskTracker::new();
        tracker.spawn(console::run(listener, ops, stop.clone()));
        tracker.close();
        Console { address, ready, stop, tracker }
    }

    async fn peer(&self) -> Peer {
        Peer::connect(self.address).await
    }
}

#[tokio::test]
async fn readiness_says_what_is_missing_and_health_asks_nobody() {
    let console = Console::start().await;
    let mut peer = console.peer().await;
    assert_eq!(peer.get("/readyz").await.status, 200);
    console.ready.store(false, Ordering::SeqCst);
    let answer = peer.get("/readyz").await;
    assert_eq!((answer.status, answer.body.as_str()), (503, "no database\n"));
    assert_eq!(peer.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn metrics_are_prometheus_text_with_buckets_that_fit_their_unit() {
    let console = Console::start().await;
    metrics::counter!("onhand_test_total").increment(3);
    metrics::histogram!("onhand_test_seconds").record(0.007);
    metrics::histogram!("onhand_test_envelopes").record(64.0);

    let answer = console.peer().await.get("/metrics").await;
    assert_eq!(answer.status, 200);
    assert!(answer.head.contains("content-type: text/plain; version=0.0.4\r\n"), "{}", answer.head);
    for line in [
        "onhand_test_total 3",
        r#"onhand_test_seconds_bucket{le="0.005"} 0"#,
        r#"onhand_test_seconds_bucket{le="0.01"} 1"#,
        r#"onhand_test_envelopes_bucket{le="32"} 0"#,
        r#"onhand_test_envelopes_bucket{le="64"} 1"#,
    ] {
        assert!(answer.body.lines().any(|have| have == line), "no {line} in\n{}", answer.body);
    }
    assert!(answer.body.contains("\nprocess_start_time_seconds "));
}

#[tokio::test]
async fn a_stop_ends_it() {
    let console = Console::start().await;
    let mut peer = console.peer().await;
    assert_eq!(peer.get("/healthz").await.status, 200);
    peer.assert_silent();
    console.stop.cancel();
    peer.assert_closed().await;
    console.tracker.wait().await;
}

#[tokio::test]
async fn a_taken_port_makes_way_for_the_next_free_one() {
    let taken = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let wanted = taken.local_addr().expect("bound");
    // The last port of all has no next one.
    if wanted.port() < u16::MAX {
        let bound = console::bind(wanted).await.expect("some port is free");
        let bound = bound.local_addr().expect("bound");
        assert_eq!(bound.ip(), wanted.ip());
        assert!(bound.port() > wanted.port());
    }
}

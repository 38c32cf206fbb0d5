//! What is pushed, and what is remembered.

use std::time::{Duration, Instant};

use console::{Counting, Ingresses, install_metrics};
use domain::Timestamp;
use store::Rollups;
use store::rollups::{Counts, Process, Span};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::harness::{Test, raw};

const STREAM: &str = "/console/stream";

/// As many as the console takes.
const STREAMS: usize = 32;

const PATIENCE: Duration = Duration::from_secs(20);

async fn count(test: &Test, seconds_ago: i64, counts: &[(&str, i64)]) {
    let process = Process { id: uuid::Uuid::from_u128(7), role: "worker" };
    let counts: Counts = counts.iter().map(|(name, it)| ((*name).to_owned(), *it)).collect();
    let at = Timestamp(operate::now().0 - seconds_ago * 1_000_000);
    test.store.add_rollup(process, at, &counts).await.expect("adds");
}

#[tokio::test]
async fn the_overview_is_pushed_as_it_changes_until_the_port_stops() {
    let test = Test::open().await;
    let mut peer = test.peer(STREAM).await;
    let head = peer.read_until("\r\n\r\n").await.to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 200") && head.contains("text/event-stream"), "{head}");
    assert!(head.contains("cache-control: no-"), "{head}");
    let first = peer.read_until("All is well").await;
    assert!(first.contains("retry: ") && first.contains("event: live\ndata: "), "{first}");
    peer.read_until("event: recent\ndata: {\"at\":[").await;
    peer.read_until("event: day\ndata: {\"at\":[").await;
    test.decide(&[raw("orders/create", "no JSON")]).await;
    peer.read_until("1 webhook could not be applied").await;
    test.stop.cancel();
    peer.ended().await;
}

#[tokio::test]
async fn streams_are_bounded_and_free_again_when_somebody_leaves() {
    let test = Test::open().await;
    let mut peers = Vec::new();
    for _ in 0..STREAMS {
        let mut peer = test.peer(STREAM).await;
        peer.read_until("event: live").await;
        peers.push(peer);
    }
    assert_eq!(test.get(STREAM).await.status, 503);
    assert_eq!(test.get("/console/live").await.status, 200, "who is refused may ask");
    peers.pop();
    let begun = Instant::now();
    while test.get(STREAM).await.status != 200 {
        assert!(begun.elapsed() < PATIENCE, "the place of who left stays taken");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn scripts_are_not_taken_to_the_login() {
    let test = Test::with_tokens().await;
    for path in [
        STREAM,
        "/console/live",
        "/console/trends.json",
        "/console/stock/item/levels.json?sku=BOWL&location=main",
    ] {
        assert_eq!(test.get(path).await.status, 401, "{path}");
    }
    assert_eq!(test.get("/console/trends").await.status, 303);
}

#[tokio::test]
async fn what_processes_counted_is_told_as_numbers_as_charts_and_as_a_table() {
    let test = Test::open().await;
    let nothing = test.page("/console").await;
    assert!(nothing.contains("not known yet") && nothing.contains("nothing waits"), "{nothing}");
    let counts = [
        ("applied", 595),
        ("dead", 5),
        ("conflicts", 40),
        ("ack_le_0.005", 600),
        ("ack_le_inf", 600),
        ("lag_le_0.25", 600),
        ("lag_le_inf", 600),
    ];
    for seconds_ago in [20, 400] {
        count(&test, seconds_ago, &counts).await;
    }
    // The page's numbers are up to two seconds old.
    let begun = Instant::now();
    let page = loop {
        let page = test.page("/console/live").await;
        if !page.contains("not known yet") {
            break page;
        }
        assert!(begun.elapsed() < PATIENCE, "{page}");
        tokio::task::yield_now().await;
    };
    for shown in [
        "Webhooks decided per second</th><td class=\"said\">60<",
        "Conflicts</th><td class=\"said\">40<",
        "Workers alive</th><td class=\"said\">1<",
        "ms\u{a0}(p99)",
    ] {
        assert!(page.contains(shown), "no {shown}: {page}");
    }
    let json = test.page("/console/trends.json").await;
    for (value, line) in [("60.0", "webhooks"), ("59.5", "applied"), ("30.0", "dead, per minute")] {
        assert_eq!(json.matches(value).count(), 2, "{line}, twice: {json}");
    }
    assert!(json.contains("null"), "what nobody counted is not zero");
    let day = test.page("/console/trends.json?span=day").await;
    assert!(day.contains("\"id\":\"lag\""), "{day}");
    let table = test.page("/console/trends").await;
    for value in ["60", "59.5", "30"] {
        assert_eq!(table.matches(&format!("<td class=\"n\">{value}</td>")).count(), 2, "{table}");
    }
    assert_eq!(test.get("/console/trends?span=year").await.status, 400);
}

#[tokio::test]
async fn what_waits_for_nobody_is_said_until_a_worker_is_there() {
    let test = Test::open().await;
    test.take(&raw("orders/create", "{}")).await;
    let page = test.page("/console").await;
    assert!(page.contains("1 parcel waits in the queue and nobody applies webhooks"), "{page}");
    assert!(page.contains("<code>onhand worker</code>"), "{page}");
    count(&test, 0, &[]).await;
    let page = test.page("/console").await;
    assert!(page.contains("All is well"), "it gets its time: {page}");
}

#[tokio::test]
async fn what_moves_most_comes_first_and_an_item_is_drawn_over_time() {
    let test = Test::open().await;
    for (sku, units) in [("BOWL", 4), ("CUP", 90)] {
        test.stock(sku, units).await;
    }
    assert!(!test.page("/console/stock").await.contains("moved most"), "nothing moved");
    test.order(1_001, "BOWL", 1).await;
    test.order(1_002, "BOWL", 1).await;
    test.order(1_003, "CUP", 1).await;
    let stock = test.page("/console/stock").await;
    let (hot, _) = stock.split_once("Units by item").expect("both tables");
    let places = [">BOWL</a>", "runs out soon", ">CUP</a>"].map(|it| hot.find(it));
    assert!(places.is_sorted() && places[0].is_some(), "{places:?} in {hot}");
    assert!(!test.page("/console/stock?q=B").await.contains("moved most"));

    let item = test.page("/console/stock/item?sku=BOWL").await;
    let levels = "/console/stock/item/levels.json?sku=BOWL&#38;location=main";
    assert!(item.contains(levels), "{item}");
    let levels = test.page(&levels.replace("&#38;", "&")).await;
    assert!(levels.contains("\"name\":\"available\"") && levels.contains("2.0]"), "{levels}");
    let none = "/console/stock/item/levels.json?sku=BOWL&location=back";
    assert_eq!(test.get(none).await.status, 404);
}

#[tokio::test]
async fn a_process_is_alive_from_the_start_and_counts_until_it_stops() {
    let test = Test::open().await;
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    let (store, metrics) = (test.store.clone(), install_metrics());
    let counting = Counting { store, role: "worker", metrics, ingresses: Ingresses::default() };
    let counted = tasks.spawn(console::count(counting, stop.clone()));
    let begun = Instant::now();
    while test.store.processes(PATIENCE).await.expect("reads").is_empty() {
        assert!(begun.elapsed() < PATIENCE, "it does not say that it is there");
        tokio::task::yield_now().await;
    }
    metrics::counter!("onhand_conflicts_total").increment(3);
    stop.cancel();
    counted.await.expect("it stops");
    let later = Timestamp(operate::now().0 + 60_000_000);
    let sums = test.store.rollups(Span::Recent, later).await.expect("reads");
    let conflicts: i64 = sums.iter().filter_map(|sum| sum.counts.get("conflicts")).sum();
    assert!(conflicts >= 3, "{sums:?}");
}

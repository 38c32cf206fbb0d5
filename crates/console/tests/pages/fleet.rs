//! What only ingresses elsewhere know.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use console::{Counting, Ingresses, install_metrics};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

use crate::harness::Test;

const PATIENCE: Duration = Duration::from_secs(20);

/// Shows, as often as asked until the test ends, that it refused so many of the shop.
async fn ingress(refused: u64) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let answer = format!(
        "HTTP/1.0 200 OK\r\n\r\nonhand_ingress_bytes_in_flight 0\n\
         onhand_shop_signatures_refused_total{{shop=\"demo\",reason=\"bad_signature\"}} {refused}\n"
    );
    TaskTracker::new().spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.expect("somebody asks");
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                stream.read_buf(&mut asked).await.expect("asks");
            }
            stream.write_all(answer.as_bytes()).await.expect("listens");
        }
    });
    address
}

/// Where nobody listens.
async fn nobody() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    listener.local_addr().expect("bound")
}

#[tokio::test]
async fn what_ingresses_refused_is_on_the_page_of_shops_as_far_as_it_is_known() {
    let (one, other, gone) = (ingress(3).await, ingress(1).await, nobody().await);
    for (asked, shown, said) in [
        (vec![], "not known", "<code>ONHAND_INGRESS_METRICS</code>"),
        (vec![one], "3", "as one ingress counts them since it started."),
        (vec![one, other], "4", "as 2 ingresses count them since each started."),
        (vec![one, gone, other], "4 or more", "Another does not answer"),
        (vec![gone], "not known", "No ingress answers"),
    ] {
        let urls = asked.iter().map(|at| format!("http://{at}/metrics").parse().expect("a URL"));
        let ingresses = Ingresses::new(urls.collect());
        let test = Test::of_a_fleet(&ingresses).await;
        let (store, metrics) = (test.store.clone(), install_metrics());
        let counting = Counting { store, role: "console", metrics, ingresses };
        TaskTracker::new().spawn(console::count(counting, test.stop.clone()));
        let begun = Instant::now();
        let page = loop {
            let page = test.page("/console/shops").await;
            if page.contains(said) {
                break page;
            }
            assert!(begun.elapsed() < PATIENCE, "{asked:?}: {page}");
            tokio::task::yield_now().await;
        };
        assert!(page.contains("<th scope=\"col\" class=\"n\">Refused</th>"), "{page}");
        assert!(page.contains(&format!("<td class=\"n\">{shown}</td>")), "{asked:?}: {page}");
    }
}

#[tokio::test]
async fn so_many_shops_that_metrics_name_none_have_no_number_of_their_own() {
    let test = Test::with_shops(50).await;
    let page = test.page("/console/shops").await;
    assert_eq!(page.matches("<td class=\"n\">not known</td>").count(), 51, "{page}");
    assert!(page.contains("counted for all together"), "{page}");
}

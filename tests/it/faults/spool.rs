//! The broker goes away and senders that send only once must not notice.

use futures_util::future::join_all;
use testkit::request::Request;
use testkit::services::RabbitMq;
use testkit::woocommerce::WooOrder;

use super::REFUSED_WITHIN;
use crate::harness::{Fleet, Profile, shops};

const SITE_SECRET: &str = "site-secret";

fn with_site() -> String {
    let site = "[[shop]]\nname = \"site\"\nplatform = \"woocommerce\"\n";
    shops("") + site + &format!("secrets = [\"plain:{SITE_SECRET}\"]\n")
}

/// A paid order of one CAP, as WooCommerce tells of it: once.
fn order(id: u64) -> Request {
    let mut order = WooOrder::new(id).of("site", SITE_SECRET).line("CAP", 1);
    order.pay();
    order.webhook("order.created")
}

async fn all_taken(fleet: &Fleet, ids: impl IntoIterator<Item = u64>) {
    let orders: Vec<Request> = ids.into_iter().map(order).collect();
    let answers = join_all(orders.iter().map(|order| fleet.call(order))).await;
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
}

#[tokio::test]
async fn what_is_sent_once_without_a_broker_arrives_once_and_a_kill_in_between_changes_nothing() {
    let mut broker = RabbitMq::start().await;
    let mut fleet = Fleet::prepare_on(None, Some(&broker.url())).await;
    fleet.write_shops(&with_site());
    fleet.stock("CAP", 1000).await;
    fleet.start_worker(&[]).await;

    // Without a spool the webhook would be gone: WooCommerce does not come back.
    fleet.start_front(&[]).await;
    fleet.tell(&order(1)).await;
    broker.kill9();
    let refused = fleet.call(&order(2)).await;
    assert_eq!(refused.status, 503);
    assert!(refused.retry_after.is_some());
    fleet.front.take().expect("it runs").kill9().await;

    // Started without a broker, killed without one, and started again.
    let spool = [("ONHAND_SPOOL", fleet.path("spool").display().to_string())];
    fleet.start_front(&spool).await;
    all_taken(&fleet, 3..=40).await;
    fleet.front.take().expect("it runs").kill9().await;
    fleet.start_front(&spool).await;
    let front = fleet.front.as_ref().expect("it runs");
    front.says("webhooks of an earlier time").await;
    all_taken(&fleet, 41..=60).await;
    assert_eq!(front.counter("onhand_spool_envelopes").await, 58.0);
    assert!(fleet.is_ready().await, "a load balancer must not turn away from it");
    let slowest = fleet.post().slowest;
    assert!(slowest < REFUSED_WITHIN, "one answer took {slowest:?}");

    broker.start_again().await;
    front.says("the spool is empty").await;
    fleet.settled().await;
    assert_eq!(fleet.stock_of("CAP").await, (1000, 59), "all but the refused one, each once");
    all_taken(&fleet, [61]).await;
    fleet.settled().await;
    let front = fleet.front.as_ref().expect("it runs");
    assert_eq!(front.counter("onhand_spool_envelopes").await, 0.0);
    assert_eq!(front.counter("onhand_spool_drained_total").await, 58.0);
    assert_eq!(front.counter("onhand_spooled_total").await, 20.0, "the last went to the broker");
    fleet.finish().await;
}

#[tokio::test]
async fn a_second_ingress_on_the_same_spool_refuses_and_the_first_goes_on() {
    let mut fleet = Fleet::prepare(Profile::Fleet).await;
    fleet.write_shops(&with_site());
    fleet.stock("CAP", 10).await;
    let folder = fleet.path("spool").display().to_string();
    fleet.start_front(&[("ONHAND_SPOOL", folder.clone())]).await;
    fleet.start_worker(&[]).await;
    let second = ["ingress", "--listen", "127.0.0.1:0", "--spool", &folder];
    let refused = fleet.cli(&second).await.fails_with(2);
    refused.names(&[&folder, "another process has it", "one of its own"]);
    fleet.tell(&order(1)).await;
    assert_eq!(fleet.stock_of("CAP").await, (10, 1));
    fleet.finish().await;
}

#[tokio::test]
async fn a_spool_before_the_embedded_queue_is_refused_with_the_reason() {
    let fleet = Fleet::bare(Profile::Embedded);
    let refused = fleet.cli(&["serve", "--spool", "spool"]).await.fails_with(2);
    refused.names(&["--spool", "the embedded queue is on this disk already", "ONHAND_BROKER_URL"]);
    assert!(!fleet.path("spool").exists(), "nothing was left behind");
    fleet.discard();
}

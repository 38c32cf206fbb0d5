//! The broker goes away and senders that send only once must not notice.

use futures_util::future::join_all;
use testkit::chaos::{Then, Trigger};
use testkit::request::Request;
use testkit::services::RabbitMq;
use testkit::woocommerce::WooOrder;

use super::REFUSED_WITHIN;
use crate::harness::{Fleet, Profile, proxied, shops};

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
async fn a_kill_in_the_middle_of_draining_loses_nothing_and_sells_nothing_twice() {
    const ORDERS: u64 = 300;
    let mut fleet = Fleet::prepare(Profile::Fleet).await;
    fleet.write_shops(&with_site());
    fleet.stock("CAP", 1000).await;
    fleet.start_worker(&[]).await;
    let spool = ("ONHAND_SPOOL", fleet.path("spool").display().to_string());

    let nowhere = ("ONHAND_BROKER_URL", "amqp://guest:guest@127.0.0.1:1/%2f".to_owned());
    fleet.start_front(&[spool.clone(), nowhere]).await;
    all_taken(&fleet, 1..=ORDERS).await;
    fleet.front.take().expect("it runs").kill9().await;

    // The broker gets something of it, and nobody here is told so: both have it at the kill.
    let (broker, through_proxy) = proxied(&fleet, "ONHAND_BROKER_URL").await;
    broker.drop_replies_after(Trigger::Publish, Then::Silence);
    fleet.start_front(&[spool.clone(), through_proxy]).await;
    broker.wait_hit().await;
    fleet.front.take().expect("it runs").kill9().await;

    fleet.start_front(&[spool]).await;
    let front = fleet.front.as_ref().expect("it runs");
    front.says("the spool is empty").await;
    assert!(front.counter("onhand_spool_drained_total").await > 0.0, "the kill came too late");
    fleet.settled().await;
    assert_eq!(fleet.stock_of("CAP").await, (1000, 300));
    assert_eq!(fleet.count("duplicate").await, 0, "the same envelope again is no webhook again");
    let again = fleet.workers[0].counter("onhand_redelivered_total").await;
    assert!(again > 0.0, "what the broker had came again");
    fleet.finish().await;
}

#[tokio::test]
async fn a_damaged_spool_keeps_no_ingress_from_starting_and_takes_webhooks_again() {
    let mut broker = RabbitMq::start().await;
    let mut fleet = Fleet::prepare_on(None, Some(&broker.url())).await;
    fleet.write_shops(&with_site());
    fleet.stock("CAP", 1000).await;
    fleet.start_worker(&[]).await;
    let folder = fleet.path("spool");
    std::fs::create_dir(&folder).expect("a folder can be made");
    std::fs::write(folder.join("spool.db"), "no database, whatever it was ".repeat(999))
        .expect("a file can be written");

    fleet.start_front(&[("ONHAND_SPOOL", folder.display().to_string())]).await;
    let front = fleet.front.as_ref().expect("it runs");
    front.says("the spool's file is damaged").await;
    assert_eq!(front.counter("onhand_spool_damaged_files").await, 1.0);
    fleet.tell(&order(1)).await;
    broker.kill9();
    all_taken(&fleet, 2..=20).await;
    broker.start_again().await;
    front.says("the spool is empty").await;
    fleet.settled().await;
    assert_eq!(fleet.stock_of("CAP").await, (1000, 20));
    let kept = std::fs::read_dir(&folder).expect("it can be listed").flatten();
    let kept = kept.filter(|file| file.file_name().to_string_lossy().contains(".damaged-"));
    assert_eq!(kept.count(), 1);
    fleet.finish().await;
}

#[tokio::test]
async fn a_stop_without_a_broker_says_what_is_left_in_the_spool_and_where() {
    let mut broker = RabbitMq::start().await;
    let mut fleet = Fleet::prepare_on(None, Some(&broker.url())).await;
    fleet.write_shops(&with_site());
    fleet.stock("CAP", 10).await;
    let spool = [("ONHAND_SPOOL", fleet.path("spool").display().to_string())];
    fleet.start_front(&spool).await;
    // Killed while it makes queues, a broker may come back with one that takes no consumer. With what
    // it has confirmed, the queues that workers take from are on its disk.
    fleet.front.as_ref().expect("it runs").says("broker connected").await;
    all_taken(&fleet, [1]).await;
    broker.kill9();
    all_taken(&fleet, 2..=4).await;
    let mut front = fleet.front.take().expect("it runs");
    front.ask_to_stop().await;
    front.sums("stopping with webhooks in the spool", "spool.envelopes", 3).await;
    assert!(front.ended().await.success(), "and waits for nobody");
    broker.start_again().await;
    fleet.start_front(&spool).await;
    fleet.start_worker(&[]).await;
    fleet.front.as_ref().expect("it runs").says("the spool is empty").await;
    fleet.settled().await;
    assert_eq!(fleet.stock_of("CAP").await, (10, 4));
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

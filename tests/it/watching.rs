//! What alerts are set on, scraped from the real program.

use std::time::{Duration, Instant};

use domain::{Provider, Timestamp};
use testkit::payments::PaymentLife;
use testkit::shopify::ShopifyOrder;

use crate::harness::{Fleet, Profile, Role, eventually, in_both_profiles, proxied, shops};

in_both_profiles!(
    a_signature_that_is_too_old_is_counted_apart_from_one_that_is_wrong,
    every_process_tells_what_it_is_and_what_it_works_with,
);

const STRIPE_SECRET: &str = "a-secret-of-the-account";
const STANDARD_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

async fn with_payments(profile: Profile) -> Fleet {
    let fleet = Fleet::prepare(profile).await;
    let payments = |name: &str, secret: &str| {
        format!(
            "[[shop]]\nname = \"{name}\"\nplatform = \"payments\"\npays_for = \"demo\"\n\
             secrets = [\"plain:{secret}\"]\n"
        )
    };
    let both = payments("stripe", STRIPE_SECRET) + &payments("standard", STANDARD_SECRET);
    fleet.write_shops(&(shops("") + &both));
    fleet
}

fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_microsecond())
}

fn seconds_ago(seconds: i64) -> Timestamp {
    Timestamp(now().0 - Timestamp::from_seconds(seconds).0)
}

async fn a_signature_that_is_too_old_is_counted_apart_from_one_that_is_wrong(profile: Profile) {
    let mut fleet = with_payments(profile).await;
    fleet.start_all(1).await;
    let stripe = |secret| PaymentLife::new(Provider::Stripe, "stripe", secret, "1");
    let standard = || PaymentLife::new(Provider::Standard, "standard", STANDARD_SECRET, "1");
    // Both take 300 seconds for too much, before and after.
    for stale in [
        stripe(STRIPE_SECRET).authorise(seconds_ago(600)),
        stripe(STRIPE_SECRET).authorise(seconds_ago(-600)),
        standard().authorise(seconds_ago(600)),
    ] {
        assert_eq!(fleet.post_plain(&stale).await.status, 401, "{stale:?}");
    }
    let forged = stripe("another-secret").authorise(now());
    assert_eq!(fleet.post_plain(&forged).await.status, 401);
    // A stale signature that is also wrong says nothing of the clock.
    let both = stripe("another-secret").authorise(seconds_ago(600));
    assert_eq!(fleet.post_plain(&both).await.status, 401);
    fleet.tell(&stripe(STRIPE_SECRET).authorise(seconds_ago(200))).await;

    let front = fleet.front.as_ref().expect("it runs");
    let refused = async |reason: &str| {
        front.metric(&format!("onhand_ingress_refused_total{{reason=\"{reason}\"}}")).await
    };
    assert_eq!(refused("stale_signature").await, Some(3.0));
    assert_eq!(refused("bad_signature").await, Some(2.0));
    fleet.finish().await;
}

#[tokio::test]
async fn a_payment_that_waits_a_day_for_its_order_is_counted_until_the_order_comes() {
    let mut fleet = with_payments(Profile::Fleet).await;
    fleet.start_all(1).await;
    fleet.stock("CAP", 10).await;
    let mut life = PaymentLife::new(Provider::Stripe, "stripe", STRIPE_SECRET, "7");
    fleet.tell(&life.capture(now())).await;
    let counts = async |fleet: &Fleet, payments: f64| {
        eventually("the payments are counted", async || {
            let counted = fleet.workers[0].metric("onhand_payments_unlinked").await;
            (counted == Some(payments)).then_some(())
        })
        .await;
        let status = fleet.ok(&["status"]).await;
        assert_eq!(status["payments_unlinked"].as_f64(), Some(payments), "{status}");
    };
    counts(&fleet, 0.0).await;

    // A worker counts soon after it starts, and then once a minute.
    fleet.workers.remove(0).stop().await;
    fleet.run_sql("UPDATE payments SET first_seen_at = now() - interval '25 hours'").await;
    fleet.start_worker(&[]).await;
    counts(&fleet, 1.0).await;
    fleet.workers[0].says("onhand payment list --unlinked").await;
    let listed = fleet.ok(&["payment", "list", "--unlinked", "--older-than", "1d"]).await;
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");

    let order = ShopifyOrder::new(7).line("CAP", 1).webhook("orders/create");
    assert_eq!(fleet.outcome(&order).await.0, "applied");
    fleet.workers.remove(0).stop().await;
    fleet.start_worker(&[]).await;
    counts(&fleet, 0.0).await;
    fleet.finish().await;
}

async fn becomes(role: &Role, line: &str, expected: impl Fn(f64) -> bool) -> f64 {
    eventually(line, async || role.metric(line).await.filter(|value| expected(*value))).await
}

async fn every_process_tells_what_it_is_and_what_it_works_with(profile: Profile) {
    let mut fleet = Fleet::prepare(profile).await;
    fleet.start_all(1).await;
    fleet.stock("CAP", 10).await;
    let order = ShopifyOrder::new(7).line("CAP", 1).webhook("orders/create");
    assert_eq!(fleet.outcome(&order).await.0, "applied");
    let version = format!("onhand_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"));
    for role in fleet.roles() {
        assert_eq!(role.metric(&version).await, Some(1.0), "{role:?}");
        assert_eq!(role.metric("onhand_shops_file_good").await, Some(1.0), "{role:?}");
    }
    let front = fleet.front.as_ref().expect("it runs");
    let last = "onhand_shop_last_webhook_timestamp_seconds{shop=\"demo\"}";
    assert!(front.metric(last).await.is_some_and(|at| at > 1.7e9), "{front:?}");

    let (worker, pool) = match profile {
        Profile::Embedded => (front, "sqlite_writer"),
        Profile::Fleet => (&fleet.workers[0], "postgres"),
    };
    for (role, line) in [
        (front, "onhand_publish_confirm_seconds_count"),
        (front, "onhand_parcel_envelopes_sum"),
        (worker, "onhand_commit_seconds_count"),
        (worker, "onhand_batch_envelopes_sum"),
        (worker, "onhand_apply_lag_seconds_bucket{le=\"60\"}"),
    ] {
        assert_eq!(role.metric(line).await, Some(1.0), "{line} of {role:?}");
    }
    let waits = format!("onhand_store_wait_seconds_count{{pool=\"{pool}\"}}");
    assert!(worker.metric(&waits).await.is_some_and(|waits| waits >= 1.0), "{worker:?}");
    let idle = format!("onhand_store_connections{{pool=\"{pool}\",state=\"idle\"}}");
    becomes(worker, &idle, |idle| idle >= 1.0).await;
    becomes(worker, "onhand_queue_parcels{state=\"ready\"}", |ready| ready == 0.0).await;

    let read = "onhand_shops_file_read_timestamp_seconds";
    let first = front.metric(read).await.expect("it was read");
    fleet.write_shops("[[shop]]\nname = 7\n");
    becomes(front, "onhand_shops_file_good", |good| good == 0.0).await;
    assert_eq!(front.metric(read).await, Some(first), "the last good one stays in use");
    fleet.write_shops(&shops("# mended\n"));
    becomes(front, "onhand_shops_file_good", |good| good == 1.0).await;
    becomes(front, read, |read| read > first).await;
    fleet.finish().await;
}

/// What an autoscaler goes by, and who is on call.
#[tokio::test]
async fn ten_thousand_waiting_webhooks_and_the_age_of_the_oldest_show_within_a_scrape() {
    /// As Prometheus has it for our roles.
    const SCRAPE_INTERVAL: Duration = Duration::from_secs(15);
    const WEBHOOKS: u64 = 10_000;

    let mut fleet = Fleet::prepare(Profile::Fleet).await;
    fleet.stock("CAP", 1_000_000).await;
    let (database, through_proxy) = proxied(&fleet, "ONHAND_DATABASE_URL").await;
    fleet.start_front(&[]).await;
    fleet.start_worker(&[through_proxy]).await;
    // It takes nothing before it has heard what is paused.
    let first = ShopifyOrder::new(WEBHOOKS + 1).line("CAP", 1).webhook("orders/create");
    assert_eq!(fleet.outcome(&first).await.0, "applied");
    database.refuse().await;
    database.cut();
    let webhook = |id| ShopifyOrder::new(id).line("CAP", 1).webhook("orders/create");
    fleet.burst((1..=WEBHOOKS).map(webhook).collect(), 64).done().await;

    let since = Instant::now();
    // Full parcels would be 157, of which the worker takes up to 128 ahead: as parcels it hardly shows.
    // So autoscalers are told what came and is not decided (`onhand:queue_webhooks:backlog`).
    let (front, worker) = (fleet.front.as_ref().expect("it runs"), &fleet.workers[0]);
    let taken = "onhand_ingress_requests_total{platform=\"shopify\",status=\"200\"}";
    let taken = front.metric(taken).await.expect("it is there from the start");
    let decided = worker.counter("onhand_webhooks_total").await;
    assert_eq!((taken - decided, decided), (10_000.0, 1.0));
    let ready = fleet.ok(&["status"]).await["queue"]["ready"].as_f64().expect("a count");
    assert!(ready >= 1.0, "more than the worker takes ahead");
    let shown = "onhand_queue_parcels{state=\"ready\"}";
    becomes(worker, shown, |parcels| (parcels - ready).abs() < 0.5).await;
    let age = becomes(worker, "onhand_oldest_held_seconds", |age| age > 0.0).await;
    assert!(since.elapsed() < SCRAPE_INTERVAL, "took {:?}", since.elapsed());
    becomes(worker, "onhand_oldest_held_seconds", |older| older > age + 2.0).await;
    assert!(worker.metric("onhand_held_envelopes").await.is_some_and(|held| held >= 1.0));

    database.restore();
    fleet.settled().await;
    let worker = &fleet.workers[0];
    for line in [shown, "onhand_oldest_held_seconds", "onhand_held_envelopes"] {
        becomes(worker, line, |value| value == 0.0).await;
    }
    fleet.finish().await;
}

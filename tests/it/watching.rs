//! What alerts are set on, scraped from the real program.

use domain::{Provider, Timestamp};
use testkit::payments::PaymentLife;

use crate::harness::{Fleet, Profile, eventually, in_both_profiles, shops};

in_both_profiles!(a_signature_that_is_too_old_is_counted_apart_from_one_that_is_wrong);

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

    let order = testkit::shopify::ShopifyOrder::new(7).line("CAP", 1).webhook("orders/create");
    assert_eq!(fleet.outcome(&order).await.0, "applied");
    fleet.workers.remove(0).stop().await;
    fleet.start_worker(&[]).await;
    counts(&fleet, 0.0).await;
    fleet.finish().await;
}

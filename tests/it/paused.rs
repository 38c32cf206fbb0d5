//! A pause: webhooks are taken, none is applied, whatever is killed meanwhile; and then each once.

use testkit::shopify::{ShopifyOrder, SignedWebhook};

use crate::harness::{Fleet, Profile, eventually, in_both_profiles, shops};

in_both_profiles!(
    a_pause_of_everything_holds_through_kills_and_loses_nothing,
    a_paused_shop_waits_while_another_goes_on,
);

/// What a worker says when it has heard that something else is paused than before.
const HEARD: &str = "what is paused has changed";

const OTHER: (&str, &str) = ("other.myshopify.com", "another-secret");

fn placed(id: u64) -> SignedWebhook {
    ShopifyOrder::new(id).line("CAP", 1).webhook("orders/create")
}

fn placed_elsewhere(id: u64) -> SignedWebhook {
    let (domain, secret) = OTHER;
    ShopifyOrder::new(id).of(domain, secret).line("CAP", 1).webhook("orders/create")
}

async fn kill_all(fleet: &mut Fleet) {
    for role in fleet.front.take().into_iter().chain(fleet.workers.drain(..)) {
        role.kill9().await;
    }
}

/// All that apply webhooks have heard of it.
async fn heard(fleet: &Fleet, profile: Profile) {
    let all = fleet.roles().count();
    let workers = if profile == Profile::Fleet { all - 1 } else { all };
    for role in fleet.roles().skip(all - workers) {
        role.says(HEARD).await;
    }
}

async fn a_pause_of_everything_holds_through_kills_and_loses_nothing(profile: Profile) {
    let mut fleet = Fleet::start(profile, 2).await;
    fleet.stock("CAP", 100).await;
    assert_eq!(fleet.outcome(&placed(1)).await.0, "applied");
    let paused = fleet.ok(&["pause", "--reason", "counting"]).await;
    assert_eq!(paused["changed"], true);
    assert_eq!(paused["paused"][0]["reason"], "counting");
    assert_eq!(fleet.ok(&["pause"]).await["changed"], false, "it is already");
    heard(&fleet, profile).await;
    for id in 2..=20 {
        assert_eq!(fleet.send(&placed(id)).await, 200);
    }
    assert!(fleet.is_ready().await, "a pause is no outage");
    for _ in 0..2 {
        kill_all(&mut fleet).await;
        fleet.start_all(2).await;
        heard(&fleet, profile).await;
        assert_eq!(fleet.send(&placed(2)).await, 200, "and again");
    }
    let status = fleet.ok(&["status"]).await;
    assert_eq!(status["webhooks"]["applied"], 1, "{status}");
    assert_eq!(status["paused"][0]["shop"], serde_json::Value::Null, "{status}");
    assert_eq!(fleet.stock_of("CAP").await, (100, 1));

    let resumed = fleet.ok(&["resume"]).await;
    assert_eq!(resumed["changed"], true);
    assert_eq!(resumed["paused"], serde_json::json!([]));
    fleet.settled().await;
    assert_eq!(fleet.stock_of("CAP").await, (100, 20), "each once");
    fleet.finish().await;
}

async fn a_paused_shop_waits_while_another_goes_on(profile: Profile) {
    let mut fleet = Fleet::prepare(profile).await;
    let (domain, secret) = OTHER;
    fleet.write_shops(&format!(
        "{}\n[[shop]]\nname = \"other\"\nplatform = \"shopify\"\ndomain = \"{domain}\"\n\
         secrets = [\"plain:{secret}\"]\n",
        shops("")
    ));
    fleet.start_all(1).await;
    fleet.stock("CAP", 100).await;
    fleet.cli(&["pause", "--shop", "nobody"]).await.fails_with(2).names(&["nobody", "other"]);
    fleet.ok(&["pause", "--shop", "demo"]).await;
    heard(&fleet, profile).await;
    for id in 1..=5 {
        assert_eq!(fleet.send(&placed(id)).await, 200);
        assert_eq!(fleet.send(&placed_elsewhere(id)).await, 200);
    }
    let applied = async || fleet.ok(&["status"]).await["webhooks"]["applied"].as_i64();
    eventually("the other shop's", async || applied().await.filter(|count| *count == 5)).await;
    eventually("the paused shop's to wait", async || {
        fleet.ok(&["status"]).await["queue"]["delayed"].as_i64().filter(|delayed| *delayed > 0)
    })
    .await;
    kill_all(&mut fleet).await;
    fleet.start_all(1).await;
    heard(&fleet, profile).await;
    let more = placed_elsewhere(6);
    assert_eq!(fleet.send(&more).await, 200);
    eventually("the other shop's again", async || {
        (fleet.count("applied").await == 6).then_some(())
    })
    .await;
    assert_eq!(fleet.stock_of("CAP").await, (100, 6), "only the other shop's");
    let status = fleet.ok(&["status"]).await;
    assert_eq!(status["paused"][0]["shop"], "demo", "{status}");

    fleet.ok(&["resume", "--shop", "demo"]).await;
    fleet.settled().await;
    assert_eq!(fleet.stock_of("CAP").await, (100, 11), "each once");
    fleet.finish().await;
}

//! A fleet in which nobody works: the overview, `top` and the posts all say it, and that it is over.

use testkit::shopify::{ShopifyOrder, SignedWebhook};

use crate::alerting::posting;
use crate::harness::{Fleet, Mood, Profile, Receiver, Role, eventually, get};

fn placed(id: u64) -> SignedWebhook {
    ShopifyOrder::new(id).line("CAP", 1).webhook("orders/create")
}

/// The worker dies, and so long ago that it gives no sign of life any more.
async fn kill_the_worker(fleet: &mut Fleet) {
    fleet.workers.pop().expect("one works").kill9().await;
    fleet.run_sql("DELETE FROM processes WHERE role = 'worker'").await;
}

#[tokio::test]
async fn webhooks_that_wait_for_no_worker_are_posted_and_that_they_are_applied_again() {
    let receiver = Receiver::start(Mood::Takes).await;
    let mut fleet = Fleet::start(Profile::Fleet, 1).await;
    fleet.stock("CAP", 5).await;
    assert_eq!(fleet.outcome(&placed(1)).await.0, "applied");
    let mut settings = fleet.settings.clone();
    settings.extend(posting(&receiver));
    let console = Role::start("console", &[], &fleet.path(""), &settings);
    console.says("alerts are posted").await;
    let overview =
        async || get(console.ops().await, "/console/live").await.expect("it answers").body;

    kill_the_worker(&mut fleet).await;
    let top = fleet.ok(&["top", "--once"]).await;
    assert_eq!((&top["workers"], &top["todo"]), (&0.into(), &serde_json::json!([])), "none waits");
    assert_eq!(fleet.send(&placed(2)).await, 200);
    let nobody = "1 parcel waits in the queue and nobody applies webhooks: ";
    let posted = receiver.took(1).await;
    assert!(posted.starts_with(&format!("berlin: {nobody}")), "{posted}");
    let top = fleet.ok(&["top", "--once"]).await;
    assert!(top["todo"][0].as_str().is_some_and(|todo| todo.starts_with(nobody)), "{top}");
    let shown = overview().await;
    assert!(shown.contains(nobody) && !shown.contains("All is well"), "{shown}");

    fleet.start_worker(&[]).await;
    let over = receiver.took(2).await;
    assert_eq!(over, "berlin: What waits is applied again.\nAll is well again.");
    fleet.settled().await;
    // The console keeps what it saw of the queue for some seconds.
    let is_well = async || overview().await.contains("All is well").then_some(());
    eventually("nothing waits any more", is_well).await;
    console.stop().await;
    fleet.finish().await;
}

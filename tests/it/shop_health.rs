//! How each shop is doing, as `onhand shop list` tells it.

use serde_json::json;
use testkit::shopify::{DOMAIN, SECRET, ShopifyOrder};

use crate::harness::{Fleet, Profile, eventually, in_both_profiles};

in_both_profiles!(a_shop_tells_what_came_of_it_and_that_its_old_secret_still_signs);

async fn a_shop_tells_what_came_of_it_and_that_its_old_secret_still_signs(profile: Profile) {
    let mut fleet = Fleet::prepare(profile).await;
    fleet.write_shops(&format!(
        "[[shop]]\nname = \"demo\"\nplatform = \"shopify\"\ndomain = \"{DOMAIN}\"\n\
         secrets = [\"plain:newer\", \"plain:{SECRET}\"]\n\
         [[shop]]\nname = \"quiet\"\nplatform = \"woocommerce\"\nsecrets = [\"plain:q\"]\n"
    ));
    fleet.start_all(1).await;
    fleet.stock("CAP", 10).await;
    for id in 1..=3 {
        let placed = ShopifyOrder::new(id).line("CAP", 1).webhook("orders/create");
        assert_eq!(fleet.send(&placed).await, 200);
        assert_eq!(fleet.send(&placed).await, 200, "the platform may send it again");
    }
    let list = eventually("what came to be noted", async || {
        let list = fleet.ok(&["shop", "list"]).await;
        (list[0]["last_day"] == 6).then_some(list)
    })
    .await;
    let (demo, quiet) = (&list[0], &list[1]);
    assert_eq!((&demo["shop"], &demo["silent_missed"]), (&json!("demo"), &json!(null)), "{list}");
    assert_eq!(demo["signed_by_old"], "plain, number 2", "{list}");
    assert_eq!(demo["secrets"][0], json!({"source": "plain, number 1", "last_signed_at": null}));
    assert_eq!(demo["secrets"][1]["last_signed_at"], demo["last_webhook_at"], "{list}");
    assert_eq!((&quiet["last_day"], &quiet["last_webhook_at"]), (&json!(0), &json!(null)));

    let checked = fleet.ok(&["shop", "check"]).await;
    assert_eq!(checked[0]["secret_sources"], json!(["plain, number 1", "plain, number 2"]));
    let warning = checked[0]["warnings"][0].as_str().expect("it was never told when to begin");
    assert!(warning.contains("live_from"), "{warning}");
    let seen = format!("{list}{checked}");
    assert!(!seen.contains(SECRET) && !seen.contains("newer"), "{seen}");
    fleet.ok(&["pause", "--shop", "quiet"]).await;
    assert_eq!(fleet.ok(&["shop", "list"]).await[1]["paused"], true);
    fleet.finish().await;
}

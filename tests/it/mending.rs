//! What operators mend from the command line: webhooks and dead letters decided again, after a look at
//! what would come of it; old bodies removed; stock taken out and in.

use std::fs;

use serde_json::{Value, json};
use testkit::shopify::{DOMAIN, SECRET, ShopifyOrder, SignedWebhook};

use crate::harness::{Fleet, Profile, get, in_both_profiles, shops};

in_both_profiles!(
    a_webhook_whose_body_is_kept_is_shown_and_decided_again,
    a_replay_of_many_is_looked_at_before_it_is_done,
    stock_that_was_exported_is_imported_as_it_was,
);

/// `demo` keeps bodies.
fn keeping() -> String {
    shops("").replacen("name = \"demo\"", "name = \"demo\"\nkeep_bodies = \"7d\"", 1)
}

async fn a_webhook_whose_body_is_kept_is_shown_and_decided_again(profile: Profile) {
    let mut fleet = Fleet::prepare(profile).await;
    fleet.start_all(1).await;
    fleet.stock("CAP", 10).await;
    let unkept = ShopifyOrder::new(40).line("CAP", 1).webhook("orders/create");
    fleet.outcome(&unkept).await;
    let shown = &fleet.ok(&["webhook", "show", &unkept.webhook_id, "--body"]).await[0];
    assert_eq!((&shown["meaning"], shown.get("body")), (&Value::Null, None), "off by default");
    let refused = fleet.cli(&["webhook", "replay", &unkept.webhook_id]).await.fails_with(1);
    refused.names(&["no body of it is kept", "keep_bodies = \"7d\"", "demo"]);

    fleet.write_shops(&keeping());
    for role in fleet.roles() {
        role.says("read the shops file again").await;
    }
    let order = ShopifyOrder::new(41).line("CAP", 3).webhook("orders/create");
    fleet.outcome(&order).await;
    let shown = &fleet.ok(&["webhook", "show", &order.webhook_id, "--body"]).await[0];
    let body = shown["body"].as_str().expect("it is kept");
    assert!(body.contains("\"sku\": \"CAP\"") && body.contains("•••"), "{body}");
    let sent: Value = serde_json::from_slice(&order.body).expect("JSON");
    let email = sent["email"].as_str().expect("whoever orders has an address");
    assert!(!body.contains(email), "{body}");
    let meaning = shown["meaning"].to_string();
    assert!(meaning.contains("3 × CAP"), "{meaning}");
    let plain = &fleet.ok(&["webhook", "show", &order.webhook_id]).await[0];
    assert_eq!(plain.get("body"), None, "only where it is asked for");

    for _ in 0..2 {
        let replayed = fleet.ok(&["webhook", "replay", &order.webhook_id]).await;
        assert_eq!(replayed[0]["outcome"], "unchanged");
    }
    assert_eq!(fleet.stock_of("CAP").await, (10, 4));
    assert_eq!(fleet.fate(&order).await.0, "applied", "its own outcome stays");

    let pruned = fleet.ok(&["prune", "--older-than", "1d"]).await;
    assert_eq!(pruned["webhooks"], 0, "it is not as old");
    for (dry, left) in [(true, 1), (false, 1), (false, 0)] {
        let args = ["prune", "--older-than", "0s", "--dry-run"];
        let pruned = fleet.ok(if dry { &args } else { &args[..3] }).await;
        assert_eq!((&pruned["webhooks"], &pruned["removed"]), (&json!(left), &json!(!dry)));
    }
    let refused = fleet.cli(&["webhook", "replay", &order.webhook_id]).await.fails_with(1);
    refused.names(&["no body of it is kept", "onhand prune"]);
    assert_eq!(fleet.outcome(&order).await.0, "applied", "only the body is gone");
    assert_eq!(fleet.count("duplicate").await, 1, "so it is known when it comes again");
    fleet.cli(&["prune", "--older-than", "long"]).await.fails_with(2).names(&["long", "90d"]);
    assert_eq!(fleet.stock_of("CAP").await, (10, 4));
    fleet.finish().await;
}

fn broken(text: &str) -> SignedWebhook {
    SignedWebhook::raw("orders/create", DOMAIN, SECRET, text.to_owned())
}

async fn a_replay_of_many_is_looked_at_before_it_is_done(profile: Profile) {
    let fleet = Fleet::start(profile, 1).await;
    for id in 1..=4 {
        fleet.outcome(&ShopifyOrder::new(id).line("NEW", 1).webhook("orders/create")).await;
    }
    fleet.outcome(&ShopifyOrder::new(5).line("NEVER", 1).webhook("orders/create")).await;
    fleet.outcome(&broken("no JSON")).await;
    let dry =
        async |more: &[&str]| fleet.ok(&[&["dead", "replay", "--dry-run"], more].concat()).await;
    let all = json!({ "letters": 6, "outcomes": { "dead": 6 },
        "still_dead": { "malformed": 1, "unknown_sku": 5 } });
    assert_eq!(dry(&["--all"]).await, all);

    // Each takes from what the ones before have left.
    fleet.stock("NEW", 3).await;
    let preview = json!({ "letters": 5, "outcomes": { "applied": 3, "dead": 1, "short": 1 },
        "still_dead": { "unknown_sku": 1 } });
    assert_eq!(dry(&["--reason", "unknown_sku"]).await, preview);
    assert_eq!(dry(&["--shop", "demo", "--since", "1h"]).await["letters"], 6);
    let none = json!({ "letters": 0, "outcomes": {} });
    assert_eq!(dry(&["--since", "2999-01-01T00:00:00Z"]).await, none);
    assert_eq!(fleet.stock_of("NEW").await, (3, 0), "nothing was changed");
    assert_eq!(fleet.count("dead").await, 6);

    let replay = ["dead", "replay", "--reason", "unknown_sku", "--rate", "1000"];
    let replayed = fleet.cli(&replay).await.fails_with(1).json();
    let outcomes: Vec<&str> = replayed
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["outcome"].as_str())
        .collect();
    assert_eq!(outcomes, ["applied", "applied", "applied", "short", "dead"], "the oldest first");
    assert_eq!(fleet.stock_of("NEW").await, (3, 3));

    let discard = ["dead", "discard", "--died-of", "malformed", "--reason", "their test"];
    let preview = fleet.ok(&[&discard[..], &["--dry-run"]].concat()).await;
    assert_eq!(preview, json!({ "letters": 1 }));
    let discarded = fleet.ok(&discard).await;
    assert_eq!(discarded["discarded"].as_array().map(Vec::len), Some(1));
    assert_eq!(fleet.ok(&["status"]).await["dead_letters"], 1);

    let refused = fleet.cli(&["dead", "replay"]).await.fails_with(2);
    refused.names(&["--reason", "--since", "--shop", "--all"]);
    let refused = fleet.cli(&["dead", "replay", "--since", "noon"]).await.fails_with(2);
    refused.names(&["noon", "2h"]);
    fleet.finish().await;
}

#[tokio::test]
async fn a_discard_is_written_down_only_where_there_is_something_to_discard() {
    let fleet = Fleet::start(Profile::Embedded, 1).await;
    let ops = fleet.front.as_ref().expect("it runs").ops().await;
    let discard = ["dead", "discard", "--died-of", "malformed", "--reason", "their test"];
    for count in [0, 1] {
        let discarded = fleet.ok(&discard).await;
        assert_eq!(discarded["discarded"].as_array().map(Vec::len), Some(count));
        let actions = get(ops, "/console/operations").await.expect("it answers").body;
        assert_eq!(actions.matches("their test").count(), count, "{actions}");
        fleet.outcome(&broken("no JSON")).await;
    }
    fleet.finish().await;
}

#[tokio::test]
async fn what_commands_do_to_stock_and_orders_is_written_down_with_who_did_it() {
    let fleet = Fleet::start(Profile::Embedded, 1).await;
    fs::write(fleet.path("rows.csv"), "sku,on_hand\nMUG,4\n").expect("written");
    fleet.ok(&["stock", "set", "CAP", "1", "--reason", "counted"]).await;
    fleet.ok(&["stock", "adjust", "CAP", "2", "--reason", "found"]).await;
    fleet.ok(&["stock", "adjust", "CAP", "-2", "--reason", "broken", "--id", "shelf-7"]).await;
    fleet.ok(&["stock", "floor", "CAP", "-1"]).await;
    fleet.ok(&["stock", "import", "rows.csv"]).await;
    fleet.outcome(&ShopifyOrder::new(1).line("CAP", 2).webhook("orders/create")).await;
    fleet.ok(&["order", "retry", "demo", "1", "--backorder"]).await;
    fleet.cli(&["stock", "adjust", "CAP", "-1", "--reason", "refused"]).await.fails_with(1);
    fleet.cli(&["order", "retry", "demo", "2"]).await.fails_with(1);

    let ops = fleet.front.as_ref().expect("it runs").ops().await;
    let actions = get(ops, "/console/operations").await.expect("it answers").body;
    let told = actions.split(" (command line): ").skip(1);
    let told: Vec<&str> = told.filter_map(|rest| rest.split('<').next()).collect();
    let expected = [
        "retry order demo 1 as a backorder",
        "stock import of rows.csv",
        "set the floor of CAP at main to -1, stock floor",
        "adjust CAP at main by +2, found",
        "set CAP at main to 1, counted",
    ];
    assert_eq!(told, expected);
    fleet.finish().await;
}

async fn stock_that_was_exported_is_imported_as_it_was(profile: Profile) {
    let fleet = Fleet::prepare(profile).await;
    let rows =
        "sku,location,on_hand\n X ,main,2\n\"A \"\"big\"\" one, blue\",back room,1\nMUG,main,0\n";
    fs::write(fleet.path("rows.csv"), rows).expect("written");
    let imported = fleet.cli(&["stock", "import", "rows.csv"]).await.fails_with(0);
    imported.names(&["blanks around a SKU belong to it; see line 2"]);
    let exported = fleet.ok(&["stock", "export", "out.csv"]).await;
    assert_eq!(exported, json!({ "rows": 3, "file": "out.csv" }));
    assert_eq!(fs::read_to_string(fleet.path("out.csv")).expect("it is there"), rows);
    let again = fleet.ok(&["stock", "import", "out.csv"]).await;
    assert_eq!(again, json!({ "rows": 3, "created": 0, "changed": 0, "unchanged": 3 }));
    assert_eq!(fleet.ok(&["stock", "export"]).await, fleet.ok(&["stock", "list"]).await);
    let nowhere = fleet.cli(&["stock", "export", "no/such/folder.csv"]).await;
    assert_ne!(nowhere.code, 0);
    nowhere.names(&["no/such/folder.csv"]);
    fleet.finish().await;
}

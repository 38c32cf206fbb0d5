//! The command line as it describes itself: found by reading `--help`, as people do, so that a
//! command that is added is looked at, too.

use serde_json::{Value, json};
use testkit::payments::PaymentLife;
use testkit::shopify::{DOMAIN, LOCATION, SECRET, ShopifyOrder, SignedWebhook};

use domain::{Provider, Timestamp};

use crate::harness::{Fleet, Profile, shops};

/// Deeper than commands go.
const WORDS_MAX: usize = 4;

/// A horizontal line of a table.
const RULE: &str = "┌─";

#[tokio::test]
async fn every_command_shows_an_example() {
    let fleet = Fleet::bare(Profile::Embedded);
    let all = commands(&fleet).await;
    assert!(all.len() > 25, "these are not all of them: {all:?}");
    for (command, help) in &all {
        let usage = format!("onhand {}", command.join(" "));
        let (_, example) = help.split_once("Example").unwrap_or_default();
        assert!(example.contains(usage.trim_end()), "no example of `{usage}` in:\n{help}");
    }
    fleet.discard();
}

#[tokio::test]
async fn every_table_can_be_had_as_json() {
    let fleet = full_instance().await;
    let id = |rows: &Value| rows[0]["id"].as_str().expect("an id").to_owned();
    let letter = id(&fleet.ok(&["dead", "list"]).await);
    let payment = fleet.ok(&["payment", "list"]).await[0]["payment_id"].as_str().map(str::to_owned);
    let payment = payment.expect("an id");
    let mut tables: Vec<Vec<String>> = [
        "status",
        "shop check",
        "stock history CAP",
        "stock drift",
        "order show demo 1",
        "dead replay --all",
    ]
    .map(|words| words.split(' ').map(str::to_owned).collect())
    .to_vec();
    tables.push(["payment", "show", "till", &payment].map(str::to_owned).to_vec());
    // Whatever lists something is called so, and lists it when asked for nothing more.
    let lists = commands(&fleet).await.into_iter().map(|(command, _)| command);
    tables.extend(lists.filter(|command| command.last().is_some_and(|word| word == "list")));
    assert!(tables.len() > 12, "{tables:?}");

    for table in &tables {
        let args: Vec<&str> = table.iter().map(String::as_str).collect();
        let rows = fleet.cli(&args).await.json();
        let is_something = match &rows {
            Value::Array(rows) => !rows.is_empty(),
            rows => rows.is_object(),
        };
        assert!(is_something, "{table:?} has no rows in this test: {rows}");
        let text = fleet.text(&args).await.stdout;
        assert!(text.contains(RULE), "{table:?} prints no table:\n{text}");
    }
    let shown = fleet.ok(&["dead", "show", &letter]).await;
    assert_eq!(shown["id"], letter.as_str());
    fleet.finish().await;
}

/// An instance with something to show of everything.
async fn full_instance() -> Fleet {
    let mut fleet = Fleet::prepare(Profile::Embedded).await;
    let secret = "a-secret-of-the-account";
    fleet.write_shops(&shops(&format!(
        "[[shop]]\nname = \"till\"\nplatform = \"payments\"\npays_for = \"demo\"\n\
         secrets = [\"plain:{secret}\"]\n"
    )));
    fleet.start_all(1).await;
    fleet.stock("CAP", 10).await;
    fleet.ok(&["listing", "set", "demo", "45", "CAP:2"]).await;
    let order = ShopifyOrder::new(1).line("CAP", 3);
    fleet.outcome(&order.webhook("orders/create")).await;
    let strange = ShopifyOrder::new(2).line("NOBODY-SELLS-THIS", 1);
    fleet.outcome(&strange.webhook("orders/create")).await;
    let now = Timestamp(jiff::Timestamp::now().as_microsecond());
    fleet.tell(&PaymentLife::new(Provider::Mollie, "till", secret, "1").capture(now)).await;
    let at = "2026-11-21T12:00:00Z";
    for (topic, body) in [
        (
            "products/update",
            json!({ "id": 1, "updated_at": at, "variants": [{ "id": 44, "sku": "CAP",
                "inventory_item_id": 7, "inventory_quantity": 20, "updated_at": at }] }),
        ),
        (
            "inventory_levels/update",
            json!({ "inventory_item_id": 7, "location_id": LOCATION, "available": 6,
                "updated_at": at }),
        ),
        (
            "customers/data_request",
            json!({ "shop_id": 1, "shop_domain": DOMAIN, "orders_requested": [1],
                "customer": { "id": 191_167 }, "data_request": { "id": 9999 } }),
        ),
    ] {
        let body = body.to_string().into_bytes();
        fleet.outcome(&SignedWebhook::raw(topic, DOMAIN, SECRET, body)).await;
    }
    fleet
}

/// Every command that does something, by its words, with its `--help`.
async fn commands(fleet: &Fleet) -> Vec<(Vec<String>, String)> {
    let mut found = Vec::new();
    let mut open = vec![Vec::new()];
    while let Some(command) = open.pop() {
        assert!(command.len() < WORDS_MAX, "{command:?}");
        let mut args: Vec<&str> = command.iter().map(String::as_str).collect();
        args.push("--help");
        let help = fleet.cli(&args).await.fails_with(0).stdout;
        for word in words_below(&help) {
            open.push([&command[..], &[word]].concat());
        }
        found.push((command, help));
    }
    found
}

/// The subcommands that a help page lists.
fn words_below(help: &str) -> Vec<String> {
    let (_, listed) = help.split_once("\nCommands:\n").unwrap_or_default();
    let lines = listed.lines().take_while(|line| !line.is_empty());
    let words = lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    words.filter(|word| !word.is_empty() && *word != "help").map(str::to_owned).collect()
}

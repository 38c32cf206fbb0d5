//! What Onhand says by itself when something is wrong, to a receiver that is there, down, slow or
//! broken; and what it verifies by itself.

use std::fs;

use serde_json::json;
use testkit::shopify::{DOMAIN, SECRET, ShopifyOrder, SignedWebhook};

use crate::harness::{
    Fleet, Mood, Profile, Receiver, Role, SECRET_PATH, eventually, in_both_profiles, proxied, shops,
};

in_both_profiles!(
    what_goes_wrong_is_posted_once_and_its_end_too,
    what_was_told_outlives_the_process_that_told_it,
    verifying_by_itself_tells_of_what_it_finds,
    stock_that_is_not_there_is_posted_after_verifying,
);

/// What a role needs to post there soon.
pub(crate) fn posting(receiver: &Receiver) -> Vec<(&'static str, String)> {
    vec![
        ("ONHAND_ALERT_URL", receiver.url()),
        ("ONHAND_ALERT_NAME", "berlin".to_owned()),
        ("ONHAND_ALERT_AFTER_SECONDS", "1".to_owned()),
    ]
}

/// Starts what posts: `serve` itself, or a console beside the fleet.
async fn start(
    fleet: &mut Fleet,
    profile: Profile,
    settings: Vec<(&'static str, String)>,
) -> Option<Role> {
    if profile == Profile::Fleet {
        fleet.start_all(1).await;
    }
    start_watcher(fleet, profile, settings).await
}

async fn start_watcher(
    fleet: &mut Fleet,
    profile: Profile,
    settings: Vec<(&'static str, String)>,
) -> Option<Role> {
    match profile {
        Profile::Embedded => {
            fleet.start_front(&settings).await;
            None
        }
        Profile::Fleet => {
            let mut all = fleet.settings.clone();
            all.extend(settings);
            Some(Role::start("console", &[], &fleet.path(""), &all))
        }
    }
}

fn watcher<'a>(fleet: &'a Fleet, console: &'a Option<Role>) -> &'a Role {
    console.as_ref().or(fleet.front.as_ref()).expect("one of them watches")
}

async fn finish(fleet: Fleet, console: Option<Role>) {
    if let Some(console) = console {
        console.stop().await;
    }
    fleet.finish().await;
}

async fn what_goes_wrong_is_posted_once_and_its_end_too(profile: Profile) {
    let receiver = Receiver::start(Mood::Takes).await;
    let mut fleet = Fleet::prepare(profile).await;
    fleet.stock("CAP", 1).await;
    let console = start(&mut fleet, profile, posting(&receiver)).await;
    watcher(&fleet, &console).says("alerts are posted").await;

    let unknown = ShopifyOrder::new(1).line("NO-SUCH", 1).webhook("orders/create");
    assert_eq!(fleet.outcome(&unknown).await.0, "dead");
    let dead = receiver.took(1).await;
    assert!(dead.starts_with("berlin: 1 webhook could not be applied (unknown_sku)"), "{dead}");
    for id in [2, 3] {
        fleet.outcome(&ShopifyOrder::new(id).line("CAP", 1).webhook("orders/create")).await;
    }
    let short = receiver.took(2).await;
    assert!(
        short.starts_with("berlin: 1 order is short: it asks for more than there is"),
        "{short}"
    );
    assert!(short.contains("CAP (1 order, none available)"), "{short}");

    fleet.stock("NO-SUCH", 5).await;
    fleet.ok(&["dead", "replay", "--reason", "unknown_sku"]).await;
    let over = receiver.took(3).await;
    assert_eq!(over, "berlin: No dead letter waits any more.\nOne other thing still waits.");
    fleet.stock("CAP", 2).await;
    fleet.ok(&["order", "retry", "demo", "3"]).await;
    let over = receiver.took(4).await;
    assert_eq!(over, "berlin: No order is short any more.\nAll is well again.");
    assert_eq!(receiver.taken().len(), 4);
    let log = format!("{:?}", watcher(&fleet, &console));
    assert!(!log.contains(SECRET_PATH), "{log}");
    finish(fleet, console).await;
}

async fn what_was_told_outlives_the_process_that_told_it(profile: Profile) {
    let receiver = Receiver::start(Mood::Takes).await;
    let mut fleet = Fleet::prepare(profile).await;
    fleet.stock("CAP", 1).await;
    let console = start(&mut fleet, profile, posting(&receiver)).await;
    let unknown = ShopifyOrder::new(1).line("NO-SUCH", 1).webhook("orders/create");
    assert_eq!(fleet.outcome(&unknown).await.0, "dead");
    receiver.took(1).await;
    kill_what_posted(&mut fleet, console).await;

    let console = start_watcher(&mut fleet, profile, posting(&receiver)).await;
    for id in [2, 3] {
        fleet.outcome(&ShopifyOrder::new(id).line("CAP", 1).webhook("orders/create")).await;
    }
    let short = receiver.took(2).await;
    assert!(short.starts_with("berlin: 1 order is short"), "{short}");
    assert!(!short.contains("could not be applied"), "it was told before: {short}");
    kill_what_posted(&mut fleet, console).await;

    fleet.stock("NO-SUCH", 5).await;
    fleet.ok(&["dead", "replay", "--reason", "unknown_sku"]).await;
    fleet.stock("CAP", 2).await;
    fleet.ok(&["order", "retry", "demo", "3"]).await;
    let console = start_watcher(&mut fleet, profile, posting(&receiver)).await;
    let over = receiver.took(3).await;
    let both = "No dead letter waits any more.\nNo order is short any more.\nAll is well again.";
    assert_eq!(over, format!("berlin: {both}"));
    kill_what_posted(&mut fleet, console).await;

    // That it is over is not told again either: what is told next is another matter.
    let console = start_watcher(&mut fleet, profile, posting(&receiver)).await;
    fleet.outcome(&ShopifyOrder::new(4).line("CAP", 1).webhook("orders/create")).await;
    let short = receiver.took(4).await;
    assert!(short.starts_with("berlin: 1 order is short"), "{short}");
    assert_eq!(receiver.taken().len(), 4);
    finish(fleet, console).await;
}

/// Once it has kept what it told.
async fn kill_what_posted(fleet: &mut Fleet, console: Option<Role>) {
    let watcher = console.or_else(|| fleet.front.take()).expect("one of them watches");
    watcher.says("posted an alert").await;
    watcher.kill9().await;
}

async fn verifying_by_itself_tells_of_what_it_finds(profile: Profile) {
    let receiver = Receiver::start(Mood::Takes).await;
    let mut fleet = Fleet::prepare(profile).await;
    fleet.stock("CAP", 5).await;
    let mut settings = posting(&receiver);
    settings.push(("ONHAND_VERIFY_EVERY", "1s".to_owned()));
    let console = start(&mut fleet, profile, settings).await;
    let watcher = watcher(&fleet, &console);
    fleet.outcome(&ShopifyOrder::new(1).line("CAP", 1).webhook("orders/create")).await;
    let violations = async |number: f64| {
        eventually("it verifies", async || {
            let found = watcher.metric("onhand_verify_violations").await;
            (found == Some(number)).then_some(())
        })
        .await;
    };
    violations(0.0).await;
    assert_eq!(watcher.metric("onhand_verify_every_seconds").await, Some(1.0));
    let at = watcher.metric("onhand_verify_last_success_timestamp_seconds").await.expect("told");
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let now = jiff::Timestamp::now().as_second() as f64;
    assert!((now - 120.0..=now + 1.0).contains(&at), "{at} at {now}");
    let ops = watcher.ops().await;
    let overview = crate::harness::get(ops, "/console/live").await.expect("it answers").body;
    assert!(overview.contains("Verified less than a minute ago: no violations"), "{overview}");
    assert_eq!(receiver.taken(), [] as [&str; 0]);

    if profile == Profile::Fleet {
        tampering_is_posted(&fleet, watcher, &receiver).await;
    }
    finish(fleet, console).await;
}

async fn tampering_is_posted(fleet: &Fleet, watcher: &Role, receiver: &Receiver) {
    fleet.run_sql("UPDATE stock SET on_hand = on_hand + 1 WHERE sku = 'CAP'").await;
    let found = receiver.took(1).await;
    assert!(found.starts_with("berlin: The promises were checked "), "{found}");
    assert!(found.contains("1 violation of P7, as in: ") && found.contains("CAP"), "{found}");
    assert_eq!(watcher.metric("onhand_verify_violations").await, Some(1.0));
    watcher.says("a promise is broken").await;

    fleet.run_sql("UPDATE stock SET on_hand = on_hand - 1 WHERE sku = 'CAP'").await;
    let over = receiver.took(2).await;
    assert_eq!(over, "berlin: Every promise holds again.\nAll is well again.");
}

async fn stock_that_is_not_there_is_posted_after_verifying(profile: Profile) {
    let receiver = Receiver::start(Mood::Takes).await;
    let mut fleet = Fleet::prepare(profile).await;
    fleet.write_shops(&shops("when_short = \"backorder\""));
    fleet.ok(&["stock", "set", "CAP", "1", "--floor", "-5"]).await;
    let mut settings = posting(&receiver);
    settings.push(("ONHAND_VERIFY_EVERY", "1s".to_owned()));
    let console = start(&mut fleet, profile, settings).await;
    let watcher = watcher(&fleet, &console);
    let sold = ShopifyOrder::new(1).line("CAP", 3).webhook("orders/create");
    assert_eq!(fleet.outcome(&sold).await.0, "applied");
    let below = receiver.took(1).await;
    assert!(below.starts_with("berlin: 1 item was sold below zero "), "{below}");
    assert!(below.contains("CAP at main (−2)"), "{below}");
    assert_eq!(watcher.metric("onhand_stock_below_zero_items").await, Some(1.0));

    let product = json!({ "id": 1, "updated_at": "2026-11-21T12:00:00Z", "variants": [
        { "id": 44, "sku": "CAP", "inventory_item_id": 7, "inventory_quantity": 20 },
    ] });
    let shown = SignedWebhook::raw("products/update", DOMAIN, SECRET, product.to_string());
    assert_eq!(fleet.outcome(&shown).await.0, "applied");
    let drift = receiver.took(2).await;
    assert!(drift.starts_with("berlin: The platform of shop demo would sell what is "), "{drift}");

    fleet.stock("CAP", 23).await;
    let taken = eventually("both are over", async || {
        let taken = receiver.taken();
        taken.last()?.ends_with("All is well again.").then_some(taken)
    })
    .await;
    for over in ["No item is below zero any more.", "No platform would sell what is not there"] {
        assert!(taken.iter().any(|text| text.contains(over)), "{over}: {taken:?}");
    }
    assert_eq!(watcher.metric("onhand_stock_below_zero_items").await, Some(0.0));
    finish(fleet, console).await;
}

#[tokio::test]
async fn a_receiver_that_fails_is_silent_or_is_down_gets_it_when_it_is_well() {
    let receiver = Receiver::start(Mood::Fails).await;
    let mut fleet = Fleet::prepare(Profile::Embedded).await;
    fleet.start_front(&posting(&receiver)).await;
    let unknown = ShopifyOrder::new(1).line("NO-SUCH", 1).webhook("orders/create");
    assert_eq!(fleet.outcome(&unknown).await.0, "dead");
    let serve = fleet.front.as_ref().expect("it runs");
    // More than once: it does not give up.
    receiver.met(Mood::Fails, 2).await;
    serve.logged(|line| line["error"].as_str()?.contains("answered 500").then_some(())).await;
    receiver.becomes(Mood::IsSilent);
    receiver.met(Mood::IsSilent, 1).await;
    // Nothing waits for it.
    let order = ShopifyOrder::new(2).line("NO-SUCH", 1).webhook("orders/create");
    assert_eq!(fleet.outcome(&order).await.0, "dead");
    serve.logged(|line| line["error"].as_str()?.contains("no answer within").then_some(())).await;
    receiver.becomes(Mood::Takes);
    let posted = receiver.took(1).await;
    assert!(posted.starts_with("berlin: 2 webhooks could not be applied"), "{posted}");

    // Down when it ends, and there again later.
    let address = receiver.address();
    drop(receiver);
    fleet.stock("NO-SUCH", 5).await;
    fleet.ok(&["dead", "replay", "--all"]).await;
    serve.logged(|line| line["error"].as_str()?.contains("refused").then_some(())).await;
    let receiver = Receiver::start_at(address).await;
    assert!(receiver.took(1).await.ends_with("All is well again."));
    let log = format!("{serve:?}");
    assert!(!log.contains("the-secret"), "{log}");
    fleet.finish().await;
}

#[tokio::test]
async fn a_database_and_a_broker_that_are_away_are_posted() {
    let receiver = Receiver::start(Mood::Takes).await;
    let mut fleet = Fleet::prepare(Profile::Fleet).await;
    let (database, to_database) = proxied(&fleet, "ONHAND_DATABASE_URL").await;
    let (broker, to_broker) = proxied(&fleet, "ONHAND_BROKER_URL").await;
    fleet.start_all(1).await;
    let mut all = fleet.settings.clone();
    all.extend(posting(&receiver));
    all.extend([to_database, to_broker]);
    let console = Role::start("console", &[], &fleet.path(""), &all);
    console.says("alerts are posted").await;

    broker.refuse().await;
    broker.cut();
    let queue = receiver.took(1).await;
    assert!(queue.starts_with("berlin: The queue cannot be asked ("), "{queue}");
    database.refuse().await;
    database.cut();
    let store = receiver.took(2).await;
    assert!(store.starts_with("berlin: The database cannot be asked ("), "{store}");
    database.restore();
    broker.restore();
    eventually("both are over", async || {
        let taken = receiver.taken();
        let both = taken.iter().filter(|text| text.contains("answers again.")).count();
        (both >= 1 && taken.last()?.ends_with("All is well again.")).then_some(())
    })
    .await;
    for posted in receiver.taken() {
        assert!(!posted.contains("://"), "an address with its password: {posted}");
    }
    console.stop().await;
    fleet.finish().await;
}

#[tokio::test]
async fn a_test_message_says_what_was_answered() {
    let receiver = Receiver::start(Mood::Takes).await;
    let mut fleet = Fleet::bare(Profile::Embedded);
    fleet.cli(&["alert", "test"]).await.fails_with(2).names(&["ONHAND_ALERT_URL", "https://"]);

    fleet.settings.insert("ONHAND_ALERT_URL", String::new());
    fleet.cli(&["alert", "test"]).await.fails_with(2).names(&["ONHAND_ALERT_URL", "https://"]);

    fleet.settings.insert("ONHAND_ALERT_URL", receiver.url());
    let tested = fleet.cli(&["alert", "test"]).await.fails_with(0).json();
    assert_eq!((&tested["ok"], &tested["status"]), (&true.into(), &200.into()), "{tested}");
    assert_eq!(tested["answer"], "ok");
    assert!(receiver.took(1).await.contains("this is a test"));
    receiver.becomes(Mood::Fails);
    let tested = fleet.cli(&["alert", "test"]).await.fails_with(1);
    assert_eq!((&tested.json()["status"], &tested.json()["answer"]), (&500.into(), &"nope".into()));

    fs::write(fleet.path("url"), receiver.url() + "\n").expect("written");
    receiver.becomes(Mood::Takes);
    let from_file = ["alert", "test", "--alert-url", "file:url"];
    fleet.cli(&from_file).await.fails_with(0);
    let nobody = "http://localhost:1/the-secret".to_owned();
    fleet.settings.insert("ONHAND_ALERT_URL", nobody);
    let tested = fleet.cli(&["alert", "test"]).await.fails_with(1);
    assert_eq!(tested.json()["status"], serde_json::Value::Null);
    assert!(!format!("{tested:?}").contains("the-secret"), "{tested:?}");
    fleet.discard();
}

#[tokio::test]
async fn a_test_message_goes_over_tls_to_whom_this_machine_trusts() {
    let (receiver, certificate) = Receiver::start_tls().await;
    let mut fleet = Fleet::bare(Profile::Embedded);
    fleet.settings.insert("ONHAND_ALERT_URL", receiver.url());
    let refused = fleet.cli(&["alert", "test"]).await.fails_with(1).json();
    assert!(refused["answer"].as_str().expect("why").contains("certificate"), "{refused}");
    assert_eq!(receiver.taken(), [] as [&str; 0]);

    fs::write(fleet.path("trusted.pem"), certificate).expect("written");
    let trusted = fleet.path("trusted.pem").display().to_string();
    fleet.settings.insert("SSL_CERT_FILE", trusted);
    fleet.cli(&["alert", "test"]).await.fails_with(0);
    assert_eq!(receiver.taken().len(), 1);
    fleet.discard();
}

#[tokio::test]
async fn an_alert_url_is_checked_at_once_and_shown_nowhere() {
    let mut fleet = Fleet::prepare(Profile::Embedded).await;
    for bad in ["the-secret", "ftp://host/the-secret", "env:NO_SUCH_THING", "file:no-such-file"] {
        fleet.settings.insert("ONHAND_ALERT_URL", bad.to_owned());
        for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["console"], &["alert", "test"]]
        {
            let refused = fleet.cli(command).await.fails_with(2);
            refused.names(&["ONHAND_ALERT_URL", "for example https://"]);
            assert!(!refused.stderr.contains("the-secret"), "{}", refused.stderr);
        }
        let checks = fleet.cli(&["doctor"]).await.fails_with(2).json();
        let checks = checks.as_array().expect("checks");
        let check = checks.iter().find(|check| check["what"] == "alerts").expect("the check");
        assert_eq!(check["ok"], false, "{check}");
        assert!(!check.to_string().contains("the-secret"), "{check}");
    }
    let good = format!("https://hooks.example.com{SECRET_PATH}");
    fleet.settings.insert("ONHAND_ALERT_URL", good.clone());
    let help = fleet.cli(&["serve", "--help"]).await.fails_with(0).stdout;
    assert!(help.contains("--alert-url") && !help.contains("the-secret"), "{help}");
    let doctor = fleet.cli(&["doctor"]).await.fails_with(0).stdout;
    assert!(doctor.contains("hooks.example.com") && !doctor.contains("the-secret"), "{doctor}");
    fleet.settings.remove("ONHAND_ALERT_URL");
    fs::write(fleet.path("onhand.toml"), format!("alert_url = \"{good}\"\n")).expect("written");
    let help = fleet.cli(&["serve", "--help"]).await.fails_with(0).stdout;
    assert!(!help.contains("the-secret"), "{help}");
    fs::remove_file(fleet.path("onhand.toml")).expect("removed");
    fleet.finish().await;
}

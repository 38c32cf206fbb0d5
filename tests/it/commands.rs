//! The command line's contract: exit codes, and errors that say what is wrong and how to mend it.

use std::fs;

use serde_json::json;
use testkit::services::{TestDatabase, test_database};
use testkit::shopify::ShopifyOrder;

use crate::harness::{Fleet, Profile, eventually, get, in_both_profiles, shops};

in_both_profiles!(
    stock_is_never_set_below_what_is_committed,
    an_adjustment_under_the_same_id_happens_once,
    adjustments_at_the_same_moment_all_count,
    an_import_is_all_or_nothing,
    a_shops_file_is_picked_up_while_serving_and_a_bad_one_keeps_the_last_good,
);

async fn stock_is_never_set_below_what_is_committed(profile: Profile) {
    let fleet = Fleet::start(profile, 1).await;
    fleet.stock("CAP", 10).await;
    for id in [41, 42] {
        let order = ShopifyOrder::new(id).line("CAP", 3).webhook("orders/create");
        fleet.outcome(&order).await;
    }
    let refused = fleet.cli(&["stock", "set", "CAP", "5"]).await.fails_with(1);
    refused.names(&["CAP", "6 units are committed", "demo", "41", "42"]);
    let refused = fleet.cli(&["stock", "adjust", "CAP", "-5", "--reason", "lost"]).await;
    refused.fails_with(1).names(&["41", "42"]);
    assert_eq!(fleet.stock_of("CAP").await, (10, 6));
    fleet.ok(&["stock", "set", "CAP", "6"]).await;
    assert_eq!(fleet.stock_of("CAP").await, (6, 6));
    fleet.finish().await;
}

async fn an_adjustment_under_the_same_id_happens_once(profile: Profile) {
    let fleet = Fleet::prepare(profile).await;
    fleet.stock("CAP", 10).await;
    let adjust = ["stock", "adjust", "CAP", "-2", "--reason", "broken", "--id", "shelf-7"];
    assert_eq!(fleet.ok(&adjust).await["on_hand"], 8);
    let again = fleet.cli(&adjust).await.fails_with(0);
    again.names(&["shelf-7", "used before"]);
    assert_eq!(again.json()["on_hand"], 8);
    let history = fleet.ok(&["stock", "history", "CAP"]).await;
    assert_eq!(history.as_array().map(Vec::len), Some(2));
    assert_eq!(history[0]["reason"], "broken");
    fleet.cli(&["stock", "adjust", "NONE", "1", "--reason", "x"]).await.fails_with(1);

    // Refused is not done: the same command counts once it can be.
    let adjust = ["stock", "adjust", "CAP", "-9", "--reason", "moved", "--id", "shelf-8"];
    fleet.cli(&adjust).await.fails_with(1);
    fleet.stock("CAP", 20).await;
    assert_eq!(fleet.ok(&adjust).await["on_hand"], 11);
    assert_eq!(fleet.ok(&adjust).await["on_hand"], 11);
    fleet.ok(&["stock", "set", "CAP", "3"]).await;
    let done_before = fleet.cli(&adjust).await.fails_with(0);
    done_before.names(&["shelf-8", "used before"]);
    let other = ["stock", "adjust", "CAP", "1", "--reason", "moved", "--id", "shelf-8"];
    fleet.cli(&other).await.fails_with(2).names(&["another change", "adjust CAP at main by -9"]);
    fleet.finish().await;
}

async fn adjustments_at_the_same_moment_all_count(profile: Profile) {
    let fleet = Fleet::prepare(profile).await;
    fleet.stock("CAP", 0).await;
    let adjust = ["stock", "adjust", "CAP", "1", "--reason", "found"];
    let all = futures_util::future::join_all((0..30).map(|_| fleet.cli(&adjust))).await;
    for answer in all {
        answer.fails_with(0);
    }
    assert_eq!(fleet.stock_of("CAP").await, (30, 0));
    fleet.finish().await;
}

async fn an_import_is_all_or_nothing(profile: Profile) {
    let fleet = Fleet::prepare(profile).await;
    let good = "sku,location,on_hand\nCAP,main,5\nMUG,,7\n\"A, B\",back room,1\n";
    fs::write(fleet.path("good.csv"), good).expect("written");
    let imported = fleet.ok(&["stock", "import", "good.csv"]).await;
    assert_eq!(imported, json!({ "rows": 3, "created": 3, "changed": 0, "unchanged": 0 }));
    let again = fleet.ok(&["stock", "import", "good.csv"]).await;
    assert_eq!(again, json!({ "rows": 3, "created": 0, "changed": 0, "unchanged": 3 }));

    let bad =
        "sku,location,on_hand\nCAP,main,99\nMUG,main,-1\n,main,3\nPIN,main,many\nCAP,main,4\n";
    fs::write(fleet.path("bad.csv"), bad).expect("written");
    let refused = fleet.cli(&["stock", "import", "bad.csv"]).await.fails_with(1);
    refused.names(&["nothing was changed", "line 3", "line 4", "line 5", "line 6", "on line 2"]);
    let rows = fleet.ok(&["stock", "list"]).await;
    assert_eq!(rows.as_array().map(Vec::len), Some(3));
    assert_eq!(fleet.stock_of("CAP").await, (5, 0));

    fs::write(fleet.path("other.csv"), "name,count\nCAP,1\n").expect("written");
    let refused = fleet.cli(&["stock", "import", "other.csv"]).await.fails_with(1);
    refused.names(&["line 1", "sku,location,on_hand"]);
    fleet.finish().await;
}

async fn a_shops_file_is_picked_up_while_serving_and_a_bad_one_keeps_the_last_good(
    profile: Profile,
) {
    let fleet = Fleet::start(profile, 1).await;
    fleet.stock("CAP", 10).await;
    let new = ShopifyOrder::new(1).of("new.myshopify.com", "new-secret").line("CAP", 1);
    let webhook = new.webhook("orders/create");
    assert_eq!(fleet.send(&webhook).await, 401);

    let secret = fleet.path("new.secret");
    fs::write(&secret, "new-secret\n").expect("written");
    let entry = format!(
        "[[shop]]\nname = \"new\"\nplatform = \"shopify\"\n\
         domain = \"new.myshopify.com\"\nsecrets = [\"file:{}\"]\n",
        secret.display()
    );
    let entry = entry.as_str();
    fleet.write_shops(&shops(entry));
    for role in fleet.roles() {
        role.says("read the shops file again").await;
    }
    assert_eq!(fleet.outcome(&webhook).await, ("applied".to_owned(), None));

    // The secret alone is another one.
    fs::write(&secret, "newest-secret\n").expect("written");
    let signed = ShopifyOrder::new(3).of("new.myshopify.com", "newest-secret").line("CAP", 1);
    let signed = signed.webhook("orders/create");
    let sent = async || (fleet.send(&signed).await == 200).then_some(());
    eventually("the new secret is taken", sent).await;
    fs::write(&secret, "new-secret\n").expect("written");
    let sent = async || (fleet.send(&webhook).await == 200).then_some(());
    eventually("the old secret is taken again", sent).await;

    fleet.write_shops("[[shop]]\nname = ");
    for role in fleet.roles() {
        role.says("the shops file is bad").await;
    }
    let another = ShopifyOrder::new(2).of("new.myshopify.com", "new-secret").line("CAP", 1);
    assert_eq!(fleet.outcome(&another.webhook("orders/create")).await.0, "applied");
    fleet.write_shops(&shops(entry));
    fleet.finish().await;
}

#[tokio::test]
async fn bad_values_name_the_setting_its_source_and_an_example() {
    let mut fleet = Fleet::bare(Profile::Embedded);
    let flag = fleet.cli(&["serve", "--lanes", "many"]).await.fails_with(2);
    flag.names(&["--lanes", "many", "the flag --lanes", "for example 4"]);

    fleet.settings.insert("ONHAND_LANES", "0".to_owned());
    let variable = fleet.cli(&["serve"]).await.fails_with(2);
    variable.names(&["--lanes", "0", "the environment variable ONHAND_LANES", "for example 4"]);
    fleet.settings.remove("ONHAND_LANES");

    fs::write(fleet.path("onhand.toml"), "lanes = 900\n").expect("written");
    let file = fleet.cli(&["serve"]).await.fails_with(2);
    file.names(&["--lanes", "900", "`lanes` in ./onhand.toml", "for example 4"]);
    fs::write(fleet.path("onhand.toml"), "lames = 4\n").expect("written");
    fleet.cli(&["serve"]).await.fails_with(2).names(&["onhand.toml", "`lames`", "for example"]);
    let broken = "lanes = 4\nbroker_url = \"amqp://shop:s3cret@broker\nbatch = 9\n";
    fs::write(fleet.path("onhand.toml"), broken).expect("written");
    let answer = fleet.cli(&["serve"]).await.fails_with(2);
    answer.names(&["onhand.toml", "line 2"]);
    assert!(!answer.stderr.contains("s3cret"), "{}", answer.stderr);
    fs::remove_file(fleet.path("onhand.toml")).expect("removed");

    for (setting, value) in [
        ("ONHAND_DATABASE_URL", "mysql://u:hunter2@somewhere"),
        ("ONHAND_BROKER_URL", "kafka://u:hunter2@somewhere"),
        ("ONHAND_LOG", "worker=loudest"),
        ("ONHAND_LOG", "inof"),
    ] {
        fleet.settings.insert(setting, value.to_owned());
        let refused = fleet.cli(&["serve"]).await.fails_with(2);
        refused.names(&[setting, "for example"]);
        assert!(!refused.stderr.contains("hunter2"), "{}", refused.stderr);
        fleet.settings.remove(setting);
    }
    fleet.write_shops("[[shop]]\nname = \"demo\"\nplatform = \"shopfy\"\n");
    fleet.cli(&["serve"]).await.fails_with(2).names(&["shops.toml", "demo", "platform", "shopify"]);
    fs::remove_file(fleet.path("shops.toml")).expect("removed");
    fleet.cli(&["serve"]).await.fails_with(2).names(&["shops.toml", "ONHAND_SHOPS", "[[shop]]"]);
    fleet.discard();
}

#[tokio::test]
async fn bad_usage_exits_with_2_and_help_with_0() {
    let fleet = Fleet::bare(Profile::Embedded);
    for args in [
        &["no-such-command"][..],
        &["stock", "set"],
        &["stock", "set", "CAP", "a few"],
        &["stock", "adjust", "CAP", "0", "--reason", "nothing"],
        &["stock", "adjust", "CAP", "1", "--reason", " "],
        &["dead", "discard", "--all", "--reason", ""],
    ] {
        fleet.cli(args).await.fails_with(2);
    }
    for args in [&["--help"][..], &["serve", "--help"], &["stock", "import", "--help"]] {
        fleet.cli(args).await.fails_with(0);
    }
    fleet.discard();
}

#[tokio::test]
async fn roles_of_a_fleet_need_a_broker_and_say_which() {
    let fleet = Fleet::bare(Profile::Embedded);
    for role in ["worker", "ingress"] {
        let refused = fleet.cli(&[role]).await.fails_with(2);
        refused.names(&["ONHAND_BROKER_URL", "amqp://", "onhand serve"]);
    }
    fleet.discard();
}

#[tokio::test]
async fn what_cannot_be_reached_exits_with_3() {
    let mut fleet = Fleet::bare(Profile::Fleet);
    for command in [&["stock", "list"][..], &["status"], &["verify"]] {
        fleet.cli(command).await.fails_with(3).names(&["onhand serve", "onhand migrate"]);
    }
    let nobody = "127.0.0.1:1";
    fleet.settings.insert("ONHAND_DATABASE_URL", format!("postgres://u:hunter2@{nobody}/onhand"));
    fleet.settings.insert("ONHAND_BROKER_URL", format!("amqp://u:hunter2@{nobody}/%2f"));
    for command in [&["stock", "list"][..], &["status"], &["verify"], &["migrate"], &["worker"]] {
        let refused = fleet.cli(command).await.fails_with(3);
        assert!(!refused.stderr.contains("hunter2"), "{}", refused.stderr);
    }
    let checks = fleet.cli(&["doctor"]).await.fails_with(3).json();
    let failed: Vec<_> =
        checks.as_array().expect("a list").iter().filter(|c| c["ok"] == false).collect();
    assert_eq!(failed.len(), 2, "{failed:?}");
    fleet.discard();
}

/// It is told where the queue is, and of no database.
#[tokio::test]
async fn doctor_is_content_where_an_ingress_runs() {
    let mut fleet = Fleet::prepare(Profile::Fleet).await;
    let database = fleet.settings.remove("ONHAND_DATABASE_URL").expect("it was set");
    let checks = fleet.ok(&["doctor"]).await;
    let database_check = &checks.as_array().expect("a list")[2];
    assert_eq!(database_check["what"], "database");
    let detail = database_check["detail"].as_str().expect("a text");
    assert!(detail.contains("ONHAND_DATABASE_URL"), "{detail}");
    fleet.settings.insert("ONHAND_DATABASE_URL", database);
    fleet.finish().await;
}

#[tokio::test]
async fn an_older_schema_is_refused_with_the_command_that_mends_it() {
    let mut fleet = Fleet::prepare(Profile::Fleet).await;
    let empty: TestDatabase = test_database().await;
    let migrated = fleet.settings.insert("ONHAND_DATABASE_URL", empty.url()).expect("it was set");
    for command in [&["worker"][..], &["stock", "list"], &["verify"]] {
        fleet.cli(command).await.fails_with(2).names(&["onhand migrate"]);
    }
    fleet.ok(&["migrate"]).await;
    fleet.ok(&["stock", "list"]).await;
    fleet.ok(&["migrate"]).await;
    fleet.settings.insert("ONHAND_DATABASE_URL", migrated);
    fleet.finish().await;
}

#[tokio::test]
async fn a_second_serve_on_the_same_folder_refuses_and_the_first_goes_on() {
    let fleet = Fleet::start(Profile::Embedded, 0).await;
    fleet.stock("CAP", 10).await;
    let second = fleet.cli(&["serve", "--listen", "127.0.0.1:0"]).await.fails_with(2);
    second.names(&["another onhand is serving it", "ONHAND_DATA_DIR"]);
    let order = ShopifyOrder::new(1).line("CAP", 1).webhook("orders/create");
    assert_eq!(fleet.outcome(&order).await.0, "applied");
    fleet.finish().await;
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let fleet = Fleet::start(Profile::Embedded, 0).await;
    let taken = fleet.address().to_string();
    let elsewhere = fleet.path("elsewhere").display().to_string();
    let args = ["serve", "--listen", &taken, "--data-dir", &elsewhere];
    fleet.cli(&args).await.fails_with(2).names(&[&taken, "--listen", "for example"]);
    fleet.finish().await;
}

#[tokio::test]
async fn doctor_holds_this_machines_clock_against_the_databases() {
    let clock = async |fleet: &Fleet, code| {
        let checks = fleet.cli(&["doctor"]).await.fails_with(code).json();
        let clock = checks.as_array()?.iter().find(|check| check["what"] == "clock")?;
        Some((clock["ok"].as_bool()?, clock["detail"].as_str()?.to_owned()))
    };
    let alone = Fleet::prepare(Profile::Embedded).await;
    let (ok, detail) = clock(&alone, 0).await.expect("the check");
    assert!(ok && detail.contains("no other clock"), "{detail}");
    alone.discard();

    let fleet = Fleet::prepare(Profile::Fleet).await;
    let (ok, detail) = clock(&fleet, 0).await.expect("the check");
    assert!(ok && detail.ends_with("as by the database"), "{detail}");
    // Its clock is wrong from now on.
    fleet
        .run_sql(
            "CREATE FUNCTION clock_timestamp() RETURNS timestamptz LANGUAGE sql AS
             'SELECT pg_catalog.clock_timestamp() - interval ''90 seconds'''",
        )
        .await;
    fleet
        .run_sql(
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog', \
         current_database()); END $$",
        )
        .await;
    let (ok, detail) = clock(&fleet, 1).await.expect("the check");
    assert!(!ok && detail.contains("s ahead of the database's; set the clock"), "{detail}");
    assert!(["89 s", "90 s"].iter().any(|off| detail.contains(off)), "{detail}");
    fleet.discard();
}

#[tokio::test]
async fn every_role_tells_how_it_is_and_doctor_finds_nothing() {
    let fleet = Fleet::start(Profile::Fleet, 1).await;
    fleet.stock("CAP", 10).await;
    let order = ShopifyOrder::new(1).line("CAP", 1).webhook("orders/create");
    fleet.outcome(&order).await;
    let checks = fleet.ok(&["doctor"]).await;
    assert!(checks.as_array().expect("a list").iter().all(|check| check["ok"] == true));
    for (role, counter) in
        fleet.roles().zip(["onhand_ingress_requests_total", "onhand_webhooks_total"])
    {
        let ops = role.ops().await;
        for path in ["/healthz", "/readyz"] {
            assert_eq!(get(ops, path).await.expect("an answer").status, 200, "{path}");
        }
        assert_eq!(role.counter(counter).await, 1.0);
        fleet.cli(&["healthcheck", &format!("http://{ops}/healthz")]).await.fails_with(0);
    }
    fleet.finish().await;
}

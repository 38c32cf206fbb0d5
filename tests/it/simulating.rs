//! `onhand simulate` plays every sender against a running instance, and finds nothing lost.
//!
//! It is the sender here, so its own list is what the inbox is held against.

use domain::Provider;
use serde_json::Value;

use crate::harness::{Fleet, Profile, in_both_profiles, shops};

mod alarms;

in_both_profiles!(
    every_sender_can_be_played_and_nothing_is_lost,
    the_same_seed_sends_the_same_again,
    a_sale_is_as_fast_and_as_hot_as_it_was_asked_to_be,
);

const ADYEN_KEY: &str = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";
const STANDARD_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SECRET: &str = "only-for-tests";

/// The payments come after the orders that they are for.
const PLATFORMS: [&str; 6] = ["shopify", "woocommerce", "stripe", "adyen", "mollie", "standard"];

/// What these senders send has a name each time, so that a whole run again is nothing but repeats.
const ALL_NAMED: [&str; 4] = ["shopify", "stripe", "adyen", "standard"];

fn secret(platform: &str) -> &'static str {
    match platform {
        "adyen" => ADYEN_KEY,
        "standard" => STANDARD_SECRET,
        _ => SECRET,
    }
}

async fn start(profile: Profile) -> Fleet {
    let mut text = shops("");
    text += &format!(
        "[[shop]]\nname = \"site\"\nplatform = \"woocommerce\"\nsecrets = [\"plain:{SECRET}\"]\n"
    );
    for provider in Provider::ALL {
        let name = provider.as_str();
        text += &format!(
            "[[shop]]\nname = \"{name}\"\nplatform = \"payments\"\npays_for = \"demo\"\n\
             secrets = [\"plain:{}\"]\n",
            secret(name)
        );
    }
    let mut fleet = Fleet::prepare(profile).await;
    fleet.write_shops(&text);
    fleet.start_all(1).await;
    fleet
}

/// A run that must end well, and its report.
async fn simulate(fleet: &Fleet, platform: &str) -> Value {
    let (url, secret) = (format!("http://{}", fleet.address()), secret(platform));
    let arguments = format!(
        "simulate --platform {platform} --url {url} --secret plain:{secret} --orders 30 \
         --life-share 0.5 --duplicates 0.3 --disorder 5 --late-share 0.3 --seed 7 --setup --wait"
    );
    let report = fleet.ok(&arguments.split(' ').collect::<Vec<_>>()).await;
    assert_eq!(report["ok"], true, "{report}");
    assert_eq!(report["platform"], platform);
    assert_eq!(report["applied"]["complete"], true, "{report}");
    assert_eq!(report["applied"]["lost"], 0, "{report}");
    assert_eq!(report["applied"]["violations"], Value::Array(vec![]), "{report}");
    assert_eq!(report["applied"]["outcomes"]["dead"], 0, "{report}");
    report
}

async fn every_sender_can_be_played_and_nothing_is_lost(profile: Profile) {
    let fleet = start(profile).await;
    for platform in PLATFORMS {
        let report = simulate(&fleet, platform).await;
        let number = |value: &Value| value.as_u64().expect("a number");
        let duplicates = number(&report["applied"]["outcomes"]["duplicate"]);
        let repeated = number(&report["sent"]) - number(&report["webhooks"]);
        match platform {
            // One bare callback is like the other, whatever happened to the payment meanwhile.
            "mollie" => assert!(duplicates > repeated, "{report}"),
            _ => assert_eq!(duplicates, repeated, "{report}"),
        }
    }
    let status = fleet.ok(&["status"]).await;
    assert_eq!(status["dead_letters"], 0, "{status}");
    fleet.finish_simulated().await;
}

async fn the_same_seed_sends_the_same_again(profile: Profile) {
    let fleet = start(profile).await;
    for platform in ALL_NAMED {
        simulate(&fleet, platform).await;
        let again = simulate(&fleet, platform).await;
        assert_eq!(again["applied"]["outcomes"]["duplicate"], again["sent"], "{again}");
    }
    fleet.finish_simulated().await;
}

async fn a_sale_is_as_fast_and_as_hot_as_it_was_asked_to_be(profile: Profile) {
    let fleet = Fleet::start(profile, 1).await;
    let url = format!("http://{}", fleet.address());
    let run = async |options: &str| {
        let fixed = format!("simulate --url {url} --secret plain:{SECRET} --setup --wait");
        let arguments = format!("{fixed} --lines 1 --skus 20 {options}");
        let answer = fleet.cli(&arguments.split(' ').collect::<Vec<_>>()).await.fails_with(0);
        (answer.json(), answer.stderr)
    };
    let (report, _) = run("--seed 5 --orders 60 --hot-share 0.5 --hot-skus 1 \
                           --pay-share 1 --cancel-share 0.25 --rate 100 --connections 3 --units 500")
    .await;
    let asked = serde_json::json!({
        "platform": "shopify", "shop": "demo.myshopify.com", "orders": 60, "skus": 20,
        "hot_share": 0.5, "hot_skus": 1, "lines": 1, "life_share": 0.0, "pay_share": 1.0,
        "cancel_share": 0.25, "late_share": 0.0, "duplicates": 0.0, "disorder": 0, "seed": 5,
        "connections": 3, "rate": 100.0, "units": 500,
    });
    assert_eq!(report["asked"], asked);
    let number = |value: &Value| value.as_f64().expect("a number");
    // The first is sent at once.
    let least = (number(&report["sent"]) - 1.0) / 100.0;
    assert!(number(&report["seconds"]) >= least, "{report}");
    assert!(number(&report["sent_per_second"]) <= 100.0, "{report}");
    assert_eq!(report["topics"]["orders/paid"], 60, "{report}");
    let cancelled = number(&report["topics"]["orders/cancelled"]);
    assert!((5.0..=25.0).contains(&cancelled), "{report}");
    let rows = fleet.ok(&["stock", "list"]).await;
    let rows: Vec<_> = rows.as_array().expect("a list").iter().collect();
    assert!(rows.iter().all(|row| row["on_hand"] == 500), "{rows:?}");
    let committed: f64 = rows.iter().map(|row| number(&row["committed"])).sum();
    let hot = rows.iter().find(|row| row["sku"] == "SKU-00001").expect("the hot item");
    let share = number(&hot["committed"]) / committed;
    assert!((0.3..=0.7).contains(&share), "{share} of all units are hot");

    let (report, said) = run("--seed 6 --orders 500 --rate 1000000 --connections 1").await;
    assert_eq!(report["rate_reached"], false, "{report}");
    assert!(said.contains("--rate was not reached"), "{said}");
    let (report, said) = run("--seed 7 --orders 10").await;
    assert_eq!(report["rate_reached"], Value::Null, "{report}");
    assert!(!said.contains("--rate"), "{said}");
    fleet.finish_simulated().await;
}

#[tokio::test]
async fn a_sale_of_what_is_not_there_is_short_and_no_fault() {
    let fleet = Fleet::start(Profile::Embedded, 0).await;
    let (url, secret) = (format!("http://{}", fleet.address()), format!("plain:{SECRET}"));
    let sale = ["--orders", "20", "--skus", "5", "--setup", "--units", "0", "--wait"];
    let sender = ["simulate", "--url", &url, "--secret", &secret];
    let report = fleet.ok(&[&sender[..], &sale].concat()).await;
    assert_eq!(report["applied"]["outcomes"]["short"], 20, "{report}");
    fleet.finish_simulated().await;
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_before_anything_is_sent() {
    let fleet = Fleet::bare(Profile::Embedded);
    for (arguments, named) in [
        ("--secret plain:x --shop site", "--shop-domain"),
        ("--secret plain:x --platform stripe --shop-domain a.myshopify.com", "--shop"),
        ("--secret plain:x --platform woocommerce --shop a/b", "a-z"),
        ("--secret plain:x --platform stripe --pay-share 0.5", "--cancel-share"),
        ("--secret plain:x --platform adyen", "hexadecimal"),
        ("--secret plain:x --platform standard", "whsec_"),
        ("--secret plain:x --platform paypal", "woocommerce"),
        ("--secret plain:x --orders 100000 --lines 100", "fewer --orders or --lines"),
        ("--secret plain:x --orders 100000 --life-share 1", "smaller --life-share"),
        ("--secret plain:x --patience 5", "--wait"),
    ] {
        let arguments: Vec<_> = ["simulate"].into_iter().chain(arguments.split(' ')).collect();
        fleet.cli(&arguments).await.fails_with(2).names(&[named]);
    }
    fleet.discard();
}

#[tokio::test]
async fn a_demo_ends_well_and_says_so_in_json() {
    let fleet = Fleet::bare(Profile::Embedded);
    let said = fleet.ok(&["demo", "--orders", "1000", "--seed", "7"]).await;
    assert_eq!(
        (&said["ok"], &said["seed"], &said["orders"]),
        (&true.into(), &7.into(), &1000.into())
    );
    assert_eq!(said["oversold"], 0, "{said}");
    let promises = said["promises"].as_array().expect("a list");
    let kept = promises.iter().filter(|promise| promise["held"] == true);
    assert_eq!((promises.len(), kept.count()), (8, 8), "{said}");
    let outcomes = said["outcomes"].as_object().expect("counts by outcome").values();
    let decided: u64 = outcomes.filter_map(Value::as_u64).sum();
    assert!(said["received"].as_u64().is_some_and(|received| decided >= received), "{said}");
    fleet.discard();
}

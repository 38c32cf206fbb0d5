//! `onhand simulate` plays every sender against a running instance, and finds nothing lost.
//!
//! It is the sender here, so its own list is what the inbox is held against.

use domain::Provider;
use serde_json::Value;

use crate::harness::{Fleet, Profile, in_both_profiles, shops};

in_both_profiles!(
    every_sender_can_be_played_and_nothing_is_lost,
    the_same_seed_sends_the_same_again,
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

//! `onhand simulate` says so when something is wrong, and only then.
//!
//! What no worker has applied yet is not lost; what the database no longer has, is. Nothing of
//! Onhand loses anything, so the database does it itself, in the transaction of the worker.

use serde_json::{Value, json};
use testkit::shopify::{DOMAIN, SECRET, SignedWebhook};

use crate::harness::{Fleet, Profile, eventually, in_both_profiles};

in_both_profiles!(what_nobody_has_applied_yet_is_not_called_lost);

const SALE: &str = "simulate --orders 30 --lines 1 --skus 20 --setup --wait";

/// A sale with more options.
fn sale(fleet: &Fleet, options: &str) -> Vec<String> {
    let url = format!("http://{}", fleet.address());
    let arguments = format!("{SALE} --secret plain:{SECRET} --url {url} {options}");
    arguments.split_whitespace().map(str::to_owned).collect()
}

/// Its report, and what it ended with.
async fn simulate(fleet: &Fleet, options: &str) -> (i32, Value) {
    let arguments = sale(fleet, options);
    let answer = fleet.cli(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).await;
    (answer.code, answer.json())
}

async fn what_nobody_has_applied_yet_is_not_called_lost(profile: Profile) {
    let mut fleet = Fleet::start(profile, 1).await;
    match fleet.workers.pop() {
        Some(worker) => worker.stop().await,
        None => {
            fleet.ok(&["pause"]).await;
            fleet.front.as_ref().expect("it runs").says("what is paused has changed").await;
        }
    }
    let (code, report) = simulate(&fleet, "--patience 1").await;
    assert_eq!((code, &report["ok"]), (1, &json!(false)), "{report}");
    let applied = &report["applied"];
    assert_eq!(applied["complete"], false, "{report}");
    assert_eq!((&applied["lost"], &applied["not_applied"]), (&Value::Null, &json!(30)));
    assert_eq!(applied["orders_per_second"], Value::Null, "{report}");
    assert_eq!(applied["violations"], json!([]), "{report}");

    let arguments = sale(&fleet, "--patience 1");
    let text = fleet.text(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let said = text.fails_with(1).stdout;
    assert!(said.contains("not applied yet") && !said.contains("lost"), "{said}");

    match profile {
        Profile::Fleet => fleet.start_worker(&[]).await,
        Profile::Embedded => assert_eq!(fleet.ok(&["resume"]).await["changed"], true),
    }
    eventually("all of both sales is applied", async || {
        (fleet.count("applied").await == 60).then_some(())
    })
    .await;
    fleet.finish_simulated().await;
}

/// Once, for a webhook whose row meets this event, the database does this as well.
async fn tamper(fleet: &Fleet, event: &str, deed: &str) {
    let statement = format!(
        "CREATE TABLE tampered (once bool PRIMARY KEY);
         CREATE FUNCTION tamper() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
             INSERT INTO tampered VALUES (true) ON CONFLICT DO NOTHING;
             IF FOUND THEN {deed} END IF;
             RETURN NULL;
         END $$;
         CREATE CONSTRAINT TRIGGER tamper AFTER {event} ON webhooks DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION tamper();"
    );
    fleet.run_sql(&statement).await;
}

/// The end of a test after which promises are broken.
async fn stop(mut fleet: Fleet) {
    for role in fleet.front.take().into_iter().chain(fleet.workers.drain(..)) {
        role.stop().await;
    }
    fleet.discard();
}

fn has_violation_of(report: &Value, promise: &str) -> bool {
    let violations = report["applied"]["violations"].as_array().expect("a list");
    violations.iter().filter_map(Value::as_str).any(|text| text.starts_with(promise))
}

#[tokio::test]
async fn a_lost_webhook_and_stock_that_nothing_explains_are_found() {
    let fleet = Fleet::start(Profile::Fleet, 1).await;
    let deed = "DELETE FROM webhooks WHERE webhook_id = NEW.webhook_id;
                UPDATE stock SET on_hand = on_hand + 1 WHERE sku = 'SKU-00001';";
    tamper(&fleet, "INSERT", deed).await;
    let (code, report) = simulate(&fleet, "").await;
    assert_eq!((code, &report["ok"]), (1, &json!(false)), "{report}");
    assert_eq!(report["applied"]["complete"], true, "{report}");
    assert_eq!(report["applied"]["lost"], 1, "{report}");
    assert!(has_violation_of(&report, "P6") && has_violation_of(&report, "P7"), "{report}");
    stop(fleet).await;
}

#[tokio::test]
async fn what_came_in_an_earlier_run_does_not_stand_for_what_is_lost_now() {
    let fleet = Fleet::start(Profile::Fleet, 1).await;
    let (code, report) = simulate(&fleet, "--seed 7").await;
    assert_eq!((code, &report["applied"]["lost"]), (0, &json!(0)), "{report}");
    let deed = "UPDATE webhooks SET deliveries = deliveries - 1
                    WHERE webhook_id = NEW.webhook_id;";
    tamper(&fleet, "UPDATE", deed).await;
    let (code, report) = simulate(&fleet, "--seed 7").await;
    assert_eq!((code, &report["applied"]["complete"]), (1, &json!(true)), "{report}");
    assert_eq!(report["applied"]["lost"], 1, "{report}");
    assert_eq!(report["applied"]["outcomes"]["duplicate"], 30, "{report}");
    stop(fleet).await;
}

#[tokio::test]
async fn a_sale_that_comes_to_what_it_cannot_is_no_success() {
    let mut fleet = Fleet::start(Profile::Fleet, 0).await;
    let stranger = SignedWebhook::raw("carts/create", DOMAIN, SECRET, "{}");
    assert_eq!(fleet.post_plain(&stranger.request()).await.status, 200);
    let mut command = fleet.command(&[]);
    let simulating = command.args(sale(&fleet, "")).arg("--json").spawn().expect("it starts");
    let begun = "the sale is being sent, so what came before it was counted";
    eventually(begun, async || {
        let waiting = fleet.ok(&["status"]).await["queue"]["ready"].as_i64();
        waiting.filter(|ready| *ready > 1)
    })
    .await;
    fleet.start_worker(&[]).await;
    let output = simulating.wait_with_output().await.expect("our own child");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(output.status.code(), Some(1), "{report}");
    let applied = &report["applied"];
    assert_eq!((&applied["complete"], &applied["lost"]), (&json!(true), &json!(0)), "{report}");
    assert_eq!(applied["outcomes"]["ignored"], 1, "{report}");
    let trouble = applied["troubles"][0].as_str().expect("it is told");
    assert!(trouble.starts_with("1 were ignored"), "{report}");
    fleet.finish_simulated().await;
}

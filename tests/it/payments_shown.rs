//! `order show` knows every callback of every payment for an order, whenever each was decided.

use domain::{EnvelopeId, Provider, Timestamp};
use serde_json::{Value, json};
use testkit::payments::PaymentLife;
use testkit::request::Request;
use testkit::shopify::ShopifyOrder;

use crate::harness::{Fleet, Profile, get, in_both_profiles, shops};

in_both_profiles!(all_callbacks_of_a_payment_are_shown_with_each_of_its_orders,);

const SECRET: &str = "a-secret-of-the-account";

/// An account at Mollie, whose signature is over the body alone.
fn till() -> String {
    shops(&format!(
        "[[shop]]\nname = \"till\"\nplatform = \"payments\"\npays_for = \"demo\"\n\
         secrets = [\"plain:{SECRET}\"]\n"
    ))
}

async fn all_callbacks_of_a_payment_are_shown_with_each_of_its_orders(profile: Profile) {
    let mut fleet = Fleet::prepare(profile).await;
    fleet.write_shops(&till());
    fleet.start_all(1).await;
    fleet.stock("CAP", 10).await;
    for id in [1, 2] {
        fleet.outcome(&ShopifyOrder::new(id).line("CAP", 1).webhook("orders/create")).await;
    }
    let id = json!("0193e5a2-0000-7000-8000-000000000001");
    let EnvelopeId(unique) = serde_json::from_value(id).expect("an id");
    let now = Timestamp(jiff::Timestamp::now().as_microsecond());
    let mut told = Vec::new();
    // First nobody says for which order, then one is named, then another.
    for (step, order) in [(0, ""), (1, "2"), (2, "1")] {
        let mut life = PaymentLife::new(Provider::Mollie, "till", SECRET, order).known_by(unique);
        let calls: [Request; 3] = [life.fail(now), life.authorise(now), life.capture(now)];
        fleet.tell(&calls[step]).await;
        let body: Value = serde_json::from_slice(&calls[step].body).expect("it is JSON");
        told.push(body["id"].as_str().expect("it has an id").to_owned());
    }
    for order in ["1", "2"] {
        let shown = fleet.ok(&["order", "show", "demo", order]).await;
        let list = |name: &str| shown[name].as_array().expect("a list").clone();
        let ids: Vec<Value> =
            list("webhooks").iter().map(|row| row["webhook_id"].clone()).collect();
        for id in &told {
            let times = ids.iter().filter(|shown| **shown == json!(id)).count();
            assert_eq!(times, 1, "order {order}, callback {id}: {shown}");
        }
        assert_eq!(ids.len(), told.len() + 1, "{shown}");
        assert_eq!(list("payments").len(), 1, "{shown}");
        let events = shown["payments"][0]["events"].as_array().map(Vec::len);
        assert_eq!(events, Some(told.len()), "{shown}");
        if profile == Profile::Embedded {
            assert_story(&fleet, order).await;
        }
    }
    fleet.finish().await;
}

/// The console tells what happened to the payment among all else. Where, is not for sure: providers
/// tell moments in whole seconds.
async fn assert_story(fleet: &Fleet, order: &str) {
    let ops = fleet.front.as_ref().expect("it runs").ops().await;
    let path = format!("/console/order?shop=demo&id={order}");
    let page = get(ops, &path).await.expect("it answers").body;
    let story = page.split("<ol class=\"timeline\">").nth(1).expect("a timeline");
    for told in ["orders/create</a> came", ">failed<", ">authorised<", ">captured<"] {
        assert!(story.contains(told), "{told}: {story}");
    }
    assert_eq!(story.matches("<span>payment till ").count(), 3, "{story}");
}

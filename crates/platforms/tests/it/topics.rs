//! Topics against bodies: headers are not signed, so a body may come under any topic.

use domain::{DeadReason, Fact, Meaning};
use serde_json::json;

use crate::samples::{inventory_item_gone, meaning, samples};

#[test]
fn every_topic_reads_its_own_body() {
    for sample in samples() {
        let meaning = meaning(sample.topic, &sample.body);
        let fits = match sample.shape {
            "order" | "edit" | "refund" | "fulfilment" | "transaction" => {
                matches!(meaning, Meaning::Fact(Fact::Order(_)))
            }
            "bare id" => matches!(meaning, Meaning::Fact(Fact::Order(_) | Fact::Sightings(_))),
            "data request" | "redact customer" | "redact shop" => {
                matches!(meaning, Meaning::Fact(Fact::Privacy(_)))
            }
            _ => matches!(meaning, Meaning::Fact(Fact::Sightings(_))),
        };
        assert!(fits, "{}: {meaning:?}", sample.topic);
    }
}

#[test]
fn no_topic_reads_the_body_of_another() {
    let samples = samples();
    for topic in &samples {
        for other in samples.iter().filter(|other| other.shape != topic.shape) {
            // Older versions may have sent no more than an id here as well.
            if topic.shape == "item gone" && other.shape == "bare id" {
                continue;
            }
            let pair = format!("{} as {}", other.topic, topic.topic);
            match meaning(topic.topic, &other.body) {
                Meaning::Dead { reason, .. } => assert!(
                    matches!(reason, DeadReason::TopicMismatch | DeadReason::Malformed),
                    "{pair}: {reason:?}"
                ),
                meaning => panic!("{pair}: {meaning:?}"),
            }
        }
    }
}

#[test]
fn no_topic_reads_what_is_empty_or_no_object() {
    for sample in samples() {
        for body in [json!({}), json!([]), json!(null), json!(7), json!("x"), json!([{"id": 1}])] {
            let meaning = meaning(sample.topic, &body);
            assert!(matches!(meaning, Meaning::Dead { .. }), "{}: {meaning:?}", sample.topic);
        }
    }
}

#[test]
fn fields_that_nobody_knows_yet_change_nothing() {
    for sample in samples().iter().filter(|sample| sample.shape != "bare id") {
        let mut body = sample.body.clone();
        body["from_2027_on"] = json!({"id": 1, "line_items": [{"sku": 7}]});
        assert_eq!(meaning(sample.topic, &body), meaning(sample.topic, &sample.body));
    }
}

#[test]
fn without_graphql_ids_the_fields_tell() {
    for sample in samples().iter().filter(|sample| sample.shape != "item gone") {
        let mut body = sample.body.clone();
        body.as_object_mut().expect("bodies are objects").remove("admin_graphql_api_id");
        assert_eq!(meaning(sample.topic, &body), meaning(sample.topic, &sample.body));
    }
}

#[test]
fn other_topics_are_no_matter_of_ours() {
    for topic in [
        "app/scopes_update",
        "carts/update",
        "collections/update",
        "customers/create",
        "inventory_levels/",
        "inventory_levels/set",
        "locations/update",
        "orders",
        "orders/",
        "ORDERS/CREATE",
        "products/update/",
        "shop/update",
        "variants/in_stock",
        "",
    ] {
        let meaning = meaning(topic, &inventory_item_gone());
        assert_eq!(meaning, Meaning::Ignored("unsupported_topic"), "{topic:?}");
    }
}

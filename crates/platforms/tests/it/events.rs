//! Webhooks that bring no whole order.

use std::collections::BTreeMap;

use domain::order::{FulfilmentStatus, Known, Restock};
use domain::{DeadReason, Fact, FulfilmentId, LineId, Meaning, OrderFact, RefundLineId};
use serde_json::{Value, json};

use crate::bodies::{PAID, PARTIALLY_FULFILLED, PARTLY_REFUNDED, envelope, order};

const ORDER: u64 = 6_142_057_283_910;

fn meaning(topic: &str, body: &Value) -> Meaning {
    platforms::parse(&envelope(topic, body.to_string()))
}

#[track_caller]
fn fact(topic: &str, body: &Value) -> OrderFact {
    match meaning(topic, body) {
        Meaning::Fact(Fact::Order(fact)) => *fact,
        other => panic!("{topic} is no fact: {other:?}"),
    }
}

#[track_caller]
fn dead(topic: &str, body: &Value) -> (DeadReason, String) {
    match meaning(topic, body) {
        Meaning::Dead { reason, detail } => (reason, detail),
        other => panic!("{topic} is not dead: {other:?}"),
    }
}

/// A part of `body` as its own webhook shows it.
fn part(body: &str, pointer: &str) -> Value {
    let order: Value = serde_json::from_str(body).expect("the fixture is JSON");
    let mut part = order.pointer(pointer).expect("the part is there").clone();
    part["order_id"] = json!(ORDER);
    part
}

fn edit(order_edit: &Value) -> Value {
    json!({ "order_edit": order_edit })
}

#[test]
fn a_refund_is_the_same_alone_and_inside_its_order() {
    let alone = fact("refunds/create", &part(PARTLY_REFUNDED, "/refunds/0"));
    let inside = order(PARTLY_REFUNDED);
    assert_eq!((&alone.order, alone.test), (&inside.order, false));
    let known = Known { refund_lines: inside.known.refund_lines, ..Known::default() };
    assert_eq!(alone.known, known);
    let returned = &alone.known.refund_lines[&RefundLineId::new("640044105990")];
    assert_eq!((returned.quantity, returned.restock), (1, Restock::Return));
}

#[test]
fn a_fulfilment_is_the_same_alone_and_inside_its_order() {
    let body = part(PARTIALLY_FULFILLED, "/fulfillments/0");
    let known =
        Known { fulfilments: order(PARTIALLY_FULFILLED).known.fulfilments, ..Known::default() };
    for topic in ["fulfillments/create", "fulfillments/update"] {
        assert_eq!(fact(topic, &body).known, known, "{topic}");
    }
    let part = &known.fulfilments[&FulfilmentId::new("5538200170886")];
    assert_eq!(part.status, FulfilmentStatus::Success);
    assert_eq!(part.lines, BTreeMap::from([(LineId::new("15208437252422"), 2)]));
}

#[test]
fn a_refund_of_money_alone_teaches_nothing() {
    let body = json!({"id": 9, "order_id": ORDER, "refund_line_items": [], "created_at": "2026-03-02T08:14:10Z"});
    assert_eq!(fact("refunds/create", &body).known, Known::default());
}

#[test]
fn money_that_came_in_pays_the_order() {
    for (kind, status, paid) in [
        ("sale", "success", true),
        ("capture", "success", true),
        ("sale", "failure", false),
        ("capture", "pending", false),
        ("authorization", "success", false),
        ("void", "success", false),
        ("refund", "success", false),
        ("something_new", "success", false),
    ] {
        let body = json!({"id": 1, "order_id": ORDER, "kind": kind, "status": status,
            "admin_graphql_api_id": "gid://shopify/OrderTransaction/1", "amount": "10.00"});
        match meaning("order_transactions/create", &body) {
            Meaning::Fact(Fact::Order(fact)) => {
                assert!(paid, "{kind} {status}");
                assert_eq!(fact.known, Known { paid: true, ..Known::default() });
            }
            other => assert_eq!((other, paid), (Meaning::Ignored("no_money_came_in"), false)),
        }
    }
    let test = json!({"order_id": ORDER, "kind": "sale", "status": "success", "test": true});
    assert!(fact("order_transactions/create", &test).test);
}

#[test]
fn an_edit_says_only_that_there_was_one() {
    let body = edit(&json!({"id": 5, "order_id": ORDER, "created_at": "2026-03-02T08:00:00Z",
        "committed_at": "2026-03-02T09:14:10+01:00",
        "line_items": {"additions": [{"id": 1, "delta": 1}], "removals": []}}));
    let fact = fact("orders/edited", &body);
    assert_eq!(fact.order.as_str(), ORDER.to_string());
    let at = order(PAID).known.snapshot.unwrap().rank.updated_at;
    assert_eq!(fact.known, Known { edited_at: Some(at), ..Known::default() });
    assert!(fact.known.is_edit_pending());
    // The snapshot of that very second shows the edit.
    let mut known = order(PAID).known;
    assert!(!known.join(fact.known).parts_changed);
    assert!(!known.is_edit_pending());
}

#[test]
fn a_deletion_is_an_id_and_nothing_else() {
    for id in [json!(ORDER), json!(ORDER.to_string())] {
        let fact = fact("orders/delete", &json!({ "id": id }));
        assert_eq!(fact.order.as_str(), ORDER.to_string());
        assert_eq!(fact.known, Known { deleted: true, ..Known::default() });
    }
    let sample = fact("orders/delete", &json!({"id": 820_982_911_946_154_508_u64}));
    assert!(sample.test, "a test notification deletes nothing");
    let (reason, detail) = dead("orders/delete", &json!({"id": ORDER, "name": "#1"}));
    assert_eq!(reason, DeadReason::TopicMismatch, "{detail}");
    assert_eq!(dead("orders/delete", &json!({})).0, DeadReason::Malformed);
}

#[test]
fn a_body_that_is_not_what_its_topic_brings_is_a_dead_letter() {
    let whole: Value = serde_json::from_str(PAID).unwrap();
    let refund = part(PARTLY_REFUNDED, "/refunds/0");
    let fulfilment = part(PARTIALLY_FULFILLED, "/fulfillments/0");
    let transaction = json!({"id": 1, "order_id": ORDER, "kind": "sale", "status": "success"});
    let deletion = json!({ "id": ORDER });
    let edit = edit(&json!({"order_id": ORDER, "committed_at": "2026-03-02T08:14:10Z"}));
    let bodies = [
        ("orders/updated", whole),
        ("refunds/create", refund),
        ("fulfillments/update", fulfilment),
        ("order_transactions/create", transaction),
        ("orders/delete", deletion),
        ("orders/edited", edit),
    ];
    for (topic, _) in &bodies {
        for (of, body) in &bodies {
            if of == topic {
                fact(topic, body);
            } else {
                let (reason, detail) = dead(topic, body);
                assert_eq!(reason, DeadReason::TopicMismatch, "{of} as {topic}: {detail}");
            }
        }
    }
    let mut foreign = part(PARTLY_REFUNDED, "/refunds/0");
    foreign["admin_graphql_api_id"] = json!("gid://shopify/Fulfillment/1");
    assert_eq!(dead("refunds/create", &foreign).0, DeadReason::TopicMismatch);
}

#[test]
fn what_is_wrong_is_named_with_its_path() {
    let mut refund = part(PARTLY_REFUNDED, "/refunds/0");
    refund["refund_line_items"][1]["quantity"] = json!(-1);
    let mut fulfilment = part(PARTIALLY_FULFILLED, "/fulfillments/0");
    fulfilment["line_items"][0]["quantity"] = json!("two");
    for (topic, body, path) in [
        ("refunds/create", refund, "refund_line_items[1].quantity: "),
        ("fulfillments/create", fulfilment, "line_items[0].quantity: "),
        ("orders/edited", edit(&json!({"order_id": ORDER})), "order_edit.committed_at: missing"),
        ("orders/edited", edit(&json!({"order_id": -1})), "order_edit.order_id: "),
        ("orders/edited", edit(&json!([1])), "order_edit: "),
        ("orders/delete", json!({"id": 1.5}), "id: "),
    ] {
        let (reason, detail) = dead(topic, &body);
        assert_eq!(reason, DeadReason::Malformed, "{topic}: {detail}");
        assert!(detail.starts_with(path), "{topic}: {detail}");
    }
}

#[test]
fn what_only_the_platform_could_explain_says_so() {
    let body =
        json!({"fulfillment_order": {"id": "gid://shopify/FulfillmentOrder/1", "status": "open"}});
    for topic in
        ["fulfillment_orders/moved", "returns/approve", "reverse_fulfillment_orders/dispose"]
    {
        assert_eq!(meaning(topic, &body), Meaning::Ignored("needs_fetch"), "{topic}");
    }
}

//! What customers and shops ask of whoever holds their data.

use std::collections::BTreeSet;

use domain::privacy::{PrivacyKind, PrivacyRequest};
use domain::{DeadReason, Fact, Meaning, OrderId};
use serde_json::{Value, json};

use crate::samples::{data_request, meaning, redact_customer, redact_shop};

const DOMAIN: &str = "demo.myshopify.com";

#[track_caller]
fn asked(topic: &str, body: &Value) -> PrivacyRequest {
    match meaning(topic, body) {
        Meaning::Fact(Fact::Privacy(request)) => request,
        other => panic!("{topic} asks nothing: {other:?}"),
    }
}

#[track_caller]
fn dead(topic: &str, body: &Value) -> (DeadReason, String) {
    match meaning(topic, body) {
        Meaning::Dead { reason, detail } => (reason, detail),
        other => panic!("{topic} is not dead: {other:?}"),
    }
}

fn of_shop(mut body: Value) -> Value {
    body["shop_domain"] = json!(DOMAIN);
    body
}

fn orders(ids: &[&str]) -> BTreeSet<OrderId> {
    ids.iter().map(OrderId::new).collect()
}

#[test]
fn a_customer_asks_for_data() {
    let expected = PrivacyRequest {
        kind: PrivacyKind::DataRequest,
        domain: DOMAIN.to_owned(),
        customer: Some("7744120066".into()),
        orders: orders(&["6142057283910", "6142057283911"]),
        traces: vec!["kim@mail.example".into(), "+49 30 5550100".into()],
    };
    assert_eq!(asked("customers/data_request", &data_request()), expected);
    let mut older = data_request();
    older.as_object_mut().unwrap().remove("data_request");
    older["orders_requested"] = json!(["gid://shopify/Order/6142057283910", "6142057283911"]);
    older["customer"]["id"] = json!("gid://shopify/Customer/7744120066");
    assert_eq!(asked("customers/data_request", &older), expected);
}

#[test]
fn a_customer_asks_to_be_forgotten() {
    let expected = PrivacyRequest {
        kind: PrivacyKind::RedactCustomer,
        domain: DOMAIN.to_owned(),
        customer: Some("7744120066".into()),
        orders: orders(&["6142057283910"]),
        traces: vec!["kim@mail.example".into()],
    };
    assert_eq!(asked("customers/redact", &redact_customer()), expected);
}

#[test]
fn a_shop_asks_to_be_forgotten() {
    let expected = PrivacyRequest {
        kind: PrivacyKind::RedactShop,
        domain: DOMAIN.to_owned(),
        customer: None,
        orders: BTreeSet::new(),
        traces: Vec::new(),
    };
    assert_eq!(asked("shop/redact", &redact_shop()), expected);
}

#[test]
fn a_request_needs_one_way_to_find_the_customer() {
    let full = [
        json!({"customer": {"id": 7}, "orders_to_redact": []}),
        json!({"customer": {"id": null, "email": "a@mail.example"}, "orders_to_redact": null}),
        json!({"customer": {"phone": "+49 1"}, "orders_to_redact": []}),
        json!({"customer": {}, "orders_to_redact": [1, 1]}),
        json!({"customer": null, "orders_to_redact": [1]}),
    ];
    for body in full {
        asked("customers/redact", &of_shop(body));
    }
    for customer in [json!(null), json!({}), json!({"id": null, "email": "", "phone": " "})] {
        let body = of_shop(json!({"customer": customer, "orders_to_redact": []}));
        assert_eq!(
            dead("customers/redact", &body),
            (DeadReason::Malformed, "customer: missing".into())
        );
    }
}

#[test]
fn what_is_blank_traces_nobody() {
    let customer = json!({"id": 7, "email": "", "phone": "  "});
    let body = of_shop(json!({"customer": customer, "orders_to_redact": []}));
    assert!(asked("customers/redact", &body).traces.is_empty());
}

#[test]
fn one_request_is_not_another() {
    let bodies = [
        ("customers/data_request", data_request()),
        ("customers/redact", redact_customer()),
        ("shop/redact", redact_shop()),
    ];
    for (topic, _) in &bodies {
        for (of, body) in &bodies {
            if topic != of {
                let (reason, detail) = dead(topic, body);
                assert_eq!(reason, DeadReason::TopicMismatch, "{of} as {topic}: {detail}");
                assert!(detail.starts_with(topic), "{detail}");
            }
        }
    }
    // Erasing everything needs a body that asks for just that.
    for body in [
        json!({"shop_id": 1}),
        json!({"shop_domain": "demo.myshopify.com"}),
        json!({"shop_id": 1, "shop_domain": null}),
        json!({"shop_id": 1, "shop_domain": "demo.myshopify.com", "customer": null}),
        json!({"shop_id": 1, "shop_domain": "demo.myshopify.com", "orders_to_redact": []}),
    ] {
        assert_eq!(dead("shop/redact", &body).0, DeadReason::TopicMismatch, "{body}");
    }
    let both = json!({"customer": {"id": 7}, "orders_requested": [], "orders_to_redact": []});
    assert_eq!(dead("customers/redact", &both).0, DeadReason::TopicMismatch);
}

#[test]
fn what_is_wrong_is_named_and_nothing_personal_with_it() {
    for (body, path) in [
        (json!({"customer": {"id": -7}, "orders_to_redact": []}), "customer.id: "),
        (json!({"customer": [7], "orders_to_redact": []}), "customer: "),
        (json!({"customer": {"id": 7}, "orders_to_redact": [1, {}]}), "orders_to_redact[1]: "),
        (
            json!({"customer": {"email": "kim@mail.example".repeat(20)}, "orders_to_redact": []}),
            "customer.email: ",
        ),
    ] {
        let (reason, detail) = dead("customers/redact", &body);
        assert_eq!(reason, DeadReason::Malformed, "{detail}");
        assert!(detail.starts_with(path) && !detail.contains("kim@"), "{detail}");
    }
}

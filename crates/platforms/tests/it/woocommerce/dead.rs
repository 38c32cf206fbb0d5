use domain::{DeadReason, Meaning};
use serde_json::{Value, json};

use super::{body, dead, dead_under, line, one_line, parse};

#[track_caller]
fn malformed(body: &Value, path: &str) -> String {
    let (reason, detail) = dead(body);
    assert_eq!(reason, DeadReason::Malformed, "{detail}");
    assert!(detail.starts_with(&format!("{path}: ")), "{detail:?} does not begin with {path}");
    assert!(detail.chars().count() <= 300 && !detail.contains(char::is_control), "{detail:?}");
    detail
}

#[test]
fn a_bad_value_is_named_with_its_path() {
    let bad: &[(&str, &str, &[Value])] = &[
        ("/id", "id", &[json!(-1), json!(1.5), json!("x"), json!(""), json!("+1"), json!([])]),
        ("/id", "id", &[json!(null), json!(1e20), json!("18446744073709551616")]),
        ("/status", "status", &[json!(1), json!("a\u{0}"), json!("s".repeat(256))]),
        ("/number", "number", &[json!(1.5), json!("a\n"), json!([])]),
        ("/date_modified_gmt", "date_modified_gmt", &[json!(""), json!(1), json!("2026-11-21")]),
        ("/date_modified_gmt", "date_modified_gmt", &[json!("-001-11-30T00:00:00")]),
        ("/date_modified_gmt", "date_modified_gmt", &[json!("2".repeat(9999))]),
        ("/date_created_gmt", "date_created_gmt", &[json!("2026-02-30T00:00:00")]),
        ("/date_paid_gmt", "date_paid_gmt", &[json!(true)]),
        ("/date_completed_gmt", "date_completed_gmt", &[json!("soon")]),
        ("/refunds", "refunds", &[json!({}), json!("none")]),
        ("/line_items", "line_items", &[json!({}), json!("none"), json!(1)]),
        ("/line_items/1", "line_items[1]", &[json!(null), json!([1, 2, 3]), json!(5)]),
        ("/line_items/1/id", "line_items[1].id", &[json!(null), json!(true)]),
        ("/line_items/1/sku", "line_items[1].sku", &[json!("a\u{0}"), json!(1.5), json!(["A"])]),
        ("/line_items/1/sku", "line_items[1].sku", &[json!("s".repeat(256)), json!("\u{85}")]),
        ("/line_items/1/variation_id", "line_items[1].variation_id", &[json!("v")]),
        ("/line_items/1/product_id", "line_items[1].product_id", &[json!(-1)]),
        ("/line_items/1/meta_data", "line_items[1].meta_data", &[json!("none"), json!({})]),
        ("/line_items/1/meta_data/0", "line_items[1].meta_data[0]", &[json!([]), json!(1)]),
        (
            "/line_items/1/meta_data/2/value",
            "line_items[1]._reduced_stock",
            &[json!("many"), json!([]), json!({}), json!(true), json!(2e9), json!("1e3")],
        ),
    ];
    for (pointer, path, values) in bad {
        for value in *values {
            let mut body = body("processing");
            *body.pointer_mut(pointer).expect("it is there") = value.clone();
            malformed(&body, path);
        }
    }
}

#[test]
fn a_quantity_is_in_bounds() {
    for quantity in [
        json!(-1),
        json!(-0.5),
        json!(1_000_000_001),
        json!(1_000_000_000.5),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1e300),
        json!("-1"),
        json!("+1"),
        json!("1e3"),
        json!("inf"),
        json!("NaN"),
        json!("."),
        json!("1.2.3"),
        json!("two"),
        json!(""),
        json!("9".repeat(40)),
        json!(true),
        json!(null),
    ] {
        let mut body = body("processing");
        body["line_items"] = json!([line(11, quantity.clone(), "MUG", None)]);
        let detail = malformed(&body, "line_items[0].quantity");
        assert!(detail.contains("from 0 to 1000000000"), "{detail}");
    }
}

#[test]
fn part_of_a_unit_is_no_stock() {
    for part in [json!(1.5), json!("1.5"), json!("0.001"), json!(999_999_999.5)] {
        let mut body = body("processing");
        body["line_items"] = json!([line(11, part.clone(), "MUG", None)]);
        let (reason, detail) = dead(&body);
        assert_eq!(reason, DeadReason::FractionalQuantity, "{detail}");
        let number = part.to_string();
        let number = number.trim_matches('"');
        assert!(detail.starts_with(&format!("line_items[0].quantity: {number} is")), "{detail}");
        assert!(detail.ends_with("discarded"), "{detail}");
    }
    let mut body = body("failed");
    body["line_items"] = json!([line(11, 2, "MUG", None), line(12, 2, "MUG", Some(json!("0.5")))]);
    let (reason, detail) = dead(&body);
    assert_eq!(reason, DeadReason::FractionalQuantity);
    assert!(detail.starts_with("line_items[1]._reduced_stock: 0.5 is"), "{detail}");
}

/// A webhook's settings still offer it. Everything else of it reads well.
#[test]
fn an_order_of_the_first_version_is_not_misread() {
    let mut old = body("completed");
    old.as_object_mut().expect("an object").retain(|field, _| !field.ends_with("_gmt"));
    let detail = malformed(&old, "date_modified_gmt");
    assert!(detail.contains("WP REST API Integration v3"), "{detail}");
}

#[test]
fn no_line_is_there_twice() {
    let mut body = body("processing");
    body["line_items"] =
        json!([line(11, 1, "MUG", None), line(12, 1, "A", None), line(11, 2, "B", None)]);
    assert_eq!(malformed(&body, "line_items[2].id"), "line_items[2].id: 11 is there twice");
}

#[test]
fn a_body_that_is_no_order_does_not_fit_the_topic() {
    let order = body("processing");
    let without = |field: &str| {
        let mut body = order.clone();
        body.as_object_mut().expect("an object").remove(field);
        body
    };
    for topic in ["order.created", "order.updated", "order.restored"] {
        for body in [
            json!({}),
            json!({ "id": 897 }),
            json!({ "id": 897, "status": "publish", "sku": "MUG", "manage_stock": true }),
            json!({ "id": 7, "status": "active", "topic": "order.updated" }),
            json!({ "id": 7, "code": "woocommerce_rest_cannot_view" }),
            json!({ "action": "woocommerce_order_status_changed", "arg": 897 }),
            without("status"),
            without("line_items"),
            one_line("processing", 1, None, &[("line_items", Value::Null)]),
        ] {
            let (reason, detail) = dead_under(topic, body.to_string());
            assert_eq!(reason, DeadReason::TopicMismatch, "{body}");
            assert!(detail.starts_with(&format!("{topic} does not bring ")), "{detail}");
        }
    }
    for body in [order.clone(), json!({ "id": 897, "status": "trash" })] {
        let (reason, detail) = dead_under("order.deleted", body.to_string());
        assert_eq!(reason, DeadReason::TopicMismatch);
        assert_eq!(detail, "order.deleted does not bring something with more fields than an id");
    }
    for body in ["{}", r#"{"id":null}"#] {
        assert_eq!(
            dead_under("order.deleted", body),
            (DeadReason::Malformed, "id: missing".into())
        );
    }
    assert_eq!(dead_under("order.deleted", r#"{"id":"x"}"#).0, DeadReason::Malformed);
}

#[test]
fn an_error_in_an_orders_place_says_what_to_do() {
    let error = |code: Value| {
        let message = "Sorry, you cannot view this resource.";
        json!({ "code": code, "message": message, "data": { "status": 401 } }).to_string()
    };
    for (topic, what) in [("order.updated", "the order"), ("product.updated", "the product")] {
        let (reason, detail) = dead_under(topic, error(json!("woocommerce_rest_cannot_view")));
        assert_eq!(reason, DeadReason::RestCannotView);
        let says = format!("the shop sent an error instead of {what}: the webhook's owner was");
        assert!(detail.starts_with(&says), "{detail}");
        assert!(detail.contains("Settings > Advanced > Webhooks"), "{detail}");
        assert!(detail.ends_with("that brings it whole"), "it was cut: {detail}");

        let (reason, detail) = dead_under(topic, error(json!("rest_no_route")));
        assert_eq!(reason, DeadReason::Malformed);
        assert_eq!(detail, format!("the shop sent an error instead of {what}: rest_no_route"));
        for code in [json!(7), json!(null)] {
            assert_eq!(dead_under(topic, error(code)).0, DeadReason::TopicMismatch);
        }
    }
}

#[test]
fn what_is_not_json_is_malformed() {
    let order = body("processing").to_string();
    let cut = &order[..order.len() / 2];
    let twice = order.replacen('{', r#"{"id":1,"#, 1);
    let bodies: &[&[u8]] = &[
        b"",
        b" ",
        b"null",
        b"[]",
        b"7",
        b"{",
        b"webhook_id=2",
        b"\xef\xbb\xbf{}",
        b"{\"id\":\xff}",
        br#"{"id":"\ud800"}"#,
        cut.as_bytes(),
        twice.as_bytes(),
    ];
    for topic in
        ["order.created", "order.restored", "order.deleted", "product.updated", "product.deleted"]
    {
        for body in bodies {
            let (reason, detail) = dead_under(topic, body.to_vec());
            let body = String::from_utf8_lossy(body);
            assert_eq!(reason, DeadReason::Malformed, "{topic} {body:?}: {detail}");
            assert!(!detail.is_empty());
        }
    }
}

#[test]
fn depth_does_not_overflow_the_stack() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        for topic in ["order.updated", "order.deleted", "product.updated"] {
            parse(topic, deep.clone());
            for field in ["note", "line_items", "id", "number", "code", "stock_quantity"] {
                parse(topic, format!("{{\"{field}\":{deep}}}"));
            }
            parse(topic, format!("{{\"line_items\":[{{\"meta_data\":[{{\"value\":{deep}}}]}}]}}"));
        }
    }
}

#[test]
fn other_topics_are_not_stock_matters() {
    for topic in
        ["coupon.created", "customer.updated", "order.refunded", "orders/create", "", "order"]
    {
        let meaning = parse(topic, body("processing").to_string());
        assert_eq!(meaning, Meaning::Ignored("unsupported_topic"), "{topic}");
    }
    for topic in ["action.woocommerce_order_status_changed", "action.wc_x", "action."] {
        let meaning = parse(topic, r#"{"action":"x","arg":897}"#);
        assert_eq!(meaning, Meaning::Ignored("needs_fetch"), "{topic}");
    }
}

use domain::{DeadReason, Meaning};
use serde_json::{Value, json};

use crate::bodies::{
    PAID, PARTIALLY_FULFILLED, PARTLY_REFUNDED, dead, envelope, order, with, without,
};

#[track_caller]
fn malformed(body: impl Into<bytes::Bytes>, path: &str) -> String {
    let (reason, detail) = dead(body);
    assert_eq!(reason, DeadReason::Malformed, "{detail}");
    assert!(detail.starts_with(&format!("{path}: ")), "{detail:?} does not begin with {path}");
    detail
}

#[test]
fn a_bad_value_is_named_with_its_path() {
    let bad: &[(&str, &str, &[Value])] = &[
        ("/id", "id", &[json!(-1), json!(1.5), json!("x"), json!(""), json!("+1"), json!([])]),
        ("/id", "id", &[json!(1e20), json!("18446744073709551616"), json!("gid://shopify/1")]),
        ("/test", "test", &[json!("true"), json!(1)]),
        ("/updated_at", "updated_at", &[json!(""), json!(1), json!("2026-03-02T09:14:10")]),
        ("/updated_at", "updated_at", &[json!("2026-02-30T00:00:00Z"), json!("x".repeat(9999))]),
        ("/name", "name", &[json!("a\u{0}b"), json!("#".repeat(256)), json!(7)]),
        ("/financial_status", "financial_status", &[json!({}), json!("paid\n")]),
        ("/line_items", "line_items", &[json!({}), json!("none"), json!(1)]),
        ("/line_items/1", "line_items[1]", &[json!(null), json!([1, 2, "sku", 3]), json!(5)]),
        ("/line_items/1/id", "line_items[1].id", &[json!(null), json!(true)]),
        ("/line_items/1/sku", "line_items[1].sku", &[json!("a\u{0}"), json!(1), json!("\u{85}")]),
        ("/line_items/1/sku", "line_items[1].sku", &[json!("s".repeat(256)), json!(["A"])]),
        ("/line_items/1/variant_id", "line_items[1].variant_id", &[json!(1.0), json!("v")]),
        ("/line_items/1/gift_card", "line_items[1].gift_card", &[json!("no")]),
    ];
    for (pointer, path, values) in bad {
        for value in *values {
            let detail = malformed(with(PAID, pointer, value.clone()), path);
            assert!(detail.chars().count() <= 300, "{detail}");
            assert!(!detail.contains(char::is_control), "{detail:?}");
        }
    }
}

#[test]
fn bytes_that_are_no_text_are_an_error_where_they_are_read() {
    let put = |field: &str| {
        let body = with(PAID, field, json!("CUT"));
        let at = body.find("CUT").expect("it was put in");
        let mut body = body.into_bytes();
        body[at] = 0xff;
        body
    };
    assert_eq!(order(put("/a_field_that_nobody_reads")), order(PAID));
    malformed(put("/line_items/1/sku"), "line_items[1].sku");
}

#[test]
fn a_quantity_is_a_whole_number_in_bounds() {
    let fields = ["quantity", "current_quantity", "fulfillable_quantity"];
    let values = [
        json!(-1),
        json!(0.5),
        json!(2.0),
        json!(1_000_000_001),
        json!(u64::MAX),
        json!(1e300),
        json!("-1"),
        json!("+1"),
        json!("1.0"),
        json!("two"),
        json!(""),
        json!("99999999999999999999"),
        json!(true),
    ];
    for field in fields {
        for value in &values {
            let pointer = format!("/line_items/0/{field}");
            malformed(with(PAID, &pointer, value.clone()), &format!("line_items[0].{field}"));
        }
    }
    let detail =
        malformed(with(PAID, "/line_items/0/quantity", json!(-1)), "line_items[0].quantity");
    assert!(detail.contains("-1") && detail.contains("0 to 1000000000"), "{detail}");
    for (body, pointer, path) in [
        (
            PARTIALLY_FULFILLED,
            "/fulfillments/0/line_items/0/quantity",
            "fulfillments[0].line_items[0].quantity",
        ),
        (
            PARTLY_REFUNDED,
            "/refunds/0/refund_line_items/1/quantity",
            "refunds[0].refund_line_items[1].quantity",
        ),
    ] {
        malformed(with(body, pointer, json!(-3)), path);
        malformed(with(body, pointer, json!(null)), path);
    }
}

#[test]
fn what_every_order_has_must_be_there() {
    for field in ["id", "updated_at", "line_items"] {
        malformed(without(PAID, &format!("/{field}")), field);
        malformed(with(PAID, &format!("/{field}"), json!(null)), field);
    }
    for field in ["id", "quantity"] {
        let detail = malformed(without(PAID, &format!("/line_items/1/{field}")), "line_items[1]");
        assert!(detail.contains(field), "{detail}");
    }
    let mut body = without(PARTLY_REFUNDED, "/refunds/0/created_at");
    body = without(&body, "/refunds/0/processed_at");
    malformed(body, "refunds[0].created_at");
    let mut body = without(PARTIALLY_FULFILLED, "/fulfillments/0/created_at");
    body = without(&body, "/fulfillments/0/updated_at");
    malformed(body, "fulfillments[0].created_at");
}

#[test]
fn no_id_is_there_twice() {
    let line: Value = serde_json::from_str::<Value>(PAID).unwrap()["line_items"][0].clone();
    let body = with(PAID, "/line_items", json!([line.clone(), line]));
    let detail = malformed(body, "line_items[1].id");
    assert!(detail.contains("15208437252422"), "{detail}");

    let json: Value = serde_json::from_str(PARTLY_REFUNDED).unwrap();
    let (refund, fulfilment) = (&json["refunds"][0], &json["fulfillments"][0]);
    let body = with(PARTLY_REFUNDED, "/refunds", json!([refund, refund]));
    malformed(body, "refunds[1].refund_line_items[0].id");
    let body = with(PARTLY_REFUNDED, "/fulfillments", json!([fulfilment, fulfilment]));
    malformed(body, "fulfillments[1].id");
}

#[test]
fn a_line_in_one_fulfilment_twice_is_added_up_within_bounds() {
    let both = |units: i64| {
        let line = json!({"id": 15208437252422_u64, "quantity": units});
        with(PARTIALLY_FULFILLED, "/fulfillments/0/line_items", json!([line, line]))
    };
    let fact = crate::bodies::order(both(1));
    let fulfilment = fact.known.fulfilments.values().next().unwrap();
    assert_eq!(fulfilment.lines.values().copied().collect::<Vec<_>>(), [2]);
    malformed(both(600_000_000), "fulfillments[0].line_items[1].quantity");
}

#[test]
fn what_is_not_json_is_malformed() {
    let cut = &PAID[..PAID.len() / 2];
    let trailing = format!("{PAID} {{}}");
    let twice = PAID.replacen('{', r#"{"id":1,"#, 1);
    let bodies: &[&[u8]] = &[
        b"",
        b" ",
        b"null",
        b"[]",
        b"7",
        b"\"order\"",
        b"{",
        b"<order/>",
        b"id=1",
        b"\xef\xbb\xbf{}",
        b"{\"name\":\"\xff\xfe\"}",
        br#"{"name":"\ud800"}"#,
        br#"{"id":01}"#,
        cut.as_bytes(),
        trailing.as_bytes(),
        twice.as_bytes(),
    ];
    for body in bodies {
        let (reason, detail) = dead(body.to_vec());
        assert_eq!(reason, DeadReason::Malformed, "{:?}", String::from_utf8_lossy(body));
        assert!(!detail.is_empty());
    }
}

#[test]
fn depth_does_not_overflow_the_stack() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        dead(deep.clone());
        for field in ["note", "line_items", "id", "name"] {
            let body = PAID.replacen('{', &format!("{{\"deep_{field}\":{deep},"), 1);
            crate::bodies::order(body);
            dead(format!("{{\"{field}\":{deep}}}"));
        }
    }
    dead("[".repeat(100_000));
    dead("{\"line_items\":[{\"sku\":".repeat(50_000));
}

#[test]
fn a_body_that_is_no_order_does_not_fit_the_topic() {
    let order: Value = serde_json::from_str(PARTLY_REFUNDED).unwrap();
    let fulfilment = &order["fulfillments"][0];
    let refund = &order["refunds"][0];
    let bare = |value: &Value| without(&value.to_string(), "/admin_graphql_api_id");
    let gid = |gid: &str| with(PAID, "/admin_graphql_api_id", json!(gid));
    for body in [
        json!({"id": 6142057283910_u64}).to_string(),
        json!({}).to_string(),
        json!({"order_edit": {"id": 1, "order_id": 2, "line_items": {"additions": []}}})
            .to_string(),
        fulfilment.to_string(),
        bare(fulfilment),
        refund.to_string(),
        bare(refund),
        json!({"inventory_item_id": 1, "location_id": 2, "available": 3}).to_string(),
        json!({"id": 1, "title": "Cap", "variants": [], "updated_at": "2026-01-01T00:00:00Z"})
            .to_string(),
        gid("gid://shopify/DraftOrder/1"),
        gid("gid://shopify/Product/1"),
    ] {
        let (reason, detail) = dead(body.clone());
        assert_eq!(reason, DeadReason::TopicMismatch, "{body}");
        assert!(detail.starts_with("orders/updated does not bring "), "{detail}");
    }
}

#[test]
fn an_order_needs_no_graphql_id() {
    // One that was blotted out on the way says nothing, either.
    let blotted = PAID.replace("gid://shopify/Order/", "https://example.com/");
    assert_eq!(crate::bodies::order(blotted), crate::bodies::order(PAID));
    let body = without(PAID, "/admin_graphql_api_id");
    assert_eq!(crate::bodies::order(body), crate::bodies::order(PAID));
    let least = json!({"id": 1, "updated_at": "2026-01-01T00:00:00Z", "line_items": []});
    crate::bodies::order(least.to_string());
}

#[test]
fn other_platforms_wait_for_their_turn() {
    let mut sent = envelope("orders/create", PAID);
    sent.platform = domain::Platform::Payments;
    assert_eq!(platforms::parse(&sent), Meaning::Ignored("unsupported_platform"));
}

use domain::order::SnapshotLine;
use serde_json::{Value, json};

use super::{CHANGED_AT, body, first_line, line, one_line, snapshot};

fn kept(units: i64) -> SnapshotLine {
    SnapshotLine { quantity: 3, kept: units, ..SnapshotLine::default() }
}

/// All left, and so many came back; `kept` is what it would hold if the shop had put it back since.
fn left(kept: i64, returned: i64) -> SnapshotLine {
    SnapshotLine { quantity: 3, kept, shipped: 3, returned }
}

/// Each status, with 3 units ordered and none, 3, 2, 0 or 5 of them held by the shop.
const HELD: [Option<i64>; 5] = [None, Some(3), Some(2), Some(0), Some(5)];

#[test]
fn an_order_that_did_not_leave_holds_what_its_status_says() {
    for (status, units) in [
        ("on-hold", [3, 3, 2, 0, 3]),
        ("processing", [3, 3, 2, 0, 3]),
        ("failed", [0, 3, 2, 0, 3]),
        ("refunded", [0, 3, 2, 0, 3]),
        ("ready-for-pickup", [0, 3, 2, 0, 3]),
        ("packed-by-elves", [0, 3, 2, 0, 3]),
        ("", [0, 3, 2, 0, 3]),
        ("pending", [0; 5]),
        ("cancelled", [0; 5]),
    ] {
        for (reduced, units) in HELD.into_iter().zip(units) {
            let body = one_line(status, 3, reduced, &[]);
            assert_eq!(first_line(&body), kept(units), "{status} {reduced:?}");
            assert_eq!(snapshot(&body).completed_at, None, "{status}");
            assert_eq!(snapshot(&body).fulfillment_status, None, "{status}");
        }
    }
}

#[test]
fn an_order_that_left_is_shipped_whole_and_what_refunds_put_back_returned() {
    let date = ("date_completed_gmt", json!("2026-11-21T12:00:02"));
    let two = domain::Timestamp(CHANGED_AT.0 - 3_000_000);
    for status in ["completed", "refunded", "failed", "delivered"] {
        let without = if status == "completed" { 3 } else { 0 };
        let units = [(without, 0), (3, 0), (2, 1), (0, 3), (3, 0)];
        for (reduced, (kept, returned)) in HELD.into_iter().zip(units) {
            let body = one_line(status, 3, reduced, std::slice::from_ref(&date));
            assert_eq!(first_line(&body), left(kept, returned), "{status} {reduced:?}");
            assert_eq!(snapshot(&body).completed_at, Some(two), "{status}");
            assert_eq!(snapshot(&body).fulfillment_status.as_deref(), Some("fulfilled"));
        }
    }
    // Without a date of its own, completion was no later than the last change.
    let undated = one_line("completed", 3, Some(2), &[]);
    assert_eq!(snapshot(&undated).completed_at, Some(CHANGED_AT));
    assert_eq!(first_line(&undated), left(2, 1));
}

#[test]
fn an_order_that_is_on_its_way_again_did_not_leave() {
    let date = ("date_completed_gmt", json!("2026-11-21T12:00:02"));
    for (status, units) in [
        ("processing", [3, 3, 2, 0, 3]),
        ("on-hold", [3, 3, 2, 0, 3]),
        ("pending", [0; 5]),
        ("cancelled", [0; 5]),
    ] {
        for (reduced, units) in HELD.into_iter().zip(units) {
            let body = one_line(status, 3, reduced, std::slice::from_ref(&date));
            assert_eq!(first_line(&body), kept(units), "{status} {reduced:?}");
            assert_eq!(snapshot(&body).completed_at, None, "{status}");
        }
    }
}

#[test]
fn a_number_of_units_is_written_in_many_ways() {
    for quantity in [json!(3), json!(3.0), json!("3"), json!("3.0"), json!("03.000"), json!(3e0)] {
        let mut body = body("processing");
        body["line_items"] = json!([line(11, quantity.clone(), "MUG", None)]);
        assert_eq!(first_line(&body), kept(3), "{quantity}");
    }
    for (reduced, units) in [
        (json!("2"), 2),
        (json!(2), 2),
        (json!("2.0"), 2),
        (json!(2.0), 2),
        (json!("0"), 0),
        (json!(0), 0),
        (json!(-1), 0),
        (json!("-1"), 0),
        (json!("-0.5"), 0),
        // Nothing, as PHP says it.
        (json!(""), 3),
        (json!(null), 3),
        (json!(false), 3),
    ] {
        let mut body = body("processing");
        body["line_items"] = json!([line(11, 3, "MUG", Some(reduced.clone()))]);
        assert_eq!(first_line(&body), kept(units), "{reduced}");
    }
}

#[test]
fn of_a_lines_metadata_one_thing_counts() {
    let with = |meta: Value| {
        let mut body = body("failed");
        body["line_items"] = json!([line(11, 3, "MUG", None)]);
        body["line_items"][0]["meta_data"] = meta;
        first_line(&body).kept
    };
    assert_eq!(with(json!([])), 0);
    assert_eq!(with(Value::Null), 0);
    assert_eq!(with(json!([{ "key": "_reduced_stock" }, { "value": 1 }, {}])), 0);
    assert_eq!(
        with(json!([{ "key": 1, "value": 2 }, { "key": null }, { "key": ["_reduced_stock"] }])),
        0
    );
    assert_eq!(with(json!([{ "value": "1", "key": "_reduced_stock" }])), 1);
    // PHP reads the first.
    let both = json!([
        { "key": "_reduced_stock", "value": 2 },
        { "key": "_reduced_stock", "value": "plenty" }
    ]);
    assert_eq!(with(both), 2);
}

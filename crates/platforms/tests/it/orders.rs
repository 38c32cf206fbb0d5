use std::collections::BTreeMap;

use domain::order::{FulfilmentStatus, Known, Restock, SnapshotLine};
use domain::{
    Envelope, Fact, FulfilmentId, LineClass, LineId, LineRef, Meaning, RefundLineId, Timestamp,
};
use serde_json::json;

use crate::bodies::{
    FULFILLED, ODD_LINES, PAID, PARTIALLY_FULFILLED, PARTLY_REFUNDED, envelope, order, parse, with,
    without,
};

const CAP: &str = "15208437252422";
const MUG: &str = "15208437285190";

fn lines(known: &Known) -> Vec<(&str, i64, i64)> {
    let snapshot = known.snapshot.as_ref().expect("an order is a snapshot");
    snapshot.lines.iter().map(|(id, line)| (id.as_str(), line.quantity, line.kept)).collect()
}

/// 2026-03-02T08:14:10Z and so on.
fn at(text: &str) -> Timestamp {
    let moment: jiff::Timestamp = text.parse().expect("a moment");
    Timestamp(moment.as_microsecond())
}

#[test]
fn a_paid_order_says_what_is_owed() {
    let fact = order(PAID);
    assert_eq!(fact.order.as_str(), "6142057283910");
    assert!(!fact.test);
    assert!(fact.known.paid && !fact.known.deleted);
    assert!(fact.known.refund_lines.is_empty() && fact.known.fulfilments.is_empty());
    assert_eq!(lines(&fact.known), [(CAP, 3, 3), (MUG, 2, 2)]);
    let snapshot = fact.known.snapshot.unwrap();
    assert_eq!(snapshot.name.as_deref(), Some("#1001"));
    assert_eq!(snapshot.financial_status.as_deref(), Some("paid"));
    assert_eq!(snapshot.fulfillment_status, None);
    assert!(!snapshot.cancelled && !snapshot.voided);
    assert_eq!(snapshot.rank.updated_at, at("2026-03-02T08:14:10Z"));
    assert_eq!(snapshot.rank.progress, 5);
    assert_eq!(
        fact.lines[&LineId::new(CAP)],
        LineRef {
            sku: Some("CAP-RED".into()),
            variant: Some("47110815001".into()),
            class: LineClass::Tracked
        }
    );
}

#[test]
fn fulfilments_keep_their_units_while_the_fulfillable_quantity_falls() {
    let fact = order(PARTIALLY_FULFILLED);
    assert_eq!(lines(&fact.known), [(CAP, 3, 3), (MUG, 2, 2)]);
    let fulfilment = &fact.known.fulfilments[&FulfilmentId::new("5538200170886")];
    assert_eq!(fulfilment.status, FulfilmentStatus::Success);
    assert_eq!(fulfilment.location.as_ref().map(|l| l.as_str()), Some("77310459"));
    assert_eq!(fulfilment.created_at, at("2026-03-03T10:20:41Z"));
    assert_eq!(fulfilment.lines, BTreeMap::from([(LineId::new(CAP), 2)]));
    // 5 units, and one successful fulfilment: 1 + 2.
    assert_eq!(fact.known.snapshot.unwrap().rank.progress, 8);

    let fact = order(FULFILLED);
    assert_eq!(lines(&fact.known), [(CAP, 3, 3), (MUG, 2, 2)]);
    assert_eq!(fact.known.fulfilments.len(), 2);
    assert_eq!(fact.known.snapshot.unwrap().rank.progress, 11);
}

#[test]
fn refund_lines_are_kept_one_by_one() {
    let fact = order(PARTLY_REFUNDED);
    assert_eq!(lines(&fact.known), [(CAP, 3, 3), (MUG, 2, 2)]);
    assert!(fact.known.paid);
    let returned = &fact.known.refund_lines[&RefundLineId::new("640044105990")];
    assert_eq!(returned.line.as_str(), CAP);
    assert_eq!((returned.quantity, returned.restock), (1, Restock::Return));
    assert_eq!(returned.location.as_ref().map(|l| l.as_str()), Some("77310459"));
    assert_eq!(returned.created_at, at("2026-03-09T15:45:30Z"));
    let lost = &fact.known.refund_lines[&RefundLineId::new("640044138758")];
    assert_eq!((lost.quantity, lost.restock, &lost.location), (1, Restock::NoRestock, &None));
    let snapshot = fact.known.snapshot.unwrap();
    assert_eq!(snapshot.refund_lines.len(), 2);
    // 5 ordered, 2 taken out, 2 refunded, two successful fulfilments: 2 × (1 + 2).
    assert_eq!(snapshot.rank.progress, 15);
}

#[test]
fn the_story_of_an_order_ends_the_same_in_every_order_of_arrival() {
    let story = [PAID, PARTIALLY_FULFILLED, FULFILLED, PARTLY_REFUNDED].map(|b| order(b).known);
    let mut told = Known::default();
    for chapter in &story {
        told.join(chapter.clone());
    }
    for first in 0..4 {
        for second in (0..4).filter(|i| *i != first) {
            for third in (0..4).filter(|i| *i != first && *i != second) {
                let last = 6 - first - second - third;
                let mut known = Known::default();
                for index in [first, second, third, last, second] {
                    known.join(story[index].clone());
                }
                assert_eq!(known, told);
            }
        }
    }
}

#[test]
fn only_what_says_that_nobody_keeps_its_stock_is_untracked() {
    let field = "/line_items/0/variant_inventory_management";
    let class = |body: String| order(body).lines.into_values().next().unwrap().class;
    for manager in [json!(null), json!("")] {
        assert_eq!(class(with(PAID, field, manager)), LineClass::Untracked);
    }
    assert_eq!(class(without(PAID, field)), LineClass::Tracked, "the subscription leaves it out");
}

#[test]
fn every_kind_of_line_is_told_apart() {
    let fact = order(ODD_LINES);
    assert_eq!(fact.order.as_str(), "8209829119461545089");
    assert!(!fact.known.paid);
    let classes: Vec<_> = fact
        .lines
        .values()
        .map(|line| (line.sku.as_ref().map(|sku| sku.as_str()), line.class))
        .collect();
    assert_eq!(
        classes,
        [
            (Some("CAP-RED"), LineClass::Tracked),
            (Some("CAP-RED"), LineClass::Tracked),
            (None, LineClass::NotStock),
            (Some("GIFT-50"), LineClass::NotStock),
            (None, LineClass::NotStock),
            (Some("CARD-FREE"), LineClass::Untracked),
            (None, LineClass::Tracked),
            (Some("POSTER"), LineClass::Tracked),
        ]
    );
    // The poster: 4 ordered, 3 edited away.
    let poster = LineId::new("9007199254741000");
    let snapshot = fact.known.snapshot.unwrap();
    assert_eq!(
        snapshot.lines[&poster],
        SnapshotLine { quantity: 4, kept: 1, ..SnapshotLine::default() }
    );
    assert_eq!(snapshot.rank.progress, 12 + 3);
    assert_eq!(snapshot.name.as_deref(), Some("B2C/1002-ß"));
}

#[test]
fn cancelled_units_are_not_kept() {
    let refund = json!([{"id": 1, "created_at": "2026-03-02T10:00:00Z", "refund_line_items": [
        {"id": 11, "line_item_id": 15208437252422_u64, "quantity": 2, "restock_type": "cancel",
         "location_id": 77310459}]}]);
    // A snapshot whose fulfillable quantity has not fallen yet.
    let fact = order(with(PAID, "/refunds", refund));
    assert_eq!(lines(&fact.known), [(CAP, 3, 1), (MUG, 2, 2)]);
    let snapshot = fact.known.snapshot.unwrap();
    assert!(snapshot.refund_lines.contains(&RefundLineId::new("11")));
}

#[test]
fn only_fulfilments_under_way_or_done_keep_their_units() {
    for (status, expected, kept) in [
        (json!("pending"), FulfilmentStatus::Pending, 3),
        (json!("open"), FulfilmentStatus::Open, 3),
        (json!("success"), FulfilmentStatus::Success, 3),
        (json!("error"), FulfilmentStatus::Error, 1),
        (json!("failure"), FulfilmentStatus::Failure, 1),
        (json!("cancelled"), FulfilmentStatus::Cancelled, 1),
        // What we do not know moves nothing and frees nothing.
        (json!("beamed_up"), FulfilmentStatus::Pending, 3),
        (json!(null), FulfilmentStatus::Pending, 3),
    ] {
        let fact = order(with(PARTIALLY_FULFILLED, "/fulfillments/0/status", status));
        let fulfilment = &fact.known.fulfilments[&FulfilmentId::new("5538200170886")];
        assert_eq!(fulfilment.status, expected);
        assert_eq!(lines(&fact.known)[0], (CAP, 3, kept), "{expected:?}");
    }
}

#[test]
fn restock_types_are_read_and_unknown_ones_move_nothing() {
    for (written, expected) in [
        (json!("no_restock"), Restock::NoRestock),
        (json!("cancel"), Restock::Cancel),
        (json!("return"), Restock::Return),
        (json!("legacy_restock"), Restock::LegacyRestock),
        (json!("donate"), Restock::NoRestock),
        (json!(null), Restock::NoRestock),
    ] {
        let path = "/refunds/0/refund_line_items/0/restock_type";
        let fact = order(with(PARTLY_REFUNDED, path, written));
        let line = &fact.known.refund_lines[&RefundLineId::new("640044105990")];
        assert_eq!(line.restock, expected);
    }
}

#[test]
fn statuses_say_whether_money_came_in_or_never_will() {
    for (status, paid, voided) in [
        (json!("pending"), false, false),
        (json!("authorized"), false, false),
        (json!("partially_paid"), true, false),
        (json!("paid"), true, false),
        (json!("partially_refunded"), true, false),
        (json!("refunded"), true, false),
        (json!("voided"), false, true),
        (json!("expired"), false, true),
        (json!("something_new"), false, false),
        (json!(null), false, false),
    ] {
        let fact = order(with(PAID, "/financial_status", status.clone()));
        let snapshot = fact.known.snapshot.unwrap();
        assert_eq!((fact.known.paid, snapshot.voided), (paid, voided), "{status}");
        assert_eq!(snapshot.rank.progress, 5 + i64::from(voided));
    }
    let cancelled = order(with(PAID, "/cancelled_at", json!("2026-03-02T10:00:00Z")));
    let snapshot = cancelled.known.snapshot.unwrap();
    assert!(snapshot.cancelled);
    assert_eq!(snapshot.rank.progress, 6);
}

#[test]
fn test_orders_say_so() {
    assert!(order(with(PAID, "/test", json!(true))).test);
    assert!(!order(with(PAID, "/test", json!(null))).test);
    assert!(!order(without(PAID, "/test")).test);
}

#[test]
fn one_id_may_be_written_in_three_ways() {
    let expected = order(PAID);
    for id in [json!("6142057283910"), json!("gid://shopify/Order/6142057283910")] {
        assert_eq!(order(with(PAID, "/id", id)), expected);
    }
    for id in ["15208437252422", "gid://shopify/LineItem/15208437252422?x=1", "0015208437252422"] {
        assert_eq!(order(with(PAID, "/line_items/0/id", json!(id))), expected);
    }
    let largest = order(with(PAID, "/id", json!(u64::MAX)));
    assert_eq!(largest.order.as_str(), "18446744073709551615");
}

#[test]
fn quantities_may_be_text_and_newer_ones_may_be_missing() {
    let expected = order(PAID);
    assert_eq!(order(with(PAID, "/line_items/0/quantity", json!("3"))), expected);
    let old = without(PAID, "/line_items/0/current_quantity");
    assert_eq!(order(old), expected);
    let unsaid = with(PAID, "/line_items/0/fulfillable_quantity", json!(null));
    assert_eq!(order(unsaid), expected);
}

#[test]
fn missing_and_null_parts_are_empty() {
    let expected = order(PAID);
    for part in ["/refunds", "/fulfillments"] {
        assert_eq!(order(with(PAID, part, json!(null))), expected);
        assert_eq!(order(without(PAID, part)), expected);
    }
    let bare = with(FULFILLED, "/fulfillments/0/line_items", json!(null));
    assert!(order(bare).known.fulfilments[&FulfilmentId::new("5538200170886")].lines.is_empty());
    // A refund of money alone has no moment that matters.
    let of_money = json!([{"id": 1, "order_id": 2, "refund_line_items": null}]);
    assert_eq!(order(with(PAID, "/refunds", of_money)), expected);
    assert!(order(with(PAID, "/line_items", json!([]))).lines.is_empty());
}

/// A subscription names the fields that it wants. What a list that is not shown took off is known by
/// its own topic, and must not be taken off twice.
#[test]
fn without_its_parts_a_body_does_not_say_what_is_still_owed() {
    let kept = |body: String| {
        let snapshot = order(body).known.snapshot.expect("an order is a snapshot");
        snapshot.lines.into_values().map(|line| (line.quantity, line.kept)).collect::<Vec<_>>()
    };
    let taken_off = with(PAID, "/line_items/0/fulfillable_quantity", json!(2));
    assert_eq!(kept(taken_off.clone())[0], (3, 2), "by an edit, as it shows no refund");
    for part in ["/refunds", "/fulfillments"] {
        assert_eq!(kept(with(&taken_off, part, json!(null)))[0], (3, 2), "{part}");
        assert_eq!(kept(without(&taken_off, part))[0], (3, 3), "{part}");
    }
    let inner = [("/refunds", "refund_line_items"), ("/fulfillments", "line_items")];
    for (part, lines) in inner {
        let shown = |rest: serde_json::Value| {
            let mut shown = json!({"id": 9, "created_at": "2026-11-21T12:00:00Z"});
            shown.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            let body = with(&taken_off, part, json!([shown]));
            // One that is known with its lines must not be replaced by one without.
            let is_told = rest.as_object().is_some_and(|rest| !rest.is_empty());
            let fulfilments = usize::from(is_told && part == "/fulfillments");
            assert_eq!(order(body.clone()).known.fulfilments.len(), fulfilments);
            kept(body)[0]
        };
        assert_eq!(shown(json!({})), (3, 3), "{part}");
        assert_eq!(shown(json!({lines: null})), (3, 2), "{part}");
        assert_eq!(shown(json!({lines: []})), (3, 2), "{part}");
    }
}

#[test]
fn a_cancellation_without_its_moment_is_not_believed_to_be_none() {
    let trimmed = without(PAID, "/cancelled_at");
    let Meaning::Dead { detail, .. } =
        platforms::parse(&envelope("orders/cancelled", trimmed.clone()))
    else {
        panic!("believed");
    };
    assert!(detail.starts_with("cancelled_at: missing"), "{detail}");
    assert!(!order(trimmed).known.snapshot.unwrap().cancelled, "other topics need not show it");
}

#[test]
fn a_missing_moment_of_a_part_is_taken_from_its_other_one() {
    let refund = without(PARTLY_REFUNDED, "/refunds/0/created_at");
    assert_eq!(order(refund), order(PARTLY_REFUNDED));
    let fulfilment = without(PARTIALLY_FULFILLED, "/fulfillments/0/updated_at");
    assert_eq!(order(fulfilment), order(PARTIALLY_FULFILLED));
}

#[test]
fn fields_that_stock_does_not_need_may_be_anything() {
    let expected = order(PAID);
    for (path, value) in [
        ("/line_items/0/properties", json!({"a": {"b": [1, null]}})),
        ("/line_items/0/properties", json!("text")),
        ("/line_items/0/price", json!(18.9)),
        ("/total_price", json!(null)),
        ("/customer", json!([])),
        ("/note", json!("\u{0} \u{7} x")),
        ("/shipping_lines", json!(7)),
        ("/brand_new_field", json!([[[[]]]])),
    ] {
        assert_eq!(order(with(PAID, path, value)), expected, "{path}");
    }
    // Half a surrogate pair is no text, but nobody reads the note.
    let note = PAID.replace(r#""note":"Bitte"#, r#""note":"\ud800 Bitte"#);
    assert_ne!(note, PAID);
    assert_eq!(order(note), expected);
}

#[test]
fn the_rank_follows_the_content_and_not_the_way_it_came() {
    let rank = |envelope: &Envelope| match platforms::parse(envelope) {
        Meaning::Fact(Fact::Order(order)) => order.known.snapshot.unwrap().rank,
        other => panic!("not an order: {other:?}"),
    };
    let mut sent = envelope("orders/paid", PAID);
    let first = rank(&sent);
    assert_eq!(first.triggered_at, Timestamp(0));
    sent.topic = "orders/updated".into();
    sent.received_at = Timestamp(1);
    sent.webhook = "w2".into();
    assert_eq!(rank(&sent), first);
    sent.triggered_at = Some(Timestamp(77));
    assert_eq!(rank(&sent).triggered_at, Timestamp(77));
    assert_eq!(rank(&sent).digest, first.digest);

    for (path, value) in [
        ("/name", json!("#1002")),
        ("/name", json!(null)),
        ("/financial_status", json!("pending")),
        ("/fulfillment_status", json!("partial")),
        ("/cancelled_at", json!("2026-03-02T10:00:00Z")),
        ("/line_items/0/quantity", json!(2)),
        ("/line_items/0/fulfillable_quantity", json!(2)),
        ("/line_items/0/id", json!(15208437252423_u64)),
    ] {
        sent.body = with(PAID, path, value).into();
        assert_ne!(rank(&sent).digest, first.digest, "{path}");
    }
}

/// Computed with Python's `hashlib` over the documented form: the stored ranks of last year's orders
/// depend on it.
#[test]
fn the_digest_never_changes() {
    assert_eq!(order(PAID).known.snapshot.unwrap().rank.digest, PAID_DIGEST);
    let refunded = order(PARTLY_REFUNDED).known.snapshot.unwrap();
    assert_eq!(refunded.rank.digest, PARTLY_REFUNDED_DIGEST);
}

const PAID_DIGEST: u64 = 0x78af_dd9b_d63a_b92f;
const PARTLY_REFUNDED_DIGEST: u64 = 0x9fe5_33af_2e81_e47c;

#[test]
fn all_order_topics_carry_the_order_and_unknown_ones_are_ignored() {
    for topic in ["create", "paid", "updated", "cancelled", "fulfilled", "partially_fulfilled"] {
        let meaning = platforms::parse(&envelope(&format!("orders/{topic}"), PAID));
        assert_eq!(meaning, parse(PAID), "{topic}");
    }
    for topic in ["ORDERS_CREATE", "orders/create/x", "orders", ""] {
        let meaning = platforms::parse(&envelope(topic, PAID));
        assert_eq!(meaning, Meaning::Ignored("unsupported_topic"), "{topic}");
    }
}

#[test]
fn ten_thousand_lines_are_one_order() {
    let lines: Vec<_> = (0..10_000_u64)
        .map(|i| {
            json!({"id": i + 1, "variant_id": i, "sku": format!("SKU-{i}"), "quantity": 2,
                   "fulfillable_quantity": 1, "variant_inventory_management": "shopify"})
        })
        .collect();
    let shipped: Vec<_> = (0..10_000_u64).map(|i| json!({"id": i + 1, "quantity": 1})).collect();
    let refunded: Vec<_> = (0..10_000_u64)
        .map(|i| json!({"id": i, "line_item_id": i + 1, "quantity": 0, "restock_type": "cancel"}))
        .collect();
    let moment = "2026-01-01T00:00:00Z";
    let body = json!({
        "id": 1, "updated_at": moment, "financial_status": "paid", "line_items": lines,
        "fulfillments": [{"id": 1, "status": "success", "created_at": moment,
                          "line_items": shipped}],
        "refunds": [{"id": 1, "created_at": moment, "refund_line_items": refunded}],
    });
    let fact = order(body.to_string());
    assert_eq!(fact.lines.len(), 10_000);
    let snapshot = fact.known.snapshot.unwrap();
    assert!(snapshot.lines.values().all(|line| line.kept == 2));
    assert_eq!(snapshot.refund_lines.len(), 10_000);
    assert_eq!(snapshot.rank.progress, 20_003);
}

use domain::order::Known;
use domain::{Envelope, Fact, LineClass, LineId, LineRef, Meaning, Timestamp};
use serde_json::{Value, json};

use super::{
    CHANGED_AT, RECEIVED_AT, body, envelope, line, one_line, order_under, parse, shirt, snapshot,
};

#[test]
fn an_order_says_what_is_owed() {
    let fact = order_under("order.created", &body("processing"));
    assert_eq!(fact.order.as_str(), "897");
    assert!(!fact.test && fact.known.paid && !fact.known.deleted);
    assert_eq!((fact.known.outside_at, fact.known.trashed_at), (Some(CHANGED_AT), None));
    let mug = &fact.lines[&LineId::new("11")];
    let tracked = LineClass::Tracked;
    assert_eq!(
        *mug,
        LineRef { sku: Some("MUG".into()), variant: Some("93".into()), class: tracked }
    );
    let shirt = &fact.lines[&LineId::new("12")];
    assert_eq!(
        *shirt,
        LineRef { sku: Some("SHIRT-M".into()), variant: Some("23".into()), class: tracked }
    );
    let snapshot = fact.known.snapshot.unwrap();
    assert_eq!(snapshot.rank.updated_at, CHANGED_AT);
    assert_eq!(snapshot.rank.triggered_at, RECEIVED_AT);
    assert_eq!(snapshot.name.as_deref(), Some("#897"));
    assert_eq!(snapshot.financial_status.as_deref(), Some("processing"));
    assert_eq!((snapshot.fulfillment_status, snapshot.completed_at), (None, None));
    assert!(!snapshot.cancelled && !snapshot.voided);
    let kept: Vec<_> = snapshot.lines.values().map(|line| (line.quantity, line.kept)).collect();
    assert_eq!(kept, [(2, 2), (1, 1)]);
    assert!(snapshot.refund_lines.is_empty() && fact.known.refund_lines.is_empty());
}

#[test]
fn every_topic_that_brings_an_order_brings_the_same() {
    let created = order_under("order.created", &body("on-hold"));
    assert_eq!(order_under("order.updated", &body("on-hold")), created);
    let mut restored = order_under("order.restored", &body("on-hold"));
    assert_eq!(restored.known.outside_at, Some(RECEIVED_AT));
    restored.known.outside_at = created.known.outside_at;
    assert_eq!(restored, created);
}

#[test]
fn a_snapshot_has_the_date_of_the_last_change() {
    let at = |fields: &[(&str, Value)]| {
        let body = one_line("processing", 1, None, fields);
        let known = order_under("order.updated", &body).known;
        assert_eq!(known.outside_at, Some(known.snapshot.as_ref().unwrap().rank.updated_at));
        known.snapshot.unwrap().rank.updated_at
    };
    let modified = |text: &str| at(&[("date_modified_gmt", json!(text))]);
    for text in [
        "2026-11-21T12:00:05",
        "2026-11-21T12:00:05Z",
        "2026-11-21T13:00:05+01:00",
        "2026-11-21 12:00:05",
        "2026-11-21T12:00:05.000",
    ] {
        assert_eq!(modified(text), CHANGED_AT, "{text}");
    }
    let null = ("date_modified_gmt", Value::Null);
    let created_at = Timestamp(CHANGED_AT.0 - 5_000_000);
    assert_eq!(at(std::slice::from_ref(&null)), created_at);
    assert_eq!(at(&[null, ("date_created_gmt", Value::Null)]), Timestamp(0));
}

#[test]
fn a_clock_ahead_of_ours_does_not_keep_orders_out_of_the_bin() {
    let body =
        one_line("processing", 1, None, &[("date_modified_gmt", json!("2031-01-01T00:00:00"))]);
    let mut known = order_under("order.updated", &body).known;
    assert_eq!(known.outside_at, Some(RECEIVED_AT));
    let mut later = envelope("order.deleted", r#"{"id":897}"#);
    later.received_at = Timestamp(RECEIVED_AT.0 + 1);
    let Meaning::Fact(domain::Fact::Order(trashed)) = platforms::parse(&later) else { panic!() };
    known.join(trashed.known);
    assert!(known.is_trashed());
}

#[test]
fn the_bin_is_left_and_entered_again() {
    for id in [json!(897), json!("897")] {
        let trashed = order_under("order.deleted", &json!({ "id": id }));
        assert_eq!(trashed.order.as_str(), "897");
        let only = Known { trashed_at: Some(RECEIVED_AT), ..Known::default() };
        assert_eq!(trashed.known, only);
        assert!(trashed.lines.is_empty());
    }
    let outside = order_under("order.updated", &body("processing")).known;
    let mut known = outside.clone();
    known.join(order_under("order.deleted", &json!({ "id": 897 })).known);
    assert!(known.is_trashed());
    known.join(outside);
    assert!(known.is_trashed(), "an old body that comes again is no news");
    known.join(order_under("order.restored", &body("processing")).known);
    assert!(!known.is_trashed());
    // A body that shows the order in the bin does not take it out, whatever its topic.
    for topic in ["order.updated", "order.restored"] {
        let trashed = order_under(topic, &body("trash"));
        let only = Known { trashed_at: Some(CHANGED_AT), ..Known::default() };
        assert_eq!((trashed.known, trashed.lines.len()), (only, 0), "{topic}");
    }
}

#[test]
fn drafts_are_not_looked_at() {
    for (status, why) in [
        ("checkout-draft", "checkout_draft"),
        ("auto-draft", "draft"),
        ("draft", "draft"),
        ("new", "draft"),
    ] {
        for topic in ["order.created", "order.updated", "order.restored"] {
            let body = one_line(status, 1, None, &[("id", Value::Null)]);
            assert_eq!(parse(topic, body.to_string()), Meaning::Ignored(why), "{status}");
        }
    }
}

#[test]
fn an_order_is_paid_for_once_money_was_seen() {
    let paid = |status: &str, date: Value| {
        let body = one_line(status, 1, None, &[("date_paid_gmt", date)]);
        order_under("order.updated", &body).known.paid
    };
    for status in ["processing", "completed"] {
        assert!(paid(status, Value::Null), "{status}");
    }
    for status in ["pending", "on-hold", "failed", "refunded", "cancelled", "trash", "packed"] {
        assert!(!paid(status, Value::Null), "{status}");
        assert!(paid(status, json!("2026-11-21T12:00:01")), "{status}");
    }
}

#[test]
fn a_cancelled_order_says_since_when() {
    let known = |status: &str| order_under("order.updated", &body(status)).known;
    let cancelled = known("cancelled");
    assert!(cancelled.snapshot.expect("it is an order").cancelled);
    assert_eq!(cancelled.cancelled_at, Some(CHANGED_AT));
    assert_eq!(cancelled.put_back_at, Some(CHANGED_AT));
    for status in ["failed", "refunded", "canceled", "pending"] {
        let other = known(status);
        assert!(!other.snapshot.expect("it is an order").cancelled, "{status}");
        assert_eq!(other.cancelled_at, None, "{status}");
        assert_eq!(other.put_back_at.is_some(), status == "pending", "{status}");
    }
}

#[test]
fn a_name_is_a_number_or_what_a_plugin_makes_of_it() {
    let name = |number| snapshot(&one_line("on-hold", 1, None, &[("number", number)])).name;
    assert_eq!(name(json!("2026-0017")).as_deref(), Some("#2026-0017"));
    assert_eq!(name(json!(17)).as_deref(), Some("#17"));
    assert_eq!(name(json!("\u{c4}\"1\"")).as_deref(), Some("#\u{c4}\"1\""));
    for none in [json!(""), json!(null), json!("9".repeat(255))] {
        assert_eq!(name(none), None);
    }
}

/// Pairs of bodies with one second in their dates: the later comes second.
#[test]
fn within_a_second_the_one_that_shows_more_is_the_newer() {
    let paid = ("date_paid_gmt", json!("2026-11-21T12:00:05"));
    let completed = ("date_completed_gmt", json!("2026-11-21T12:00:05"));
    let refunds = |ids: &[u64]| {
        let all: Value = ids.iter().map(|id| json!({ "id": id, "total": "-1.00" })).collect();
        ("refunds", all)
    };
    let of = |status: &str, fields: &[(&str, Value)]| one_line(status, 2, Some(2), fields);
    let both = [paid.clone(), completed.clone()];
    let pairs = [
        (of("pending", &[]), of("failed", &[])),
        (of("failed", &[]), of("on-hold", &[])),
        (of("pending", &[]), of("processing", std::slice::from_ref(&paid))),
        (of("on-hold", &[]), of("cancelled", &[])),
        (of("processing", std::slice::from_ref(&paid)), of("completed", &both)),
        (of("completed", &both), of("refunded", &both)),
        // A payment that comes late revives a cancelled order.
        (of("cancelled", &[]), of("processing", std::slice::from_ref(&paid))),
        (of("processing", &[refunds(&[1])]), of("processing", &[refunds(&[1, 2])])),
        (of("completed", &both), of("processing", &[paid, refunds(&[1])])),
    ];
    for (older, newer) in &pairs {
        let (older_rank, newer_rank) = (snapshot(older).rank, snapshot(newer).rank);
        assert!(older_rank < newer_rank, "{} < {}", older["status"], newer["status"]);
        assert_eq!(older_rank.updated_at, newer_rank.updated_at);
    }
}

/// A site that keeps orders as posts leaves the date as it is when only lines change.
#[test]
fn of_two_bodies_with_one_date_and_status_the_one_received_later_is_newer() {
    let rank = |quantity, received_at| {
        let body = one_line("on-hold", quantity, None, &[]).to_string();
        let sent = Envelope { received_at, ..envelope("order.updated", body) };
        match platforms::parse(&sent) {
            Meaning::Fact(Fact::Order(order)) => order.known.snapshot.expect("it is one").rank,
            other => panic!("not an order: {other:?}"),
        }
    };
    let (sooner, later) = (RECEIVED_AT, Timestamp(RECEIVED_AT.0 + 1));
    assert!(rank(2, sooner) < rank(3, later));
    assert!(rank(3, sooner) < rank(2, later));
    assert_eq!(rank(2, sooner).progress, rank(3, later).progress);
    assert_ne!(rank(2, sooner).digest, rank(3, sooner).digest, "or only that is left");
}

#[test]
fn a_line_is_told_by_its_sku_or_its_product() {
    let line_ref = |sku: Value, product: Value, variation: Value| {
        let mut body = body("processing");
        body["line_items"] = json!([line(11, 1, "", None)]);
        let line = &mut body["line_items"][0];
        (line["sku"], line["product_id"], line["variation_id"]) = (sku, product, variation);
        let fact = order_under("order.updated", &body);
        let LineRef { sku, variant, class } = fact.lines[&LineId::new("11")].clone();
        let text = |it: Option<&str>| it.unwrap_or("-").to_owned();
        (
            text(sku.as_ref().map(|it| it.as_str())),
            text(variant.as_ref().map(|it| it.as_str())),
            class,
        )
    };
    let is = |sku: &str, variant: &str, class| (sku.to_owned(), variant.to_owned(), class);
    use LineClass::{NotStock, Tracked};
    assert_eq!(line_ref(json!("A"), json!(1), json!(0)), is("A", "1", Tracked));
    assert_eq!(line_ref(json!(""), json!(1), json!(2)), is("-", "2", Tracked));
    assert_eq!(line_ref(json!(null), json!("1"), json!(null)), is("-", "1", Tracked));
    assert_eq!(line_ref(json!("A"), json!(0), json!(0)), is("A", "-", Tracked));
    assert_eq!(line_ref(json!(4006381), json!(0), json!("0")), is("4006381", "-", Tracked));
    assert_eq!(line_ref(json!(""), json!(0), json!(0)), is("-", "-", NotStock));
    assert_eq!(line_ref(json!(null), json!(null), json!(null)), is("-", "-", NotStock));
}

#[test]
fn what_says_nothing_of_stock_changes_nothing() {
    let plain = snapshot(&body("processing"));
    let mut other = body("processing");
    other["total"] = json!(61.8);
    other["billing"] = json!(null);
    other["brand_new"] = json!({ "deep": [[]] });
    other["line_items"] = json!([shirt(), line(11, "2.0", "MUG", Some(json!(2.0)))]);
    assert_eq!(snapshot(&other), plain);
}

#[test]
fn ten_thousand_lines_are_one_order() {
    let mut body = body("processing");
    body["line_items"] =
        (1..=10_000_u64).map(|id| line(id, 2, &format!("SKU-{id}"), Some(json!("1")))).collect();
    let snapshot = snapshot(&body);
    assert_eq!(snapshot.lines.len(), 10_000);
    assert!(snapshot.lines.values().all(|line| line.kept == 1));
}

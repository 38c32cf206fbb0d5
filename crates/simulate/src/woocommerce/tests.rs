use super::*;

fn held(order: &WooOrder) -> Vec<Option<i64>> {
    order.lines.iter().map(|line| line.reduced).collect()
}

#[test]
fn units_are_taken_once_and_put_back_by_pending_and_cancelled_alone() {
    let mut order = WooOrder::new(1).line("MUG", 2).unmanaged_line("CARD", 3);
    assert_eq!(held(&order), [None, None]);
    assert_eq!(held(order.hold()), [Some(2), None]);
    assert_eq!(held(order.pay()), [Some(2), None]);
    for status in ["failed", "packed", "completed", "processing"] {
        assert_eq!(held(order.custom_status(status)), [Some(2), None], "{status}");
    }
    assert_eq!(held(order.trash()), [Some(2), None]);
    assert_eq!(held(order.restore()), [Some(2), None]);
    assert_eq!(order.status(), "processing");
    assert_eq!(held(order.cancel()), [None, None]);
    assert_eq!(held(order.fail()), [None, None]);
    assert_eq!(held(order.pay()), [Some(2), None], "a late payment revives it");
}

#[test]
fn refunds_and_edits_follow_each_other() {
    let mut order = WooOrder::new(1).line("MUG", 4).line("CAP", 1);
    order.pay().refund(false, &[(0, 1)]);
    assert_eq!(held(&order), [Some(4), Some(1)]);
    assert_eq!(held(order.refund(true, &[(0, 1)])), [Some(3), Some(1)]);
    assert_eq!(held(order.edit(0, 6)), [Some(5), Some(1)]);
    assert_eq!(order.body("order.updated")["line_items"][0]["quantity"], 6);
    order.refund_all(true);
    assert_eq!((order.status(), held(&order)), ("refunded", vec![Some(1), Some(0)]));
    let body = order.body("order.updated");
    assert_eq!(body["line_items"][1]["meta_data"][0]["value"], "0", "it stays, as text");
    assert_eq!(body["refunds"].as_array().map(Vec::len), Some(3));
}

#[test]
fn bodies_show_the_state_at_the_time_of_sending() {
    let mut order = WooOrder::new(42).line("MUG", 2);
    order.pay().complete();
    let body = order.body("order.updated");
    assert_eq!(body["status"], "completed");
    assert_eq!(body["date_modified"], "2026-11-21T13:00:02");
    assert_eq!(body["date_modified_gmt"], "2026-11-21T12:00:02");
    assert_eq!(body["date_paid_gmt"], "2026-11-21T12:00:01");
    assert_eq!(order.body("order.deleted"), serde_json::json!({ "id": 42 }));
    let size = order.webhook("order.updated").body.len();
    assert!((2_500..5_000).contains(&size), "{size}");
}

#[test]
fn the_wire_is_php_s() {
    let mut order = WooOrder::new(42).line("B\u{d6}WL/\u{1f514}", 1);
    let sent = order.pay().webhook("order.updated");
    let text = std::str::from_utf8(&sent.body).unwrap();
    assert!(text.is_ascii() && text.contains(r#""sku":"B\u00d6WL\/\ud83d\udd14""#), "{text}");
    let read: serde_json::Value = serde_json::from_slice(&sent.body).unwrap();
    assert_eq!(read, order.body("order.updated"));
    assert_eq!(sent.path, "/webhooks/woocommerce/site");
    // Two orders of one second have one delivery id.
    let other = WooOrder::new(43).line("MUG", 1).placed_at(order.now()).webhook("order.created");
    assert_eq!(sent.headers.last(), other.headers.last());
    assert_ne!(sent.headers.last(), order.complete().webhook("order.updated").headers.last());
}

#[test]
fn lives_differ_and_can_be_lived_again() {
    let mut statuses = std::collections::BTreeSet::new();
    for seed in 0..500 {
        let (one, again) = (life(seed), life(seed));
        assert_eq!(one.steps, again.steps);
        let mut order = one.order;
        for step in &one.steps {
            order.step(step);
            statuses.insert(order.status().to_owned());
        }
    }
    assert_eq!(statuses.len(), 11, "{statuses:?}");
}

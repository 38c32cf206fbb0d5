//! What every meaning keeps, whatever the body was. The fuzz targets check it as well.

use std::collections::BTreeSet;

use domain::privacy::PrivacyRequest;
use domain::sighting::Thing;
use domain::stock::QUANTITY_MAX;
use domain::{Fact, Meaning, OrderFact, Sighting};

/// Far beyond any sum of what shops have, and far from where sums would overflow.
const SEEN_MAX: i64 = 1_000 * QUANTITY_MAX;

pub(crate) fn check(meaning: &Meaning) {
    match meaning {
        Meaning::Ignored(_) | Meaning::Fact(Fact::Payment(_)) => {}
        Meaning::Dead { detail, .. } => {
            assert!(!detail.is_empty() && detail.chars().count() <= 300);
            assert!(!detail.contains(char::is_control));
        }
        Meaning::Fact(Fact::Order(order)) => check_order(order),
        Meaning::Fact(Fact::Sightings(sightings)) => check_sightings(sightings),
        Meaning::Fact(Fact::Privacy(request)) => check_request(request),
    }
}

fn is_storable(text: &str) -> bool {
    text.len() <= 255 && !text.contains(char::is_control)
}

fn is_id(text: &str) -> bool {
    (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn check_order(order: &OrderFact) {
    assert!(is_id(order.order.as_str()));
    match &order.known.snapshot {
        // A part of an order, or its end.
        None => assert!(order.lines.is_empty()),
        Some(snapshot) => {
            assert!(snapshot.lines.keys().eq(order.lines.keys()));
            assert!(snapshot.refund_lines.iter().eq(order.known.refund_lines.keys()));
            for line in snapshot.lines.values() {
                assert!((0..=line.quantity).contains(&line.kept) && line.quantity <= QUANTITY_MAX);
            }
            assert!(snapshot.name.as_deref().is_none_or(is_storable));
        }
    }
    for refund in order.known.refund_lines.values() {
        assert!((0..=QUANTITY_MAX).contains(&refund.quantity));
    }
    for fulfilment in order.known.fulfilments.values() {
        assert!(fulfilment.lines.values().all(|units| (1..=QUANTITY_MAX).contains(units)));
    }
    let skus = order.lines.values().filter_map(|line| line.sku.as_ref());
    assert!(skus.into_iter().all(|sku| is_storable(sku.as_str())));
}

fn check_sightings(sightings: &[Sighting]) {
    let keys: BTreeSet<_> = sightings.iter().map(|sighting| sighting.thing.key()).collect();
    assert_eq!(keys.len(), sightings.len(), "one thing is seen twice at once");
    for Sighting { thing, gone, .. } in sightings {
        let (kind, id, place) = thing.key();
        assert_eq!(is_id(id), kind != "app", "{kind} {id}");
        assert_eq!(is_id(place), kind == "level", "{kind} {place}");
        let (sku, available) = match thing {
            Thing::Variant { sku, available, .. } => (sku.as_ref(), *available),
            Thing::InventoryItem { sku, .. } => (sku.as_ref(), None),
            Thing::Level { available, .. } => (None, *available),
            Thing::Product { .. } | Thing::App { .. } => (None, None),
        };
        assert!(sku.is_none_or(|sku| !sku.as_str().is_empty() && is_storable(sku.as_str())));
        assert!(available.is_none_or(|units| (-SEEN_MAX..=SEEN_MAX).contains(&units)));
        assert!(!gone || (sku.is_none() && available.is_none()), "what is gone has nothing");
    }
}

fn check_request(request: &PrivacyRequest) {
    assert!(request.customer.as_deref().is_none_or(is_id));
    assert!(request.orders.iter().all(|order| is_id(order.as_str())));
    let is_trace = |trace: &String| !trace.trim().is_empty() && is_storable(trace);
    assert!(request.traces.iter().all(is_trace));
}

//! What the parser makes of a WooCommerce site's bodies is what the site says they mean.

use domain::order::Known;
use domain::{DeadReason, EnvelopeId, Fact, Meaning, OrderFact, ShopId, Timestamp};
use http::{HeaderMap, HeaderName};
use platforms::{Shops, woocommerce};
use simulate::request::Request;
use simulate::woocommerce::{SECRET, SHOP, WooOrder, cannot_view, life, ping};
use uuid::Uuid;

const LIVES: u64 = 200;

/// Received, verified and parsed, as Onhand does it.
fn meaning(sent: &Request, received_at: i64) -> Option<Meaning> {
    let file = format!(
        "[[shop]]\nname = \"{SHOP}\"\nplatform = \"woocommerce\"\nsecrets = [\"plain:{SECRET}\"]\n"
    );
    let shops = Shops::parse(&file, |entry| Err(entry.to_owned())).expect("the file is good");
    let shop = shops.get(&ShopId::new(SHOP)).expect("it was just read");
    let headers: HeaderMap = sent
        .headers
        .iter()
        .map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
            (name, value.parse().expect("a header's value"))
        })
        .collect();
    let received_at = Timestamp::from_seconds(received_at);
    let id = EnvelopeId(Uuid::nil());
    let envelope = woocommerce::receive(&headers, sent.body.clone(), shop, id, received_at);
    envelope.expect("it is signed, or a ping").map(|envelope| platforms::parse(&envelope))
}

#[track_caller]
fn parsed(order: &WooOrder, topic: &str) -> OrderFact {
    match meaning(&order.webhook(topic), order.now()) {
        Some(Meaning::Fact(Fact::Order(fact))) => *fact,
        other => panic!("not an order: {other:?}"),
    }
}

/// Each side tells states apart by a hash of its own.
fn without_digest(mut fact: OrderFact) -> OrderFact {
    if let Some(snapshot) = &mut fact.known.snapshot {
        snapshot.rank.digest = 0;
    }
    fact
}

#[test]
fn every_body_means_what_the_site_says() {
    for seed in 0..LIVES {
        let mut life = life(seed);
        let mut topic = "order.created";
        for step in [None].into_iter().chain(life.steps.iter().map(Some)) {
            if let Some(step) = step {
                topic = life.order.step(step);
            }
            for topic in [topic, "order.updated"] {
                let fact = parsed(&life.order, topic);
                let told = life.order.fact(topic);
                assert_eq!(without_digest(fact), without_digest(told), "{seed} {step:?} {topic}");
            }
        }
    }
}

#[test]
fn whatever_comes_when_the_last_word_counts() {
    for seed in 0..LIVES {
        let mut life = life(seed);
        let mut facts = vec![parsed(&life.order, "order.created").known];
        for step in &life.steps {
            let topic = life.order.step(step);
            facts.push(parsed(&life.order, topic).known);
        }
        // One of several orders of arrival; joining is tested elsewhere.
        let stride = facts.len() / 2 + 1;
        let shuffled = (0..facts.len() * 2).map(|at| &facts[at * stride % facts.len()]);
        let mut known = Known::default();
        for fact in facts.iter().rev().chain(shuffled) {
            known.join(fact.clone());
        }
        let trashed = life.order.status() == "trash";
        assert_eq!(known.is_trashed(), trashed, "{seed} {:?}", life.steps);
        let last = facts.iter().rev().find_map(|known| known.snapshot.as_ref());
        assert_eq!(known.snapshot.as_ref(), last, "{seed} {:?}", life.steps);
    }
}

/// Where the site keeps stock too, we hold what it holds, whatever happened; apart from an order in
/// the bin, which still holds units there.
#[test]
fn we_hold_what_the_site_holds() {
    let mut compared = 0;
    for seed in 0..LIVES {
        let mut life = life(seed);
        let mut known = Known::default();
        for step in &life.steps {
            life.order.step(step);
            let order = &life.order;
            known.join(order.fact("order.updated").known);
            if order.status() == "trash" {
                continue;
            }
            let snapshot = known.snapshot.as_ref().expect("it is an order");
            // Two states within one second: the site shows no more of the second.
            if snapshot.financial_status.as_deref() != Some(order.status()) {
                continue;
            }
            let left = known.completed_at().is_some();
            for line in 0..order.line_count() {
                let shown = snapshot.lines[&order.line_key(line)];
                let is_managed = order.body("order.updated")["line_items"][line]["meta_data"]
                    .as_array()
                    .is_some_and(|meta| !meta.is_empty());
                if is_managed {
                    let held = if left { shown.shipped - shown.returned } else { shown.kept };
                    assert_eq!(held, order.held_by_site(line), "{seed} {step:?}");
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 500, "{compared}");
}

#[test]
fn pings_and_errors_are_what_they_are() {
    assert_eq!(meaning(&ping(SHOP), 0), None);
    let sent = cannot_view(SHOP, SECRET, "order.updated", 0);
    let Some(Meaning::Dead { reason, .. }) = meaning(&sent, 0) else { panic!() };
    assert_eq!(reason, DeadReason::RestCannotView);
    let action = WooOrder::new(1).webhook("action.woocommerce_payment_complete");
    assert_eq!(meaning(&action, 0), Some(Meaning::Ignored("needs_fetch")));
}

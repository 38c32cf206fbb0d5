use std::collections::{BTreeSet, HashMap};

use super::*;

mod lives;

fn sale() -> Sale {
    Sale {
        orders: 400,
        skus: 50,
        hot_skus: 5,
        hot_share: 0.7,
        lines_per_order: 2,
        pay_share: 0.6,
        cancel_share: 0.1,
        late_share: 0.2,
        duplicate_share: 0.2,
        same_instant_share: 0.5,
        disorder: 100,
        seed: 7,
        channel: Channel::Shopify { domain: "demo.myshopify.com".to_owned() },
        life_share: 0.0,
        secret: "only-for-tests".to_owned(),
    }
}

/// Hundreds of draws do not get further from the share than this.
fn assert_about(count: usize, of: usize, share: f64) {
    let [count, of] = [count, of].map(|count| f64::from(u32::try_from(count).unwrap()));
    let found = count / of;
    assert!((found - share).abs() < 0.1, "{found} instead of {share}");
}

#[test]
fn a_seed_is_a_plan() {
    let (one, same) = (sale().plan(), sale().plan());
    assert_eq!(one.webhooks, same.webhooks);
    assert_eq!(one.sends, same.sends);
    assert_eq!(one.orders, same.orders);
    let other = Sale { seed: 8, ..sale() }.plan();
    assert_ne!(one.sends, other.sends);
    assert_ne!(one.webhooks[0].id, other.webhooks[0].id);
}

#[test]
fn shares_are_as_asked() {
    let plan = sale().plan();
    let hot: BTreeSet<_> = (0..5).map(Sale::sku).collect();
    let units = plan.units();
    let of_hot: i64 = units.iter().filter(|(sku, _)| hot.contains(*sku)).map(|(_, n)| n).sum();
    let all: i64 = units.values().sum();
    assert_about(usize::try_from(of_hot).unwrap(), usize::try_from(all).unwrap(), 0.7);
    assert_about(plan.orders.iter().filter(|order| order.paid).count(), 400, 0.6);
    assert_about(plan.orders.iter().filter(|order| order.cancelled).count(), 400, 0.1);
    assert_about(plan.duplicates(), plan.webhooks.len(), 0.2);
    let twins = plan.sends.windows(2).filter(|pair| pair[0] == pair[1]).count();
    assert_about(twins, plan.duplicates(), 0.5);
    let changed = plan.orders.iter().filter(|order| order.paid || order.cancelled).count();
    assert_about(plan.late.len(), changed, 0.2);
}

#[test]
fn everything_is_sent_and_webhook_ids_are_unique() {
    let plan = sale().plan();
    let sent: BTreeSet<_> = plan.sends.iter().copied().collect();
    assert_eq!(sent, (0..plan.webhooks.len()).collect());
    let ids: BTreeSet<_> = plan.webhooks.iter().map(|webhook| &webhook.id).collect();
    assert_eq!(ids.len(), plan.webhooks.len());
}

#[test]
fn old_bodies_are_older_than_all_that_was_sent_before() {
    let plan = sale().plan();
    let mut moments: HashMap<u64, Vec<(usize, String)>> = HashMap::new();
    let mut late = HashMap::new();
    for (at, index) in plan.sends.iter().enumerate() {
        let body: serde_json::Value =
            serde_json::from_slice(plan.webhooks[*index].message.body()).unwrap();
        let (id, updated) = (body["id"].as_u64().unwrap(), body["updated_at"].as_str().unwrap());
        if !plan.late.contains(index) {
            moments.entry(id).or_default().push((at, updated.to_owned()));
        } else {
            late.entry(id).or_insert((at, updated.to_owned()));
        }
    }
    assert_eq!(late.len(), plan.late.len());
    for (id, (sent_at, updated)) in late {
        let others = &moments[&id];
        assert!(others.iter().all(|(at, _)| *at < sent_at), "sent after all others");
        assert!(others.iter().any(|(_, newer)| *newer > updated), "and one of them is newer");
    }
}

#[test]
fn without_disorder_orders_come_in_order_and_once() {
    let plain = Sale {
        disorder: 0,
        duplicate_share: 0.0,
        late_share: 0.0,
        pay_share: 0.0,
        cancel_share: 0.0,
        ..sale()
    };
    let plan = plain.plan();
    assert_eq!(plan.sends, (0..400).collect::<Vec<_>>());
}

#[test]
fn one_hot_item_can_take_every_line() {
    let plan = Sale { hot_skus: 1, hot_share: 1.0, ..sale() }.plan();
    assert_eq!(plan.units().into_keys().collect::<Vec<_>>(), [Sale::sku(0)]);
    let plan = Sale { hot_share: 0.0, ..sale() }.plan();
    assert_eq!(plan.units().len(), 50, "with none hot, all are asked for");
}

#[test]
fn bodies_are_as_long_as_the_platforms_and_each_is_different() {
    let plan = Sale { pay_share: 0.0, cancel_share: 0.0, ..sale() }.plan();
    let lengths: Vec<usize> =
        plan.webhooks.iter().map(|webhook| webhook.message.body().len()).collect();
    assert!(lengths.iter().all(|length| (6000..8500).contains(length)), "{lengths:?}");
    assert!(lengths.iter().collect::<BTreeSet<_>>().len() > 20);
}

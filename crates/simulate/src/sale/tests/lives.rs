//! Sales on every channel, and what their webhooks are called where they arrive.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use domain::{EnvelopeId, Fact, Meaning, ShopId, Timestamp};
use http::{HeaderMap, HeaderName};
use platforms::{Shop, Shops};
use uuid::Uuid;

use super::*;
use crate::request::Request;

/// 2026-11-22T08:00:00Z: when everything is sent.
const NOW: Timestamp = Timestamp(1_795_334_400_000_000);

fn channels() -> Vec<Channel> {
    let payments = Provider::ALL.map(|provider| {
        let shop = provider.as_str().to_owned();
        Channel::Payments { provider, shop }
    });
    let site = Channel::WooCommerce { shop: "site".to_owned() };
    [sale().channel, site].into_iter().chain(payments).collect()
}

fn lively(channel: Channel) -> Sale {
    let secret = match channel.as_str() {
        "adyen" => "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056",
        "standard" => "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        _ => "only-for-tests",
    };
    Sale { channel, secret: secret.to_owned(), life_share: 0.5, orders: 200, ..sale() }
}

/// The name that each webhook has in an inbox that took this request, and what it means.
fn received(sale: &Sale, request: &Request) -> (Option<String>, Meaning) {
    let file = format!(
        "[[shop]]\nname = \"site\"\nplatform = \"woocommerce\"\nsecrets = [\"plain:{0}\"]\n\
         [[shop]]\nname = \"pay\"\nplatform = \"payments\"\nsecrets = [\"plain:{0}\"]\n",
        sale.secret
    );
    let shops = Shops::parse(&file, |entry| Err(entry.to_owned())).unwrap();
    let shop = |name: &str| shops.get(&ShopId::new(name)).unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
    }
    let id = EnvelopeId(Uuid::from_u128(7));
    let envelope = match &sale.channel {
        Channel::Shopify { .. } => unreachable!("its ids are in the headers"),
        Channel::WooCommerce { .. } => {
            let body = request.body.clone();
            platforms::woocommerce::receive(&headers, body, shop("site"), id, NOW).unwrap().unwrap()
        }
        Channel::Payments { provider, .. } => {
            payment(*provider, &headers, request.body.clone(), shop("pay"), id)
        }
    };
    let name = envelope.webhook.to_string();
    ((name != id.to_string()).then_some(name), platforms::parse(&envelope))
}

fn payment(
    provider: Provider,
    headers: &HeaderMap,
    body: Bytes,
    shop: &Shop,
    id: EnvelopeId,
) -> domain::Envelope {
    let all = platforms::payments::receive(provider, headers, body, shop, &mut || id, NOW);
    let [envelope] = all.unwrap().try_into().unwrap();
    envelope
}

#[test]
fn a_seed_is_a_plan_on_every_channel() {
    for channel in channels() {
        let (one, same) = (lively(channel.clone()).plan(), lively(channel.clone()).plan());
        assert_eq!(one.webhooks, same.webhooks, "{channel:?}");
        assert_eq!(one.sends, same.sends);
        assert_eq!(one.orders, same.orders);
        assert_eq!(one.late, same.late);
        let other = Sale { seed: 8, ..lively(channel) }.plan();
        assert_ne!(one.webhooks, other.webhooks);
    }
}

#[test]
fn repeats_and_late_news_are_as_many_as_asked_on_every_channel() {
    for channel in channels() {
        let plan = lively(channel.clone()).plan();
        assert_about(plan.duplicates(), plan.webhooks.len(), 0.2);
        assert!(!plan.late.is_empty(), "{channel:?}");
        let sent: BTreeSet<_> = plan.sends.iter().copied().collect();
        assert_eq!(sent, (0..plan.webhooks.len()).collect(), "{channel:?}");
    }
}

#[test]
fn payments_are_for_the_orders_of_the_same_seed_whatever_becomes_of_those() {
    let orders = Sale { life_share: 0.0, ..lively(sale().channel) }.plan().orders;
    for channel in channels() {
        let sale = lively(channel);
        if !matches!(sale.channel, Channel::Payments { .. }) {
            continue;
        }
        let plan = sale.plan();
        let pairs = |orders: &[PlannedOrder]| -> Vec<_> {
            orders.iter().map(|order| (order.id, order.units.clone())).collect()
        };
        assert_eq!(pairs(&plan.orders), pairs(&orders));
        let ids: BTreeSet<_> = orders.iter().map(|order| order.id.to_string()).collect();
        for webhook in plan.webhooks.iter().filter(|webhook| !webhook.message.is_bare()) {
            let (_, meaning) = received(&sale, &webhook.message.request(NOW));
            let Meaning::Fact(Fact::Payment(fact)) = meaning else { panic!("{meaning:?}") };
            assert!(fact.known.references.iter().all(|order| ids.contains(order.as_str())));
        }
    }
}

#[test]
fn an_inbox_names_webhooks_as_planned() {
    for channel in &channels()[1..] {
        let sale = lively(channel.clone());
        let plan = sale.plan();
        for webhook in &plan.webhooks {
            let (name, meaning) = received(&sale, &webhook.message.request(NOW));
            assert_eq!(name, webhook.id, "{channel:?} {}", webhook.topic);
            assert!(!matches!(meaning, Meaning::Dead { .. }), "{meaning:?}");
            let ignored = matches!(meaning, Meaning::Ignored(_));
            assert_eq!(ignored, webhook.message.is_bare(), "{channel:?} {meaning:?}");
        }
        assert_eq!(plan.bare() > 0, channel.as_str() == "mollie");
        let nameless = plan.nameless(plan.sends.iter().collect::<BTreeSet<_>>());
        assert_eq!(nameless > 0, channel.as_str() == "woocommerce");
    }
}

#[test]
fn a_name_may_stand_for_several_bodies_but_name_and_body_for_one_webhook() {
    for channel in channels() {
        let plan = lively(channel.clone()).plan();
        let mut bodies: BTreeMap<&String, BTreeSet<&[u8]>> = BTreeMap::new();
        let mut named = 0;
        for webhook in plan.webhooks.iter().filter(|webhook| !webhook.message.is_bare()) {
            if let Some(id) = &webhook.id {
                bodies.entry(id).or_default().insert(webhook.message.body());
                named += 1;
            }
        }
        assert_eq!(bodies.values().map(BTreeSet::len).sum::<usize>(), named, "{channel:?}");
        let shared = bodies.values().any(|bodies| bodies.len() > 1);
        assert_eq!(shared, channel.as_str() == "woocommerce", "{channel:?}");
    }
}

#[test]
fn a_plan_is_about_as_large_as_was_reckoned() {
    for channel in channels() {
        for (life_share, share, lines_per_order) in
            [(0.0, 0.0, 1), (0.0, 0.0, 20), (0.0, 1.0, 2), (0.5, 0.5, 20), (1.0, 1.0, 2)]
        {
            let sale = Sale {
                orders: 150,
                life_share,
                pay_share: share,
                cancel_share: share,
                late_share: share,
                lines_per_order,
                ..lively(channel.clone())
            };
            let plan = sale.plan();
            let bodies = plan.webhooks.iter().map(|one| one.message.body().len());
            let taken = f64::from(u32::try_from(bodies.sum::<usize>()).unwrap()) / 1e6;
            let found = sale.megabytes() / taken;
            // Payments are so small that they are not reckoned one by one.
            let most = if matches!(channel, Channel::Payments { .. }) { 8.0 } else { 2.0 };
            assert!((0.95..most).contains(&found), "{sale:?}: {found} times {taken} MB");
        }
    }
}

#[test]
fn lives_have_everything_that_their_platform_knows() {
    let expected: [&[&str]; 6] = [
        &[
            "fulfillments/create",
            "orders/cancelled",
            "orders/create",
            "orders/edited",
            "orders/fulfilled",
            "orders/paid",
            "orders/partially_fulfilled",
            "orders/updated",
            "refunds/create",
        ],
        &["order.created", "order.deleted", "order.restored", "order.updated"],
        &["authorised", "cancelled", "captured", "disputed", "failed", "refunded"],
        &["authorised", "cancelled", "captured", "disputed", "failed", "refunded"],
        &["authorised", "cancelled", "captured", "disputed", "failed", "refunded"],
        &["authorised", "cancelled", "captured", "disputed", "failed", "refunded"],
    ];
    for (channel, expected) in channels().into_iter().zip(expected) {
        let topics: Vec<_> = lively(channel).plan().topics().into_keys().collect();
        assert_eq!(topics, expected);
    }
    let text = |plan: &Plan| -> String {
        plan.webhooks.iter().map(|one| String::from_utf8_lossy(one.message.body())).collect()
    };
    let shopify = text(&lively(sale().channel).plan());
    for restock in ["cancel", "return", "no_restock", "legacy_restock"] {
        assert!(shopify.contains(&format!(r#""restock_type":"{restock}""#)), "{restock}");
    }
    let site = text(&lively(channels().swap_remove(1)).plan());
    for told in [r#""status":"on-hold""#, r#""status":"completed""#, "_restock_refunded_items"] {
        assert!(site.contains(told), "{told}");
    }
}

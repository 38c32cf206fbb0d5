//! Orders of a shop that commits what is paid, and what happens to the payments for them at another
//! shop, as the bytes that are sent and received.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::order::{Holding, Known, OrderState};
use domain::payment::PaymentKnown;
use domain::{
    Envelope, EnvelopeId, Keys, LocationId, OrderId, OrderKey, PaymentId, PaymentKey, Provider,
    ShopId, Sku, StockKey, Timestamp,
};
use platforms::Shops;
use store::Store;
use testkit::payments::{AMOUNT, PaymentLife, Step};
use testkit::request::Request;
use testkit::shopify::{PLACED_AT, ShopifyOrder};
use uuid::Uuid;
use worker::Work;

use crate::harness::{headers, shops};

const KEY: &str = "74F490DD33F7327BAECC88B2947C011FC02D014A473AAA33A8EC93E4DC069174";

/// Of every order.
pub(crate) const UNITS: i64 = 2;

/// `demo`, which commits what is paid and has these rules, too; and `cards`, where it is paid.
pub(crate) fn paid_shops(rules: &str) -> Arc<Shops> {
    shops(&format!(
        "commit_on = \"paid\"\n{rules}\n[[shop]]\nname = \"cards\"\nplatform = \"payments\"\n\
         secrets = [\"plain:{KEY}\"]\npays_for = \"demo\""
    ))
}

pub(crate) fn payment(provider: Provider, order: u64) -> PaymentLife {
    PaymentLife::new(provider, "cards", KEY, &order.to_string())
}

/// The envelope of what a provider sends at `at`.
pub(crate) fn received(provider: Provider, request: &Request, at: Timestamp) -> Envelope {
    let (shops, mut new_id) = (paid_shops(""), || EnvelopeId(Uuid::now_v7()));
    let shop = shops.get(&ShopId::new("cards")).expect("named");
    let (headers, body) = (headers(request), request.body.clone());
    platforms::payments::receive(provider, &headers, body, shop, &mut new_id, at)
        .expect("signed")
        .remove(0)
}

/// What happens: to a payment, or to the order itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Authorise,
    Capture,
    Fail,
    Cancel,
    Refund,
    Dispute,
    CaptureFails,
    RefundFails,
    Win,
    Lose,
    /// The platform cancels the order.
    CallOff,
}

use Act::{
    Authorise, CallOff, Cancel, Capture, CaptureFails, Dispute, Fail, Lose, Refund, RefundFails,
    Win,
};

impl Act {
    pub(crate) const ALL: [Act; 11] = [
        Authorise,
        Capture,
        Fail,
        Cancel,
        Refund,
        Dispute,
        CaptureFails,
        RefundFails,
        Win,
        Lose,
        CallOff,
    ];

    fn step(self) -> Option<Step> {
        Some(match self {
            Authorise => Step::Authorise,
            Capture => Step::Capture,
            Fail => Step::Fail,
            Cancel => Step::Cancel,
            Refund => Step::Refund(AMOUNT / 2),
            Dispute => Step::Dispute,
            CaptureFails => Step::CaptureFailed,
            RefundFails => Step::RefundFailed(AMOUNT / 2),
            Win => Step::DisputeWon,
            Lose => Step::DisputeLost,
            CallOff => return None,
        })
    }

    /// A try of the payer's, which the provider knows the order of.
    fn is_try(self) -> bool {
        matches!(self, Authorise | Capture | Fail | Cancel)
    }

    /// Whether the provider tells what this is, and not only that something happened.
    pub(crate) fn is_told_by(self, provider: Provider) -> bool {
        match provider {
            Provider::Mollie => self.is_try() || self == CallOff,
            Provider::Stripe => self != CaptureFails,
            Provider::Adyen | Provider::Standard => true,
        }
    }
}

/// Nobody is told what an order's refunds and disputes are about but by the payment's own id.
fn unnamed(mut envelope: Envelope, order: u64) -> Envelope {
    let text = String::from_utf8_lossy(&envelope.body);
    envelope.body = text.replace(&format!("\"order_id\":\"{order}\""), "\"order_id\":null").into();
    envelope
}

/// An order, then what happens to it and to its two payments, as it is sent.
pub(crate) fn history(
    provider: Provider,
    order: u64,
    sku: &str,
    acts: &[(usize, Act)],
) -> Vec<Envelope> {
    let mut placed = ShopifyOrder::new(order).line(sku, UNITS);
    let of_order = |order: &ShopifyOrder, topic: &str, at| {
        order.webhook(topic).envelope("demo", Timestamp::from_seconds(at))
    };
    let mut sent = vec![of_order(&placed, "orders/create", PLACED_AT)];
    let mut lives = [payment(provider, order), payment(provider, order)];
    for (second, (which, act)) in (1..).zip(acts) {
        let (at, now) = (PLACED_AT + second, Timestamp::from_seconds(PLACED_AT + second));
        let Some(step) = act.step() else {
            if !placed.is_cancelled() {
                // The order's own clock stood still since it was placed.
                placed.seconds_per_action(second).cancel(None);
                sent.push(of_order(&placed, "orders/cancelled", at));
            }
            continue;
        };
        let envelope = received(provider, &lives[*which].step(step, now), now);
        sent.push(if act.is_try() { envelope } else { unnamed(envelope, order) });
    }
    sent
}

/// The units of a row, what is known of each payment, and what is known of and held by the order.
#[derive(Debug, PartialEq)]
pub(crate) struct End {
    pub(crate) stock: (i64, i64),
    pub(crate) state: OrderState,
    pub(crate) payments: BTreeMap<PaymentId, PaymentKnown>,
    pub(crate) known: Known,
    holdings: BTreeMap<StockKey, Holding>,
}

pub(crate) async fn end<S: Store>(store: &S, order: u64, sku: &str, sent: &[Envelope]) -> End {
    let key = order_key(order);
    let facts = sent.iter().filter_map(|one| match platforms::parse(one) {
        domain::Meaning::Fact(domain::Fact::Payment(fact)) => Some(fact.payment),
        _ => None,
    });
    let shop = ShopId::new("cards");
    let payments = facts.map(|payment| PaymentKey { shop: shop.clone(), payment }).collect();
    let (orders, row) = ([key.clone()].into(), bowls(sku));
    let keys = Keys { orders, payments, skus: [row.sku.clone()].into(), ..Keys::default() };
    let mut view = store.load(&keys).await.expect("loads");
    let stock = view.stock.get(&row);
    let mut order = view.orders.remove(&key).unwrap_or_default();
    for (payment, known) in &view.payments {
        let linked = order.known.payments.get(&payment.to_string()).copied();
        assert_eq!(linked, known.known.reference().map(|_| known.linked()), "the order knows it");
    }
    // How often there was news depends on the way, and whether a row of zeros is left.
    order.known.payments.values_mut().for_each(|linked| linked.revision = 0);
    order.holdings.retain(|_, held| !held.is_empty());
    let shops = paid_shops("");
    let state = order.state(&shops.get(&key.shop).expect("named").policy);
    End {
        stock: (stock.on_hand, stock.committed),
        state,
        payments: view.payments.into_iter().map(|(key, one)| (key.payment, one.known)).collect(),
        known: order.known,
        holdings: order.holdings,
    }
}

pub(crate) fn order_key(order: u64) -> OrderKey {
    OrderKey { shop: ShopId::new("demo"), order: OrderId::new(order.to_string()) }
}

pub(crate) fn bowls(sku: &str) -> StockKey {
    StockKey::new(&Sku::new(sku), &LocationId::new("main"))
}

pub(crate) fn works(batch: &[Envelope]) -> Vec<Work> {
    batch.iter().map(|one| Work::new(one.clone(), 0)).collect()
}

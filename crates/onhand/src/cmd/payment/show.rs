//! `payment show`.

use std::process::ExitCode;

use domain::payment::{Payment, PaymentState};
use domain::{Keys, OrderId, OrderKey, PaymentEventId, PaymentKey, ShopId, Timestamp};
use serde::Serialize;
use store::channels::{PaymentFilter, PaymentRow};
use store::{AnyStore, Channels, Store};

use super::{OrderJson, PaymentJson, amount};
use crate::config::Settings;
use crate::exit::NOT_FINE;
use crate::{output, shops_file};

/// More payments of one order, or of none, are not looked through.
const LOOKED_THROUGH: i64 = 10_000;

/// One thing that happened, and where the payment stood then.
#[derive(Serialize)]
pub(crate) struct EventJson<'a> {
    id: &'a PaymentEventId,
    kind: &'static str,
    at: String,
    minor: Option<i64>,
    currency: Option<&'a str>,
    state: PaymentState,
    #[serde(skip)]
    money: String,
}

impl<'a> EventJson<'a> {
    /// In the order of their own moments.
    pub(crate) fn all(payment: &'a Payment) -> Vec<Self> {
        let transitions = payment.known.transitions().into_iter();
        transitions
            .map(|step| {
                let money = step.event.money.as_ref();
                Self {
                    id: step.id,
                    kind: step.event.kind.as_str(),
                    at: output::moment(step.event.at),
                    minor: money.map(|money| money.minor),
                    currency: money.map(|money| money.currency.as_str()),
                    state: step.state,
                    money: output::or_dash(money.map(output::money)),
                }
            })
            .collect()
    }

    /// Happened, money, then the state, at; for a table.
    pub(crate) fn cells(&self) -> [String; 4] {
        [self.kind.to_owned(), self.money.clone(), self.state.to_string(), self.at.clone()]
    }
}

#[derive(Serialize)]
struct ShownJson<'a> {
    #[serde(flatten)]
    payment: PaymentJson<'a>,
    /// All that it was said to pay for; the first counts.
    references: Vec<&'a OrderId>,
    events: Vec<EventJson<'a>>,
}

pub(super) async fn run(
    settings: &Settings,
    shop: &str,
    payment_id: &str,
) -> anyhow::Result<ExitCode> {
    let key = PaymentKey { shop: ShopId::new(shop), payment: payment_id.into() };
    let store = settings.open_store().await?;
    let keys = Keys { payments: [key.clone()].into(), ..Keys::default() };
    let view = store.load(&keys).await?;
    let Some(payment) = view.payments.get(&key) else {
        shops_file::check_typo(&settings.shops, Some(shop))?;
        eprintln!(
            "onhand: nothing is known of payment {key}; see `onhand payment list --shop {shop}`"
        );
        return Ok(ExitCode::from(NOT_FINE));
    };
    let (order, row) = find_order(settings, &store, &key, payment).await?;
    let shown = ShownJson {
        payment: PaymentJson {
            shop: &key.shop,
            payment_id: &key.payment,
            state: payment.known.state(),
            order: order.as_ref().map(OrderJson::from),
            linked: row.as_ref().is_some_and(|row| row.linked),
            amount: amount(payment),
            first_seen_at: row.as_ref().map(|row| output::moment(row.first_seen_at)),
        },
        references: payment.known.references.iter().collect(),
        events: EventJson::all(payment),
    };
    if settings.json {
        output::json(&shown)?;
    } else {
        for_people(&shown);
    }
    Ok(ExitCode::SUCCESS)
}

/// The order that it pays for, and its row. A payment itself knows its reference only: whose order
/// that is, the shops file said when it came.
async fn find_order(
    settings: &Settings,
    store: &AnyStore,
    key: &PaymentKey,
    payment: &Payment,
) -> anyhow::Result<(Option<OrderKey>, Option<PaymentRow>)> {
    let shops = shops_file::load(&settings.shops).ok();
    let shop = shops.as_ref().and_then(|shops| shops.get(&key.shop));
    let paid = shop.and_then(|shop| shop.pays_for.clone()).unwrap_or_else(|| key.shop.clone());
    let reference = payment.known.reference();
    let order = reference.map(|order| OrderKey { shop: paid, order: order.clone() });
    let filter = PaymentFilter {
        shop: Some(key.shop.clone()),
        order: order.clone(),
        // One without an order is looked for among its like.
        unlinked_before: order.is_none().then_some(Timestamp(i64::MAX)),
        limit: LOOKED_THROUGH,
    };
    let row = store.payments(&filter).await?.into_iter().find(|row| row.key == *key);
    Ok((order, row))
}

fn for_people(shown: &ShownJson<'_>) {
    let payment = &shown.payment;
    outln!("Payment {} of {}: {}", payment.payment_id, payment.shop, payment.state);
    outln!("  pays for    {}", payment.order_words());
    outln!("  amount      {}", output::or_dash(payment.amount.as_ref().map(output::money)));
    outln!("  first seen  {}", output::or_dash(payment.first_seen_at.as_ref()));
    if let [counts, _, ..] = &shown.references[..] {
        let all: Vec<&str> = shown.references.iter().map(|order| order.as_str()).collect();
        outln!("It was said to pay for several orders ({}): {counts} counts.", all.join(", "));
    }
    output::table(
        &["event", "happened", ">money", "then", "at"],
        shown.events.iter().map(|event| {
            let mut row = vec![event.id.to_string()];
            row.extend(event.cells());
            row
        }),
    );
}

//! `payment show`.

use std::process::ExitCode;

use domain::payment::{Payment, PaymentState};
use domain::{OrderId, PaymentEventId, PaymentKey, ShopId};
use serde::Serialize;
use store::Channels;
use store::channels::PaymentFilter;

use super::{OrderJson, PaymentJson, amount};
use crate::config::Settings;
use crate::exit::NOT_FINE;
use crate::{output, shops_file};

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
    let filter = PaymentFilter {
        shop: Some(key.shop.clone()),
        payment: Some(key.payment.clone()),
        limit: 1,
        ..PaymentFilter::default()
    };
    let Some(row) = store.payments(&filter).await?.pop() else {
        shops_file::check_typo(&settings.shops, Some(shop))?;
        eprintln!(
            "onhand: nothing is known of payment {payment_id} of {shop}; see `onhand payment list --shop {shop}`"
        );
        return Ok(ExitCode::from(NOT_FINE));
    };
    let payment = &row.payment;
    let shown = ShownJson {
        payment: PaymentJson {
            shop: &key.shop,
            payment_id: &key.payment,
            state: payment.known.state(),
            order: row.order.as_ref().map(OrderJson::from),
            linked: row.linked,
            amount: amount(payment),
            first_seen_at: output::moment(row.first_seen_at),
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

fn for_people(shown: &ShownJson<'_>) {
    let payment = &shown.payment;
    outln!("Payment {} of {}: {}", payment.payment_id, payment.shop, payment.state);
    outln!("  pays for    {}", payment.order_words());
    outln!("  amount      {}", output::or_dash(payment.amount.as_ref().map(output::money)));
    outln!("  first seen  {}", payment.first_seen_at);
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

//! `onhand payment`: payments, and the orders that they pay for.

use std::process::ExitCode;

use clap::Subcommand;
use domain::payment::{Money, Payment, PaymentEvent, PaymentState};
use domain::{OrderId, OrderKey, PaymentId, ShopId};
use serde::Serialize;
use store::Channels;
use store::channels::{PaymentFilter, PaymentRow};

use crate::config::Settings;
use crate::{output, shops_file, when};

mod show;

pub(crate) use show::EventJson;

#[derive(Debug, Subcommand)]
pub(crate) enum PaymentCommand {
    /// List payments, newest first
    #[command(after_help = "Examples:\n  \
        onhand payment list --shop stripe\n  \
        onhand payment list --unlinked --older-than 1d    money that belongs to no order")]
    List {
        /// Only of this payments shop
        #[arg(long)]
        shop: Option<String>,
        /// Only those whose order nobody named, or has not come
        #[arg(long)]
        unlinked: bool,
        /// Only those first heard of so long ago, as 30m, 12h or 1d: an order may come a while after
        /// its payment
        #[arg(long, requires = "unlinked", value_name = "AGE")]
        older_than: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=100_000))]
        limit: i64,
    },
    /// One payment: where it stands, what it pays for, and everything that happened to it
    #[command(after_help = "Example: onhand payment show stripe pi_3MtwBwLkdIwHu7ix28a3tqPa")]
    Show {
        /// The payments shop, by its name in the shops file
        shop: String,
        /// The provider's id
        payment_id: String,
    },
}

/// One payment, as every answer shows it.
#[derive(Serialize)]
struct PaymentJson<'a> {
    shop: &'a ShopId,
    payment_id: &'a PaymentId,
    state: PaymentState,
    /// What it pays for, as far as anybody said.
    order: Option<OrderJson<'a>>,
    /// That order has come.
    linked: bool,
    /// What came in, or else what was promised.
    amount: Option<Money>,
    first_seen_at: String,
}

#[derive(Clone, Copy, Serialize)]
struct OrderJson<'a> {
    shop: &'a ShopId,
    order_id: &'a OrderId,
}

impl<'a> From<&'a OrderKey> for OrderJson<'a> {
    fn from(key: &'a OrderKey) -> Self {
        Self { shop: &key.shop, order_id: &key.order }
    }
}

impl<'a> From<&'a PaymentRow> for PaymentJson<'a> {
    fn from(row: &'a PaymentRow) -> Self {
        Self {
            shop: &row.key.shop,
            payment_id: &row.key.payment,
            state: row.payment.known.state(),
            order: row.order.as_ref().map(OrderJson::from),
            linked: row.linked,
            amount: amount(&row.payment),
            first_seen_at: output::moment(row.first_seen_at),
        }
    }
}

impl PaymentJson<'_> {
    fn order_words(&self) -> String {
        match self.order {
            None => "nobody said".to_owned(),
            Some(OrderJson { shop, order_id }) => {
                format!("{shop} {order_id}{}", if self.linked { "" } else { " (has not come)" })
            }
        }
    }
}

/// What came in; where nothing did, what was promised.
fn amount(payment: &Payment) -> Option<Money> {
    let events: Vec<&PaymentEvent> = payment.known.events.values().collect();
    let of = |kind: &str| -> Vec<&Money> {
        let events = events.iter().filter(|event| event.kind.as_str() == kind);
        events.filter_map(|event| event.money.as_ref()).collect()
    };
    // Some providers tell each capture, some the sum so far.
    let single = of("captured");
    let minor = single.iter().fold(0, |sum: i64, money| sum.saturating_add(money.minor));
    let sum = single.first().map(|money| Money { minor, currency: money.currency.clone() });
    let in_all = of("captured_in_all").into_iter().max_by_key(|money| money.minor).cloned();
    let promised = of("authorised").into_iter().max_by_key(|money| money.minor).cloned();
    sum.into_iter().chain(in_all).max_by_key(|money| money.minor).or(promised)
}

pub(crate) async fn run(settings: &Settings, command: PaymentCommand) -> anyhow::Result<ExitCode> {
    match command {
        PaymentCommand::List { shop, unlinked, older_than, limit } => {
            let older_than = older_than.as_deref().map(when::older_than).transpose()?;
            let before = older_than.unwrap_or_else(operate::now);
            let filter = PaymentFilter {
                payment: None,
                shop: shop.as_deref().map(ShopId::new),
                order: None,
                unlinked_before: unlinked.then_some(before),
                limit,
            };
            let rows = settings.open_store().await?.payments(&filter).await?;
            if rows.is_empty() {
                shops_file::check_typo(&settings.shops, shop.as_deref())?;
            }
            list(settings, &rows, unlinked)?;
            Ok(ExitCode::SUCCESS)
        }
        PaymentCommand::Show { shop, payment_id } => show::run(settings, &shop, &payment_id).await,
    }
}

fn list(settings: &Settings, rows: &[PaymentRow], unlinked: bool) -> anyhow::Result<()> {
    let payments: Vec<_> = rows.iter().map(PaymentJson::from).collect();
    if settings.json {
        return output::json(&payments);
    }
    if payments.is_empty() {
        outln!("No {}payments.", if unlinked { "such " } else { "" });
        return Ok(());
    }
    output::table(
        &["shop", "payment", "state", ">amount", "pays for", "first seen"],
        payments.iter().map(|one| {
            vec![
                one.shop.to_string(),
                one.payment_id.to_string(),
                one.state.to_string(),
                output::or_dash(one.amount.as_ref().map(output::money)),
                one.order_words(),
                one.first_seen_at.clone(),
            ]
        }),
    );
    if unlinked {
        outln!(
            "Each is money without an order here. Look for it at the provider: the reference that \
             it was given must be the order's id at the platform."
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use domain::payment::{PaymentEventKind, PaymentKnown};

    use super::*;

    #[test]
    fn the_amount_is_what_came_in_or_else_what_was_promised() {
        let of = |events: &[(PaymentEventKind, i64)]| {
            let events = events.iter().enumerate().map(|(at, (kind, minor))| {
                let money = Some(Money { minor: *minor, currency: "EUR".to_owned() });
                (
                    at.to_string().as_str().into(),
                    PaymentEvent { at: Timestamp(0), kind: *kind, money },
                )
            });
            let known = PaymentKnown { events: events.collect(), ..PaymentKnown::default() };
            amount(&Payment { known, ..Payment::default() }).map(|money| money.minor)
        };
        use PaymentEventKind::{Authorised, Captured, Refunded};
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[(Authorised, 500)]), Some(500));
        assert_eq!(of(&[(Authorised, 500), (Captured, 200), (Captured, 100)]), Some(300));
        assert_eq!(of(&[(Captured, 200), (Refunded, 50)]), Some(200));
    }
}

//! `order show`.

use std::process::ExitCode;

use domain::order::{Order, OrderFlag, OrderState};
use domain::payment::PaymentState;
use domain::{OrderId, OrderKey, Payment, PaymentId, PaymentKey, Policy, ShopId, Sku, WebhookId};
use operate::order::explain::{self, Explained};
use operate::order::find::Found;
use operate::order::lines::{Line, lines};
use serde::Serialize;
use store::reports::WebhookRow;

use super::{MoveJson, not_there};
use crate::cmd::payment::EventJson;
use crate::config::Settings;
use crate::{output, shops_file};

#[derive(Serialize)]
struct OrderJson<'a> {
    shop: &'a ShopId,
    order_id: &'a OrderId,
    name: Option<&'a str>,
    financial_status: Option<&'a str>,
    fulfillment_status: Option<&'a str>,
    state: OrderState,
    why: String,
    flags: Vec<OrderFlag>,
    lines: Vec<LineJson>,
    webhooks: Vec<WebhookJson<'a>>,
    payments: Vec<PaymentJson<'a>>,
    ledger: Vec<MoveJson<'a>>,
    /// Of which there are older ones than those here.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    cut: &'a [&'static str],
}

#[derive(Serialize)]
struct LineJson {
    sku: Sku,
    ordered: i64,
    committed: i64,
    shipped: i64,
    returned: i64,
    uncovered: i64,
}

#[derive(Serialize)]
struct WebhookJson<'a> {
    webhook_id: &'a WebhookId,
    topic: &'a str,
    outcome: &'a str,
    reason: Option<&'a str>,
    detail: Option<&'a str>,
    received_at: String,
    deliveries: i64,
    decided_at: String,
}

#[derive(Serialize)]
struct PaymentJson<'a> {
    shop: &'a ShopId,
    payment_id: &'a PaymentId,
    state: PaymentState,
    events: Vec<EventJson<'a>>,
}

pub(super) async fn run(settings: &Settings, key: &OrderKey) -> anyhow::Result<ExitCode> {
    // Without a shops file an order can still be shown, under the default rules.
    let shops = shops_file::load(&settings.shops).unwrap_or_default();
    let found = Found::read(&settings.open_store().await?, key, shops.payers(&key.shop)).await?;
    let Some(order) = found.view.orders.get(key) else {
        return not_there(settings, key, &found.webhooks);
    };
    let policy = shops.get(&key.shop).map(|shop| shop.policy.clone()).unwrap_or_default();
    let explained = Explained {
        key,
        order,
        policy: &policy,
        stock: &found.view.stock,
        payments: &found.payments,
    };
    let shown = describe(key, order, &policy, explain::why(&explained), &found);
    if settings.json {
        output::json(&shown)?;
    } else {
        for_people(&shown, &explain::flags(&explained));
        if let Some(missing) = found.missing() {
            outln!("{missing}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn describe<'a>(
    key: &'a OrderKey,
    order: &'a Order,
    policy: &Policy,
    why: String,
    found: &'a Found,
) -> OrderJson<'a> {
    let snapshot = order.known.snapshot.as_ref();
    let webhook = |row: &'a WebhookRow| WebhookJson {
        webhook_id: &row.webhook,
        topic: &row.topic,
        outcome: &row.outcome,
        reason: row.reason.as_deref(),
        detail: row.detail.as_deref(),
        received_at: output::moment(row.received_at),
        deliveries: row.deliveries,
        decided_at: output::moment(row.decided_at),
    };
    let payment = |(key, payment): &'a (PaymentKey, Payment)| PaymentJson {
        shop: &key.shop,
        payment_id: &key.payment,
        state: payment.known.state(),
        events: EventJson::all(payment),
    };
    OrderJson {
        shop: &key.shop,
        order_id: &key.order,
        name: snapshot.and_then(|snapshot| snapshot.name.as_deref()),
        financial_status: snapshot.and_then(|snapshot| snapshot.financial_status.as_deref()),
        fulfillment_status: snapshot.and_then(|snapshot| snapshot.fulfillment_status.as_deref()),
        state: order.state(policy),
        why,
        flags: order.flags(policy),
        lines: lines(order).into_iter().map(LineJson::from).collect(),
        webhooks: found.webhooks.iter().map(webhook).collect(),
        payments: found.payments.iter().map(payment).collect(),
        ledger: found.ledger.iter().map(MoveJson::from).collect(),
        cut: &found.cut,
    }
}

impl From<Line> for LineJson {
    fn from(line: Line) -> Self {
        let Line { sku, ordered, committed, shipped, returned, uncovered } = line;
        Self { sku, ordered, committed, shipped, returned, uncovered }
    }
}

fn for_people(order: &OrderJson<'_>, flags: &[String]) {
    outln!(
        "Order {} {} of {}: {} ({}, {})",
        order.order_id,
        order.name.unwrap_or_default(),
        order.shop,
        explain::state(order.state),
        order.financial_status.unwrap_or("no financial status"),
        order.fulfillment_status.unwrap_or("not fulfilled"),
    );
    outln!("{}", order.why);
    for flag in flags {
        outln!("! {flag}");
    }
    output::table(
        &["sku", ">ordered", ">committed", ">shipped", ">returned", ">uncovered"],
        order.lines.iter().map(|line| {
            let units = [line.ordered, line.committed, line.shipped, line.returned, line.uncovered];
            std::iter::once(line.sku.to_string())
                .chain(units.iter().map(ToString::to_string))
                .collect()
        }),
    );
    if !order.webhooks.is_empty() {
        webhooks_for_people(&order.webhooks);
    }
    if !order.payments.is_empty() {
        payments_for_people(&order.payments);
    }
    if !order.ledger.is_empty() {
        moves_for_people(&order.ledger);
    }
}

fn webhooks_for_people(webhooks: &[WebhookJson<'_>]) {
    output::table(
        &["webhook", "topic", "outcome", "reason", "detail", "received", "decided"],
        webhooks.iter().map(|row| {
            vec![
                row.webhook_id.to_string(),
                row.topic.to_owned(),
                row.outcome.to_owned(),
                output::or_dash(row.reason),
                output::or_dash(row.detail),
                row.received_at.clone(),
                row.decided_at.clone(),
            ]
        }),
    );
}

fn moves_for_people(moves: &[MoveJson<'_>]) {
    output::table(
        &["move", "sku", "location", ">on hand", ">committed", "because of", "at"],
        moves.iter().map(|row| {
            vec![
                row.kind.to_owned(),
                row.sku.to_string(),
                row.location.to_string(),
                format!("{:+}", row.on_hand_delta),
                format!("{:+}", row.committed_delta),
                row.reason.to_owned(),
                row.at.clone(),
            ]
        }),
    );
}

/// Every step of every payment; what a payment is named by stands on its first line only.
fn payments_for_people(payments: &[PaymentJson<'_>]) {
    let rows = payments.iter().flat_map(|payment| {
        payment.events.iter().enumerate().map(move |(at, event)| {
            let name = format!("{} {}", payment.shop, payment.payment_id);
            let mut row = vec![if at == 0 { name } else { String::new() }];
            row.extend(event.cells());
            row
        })
    });
    output::table(&["payment", "happened", ">money", "then", "at"], rows);
}

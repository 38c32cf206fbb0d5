//! `onhand order`: an order explained, and a short one tried again.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Subcommand;
use domain::order::{Order, OrderFlag, OrderState};
use domain::{
    Keys, LocationId, OrderId, OrderKey, Outcome, Policy, ShopId, Sku, Verdict, WebhookId,
};
use serde::Serialize;
use store::reports::{HistoryRow, WebhookFilter, WebhookRow};
use store::{AnyStore, Reports, Store};

use crate::cmd::operate::{Command, Operated, operate};
use crate::config::Settings;
use crate::exit::NOT_FINE;
use crate::{output, shops_file};

#[derive(Debug, Subcommand)]
pub(crate) enum OrderCommand {
    /// What is known of an order, what it holds, and how it came to that
    Show { shop: String, order_id: String },
    /// Try to commit a short order again, after stock came
    Retry { shop: String, order_id: String },
}

/// At most so many webhooks of one order are shown.
const WEBHOOKS_SHOWN: i64 = 1_000;

#[derive(Serialize)]
struct OrderJson<'a> {
    shop: &'a ShopId,
    order_id: &'a OrderId,
    name: Option<&'a str>,
    financial_status: Option<&'a str>,
    fulfillment_status: Option<&'a str>,
    state: OrderState,
    flags: Vec<OrderFlag>,
    lines: Vec<LineJson>,
    webhooks: Vec<WebhookJson<'a>>,
    ledger: Vec<MoveJson<'a>>,
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
    received_at: String,
    deliveries: i64,
}

/// One move, as histories show it.
#[derive(Serialize)]
pub(super) struct MoveJson<'a> {
    sku: &'a Sku,
    location: &'a LocationId,
    version: i64,
    kind: &'a str,
    on_hand_delta: i64,
    committed_delta: i64,
    shop: Option<&'a ShopId>,
    order_id: Option<&'a OrderId>,
    webhook_id: Option<&'a WebhookId>,
    correlation_id: &'a str,
    reason: &'a str,
    at: String,
}

impl<'a> From<&'a HistoryRow> for MoveJson<'a> {
    fn from(row: &'a HistoryRow) -> Self {
        Self {
            sku: &row.key.sku,
            location: &row.key.location,
            version: row.version.0,
            kind: &row.kind,
            on_hand_delta: row.on_hand_delta,
            committed_delta: row.committed_delta,
            shop: row.shop.as_ref(),
            order_id: row.order.as_ref(),
            webhook_id: row.webhook.as_ref(),
            correlation_id: &row.correlation,
            reason: &row.reason,
            at: output::moment(row.at),
        }
    }
}

pub(crate) async fn run(settings: &Settings, command: OrderCommand) -> anyhow::Result<ExitCode> {
    let (OrderCommand::Show { shop, order_id } | OrderCommand::Retry { shop, order_id }) = &command;
    let key = OrderKey { shop: ShopId::new(shop), order: OrderId::new(order_id) };
    let store = settings.open_store().await?;
    match command {
        OrderCommand::Show { .. } => show(settings, &store, &key).await,
        OrderCommand::Retry { .. } => retry(settings, &store, &key).await,
    }
}

async fn show(settings: &Settings, store: &AnyStore, key: &OrderKey) -> anyhow::Result<ExitCode> {
    let keys = Keys { orders: [key.clone()].into(), ..Keys::default() };
    let view = store.load(&keys).await?;
    let filter = WebhookFilter {
        shop: Some(key.shop.clone()),
        order: Some(key.order.clone()),
        limit: WEBHOOKS_SHOWN,
        ..WebhookFilter::default()
    };
    let mut webhooks = store.webhooks(&filter).await?;
    webhooks.reverse();
    let Some(order) = view.orders.get(key) else {
        return not_there(key, &webhooks);
    };
    let ledger = store.order_history(key).await?;
    // Without a shops file an order can still be shown, under the default rules.
    let policy = shops_file::load(&settings.shops)
        .ok()
        .and_then(|shops| shops.get(&key.shop).map(|shop| shop.policy.clone()))
        .unwrap_or_default();
    let shown = describe(key, order, &policy, &webhooks, &ledger);
    if settings.json {
        output::json(&shown)?;
    } else {
        for_people(&shown);
    }
    Ok(ExitCode::SUCCESS)
}

fn not_there(key: &OrderKey, webhooks: &[WebhookRow]) -> anyhow::Result<ExitCode> {
    eprintln!("onhand: nothing is known of order {key}");
    for webhook in webhooks {
        let reason = webhook.reason.as_deref().unwrap_or("no reason");
        eprintln!("  webhook {} was {}: {reason}", webhook.webhook, webhook.outcome);
    }
    Ok(ExitCode::from(NOT_FINE))
}

fn describe<'a>(
    key: &'a OrderKey,
    order: &'a Order,
    policy: &Policy,
    webhooks: &'a [WebhookRow],
    ledger: &'a [HistoryRow],
) -> OrderJson<'a> {
    let snapshot = order.known.snapshot.as_ref();
    OrderJson {
        shop: &key.shop,
        order_id: &key.order,
        name: snapshot.and_then(|snapshot| snapshot.name.as_deref()),
        financial_status: snapshot.and_then(|snapshot| snapshot.financial_status.as_deref()),
        fulfillment_status: snapshot.and_then(|snapshot| snapshot.fulfillment_status.as_deref()),
        state: order.state(policy),
        flags: order.flags(policy),
        lines: lines(order),
        webhooks: webhooks
            .iter()
            .map(|row| WebhookJson {
                webhook_id: &row.webhook,
                topic: &row.topic,
                outcome: &row.outcome,
                reason: row.reason.as_deref(),
                received_at: output::moment(row.received_at),
                deliveries: row.deliveries,
            })
            .collect(),
        ledger: ledger.iter().map(MoveJson::from).collect(),
    }
}

/// Per item: what was ordered, and what the ledger shows, over all lines and locations.
fn lines(order: &Order) -> Vec<LineJson> {
    let mut lines: BTreeMap<Sku, LineJson> = BTreeMap::new();
    let mut line = |sku: &Sku, add: &dyn Fn(&mut LineJson)| {
        let empty = || LineJson {
            sku: sku.clone(),
            ordered: 0,
            committed: 0,
            shipped: 0,
            returned: 0,
            uncovered: 0,
        };
        add(lines.entry(sku.clone()).or_insert_with(empty));
    };
    for (id, resolved) in &order.lines {
        let snapshot = order.known.snapshot.as_ref();
        let ordered = snapshot.and_then(|s| s.lines.get(id)).map_or(0, |line| line.quantity);
        for part in &resolved.parts {
            line(&part.sku, &|line| line.ordered += ordered * part.units);
        }
    }
    for (key, held) in &order.holdings {
        line(&key.sku, &|line| {
            line.committed += held.committed;
            line.shipped += held.shipped;
            line.returned += held.returned;
            line.uncovered += held.uncovered;
        });
    }
    lines.into_values().collect()
}

fn for_people(order: &OrderJson<'_>) {
    outln!(
        "Order {} {} of {}: {} ({}, {})",
        order.order_id,
        order.name.unwrap_or_default(),
        order.shop,
        order.state,
        order.financial_status.unwrap_or("no financial status"),
        order.fulfillment_status.unwrap_or("not fulfilled"),
    );
    for flag in &order.flags {
        outln!("Flagged: {flag:?}");
    }
    if order.state == OrderState::Short {
        outln!(
            "It asked for more than there was. Add stock (`onhand stock adjust`), then \
             `onhand order retry {} {}`.",
            order.shop,
            order.order_id
        );
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
    output::table(
        &["webhook", "topic", "outcome", "reason", "received"],
        order.webhooks.iter().map(|row| {
            vec![
                row.webhook_id.to_string(),
                row.topic.to_owned(),
                row.outcome.to_owned(),
                output::or_dash(row.reason),
                row.received_at.clone(),
            ]
        }),
    );
    output::table(
        &["move", "sku", "location", ">on hand", ">committed", "because of", "at"],
        order.ledger.iter().map(|row| {
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

#[derive(Serialize)]
struct Retried {
    outcome: Outcome,
    detail: Option<String>,
}

/// No order has this id.
struct NotThere;

async fn retry(settings: &Settings, store: &AnyStore, key: &OrderKey) -> anyhow::Result<ExitCode> {
    let shops = shops_file::load(&settings.shops)?;
    let policy = shops.get(&key.shop).map(|shop| shop.policy.clone()).ok_or_else(|| {
        crate::exit::bad_config(format!("the shops file names no shop {}", key.shop))
    })?;
    let keys = Keys { orders: [key.clone()].into(), ..Keys::default() };
    let command = Command::new("order retry", None);
    let operated = operate(store, &keys, &command, |batch| {
        let verdict =
            batch.retry_order(key, &policy, command.correlation, &command.reason, command.now);
        Ok(verdict.ok_or(NotThere))
    })
    .await?;
    let Operated::Done(Verdict { outcome, detail, .. }) = operated else {
        return not_there(key, &[]);
    };
    if settings.json {
        output::json(&Retried { outcome, detail: detail.clone() })?;
    } else {
        match outcome {
            Outcome::Short => outln!("Still short: {}.", detail.as_deref().unwrap_or_default()),
            Outcome::Dead => {
                outln!("Cannot be decided: {}.", detail.as_deref().unwrap_or_default());
            }
            Outcome::Applied => outln!("Order {key} is committed now."),
            _ => outln!("Order {key} asked for nothing more: nothing was changed."),
        }
    }
    let fine = !matches!(outcome, Outcome::Short | Outcome::Dead);
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::from(NOT_FINE) })
}

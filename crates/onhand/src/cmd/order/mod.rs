//! `onhand order`: an order explained, and a short one tried again.

use std::process::ExitCode;

use clap::Subcommand;
use domain::{LocationId, OrderId, OrderKey, ShopId, Sku, WebhookId};
use serde::Serialize;
use store::reports::{HistoryRow, WebhookRow};

use crate::config::Settings;
use crate::exit::NOT_FINE;
use crate::{output, shops_file};

mod retry;
mod show;

#[derive(Debug, Subcommand)]
pub(crate) enum OrderCommand {
    /// Where an order stands and why, what it holds, and how it came to that
    #[command(after_help = "Example: onhand order show demo 5001\n\n\
        The id is the platform's long one, not the short name that people see (#1001).")]
    Show {
        /// The shop, by its name in the shops file
        shop: String,
        /// The platform's id
        order_id: String,
    },
    /// Try to commit a short order again, after stock came
    #[command(after_help = "Examples:\n  \
        onhand order retry demo 5001                after stock came\n  \
        onhand order retry demo 5001 --backorder    or at once, to send the goods later\n\n\
        A backorder goes below zero as far as the stock row's floor allows: \
        onhand stock floor SKU -N lowers it.")]
    Retry {
        /// The shop, by its name in the shops file
        shop: String,
        /// The platform's id
        order_id: String,
        /// This once, decide it as if the shop had when_short = "backorder"
        #[arg(long)]
        backorder: bool,
    },
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
    match command {
        OrderCommand::Show { shop, order_id } => show::run(settings, &key(&shop, &order_id)).await,
        OrderCommand::Retry { shop, order_id, backorder } => {
            retry::run(settings, &key(&shop, &order_id), backorder).await
        }
    }
}

fn key(shop: &str, order_id: &str) -> OrderKey {
    OrderKey { shop: ShopId::new(shop), order: OrderId::new(order_id) }
}

fn not_there(
    settings: &Settings,
    key: &OrderKey,
    webhooks: &[WebhookRow],
) -> anyhow::Result<ExitCode> {
    if webhooks.is_empty() {
        shops_file::check_typo(&settings.shops, Some(key.shop.as_str()))?;
    }
    eprintln!(
        "onhand: nothing is known of order {key}; `onhand webhook list --shop {}` shows what came, \
         and the id is the platform's long one",
        key.shop
    );
    for webhook in webhooks {
        let reason = webhook.reason.as_deref().unwrap_or("no reason");
        let detail = webhook.detail.as_deref().map(|detail| format!(" ({detail})"));
        eprintln!(
            "  webhook {} was {}: {reason}{}",
            webhook.webhook,
            webhook.outcome,
            detail.unwrap_or_default()
        );
    }
    Ok(ExitCode::from(NOT_FINE))
}

//! `onhand webhook`: what became of webhooks.

use std::process::ExitCode;

use clap::Subcommand;
use domain::{OrderId, Outcome, ShopId, WebhookId};
use serde::Serialize;
use store::Reports;
use store::reports::{WebhookFilter, WebhookRow};

use crate::config::Settings;
use crate::exit::NOT_FINE;
use crate::output;

#[derive(Debug, Subcommand)]
pub(crate) enum WebhookCommand {
    /// List webhooks, newest first
    List {
        #[arg(long)]
        shop: Option<String>,
        /// Only of this order
        #[arg(long)]
        order: Option<String>,
        /// applied, unchanged, superseded, short, ignored or dead
        #[arg(long)]
        outcome: Option<Outcome>,
        /// At most so many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=100_000))]
        limit: i64,
    },
    /// Everything about one webhook
    Show { webhook_id: String },
}

#[derive(Serialize)]
struct WebhookJson<'a> {
    webhook_id: &'a WebhookId,
    shop: &'a ShopId,
    topic: &'a str,
    order_id: Option<&'a OrderId>,
    outcome: &'a str,
    reason: Option<&'a str>,
    detail: Option<&'a str>,
    deliveries: i64,
    correlation_id: &'a str,
    body_hash: &'a str,
    received_at: String,
    decided_at: String,
}

impl<'a> From<&'a WebhookRow> for WebhookJson<'a> {
    fn from(row: &'a WebhookRow) -> Self {
        Self {
            webhook_id: &row.webhook,
            shop: &row.shop,
            topic: &row.topic,
            order_id: row.order.as_ref(),
            outcome: &row.outcome,
            reason: row.reason.as_deref(),
            detail: row.detail.as_deref(),
            deliveries: row.deliveries,
            correlation_id: &row.envelope,
            body_hash: &row.body_hash,
            received_at: output::moment(row.received_at),
            decided_at: output::moment(row.decided_at),
        }
    }
}

pub(crate) async fn run(settings: &Settings, command: WebhookCommand) -> anyhow::Result<ExitCode> {
    match command {
        WebhookCommand::List { shop, order, outcome, limit } => {
            let filter = WebhookFilter {
                shop: shop.map(ShopId::new),
                order: order.map(OrderId::new),
                outcome,
                limit,
                webhook: None,
            };
            let rows = settings.open_store().await?.webhooks(&filter).await?;
            list(settings, &rows)?;
            Ok(ExitCode::SUCCESS)
        }
        WebhookCommand::Show { webhook_id } => {
            let filter = WebhookFilter {
                webhook: Some(WebhookId::new(&webhook_id)),
                limit: 100,
                ..WebhookFilter::default()
            };
            let rows = settings.open_store().await?.webhooks(&filter).await?;
            if rows.is_empty() {
                eprintln!("onhand: there is no webhook {webhook_id}");
                return Ok(ExitCode::from(NOT_FINE));
            }
            show(settings, &rows)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn list(settings: &Settings, rows: &[WebhookRow]) -> anyhow::Result<()> {
    if settings.json {
        return output::json(&rows.iter().map(WebhookJson::from).collect::<Vec<_>>());
    }
    output::table(
        &["webhook", "shop", "topic", "order", "outcome", "reason", ">deliveries", "received"],
        rows.iter().map(|row| {
            vec![
                row.webhook.to_string(),
                row.shop.to_string(),
                row.topic.clone(),
                output::or_dash(row.order.as_ref()),
                row.outcome.clone(),
                output::or_dash(row.reason.as_ref()),
                row.deliveries.to_string(),
                output::moment(row.received_at),
            ]
        }),
    );
    Ok(())
}

fn show(settings: &Settings, rows: &[WebhookRow]) -> anyhow::Result<()> {
    if settings.json {
        return output::json(&rows.iter().map(WebhookJson::from).collect::<Vec<_>>());
    }
    for row in rows {
        outln!("Webhook {} of {}, topic {}", row.webhook, row.shop, row.topic);
        outln!("  outcome      {}", row.outcome);
        if let Some(reason) = &row.reason {
            outln!("  reason       {reason}");
        }
        if let Some(detail) = &row.detail {
            outln!("  detail       {detail}");
        }
        outln!("  order        {}", output::or_dash(row.order.as_ref()));
        outln!("  deliveries   {}", row.deliveries);
        outln!("  received     {}", output::moment(row.received_at));
        outln!("  decided      {}", output::moment(row.decided_at));
        outln!("  correlation  {}", row.envelope);
        outln!("  body         {}", row.body_hash);
    }
    Ok(())
}

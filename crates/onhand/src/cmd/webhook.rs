//! `onhand webhook`: what became of webhooks.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Subcommand;
use domain::{Envelope, OrderId, ShopId, WebhookId};
use operate::audit;
use operate::dead::DEAD;
use operate::meaning::lines;
use operate::webhook::{self, Replay, not_kept};
use platforms::Shops;
use platforms::mask::mask;
use serde::Serialize;
use store::reports::{WebhookFilter, WebhookRow};
use store::{AnyStore, Reports};

use crate::config::Settings;
use crate::exit::NOT_FINE;
use crate::{output, shops_file, when};

mod list;

#[derive(Debug, Subcommand)]
pub(crate) enum WebhookCommand {
    /// List webhooks, newest first
    ///
    /// Those of an order are found at once. Where few of all webhooks are what is asked for, the latest
    /// million are looked through, and stderr says how to look on from there.
    #[command(after_help = "Example: onhand webhook list --shop demo --order 5001")]
    List(list::Asked),
    /// Everything about one webhook; what it meant, where its body is kept
    #[command(
        after_help = "Example: onhand webhook show b54557e4-bdd9-4b37-8a5f-bf7d70bcd043 --body"
    )]
    Show {
        webhook_id: String,
        /// Only of this shop
        #[arg(long)]
        shop: Option<String>,
        /// Also the body, with personal data covered
        #[arg(long)]
        body: bool,
    },
    /// Decide one again whose body is kept (`keep_bodies` in the shops file), under the rules of now
    ///
    /// Nothing that was counted before counts twice, so it is safe any number of times. A dead one becomes
    /// what it then is, as by `dead replay`. Any other keeps the outcome that it had first, an
    /// ignored one too, also if stock moves now: the ledger tells of that. Exit code 1: no body is kept,
    /// or it cannot be applied.
    #[command(after_help = "Example: onhand webhook replay b54557e4-bdd9-4b37-8a5f-bf7d70bcd043")]
    Replay {
        webhook_id: String,
        /// Only of this shop
        #[arg(long)]
        shop: Option<String>,
    },
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
    attempts: i64,
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
            attempts: row.attempts,
            correlation_id: &row.envelope,
            body_hash: &row.body_hash,
            received_at: output::moment(row.received_at),
            decided_at: output::moment(row.decided_at),
        }
    }
}

pub(crate) async fn run(settings: &Settings, command: WebhookCommand) -> anyhow::Result<ExitCode> {
    match command {
        WebhookCommand::List(asked) => list::run(settings, asked).await,
        WebhookCommand::Show { webhook_id, shop, body } => {
            let store = settings.open_store().await?;
            let rows = rows(&store, &webhook_id, shop).await?;
            if rows.is_empty() {
                return Ok(nothing(&webhook_id));
            }
            // Without a shops file a webhook can still be shown.
            let shops = shops_file::load(&settings.shops).unwrap_or_default();
            let mut all = Vec::with_capacity(rows.len());
            for row in &rows {
                all.push((row, Content::new(webhook::body(&store, row).await?, body)));
            }
            show(settings, &shops, &all, body)?;
            Ok(ExitCode::SUCCESS)
        }
        WebhookCommand::Replay { webhook_id, shop } => {
            let store = settings.open_store().await?;
            let rows = rows(&store, &webhook_id, shop).await?;
            if rows.is_empty() {
                return Ok(nothing(&webhook_id));
            }
            let shops = Arc::new(shops_file::load(&settings.shops)?);
            replay(settings, &store, &shops, &rows).await
        }
    }
}

async fn rows(
    store: &AnyStore,
    webhook_id: &str,
    shop: Option<String>,
) -> anyhow::Result<Vec<WebhookRow>> {
    let filter = WebhookFilter {
        webhook: Some(WebhookId::new(webhook_id)),
        shop: shop.map(ShopId::new),
        limit: 100,
        ..WebhookFilter::default()
    };
    Ok(store.webhooks(&filter).await?)
}

fn nothing(webhook_id: &str) -> ExitCode {
    eprintln!("onhand: there is no webhook {webhook_id}");
    ExitCode::from(NOT_FINE)
}

/// What a kept body says.
struct Content {
    meaning: Option<Vec<String>>,
    masked: Option<String>,
}

impl Content {
    fn new(envelope: Option<Envelope>, with_body: bool) -> Self {
        let meaning = envelope.as_ref().map(|envelope| lines(&platforms::parse(envelope)));
        let envelope = envelope.filter(|_| with_body);
        Self { meaning, masked: envelope.map(|envelope| mask(&envelope.body)) }
    }
}

#[derive(Serialize)]
struct ReplayedJson<'a> {
    webhook_id: &'a WebhookId,
    shop: &'a ShopId,
    body_hash: &'a str,
    /// What it is now; what was applied before is `unchanged` if all of it was known.
    outcome: Option<&'static str>,
    detail: Option<String>,
}

async fn replay(
    settings: &Settings,
    store: &AnyStore,
    shops: &Arc<Shops>,
    rows: &[WebhookRow],
) -> anyhow::Result<ExitCode> {
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let what = format!("replay webhook {} of {}", row.webhook, row.shop);
        let operation = audit::operation(audit::new_key(), &when::who(), &what);
        let (outcome, detail) = match webhook::replay(store, shops, row, operation).await? {
            Replay::Decided(replayed) => (Some(replayed.outcome), replayed.detail),
            Replay::NotKept => (None, Some(not_kept(&row.shop, shops))),
            Replay::BegunBefore => unreachable!("the key is new"),
        };
        let (webhook_id, shop, body_hash) = (&row.webhook, &row.shop, row.body_hash.as_str());
        all.push(ReplayedJson { webhook_id, shop, body_hash, outcome, detail });
    }
    let fine = all.iter().all(|one| !matches!(one.outcome, None | Some(DEAD)));
    if settings.json {
        output::json(&all)?;
    } else {
        for one in all.iter().filter(|one| one.outcome.is_some()) {
            let detail = one.detail.as_ref().map(|detail| format!(": {detail}"));
            outln!(
                "Webhook {} of {}: {}{}",
                one.webhook_id,
                one.shop,
                one.outcome.unwrap_or_default(),
                detail.unwrap_or_default()
            );
        }
    }
    for one in all.iter().filter(|one| one.outcome.is_none()) {
        let (id, shop) = (one.webhook_id, one.shop);
        let why = one.detail.as_deref().unwrap_or_default();
        eprintln!("onhand: webhook {id} of {shop} was not replayed: {why}");
    }
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::from(NOT_FINE) })
}

#[derive(Serialize)]
struct ShownJson<'a> {
    #[serde(flatten)]
    row: WebhookJson<'a>,
    /// In words; `null`: the body is not kept.
    meaning: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a str>,
}

fn show(
    settings: &Settings,
    shops: &Shops,
    all: &[(&WebhookRow, Content)],
    with_body: bool,
) -> anyhow::Result<()> {
    if settings.json {
        let shown = all.iter().map(|(row, content)| ShownJson {
            row: WebhookJson::from(*row),
            meaning: content.meaning.as_deref(),
            body: content.masked.as_deref(),
        });
        return output::json(&shown.collect::<Vec<_>>());
    }
    for (row, content) in all {
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
        outln!("  attempts     {}", row.attempts);
        outln!("  received     {}", output::moment(row.received_at));
        outln!("  decided      {}", output::moment(row.decided_at));
        outln!("  correlation  {}", row.envelope);
        outln!("  body         {}", row.body_hash);
        for line in content.meaning.iter().flatten() {
            outln!("{line}");
        }
        match &content.masked {
            Some(body) => outln!("{body}"),
            None if with_body => {
                outln!("There is nothing to show: {}.", not_kept(&row.shop, shops))
            }
            None => {}
        }
    }
    Ok(())
}

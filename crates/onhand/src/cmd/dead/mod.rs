//! `onhand dead`: what could not be applied, and how it is mended.

use std::process::ExitCode;

use clap::Subcommand;
use clap::builder::PossibleValuesParser;
use domain::{DeadReason, EnvelopeId, ShopId};
use queue::parcel;
use serde::Serialize;
use store::reports::{DeadFilter, DeadRow};
use store::{AnyStore, Reports};

use crate::config::Settings;
use crate::exit::{NOT_FINE, bad_config};
use crate::{output, shops_file};

mod discard;
mod many;
mod replay;

#[derive(Debug, Subcommand)]
pub(crate) enum DeadCommand {
    /// List open dead letters, newest first
    #[command(after_help = "Example: onhand dead list --reason unknown_sku")]
    List {
        /// Only with this reason
        #[arg(long, value_parser = reasons())]
        reason: Option<String>,
        /// Only of this shop
        #[arg(long)]
        shop: Option<String>,
        /// Also those that were replayed or discarded
        #[arg(long)]
        all: bool,
        /// At most so many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=100_000))]
        limit: i64,
    },
    /// One dead letter with its history and raw body
    #[command(after_help = "Example: onhand dead show 0198c0de-0000-7000-8000-000000000000")]
    Show { id: String },
    /// Decide again, after the cause is mended: stock set, a listing made, the shops file corrected
    ///
    /// Each is decided as if it had come just now, under the rules of now, the oldest first; nothing
    /// that was counted before counts twice, so it is safe any number of times. What still cannot be
    /// applied stays a dead letter, and the exit code is 1. What was discarded or redacted has no body
    /// any more and cannot be replayed.
    #[command(
        arg_required_else_help = true,
        after_help = "Examples:\n  \
            onhand dead replay --reason unknown_sku --dry-run    what would become of them\n  \
            onhand dead replay --reason unknown_sku    after stock was imported\n  \
            onhand dead replay --shop demo --since 2h --rate 10\n  \
            onhand dead replay 0198c0de-0000-7000-8000-000000000000\n  \
            onhand dead replay --all"
    )]
    Replay {
        /// One, by the id that `dead list` shows
        id: Option<String>,
        /// Every open one with this reason
        #[arg(long, value_parser = reasons(), conflicts_with = "id")]
        reason: Option<String>,
        #[command(flatten)]
        which: many::Which,
        #[command(flatten)]
        how: many::How,
    },
    /// Close for good, with a reason: bodies are removed, and nothing of it can be replayed
    ///
    /// Whatever it would have done to stock, it will not. Look at it with `dead show` first.
    #[command(
        arg_required_else_help = true,
        after_help = "Examples:\n  \
            onhand dead discard 0198c0de-0000-7000-8000-000000000000 --reason 'sold elsewhere'\n  \
            onhand dead discard --died-of malformed --since 1d --reason 'their test' --dry-run"
    )]
    Discard {
        /// One, by the id that `dead list` shows
        id: Option<String>,
        /// Why; it is kept with the letter
        #[arg(long, value_parser = operate::why)]
        reason: String,
        /// Every open one that died of this
        #[arg(long, value_parser = reasons(), conflicts_with = "id")]
        died_of: Option<String>,
        #[command(flatten)]
        which: many::Which,
        #[command(flatten)]
        how: many::How,
    },
}

/// What a dead letter's reason can be; anything else is a slip of the pen.
fn reasons() -> PossibleValuesParser {
    PossibleValuesParser::new(DeadReason::ALL.map(DeadReason::as_str))
}

#[derive(Serialize)]
struct DeadJson<'a> {
    id: &'a str,
    shop: Option<&'a str>,
    webhook_id: Option<&'a str>,
    topic: &'a str,
    reason: &'a str,
    detail: &'a str,
    attempts: i64,
    deaths: i64,
    state: &'a str,
    note: Option<&'a str>,
    received_at: String,
    died_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
}

impl<'a> DeadJson<'a> {
    fn new(row: &'a DeadRow, body: Option<String>) -> Self {
        Self {
            id: &row.id,
            shop: row.shop.as_ref().map(|id| id.as_str()),
            webhook_id: row.webhook.as_ref().map(|id| id.as_str()),
            topic: &row.topic,
            reason: &row.reason,
            detail: &row.detail,
            attempts: row.attempts,
            deaths: row.deaths,
            state: &row.state,
            note: row.closed_note.as_deref(),
            received_at: output::moment(row.received_at),
            died_at: output::moment(row.died_at),
            body,
        }
    }
}

pub(crate) async fn run(settings: &Settings, command: DeadCommand) -> anyhow::Result<ExitCode> {
    match command {
        DeadCommand::List { reason, shop, all, limit } => {
            let shop_id = shop.as_deref().map(ShopId::new);
            let filter =
                DeadFilter { id: None, reason, shop: shop_id, closed_too: all, limit: limit + 1 };
            let rows = settings.open_store().await?.dead_letters(&filter).await?;
            if rows.is_empty() {
                shops_file::check_typo(&settings.shops, shop.as_deref())?;
            }
            list(settings, &rows, limit)
        }
        DeadCommand::Show { id } => {
            let id = parse_id(&id)?;
            show(settings, &settings.open_store().await?, id).await
        }
        DeadCommand::Replay { id, reason, which, how } => {
            let letters = which.letters(id.as_deref(), reason, "--reason")?;
            replay::run(settings, letters, &how).await
        }
        DeadCommand::Discard { id, reason, died_of, which, how } => {
            let letters = which.letters(id.as_deref(), died_of, "--died-of")?;
            discard::run(settings, letters, &reason, &how).await
        }
    }
}

fn parse_id(id: &str) -> anyhow::Result<EnvelopeId> {
    id.parse().map(EnvelopeId).map_err(|_| {
        bad_config(format!("{id:?} is not a dead letter's id; see `onhand dead list`"))
    })
}

fn list(settings: &Settings, rows: &[DeadRow], limit: i64) -> anyhow::Result<ExitCode> {
    let (rows, more) = output::cut(rows, limit);
    if settings.json {
        output::json(&rows.iter().map(|row| DeadJson::new(row, None)).collect::<Vec<_>>())?;
    } else if rows.is_empty() {
        outln!("No dead letters.");
    } else {
        output::table(
            &["id", "shop", "topic", "reason", "detail", "died", "state"],
            rows.iter().map(|row| {
                vec![
                    row.id.clone(),
                    output::or_dash(row.shop.as_ref()),
                    row.topic.clone(),
                    row.reason.clone(),
                    row.detail.clone(),
                    output::moment(row.died_at),
                    row.state.clone(),
                ]
            }),
        );
        output::tell_of(more);
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(settings: &Settings, store: &AnyStore, id: EnvelopeId) -> anyhow::Result<ExitCode> {
    let filter = DeadFilter { id: Some(id), closed_too: true, limit: 1, ..DeadFilter::default() };
    let (rows, raw) = (store.dead_letters(&filter).await?, store.dead_letter_raw(id).await?);
    let Some(row) = rows.first() else {
        eprintln!("onhand: there is no dead letter {id}");
        return Ok(ExitCode::from(NOT_FINE));
    };
    let raw = raw.unwrap_or_default();
    let bodies: Vec<_> = match parcel::decode(&raw) {
        Ok(envelopes) => envelopes.into_iter().map(|envelope| envelope.body).collect(),
        Err(_) => vec![raw.into()],
    };
    let bodies: Vec<_> = bodies.iter().map(|body| String::from_utf8_lossy(body)).collect();
    let body = bodies.join("\n");
    let shown = DeadJson::new(row, Some(body));
    if settings.json {
        output::json(&shown)?;
        return Ok(ExitCode::SUCCESS);
    }
    outln!("Dead letter {} ({})", shown.id, shown.state);
    outln!("  reason    {}: {}", shown.reason, shown.detail);
    outln!("  webhook   {} of {}", output::or_dash(shown.webhook_id), output::or_dash(shown.shop));
    outln!("  topic     {}", shown.topic);
    outln!("  received  {}", shown.received_at);
    outln!("  died      {} ({} times)", shown.died_at, shown.deaths);
    if let Some(note) = shown.note {
        outln!("  note      {note}");
    }
    outln!("{}", shown.body.as_deref().unwrap_or_default());
    Ok(ExitCode::SUCCESS)
}

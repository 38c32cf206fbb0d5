//! `onhand explain`: what a payload means, without anything moving.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, ValueEnum};
use domain::{
    Envelope, EnvelopeId, Fact, Meaning, Platform, Provider, ShopId, Timestamp, WebhookId,
};
use serde::Serialize;

use crate::config::Settings;
use crate::exit::{NOT_FINE, bad_config};
use crate::output;

mod guess;
mod people;

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    onhand explain --platform shopify --topic orders/paid order.json\n  \
    onhand explain --platform woocommerce --topic order.updated order.json\n  \
    onhand explain --platform payments callback.json")]
pub(crate) struct ExplainArgs {
    /// Who would have sent it; `payments` finds out which provider the body is of
    #[arg(long)]
    platform: Sender,
    /// The topic it would have come under, as orders/paid; payment providers need none, their
    /// bodies name it
    #[arg(long)]
    topic: Option<String>,
    /// The body
    file: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Sender {
    Shopify,
    Woocommerce,
    Stripe,
    Adyen,
    Mollie,
    Standard,
    Payments,
}

/// What ingress writes where a body names no topic: parsers read their own.
const TOPIC_OF_BODY: &str = "unknown";

/// One body, or for Adyen one item of it, as a worker would get it.
#[derive(Debug, PartialEq, Eq)]
struct Piece {
    platform: Platform,
    provider: Option<Provider>,
    topic: String,
    body: Vec<u8>,
}

#[derive(Serialize)]
struct Explained<'a> {
    facts: Vec<&'a Fact>,
    ignored: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dead: Option<Dead<'a>>,
    /// One by one, where the body brings several things that are decided apart.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    items: Vec<Explained<'a>>,
}

#[derive(Serialize)]
struct Dead<'a> {
    reason: &'a str,
    detail: &'a str,
}

pub(crate) fn run(settings: &Settings, args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    let body = std::fs::read(&args.file)
        .with_context(|| format!("cannot read {}", args.file.display()))?;
    let now = worker::clock::now();
    let pieces = pieces(args, body)?;
    let meanings: Vec<Meaning> =
        pieces.into_iter().map(|piece| platforms::parse(&envelope(piece, now))).collect();
    let items: Vec<Explained<'_>> = meanings.iter().map(explain).collect();
    let fine = items.iter().all(|item| item.dead.is_none());
    if settings.json {
        output::json(&together(items, &meanings))?;
    } else {
        for (at, item) in (1..).zip(&items) {
            if items.len() > 1 {
                outln!("Item {at} of {}:", items.len());
            }
            people::print(item);
        }
    }
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::from(NOT_FINE) })
}

fn pieces(args: &ExplainArgs, body: Vec<u8>) -> anyhow::Result<Vec<Piece>> {
    let selling = |platform, example| match &args.topic {
        Some(topic) => {
            Ok(Piece { platform, provider: None, topic: topic.clone(), body: body.clone() })
        }
        None => Err(bad_config(format!(
            "what a body of this platform means depends on its topic: give --topic, \
             for example --topic {example}"
        ))),
    };
    let provider = match args.platform {
        Sender::Shopify => return Ok(vec![selling(Platform::Shopify, "orders/create")?]),
        Sender::Woocommerce => return Ok(vec![selling(Platform::WooCommerce, "order.updated")?]),
        Sender::Stripe => Provider::Stripe,
        Sender::Adyen => Provider::Adyen,
        Sender::Mollie => Provider::Mollie,
        Sender::Standard => Provider::Standard,
        Sender::Payments => guess::provider(&body).ok_or_else(|| {
            bad_config(
                "the body looks like none of the providers; name one, \
                 for example --platform stripe",
            )
        })?,
    };
    let bodies = match provider {
        Provider::Adyen => guess::adyen_items(&body).unwrap_or_else(|| vec![body]),
        _ => vec![body],
    };
    let piece = |body: Vec<u8>| Piece {
        platform: Platform::Payments,
        provider: Some(provider),
        topic: args.topic.clone().unwrap_or_else(|| guess::topic(provider, &body).to_owned()),
        body,
    };
    Ok(bodies.into_iter().map(piece).collect())
}

fn envelope(piece: Piece, now: Timestamp) -> Envelope {
    Envelope {
        id: EnvelopeId(uuid::Uuid::now_v7()),
        platform: piece.platform,
        provider: piece.provider,
        shop: ShopId::new("explained"),
        webhook: WebhookId::new("explained"),
        topic: piece.topic,
        event: None,
        api_version: None,
        triggered_at: None,
        received_at: now,
        signature: None,
        traceparent: None,
        body: piece.body.into(),
    }
}

fn explain(meaning: &Meaning) -> Explained<'_> {
    let (facts, ignored, dead) = match meaning {
        Meaning::Fact(fact) => (vec![fact], test(fact), None),
        Meaning::Ignored(reason) => (vec![], Some(*reason), None),
        Meaning::Dead { reason, detail } => {
            (vec![], None, Some(Dead { reason: reason.as_str(), detail }))
        }
    };
    Explained { facts, ignored, dead, items: vec![] }
}

fn test(fact: &Fact) -> Option<&'static str> {
    match fact {
        Fact::Order(order) => order.test.then_some("test_order"),
        _ => None,
    }
}

/// All items as one answer: it says everything that any of them says, and each apart.
fn together<'a>(mut items: Vec<Explained<'a>>, meanings: &'a [Meaning]) -> Explained<'a> {
    if items.len() == 1 {
        return items.remove(0);
    }
    let all: Vec<Explained<'a>> = meanings.iter().map(explain).collect();
    let ignored = all.iter().find_map(|item| item.ignored);
    let (mut facts, mut dead) = (Vec::new(), None);
    for item in all {
        facts.extend(item.facts);
        dead = dead.or(item.dead);
    }
    Explained { ignored: ignored.filter(|_| facts.is_empty()), facts, dead, items }
}

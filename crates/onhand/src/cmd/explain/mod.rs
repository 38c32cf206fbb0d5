//! `onhand explain`: what a payload means, without anything moving.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, ValueEnum};
use domain::{
    Envelope, EnvelopeId, Fact, Meaning, Platform, Provider, ShopId, Timestamp, WebhookId,
};
use platforms::{payments, woocommerce};
use serde::Serialize;

use crate::config::Settings;
use crate::exit::{NOT_FINE, bad_config};
use crate::output;

mod guess;
mod http_head;
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
    /// bodies name it, nor does a file that begins with the request's headers
    #[arg(long)]
    topic: Option<String>,
    /// The body, or the whole request as it was recorded
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
    Paypal,
    Payments,
}

/// What becomes of WooCommerce's ping.
const PING: &str = "WooCommerce asks so whether somebody is there: ingress answers 200 and keeps \
    nothing";

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

/// What a file brings.
#[derive(Debug, PartialEq, Eq)]
enum Content {
    Pieces(Vec<Piece>),
    /// Nothing that reaches a worker: why, in a word and in a sentence.
    Nothing(&'static str, &'static str),
    /// Ingress takes none of these.
    PayPal,
}

#[derive(Serialize)]
struct Explained<'a> {
    facts: Vec<&'a Fact>,
    ignored: Option<&'a str>,
    /// What more there is to say of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
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
    let nothing = |reason, note| {
        let (ignored, note) = (Some(reason), Some(note));
        Explained { facts: vec![], ignored, note, dead: None, items: vec![] }
    };
    let pieces = match content(args, body)? {
        Content::Pieces(pieces) => pieces,
        Content::Nothing(reason, note) => {
            let nothing = nothing(reason, note);
            if settings.json {
                output::json(&nothing)?;
            } else {
                people::print(&nothing);
            }
            return Ok(ExitCode::SUCCESS);
        }
        Content::PayPal => {
            if settings.json {
                output::json(&nothing("paypal", payments::PAYPAL))?;
            } else {
                outln!("Ingress does not take this, it answers 404: {}.", payments::PAYPAL);
            }
            return Ok(ExitCode::from(NOT_FINE));
        }
    };
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

fn content(args: &ExplainArgs, file: Vec<u8>) -> anyhow::Result<Content> {
    let (head, body) = http_head::split(&file);
    // What editors put behind the last line was not sent.
    let body = body.trim_ascii_end().to_vec();
    let topic = args.topic.as_deref().or(head.topic.as_deref());
    let selling = |platform, example| match topic {
        Some(topic) => {
            let (topic, body) = (topic.to_owned(), body.clone());
            Ok(Content::Pieces(vec![Piece { platform, provider: None, topic, body }]))
        }
        None => Err(bad_config(format!(
            "what a body of this platform means depends on its topic: give --topic, \
             for example --topic {example}"
        ))),
    };
    let provider = match args.platform {
        Sender::Shopify => return selling(Platform::Shopify, "orders/create"),
        Sender::Woocommerce if woocommerce::is_ping_body(&body) => {
            return Ok(Content::Nothing("ping", PING));
        }
        Sender::Woocommerce => return selling(Platform::WooCommerce, "order.updated"),
        Sender::Stripe => Provider::Stripe,
        Sender::Adyen => Provider::Adyen,
        Sender::Mollie => Provider::Mollie,
        Sender::Standard => Provider::Standard,
        Sender::Payments if guess::is_paypal(&body) => return Ok(Content::PayPal),
        Sender::Paypal => return Ok(Content::PayPal),
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
        topic: topic.unwrap_or_else(|| guess::topic(provider, &body)).to_owned(),
        body,
    };
    Ok(Content::Pieces(bodies.into_iter().map(piece).collect()))
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
        signed_by: None,
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
    Explained { facts, ignored, note: None, dead, items: vec![] }
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
    let ignored = ignored.filter(|_| facts.is_empty());
    Explained { facts, ignored, note: None, dead, items }
}

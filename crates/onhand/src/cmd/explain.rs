//! `onhand explain`: what a payload means, without anything moving.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, ValueEnum};
use domain::{Envelope, EnvelopeId, Fact, LineClass, Meaning, Platform, ShopId, WebhookId};
use serde::Serialize;

use crate::config::Settings;
use crate::exit::NOT_FINE;
use crate::output;

/// Example: onhand explain --platform shopify --topic orders/paid order.json
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// Who would have sent it
    #[arg(long)]
    platform: PlatformArg,
    /// The topic it would have come under, as orders/paid
    #[arg(long)]
    topic: String,
    /// The body
    file: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PlatformArg {
    Shopify,
    Woocommerce,
    Payments,
}

#[derive(Serialize)]
struct Explained<'a> {
    facts: Vec<&'a Fact>,
    ignored: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dead: Option<Dead<'a>>,
}

#[derive(Serialize)]
struct Dead<'a> {
    reason: &'a str,
    detail: &'a str,
}

pub(crate) fn run(settings: &Settings, args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    let body = std::fs::read(&args.file)
        .with_context(|| format!("cannot read {}", args.file.display()))?;
    let envelope = Envelope {
        id: EnvelopeId(uuid::Uuid::now_v7()),
        platform: match args.platform {
            PlatformArg::Shopify => Platform::Shopify,
            PlatformArg::Woocommerce => Platform::WooCommerce,
            PlatformArg::Payments => Platform::Payments,
        },
        shop: ShopId::new("explained"),
        webhook: WebhookId::new("explained"),
        topic: args.topic.clone(),
        event: None,
        api_version: None,
        triggered_at: None,
        received_at: worker::clock::now(),
        signature: None,
        traceparent: None,
        body: body.into(),
    };
    let meaning = platforms::parse(&envelope);
    let explained = match &meaning {
        Meaning::Fact(fact) => Explained { facts: vec![fact], ignored: test(fact), dead: None },
        Meaning::Ignored(reason) => Explained { facts: vec![], ignored: Some(reason), dead: None },
        Meaning::Dead { reason, detail } => {
            let dead = Some(Dead { reason: reason.as_str(), detail });
            Explained { facts: vec![], ignored: None, dead }
        }
    };
    if settings.json {
        output::json(&explained)?;
    } else {
        for_people(&explained);
    }
    let fine = explained.dead.is_none();
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::from(NOT_FINE) })
}

fn test(fact: &Fact) -> Option<&'static str> {
    let Fact::Order(order) = fact;
    order.test.then_some("test_order")
}

fn for_people(explained: &Explained<'_>) {
    if let Some(dead) = &explained.dead {
        outln!("It would become a dead letter: {} ({}).", dead.reason, dead.detail);
    }
    if let Some(reason) = explained.ignored {
        outln!("It would be ignored: {reason}.");
    }
    for Fact::Order(order) in &explained.facts {
        let known = &order.known;
        outln!("It says this about order {}:", order.order);
        if let Some(snapshot) = &known.snapshot {
            outln!(
                "  {} as of {}: {}, {}{}",
                snapshot.name.as_deref().unwrap_or("a snapshot"),
                output::moment(snapshot.rank.updated_at),
                snapshot.financial_status.as_deref().unwrap_or("no financial status"),
                snapshot.fulfillment_status.as_deref().unwrap_or("not fulfilled"),
                if snapshot.cancelled { ", cancelled" } else { "" },
            );
            for (id, line) in &snapshot.lines {
                let of = order.lines.get(id);
                let sku = output::or_dash(of.and_then(|line| line.sku.as_ref()));
                let kept = match of.map(|line| line.class) {
                    Some(LineClass::NotStock) => "no stock matter".to_owned(),
                    Some(LineClass::Untracked) => {
                        format!("of which {} are kept if its SKU has stock here", line.kept)
                    }
                    _ => format!("of which {} are kept", line.kept),
                };
                outln!("  line {id}: {} × {sku}, {kept}", line.quantity);
            }
        }
        for (id, part) in &known.refund_lines {
            outln!(
                "  refund line {id}: {} of line {}, {:?}",
                part.quantity,
                part.line,
                part.restock
            );
        }
        for (id, part) in &known.fulfilments {
            let units: i64 = part.lines.values().sum();
            outln!("  fulfilment {id}: {units} units, {:?}", part.status);
        }
        if known.paid {
            outln!("  money came in");
        }
        if let Some(at) = known.edited_at {
            outln!("  it was edited at {}; its next snapshot says how", output::moment(at));
        }
        if known.deleted {
            outln!("  it was deleted");
        }
    }
}

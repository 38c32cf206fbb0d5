//! `onhand verify`.

use std::process::ExitCode;

use indicatif::ProgressBar;
use operate::verify::verify;
use serde::Serialize;

use crate::config::Settings;
use crate::exit::NOT_FINE;
use crate::{output, shops_file};

#[derive(Serialize)]
struct VerifyJson<'a> {
    ok: bool,
    checked: Checked,
    violations: Vec<ViolationJson<'a>>,
}

#[derive(Serialize)]
struct Checked {
    orders: i64,
    stock: i64,
    ledger: i64,
    webhooks: i64,
}

#[derive(Serialize)]
struct ViolationJson<'a> {
    promise: &'a str,
    detail: &'a str,
}

pub(crate) async fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    let bar = ProgressBar::new_spinner().with_message("checking");
    // The rules of the shops are needed for each order's own check; without them the rest is done.
    let shops = shops_file::load(&settings.shops);
    let store = settings.open_store().await?;
    let found = verify(&store, shops.as_ref().ok(), |done, of| {
        bar.set_length(of);
        bar.set_position(done);
    })
    .await?;
    bar.finish_and_clear();
    if let Err(error) = &shops {
        eprintln!("onhand: orders were not compared with their targets: {error:#}");
    }
    let ok = found.violations.is_empty();
    if settings.json {
        output::json(&VerifyJson {
            ok,
            checked: Checked {
                orders: found.orders,
                stock: found.stock,
                ledger: found.ledger,
                webhooks: found.webhooks,
            },
            violations: found
                .violations
                .iter()
                .map(|one| ViolationJson { promise: &one.promise, detail: &one.detail })
                .collect(),
        })?;
    } else {
        outln!(
            "Checked {} orders, {} stock rows, {} ledger rows and {} webhooks.",
            found.orders,
            found.stock,
            found.ledger,
            found.webhooks
        );
        if ok {
            outln!("Every promise holds.");
        } else {
            let rows = found.violations.iter();
            output::table(
                &["promise", "violation"],
                rows.map(|one| vec![one.promise.clone(), one.detail.clone()]),
            );
        }
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::from(NOT_FINE) })
}

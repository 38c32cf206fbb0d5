//! `stock export`: what `stock import` reads.
//!
//! Page by page, so it takes any number of rows; each page is as of its own moment. A file is written
//! beside its name first, and is there whole or not at all.

use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use domain::{Stock, StockKey};
use indicatif::ProgressBar;
use operate::stock::each_page;
use serde::Serialize;
use store::AnyStore;

use super::StockJson;
use super::import::COLUMNS;
use crate::config::Settings;
use crate::output;

#[derive(Serialize)]
struct Exported {
    rows: usize,
    file: PathBuf,
}

pub(super) async fn run(
    settings: &Settings,
    store: &AnyStore,
    file: Option<&Path>,
) -> anyhow::Result<ExitCode> {
    let Some(file) = file else {
        if settings.json {
            let mut all = Vec::new();
            each(store, |key, stock| {
                all.push(StockJson::new(key, stock));
                Ok(())
            })
            .await?;
            output::json(&all)?;
        } else {
            quietly(write(store, io::stdout().lock()).await)?;
        }
        return Ok(ExitCode::SUCCESS);
    };
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    // As any other file that a command makes: who may read it is for the umask to say.
    let mut beside = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder.unwrap_or(Path::new(".")))
        .with_context(|| format!("cannot write {}", file.display()))?;
    let rows = write(store, io::BufWriter::new(beside.as_file_mut())).await?;
    // A name that is there while its bytes are not would outlive a power cut as an empty file.
    beside.as_file().sync_all().with_context(|| format!("cannot write {}", file.display()))?;
    beside.persist(file).with_context(|| format!("cannot write {}", file.display()))?;
    if settings.json {
        output::json(&Exported { rows, file: file.to_owned() })?;
    } else {
        outln!("Exported {rows} rows to {}.", file.display());
    }
    Ok(ExitCode::SUCCESS)
}

async fn write(store: &AnyStore, out: impl Write) -> anyhow::Result<usize> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(COLUMNS.all.split(','))?;
    let rows = each(store, |key, stock| {
        let on_hand = stock.on_hand.to_string();
        Ok(csv.write_record([key.sku.as_str(), key.location.as_str(), &on_hand])?)
    })
    .await?;
    csv.flush()?;
    Ok(rows)
}

/// Gives every row to `take`, and says how many there were.
async fn each(
    store: &AnyStore,
    mut take: impl FnMut(&StockKey, &Stock) -> anyhow::Result<()>,
) -> anyhow::Result<usize> {
    let bar = ProgressBar::new_spinner().with_message("reading");
    let mut rows = 0;
    each_page(store, |page| {
        rows += page.len();
        bar.inc(1);
        page.iter().try_for_each(|(key, stock)| take(key, stock))
    })
    .await?;
    bar.finish_and_clear();
    Ok(rows)
}

/// A reader that has had enough is no error.
fn quietly(written: anyhow::Result<usize>) -> anyhow::Result<()> {
    let enough = |error: &anyhow::Error| {
        let io = error.downcast_ref::<io::Error>();
        let csv = error.downcast_ref::<csv::Error>();
        let in_csv = csv.and_then(|error| match error.kind() {
            csv::ErrorKind::Io(error) => Some(error),
            _ => None,
        });
        io.or(in_csv).is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    match written {
        Err(error) if enough(&error) => Ok(()),
        done => done.map(drop),
    }
}

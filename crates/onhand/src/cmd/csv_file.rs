//! CSV files that are taken whole or not at all: every bad line is named, and nothing happens.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use serde::de::DeserializeOwned;

use crate::exit::NOT_FINE;

/// One transaction holds the whole file, so a file has a limit.
const ROWS_MAX: usize = 200_000;

/// So many bad lines are listed.
const ERRORS_SHOWN: usize = 100;

/// So many lines are named whose SKU has blanks around it.
const PADDED_SHOWN: usize = 10;

/// Longer texts are no names.
const TEXT_BYTES_MAX: usize = 255;

/// What the first line must say.
pub(crate) struct Columns {
    /// As people write them.
    pub(crate) all: &'static str,
    pub(crate) needed: &'static [&'static str],
}

/// How far the file is read.
pub(crate) fn progress_bar(file: &Path) -> anyhow::Result<ProgressBar> {
    let bytes =
        std::fs::metadata(file).with_context(|| format!("cannot read {}", file.display()))?.len();
    let style = ProgressStyle::with_template("{msg:8} {wide_bar} {bytes}/{total_bytes}")?;
    Ok(ProgressBar::new(bytes).with_style(style).with_message("reading"))
}

/// Gives every row to `take`, with its line. Returns a message for every line that is not good.
pub(crate) fn read<R: DeserializeOwned>(
    file: &Path,
    columns: &Columns,
    bar: &ProgressBar,
    mut take: impl FnMut(u64, R) -> Result<(), String>,
) -> anyhow::Result<Vec<String>> {
    let mut csv = csv::ReaderBuilder::new()
        .trim(csv::Trim::Headers)
        .from_path(file)
        .with_context(|| format!("cannot read {}", file.display()))?;
    let header = csv
        .headers()
        .with_context(|| format!("cannot read the first line of {}", file.display()))?
        .clone();
    if !columns.needed.iter().all(|name| header.iter().any(|column| column == *name)) {
        let found = header.iter().collect::<Vec<_>>().join(",");
        return Ok(vec![format!("line 1: the columns are {}; found {found}", columns.all)]);
    }
    let (mut rows, mut errors, mut padded) = (0, Vec::new(), Vec::new());
    let mut record = csv::StringRecord::new();
    loop {
        let line = csv.position().line();
        match csv.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {}
            Err(error) => {
                errors.push(format!("line {line}: {error}"));
                if error.is_io_error() {
                    break;
                }
                continue;
            }
        }
        let line = record.position().map_or(line, csv::Position::line);
        bar.set_position(csv.position().byte());
        rows += 1;
        if rows > ROWS_MAX {
            errors.push(format!("line {line}: more than {ROWS_MAX} rows; split the file"));
            break;
        }
        let (fields, is_padded) = trimmed(&header, &record);
        if is_padded {
            padded.push(line.to_string());
        }
        let row = fields.deserialize(Some(&header)).map_err(|error| error.to_string());
        if let Err(error) = row.and_then(|row| take(line, row)) {
            errors.push(format!("line {line}: {error}"));
        }
    }
    if !padded.is_empty() {
        let more = if padded.len() > PADDED_SHOWN { " …" } else { "" };
        padded.truncate(PADDED_SHOWN);
        let lines = padded.join(", ");
        eprintln!("onhand: blanks around a SKU belong to it; see line {lines}{more}");
    }
    Ok(errors)
}

/// Without the blanks around each field, but a SKU is what a platform calls it, blanks and all; and
/// whether it has some.
fn trimmed(header: &csv::StringRecord, record: &csv::StringRecord) -> (csv::StringRecord, bool) {
    let mut is_padded = false;
    let fields = header.iter().zip(record).map(|(name, field)| {
        if name != "sku" {
            return field.trim();
        }
        is_padded = field != field.trim();
        field
    });
    (fields.collect(), is_padded)
}

/// Says why nothing of the file was taken.
pub(crate) fn refuse(file: &Path, errors: &[String]) -> ExitCode {
    eprintln!("onhand: {} was not imported; nothing was changed:", file.display());
    for error in errors.iter().take(ERRORS_SHOWN) {
        eprintln!("  {error}");
    }
    if errors.len() > ERRORS_SHOWN {
        eprintln!("  … and {} more", errors.len() - ERRORS_SHOWN);
    }
    ExitCode::from(NOT_FINE)
}

/// What is wrong with a SKU, a location or another name.
pub(crate) fn check_text(name: &str, value: &str) -> Result<(), String> {
    let bad = value.trim().is_empty()
        || value.len() > TEXT_BYTES_MAX
        || value.chars().any(char::is_control);
    match bad {
        true => Err(format!("{name} {value:?} is not 1 to {TEXT_BYTES_MAX} bytes of plain text")),
        false => Ok(()),
    }
}

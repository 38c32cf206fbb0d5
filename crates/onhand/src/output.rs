//! What people and programs read on stdout.

use std::io::{ErrorKind, Write as _};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;

pub(crate) use operate::output::{moment, money, or_dash};

/// `println!`, but a reader that has had enough (`onhand stock list | head`) ends the program
/// quietly.
macro_rules! outln {
    ($($text:tt)*) => {
        $crate::output::line(format_args!($($text)*))
    };
}

pub(crate) fn line(text: std::fmt::Arguments<'_>) {
    match writeln!(std::io::stdout(), "{text}") {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => {
            eprintln!("onhand: cannot write the answer: {error}");
            std::process::exit(1);
        }
    }
}

/// Prints `value` as indented JSON.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    outln!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}

/// The first `limit` rows, and whether there are more: one more was asked for, to tell.
pub(crate) fn cut<T>(rows: &[T], limit: i64) -> (&[T], bool) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    (&rows[..rows.len().min(limit)], rows.len() > limit)
}

/// To be said below a table: nobody should take a part for all.
pub(crate) fn tell_of(more: bool) {
    if more {
        eprintln!("… more: --limit N");
    }
}

/// Prints rows under a header. Columns whose header starts with `>` are numbers, set to the right.
pub(crate) fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.iter().map(|name| name.trim_start_matches('>')));
    for row in rows {
        table.add_row(row);
    }
    for (at, name) in header.iter().enumerate() {
        if let (true, Some(column)) = (name.starts_with('>'), table.column_mut(at)) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    outln!("{table}");
}

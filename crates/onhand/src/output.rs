//! What people and programs read on stdout.

use std::io::{ErrorKind, Write as _};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use domain::payment::Money;
use serde::Serialize;

pub(crate) use operate::output::moment;

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

/// An optional text, as people expect to see nothing.
pub(crate) fn or_dash(text: Option<impl ToString>) -> String {
    text.map_or_else(|| "–".to_owned(), |text| text.to_string())
}

/// Money as people write it. Providers do not agree on the digits of some currencies; those are
/// shown as they came.
pub(crate) fn money(money: &Money) -> String {
    let Money { minor, currency } = money;
    let digits = match currency.as_str() {
        "BIF" | "DJF" | "GNF" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "VND" | "VUV" | "XAF"
        | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        "CLF" | "CLP" | "CVE" | "IDR" | "ISK" | "UGX" | "UYI" | "UYW" => {
            return format!("{minor} {currency} in its smallest unit");
        }
        _ => 2,
    };
    let (sign, units) = (if *minor < 0 { "-" } else { "" }, minor.unsigned_abs());
    let unit = 10_u64.pow(digits);
    match digits {
        0 => format!("{sign}{units} {currency}"),
        _ => {
            let width = usize::try_from(digits).unwrap_or_default();
            format!("{sign}{}.{:0width$} {currency}", units / unit, units % unit)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_the_digits_of_its_currency() {
        let of = |minor, currency: &str| money(&Money { minor, currency: currency.to_owned() });
        assert_eq!(of(4_999, "EUR"), "49.99 EUR");
        assert_eq!(of(-5, "EUR"), "-0.05 EUR");
        assert_eq!(of(4_999, "JPY"), "4999 JPY");
        assert_eq!(of(4_999, "KWD"), "4.999 KWD");
        assert_eq!(of(4_999, "ISK"), "4999 ISK in its smallest unit");
    }
}

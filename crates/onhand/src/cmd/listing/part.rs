//! An item of a listing, as people type it: `SKU`, or `SKU:UNITS`.

use std::collections::BTreeMap;

use domain::Sku;
use domain::order::LinePart;

use crate::cmd::csv_file::check_text;

/// More in one unit of a line are not believed; times an order's quantity it must stay in bounds.
pub(super) const UNITS_MAX: i64 = 1_000_000;

/// All of what was typed, each item once, by SKU.
pub(super) fn sum(typed: &[String]) -> Result<Vec<LinePart>, String> {
    let mut units: BTreeMap<Sku, i64> = BTreeMap::new();
    for text in typed {
        let part = parse(text)?;
        *units.entry(part.sku).or_default() += part.units;
    }
    let parts = units.into_iter().map(|(sku, units)| LinePart { sku, units });
    parts.map(|part| checked(part.sku.as_str(), part.units)).collect()
}

/// What follows the last colon is units. A SKU that has a colon of its own is told by its units
/// behind it.
fn parse(text: &str) -> Result<LinePart, String> {
    match text.rsplit_once(':') {
        Some((_, "")) => Err(format!("{text:?} ends with a colon; write SKU or SKU:UNITS")),
        Some((sku, units)) => match units.parse() {
            Ok(units) => checked(sku, units),
            Err(_) => Err(format!(
                "{text:?}: {units:?} is no number of units; if the colon is part of the SKU, write \
                 its units behind it: {text}:1"
            )),
        },
        None => checked(text, 1),
    }
}

pub(super) fn checked(sku: &str, units: i64) -> Result<LinePart, String> {
    check_text("sku", sku)?;
    if !(1..=UNITS_MAX).contains(&units) {
        return Err(format!("units of {sku}: {units} is not between 1 and {UNITS_MAX}"));
    }
    Ok(LinePart { sku: Sku::new(sku), units })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(typed: &[&str], expected: Result<&[(&str, i64)], &str>) {
        let typed: Vec<String> = typed.iter().map(ToString::to_string).collect();
        match (sum(&typed), expected) {
            (Ok(parts), Ok(expected)) => {
                let found: Vec<_> = parts.iter().map(|p| (p.sku.as_str(), p.units)).collect();
                assert_eq!(found, expected);
            }
            (Err(error), Err(part)) => assert!(error.contains(part), "{error}"),
            (found, _) => panic!("{typed:?}: {found:?}"),
        }
    }

    #[test]
    fn items_are_skus_with_units_and_the_same_one_is_summed() {
        check(&["BOWL"], Ok(&[("BOWL", 1)]));
        check(&["SPOON", "BOWL:2"], Ok(&[("BOWL", 2), ("SPOON", 1)]));
        check(&["BOWL", "BOWL:2"], Ok(&[("BOWL", 3)]));
        check(&["PART:A:1"], Ok(&[("PART:A", 1)]));
        check(&["PART:7:1"], Ok(&[("PART:7", 1)]));
    }

    #[test]
    fn what_is_no_number_of_units_is_refused() {
        check(&["BOWL:0"], Err("between 1 and"));
        check(&["BOWL:-2"], Err("between 1 and"));
        check(&["BOWL:x"], Err("BOWL:x:1"));
        check(&["BOWL:1.5"], Err("no number of units"));
        check(&["BOWL:"], Err("ends with a colon"));
        check(&[":2"], Err("plain text"));
        check(&["BOWL:600000", "BOWL:600000"], Err("between 1 and"));
    }
}

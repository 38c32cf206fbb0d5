//! Tables as Markdown, which a terminal shows well enough and documents take as they are.

/// Prints one table.
pub(crate) fn print(header: &[&str], rows: &[Vec<String>]) {
    let line = |cells: &[String]| println!("| {} |", cells.join(" | "));
    println!();
    line(&header.iter().map(ToString::to_string).collect::<Vec<_>>());
    println!("|{}", "---|".repeat(header.len()));
    rows.iter().for_each(|row| line(row));
    println!();
}

/// A whole number with commas.
pub(crate) fn whole(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

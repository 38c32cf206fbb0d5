//! What docs/LOGGING.md says of log lines, held against those of real processes.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::OnceLock;

use serde_json::Value;

/// The names in the first column of the page's table of fields, and those that every line has.
pub(crate) fn documented_fields() -> &'static BTreeSet<String> {
    static FIELDS: OnceLock<BTreeSet<String>> = OnceLock::new();
    FIELDS.get_or_init(|| {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/LOGGING.md");
        let page = std::fs::read_to_string(page).expect("the page is there");
        let (_, section) = page.split_once("\n## Fields\n").expect("it has a section on fields");
        let (section, _) = section.split_once("\n## ").expect("and others after it");
        let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
        let cells = rows.filter_map(|row| row.split(" |").next());
        let every_line = section.lines().filter(|line| line.starts_with("Every line has"));
        let quoted = |text: &str| -> Vec<String> {
            text.split('`').map(str::trim).filter(|name| is_name(name)).map(str::to_owned).collect()
        };
        let always = every_line.flat_map(|line| {
            line.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()
        });
        always.chain(cells.flat_map(quoted)).collect()
    })
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || "._".contains(c))
}

/// Fails where one of our lines has a field that the page does not name. Lines of libraries are theirs.
pub(super) fn check(log: &[Value]) {
    for line in log.iter().filter_map(Value::as_object) {
        let target = line.get("target").and_then(Value::as_str).unwrap_or_default();
        let name = target.split("::").next().unwrap_or_default();
        let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates").join(name).is_dir();
        for field in line.keys().filter(|_| ours && !name.is_empty()) {
            assert!(documented_fields().contains(field), "docs/LOGGING.md: {field} in {line:?}");
        }
    }
}

//! What of a body people may see.

use std::fs;
use std::path::{Path, PathBuf};

use platforms::mask::mask;

/// Everything of a person that any recorded body has must be covered.
const OF_PERSONS: [&str; 9] = [
    "\"email\"",
    "\"first_name\"",
    "\"last_name\"",
    "\"phone\"",
    "\"address1\"",
    "\"address_1\"",
    "\"zip\"",
    "\"postcode\"",
    "\"contact_email\"",
];

#[test]
fn persons_are_covered_and_the_order_is_not() {
    let body = r##"{
        "id": 4401, "name": "#1001", "email": "kim@mail.example", "note": "ring twice",
        "created_at": "2026-11-21T12:00:00Z", "financial_status": "paid", "total_price": "19.99",
        "order_status_url": "https://demo.example/4401?key=secret", "test": false,
        "customer": {"id": 70, "first_name": "Kim", "orders_count": 3, "verified": true},
        "shipping_address": {"name": "Kim", "zip": "10115", "latitude": 52.5},
        "line_items": [{"id": 1, "sku": "BOWL", "quantity": 2, "title": "Bowl for Kim",
            "properties": [{"name": "engraving", "value": "To Kim"}]}],
        "surprise": {"nickname": "Kimmy"}
    }"##;
    let shown = mask(body.as_bytes());
    for text in ["4401", "#1001", "2026-11-21T12:00:00Z", "paid", "19.99", "BOWL", "false", "70"] {
        assert!(shown.contains(text), "{text} is covered: {shown}");
    }
    for text in ["kim", "Kim", "ring", "10115", "52.5", "engraving", "secret", ": 3", ": true"] {
        assert!(!shown.contains(text), "{text} is shown: {shown}");
    }
}

#[test]
fn a_customer_s_words_are_covered_under_any_name_that_is_not_known() {
    for body in [
        r#"["Kim"]"#,
        r#""Kim""#,
        r#"{"name": "Kim"}"#,
        r##"{"name": "#Kim"}"##,
        r#"{"reason": "kim@mail.example"}"#,
        r#"{"billing": {"id": "Kim"}}"#,
        r#"{"data": {"object": {"metadata": {"who": "Kim"}}}}"#,
    ] {
        let shown = mask(body.as_bytes());
        assert!(!shown.to_lowercase().contains("kim"), "{shown}");
    }
    assert_eq!(mask(b"id=tr_1 Kim"), "(11 bytes that are not JSON are not shown)");
}

#[test]
fn what_may_say_anything_is_shown_only_as_a_number_or_a_code() {
    for (name, shown, covered) in [
        ("value", "19.99", "12 Main Street"),
        ("value", "1999", "01.02.1990"),
        ("number", "1001", "+49 30 1234567"),
        ("reason", "requested_by_customer", "Kim moved"),
        ("reason", "duplicate", "038304:1111:12/2012"),
    ] {
        let body = |text: &str| format!(r#"{{"{name}": "{text}"}}"#);
        assert!(mask(body(shown).as_bytes()).contains(shown), "{name}: {shown} is covered");
        let mask = mask(body(covered).as_bytes());
        assert!(!mask.contains(covered), "{name} is shown: {mask}");
    }
}

#[test]
fn no_recorded_body_shows_a_person() {
    let mut seen = 0;
    for (name, body) in recorded() {
        let shown = mask(&body);
        for field in OF_PERSONS {
            for value in shown.split(field).skip(1) {
                let value = value.trim_start_matches([':', ' ']);
                let is_covered = value.starts_with("\"•••\"") || value.starts_with("null");
                assert!(
                    is_covered || value.starts_with(['{', '[']),
                    "{}: {field}: {value:.40}",
                    name.display()
                );
                seen += 1;
            }
        }
    }
    assert!(seen > 10, "{seen} fields were looked at");
}

/// Every recorded body, and the seeds of the fuzz targets, many of which are made of such.
fn recorded() -> Vec<(PathBuf, Vec<u8>)> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![here.join("tests/fixtures"), here.join("../../fuzz/seeds")];
    let mut bodies = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the folder can be listed") {
            let path = entry.expect("the folder can be listed").path();
            match path.is_dir() {
                true => folders.push(path),
                false => bodies.push((path.clone(), fs::read(path).expect("it can be read"))),
            }
        }
    }
    bodies
}

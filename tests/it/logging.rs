//! docs/LOGGING.md and the log lines name the same fields, and lines look as the page says.
//!
//! Here the sources are read, so that lines about rare things count, too; the harness holds what real
//! processes have logged against the same table.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use testkit::shopify::{ShopifyOrder, SignedWebhook};

use crate::harness::{Fleet, Profile, documented_fields, in_both_profiles};

in_both_profiles!(a_line_about_a_webhook_names_its_trace);

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

async fn a_line_about_a_webhook_names_its_trace(profile: Profile) {
    let fleet = Fleet::start(profile, 1).await;
    let traceparent = ("traceparent", format!("00-{TRACE}-b7ad6b7169203331-00"));
    let deliver = async |webhook: &SignedWebhook| {
        let mut headers = webhook.headers();
        headers.push(traceparent.clone());
        fleet.deliver(&headers, &webhook.body).await.status
    };
    let unknown = ShopifyOrder::new(1).line("NOBODY-SELLS-THIS", 1).webhook("orders/create");
    assert_eq!(deliver(&unknown).await, 200);
    assert_eq!(deliver(&unknown.clone().signed_with("another-secret")).await, 401);
    let named = |message: &'static str| {
        move |line: &serde_json::Value| {
            (line["message"] == message).then(|| line["trace.id"].as_str().map(str::to_owned))
        }
    };
    let front = fleet.front.as_ref().expect("it runs");
    let applies = fleet.workers.first().unwrap_or(front);
    assert_eq!(front.logged(named("a webhook was refused")).await.as_deref(), Some(TRACE));
    let dead = applies.logged(named("webhook became a dead letter")).await;
    assert_eq!(dead.as_deref(), Some(TRACE));
    fleet.finish().await;
}

#[test]
fn the_page_names_every_field_of_every_line_and_no_other() {
    let mut used = BTreeMap::<String, String>::new();
    for line in lines() {
        for field in line.fields {
            used.entry(field).or_insert(line.place.clone());
        }
    }
    let page = documented_fields();
    let unnamed: Vec<_> = used.iter().filter(|(field, _)| !page.contains(*field)).collect();
    assert!(unnamed.is_empty(), "docs/LOGGING.md does not name {unnamed:#?}");
    let always = ["timestamp", "level", "message", "target"].map(str::to_owned);
    let used: BTreeSet<_> = used.into_keys().chain(always).collect();
    let gone: Vec<_> = page.difference(&used).collect();
    assert!(gone.is_empty(), "no line has what docs/LOGGING.md names: {gone:?}");
}

#[test]
fn a_message_is_a_constant_sentence_without_a_dot() {
    let lines = lines();
    assert!(lines.len() > 40, "the lines were not found");
    for Line { place, message, .. } in lines {
        let begins = message.chars().next().is_some_and(|first| !first.is_uppercase());
        assert!(begins && !message.ends_with('.'), "{place}: {message:?}");
        assert!(!message.contains('{'), "{place}: what varies is a field: {message:?}");
    }
}

// ---- reading the sources ------------------------------------------------------------------------

struct Line {
    place: String,
    message: String,
    fields: Vec<String>,
}

fn lines() -> Vec<Line> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let mut lines = Vec::new();
    let mut folders = vec![crates];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the sources can be listed") {
            let path: PathBuf = entry.expect("the sources can be listed").path();
            if path.is_dir() && !path.ends_with("tests") {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                let text = fs::read_to_string(&path).expect("a source is text");
                read(&path.display().to_string(), &text, &mut lines);
            }
        }
    }
    lines
}

/// The calls of tracing's macros in one file.
fn read(place: &str, text: &str, lines: &mut Vec<Line>) {
    let imported = text.contains("use tracing::{");
    for level in ["error", "warn", "info", "debug", "trace"] {
        let call = format!("{level}!(");
        for (at, _) in text.match_indices(&call) {
            let before = &text[..at];
            let bare = imported && before.ends_with(char::is_whitespace);
            if bare || before.ends_with("tracing::") {
                lines.push(line(place, &arguments(&text[at + call.len()..])));
            }
        }
    }
}

fn line(place: &str, arguments: &[String]) -> Line {
    let (message, fields) = arguments.split_last().expect("a line has a message");
    let message = message.strip_prefix('"').and_then(|message| message.strip_suffix('"'));
    let name = |field: &String| {
        let name = field.split('=').next().unwrap_or_default();
        name.trim().trim_start_matches(['%', '?']).to_owned()
    };
    Line {
        place: place.to_owned(),
        message: message.unwrap_or_else(|| panic!("{place}: no message last")).to_owned(),
        fields: fields.iter().map(name).collect(),
    }
}

/// What stands between the commas up to the closing parenthesis.
fn arguments(text: &str) -> Vec<String> {
    let (mut arguments, mut argument) = (Vec::new(), String::new());
    let (mut depth, mut quoted, mut escaped) = (0_u32, false, false);
    for c in text.chars() {
        if quoted {
            quoted = escaped || c != '"';
            escaped = c == '\\' && !escaped;
        } else {
            match c {
                '"' => quoted = true,
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' if depth > 0 => depth -= 1,
                ')' | ',' if depth == 0 => {
                    let whole = std::mem::take(&mut argument).trim().to_owned();
                    arguments.extend((!whole.is_empty()).then_some(whole));
                    if c == ')' {
                        break;
                    }
                    continue;
                }
                _ => {}
            }
        }
        argument.push(c);
    }
    arguments
}

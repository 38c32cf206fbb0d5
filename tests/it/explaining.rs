//! `onhand explain` over many bodies at once.
//!
//! Whoever has a collection of bodies names its folder in `ONHAND_FIXTURES`: in it the folders
//! `shopify`, `woocommerce` and `payments`, and in each of them an `index.tsv` whose first two columns
//! are a file's name and the topic it came under (for payments: the provider, a dot, and whatever).
//! Without the variable the bodies beside the parsers' tests have to do.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::{Fleet, Profile};

const PROVIDERS: [&str; 4] = ["stripe", "adyen", "mollie", "standard"];

/// A file with a body, and how `explain` is asked for it.
struct Body {
    path: PathBuf,
    arguments: Vec<String>,
}

fn body(path: PathBuf, platform: &str, topic: Option<&str>) -> Body {
    let mut arguments = vec!["explain".to_owned(), "--platform".to_owned(), platform.to_owned()];
    arguments.extend(topic.into_iter().flat_map(|topic| ["--topic".to_owned(), topic.to_owned()]));
    Body { path, arguments }
}

/// All of one folder whose topics its index tells. Not whole requests, which are text, not what is
/// fetched and never sent, and not what comes from providers that are not served.
fn indexed(folder: &Path, platform: &str) -> Vec<Body> {
    let index = fs::read_to_string(folder.join("index.tsv")).expect("a folder has an index");
    let rows = index.lines().skip(1).filter_map(|line| {
        let mut columns = line.split('\t');
        Some((columns.next()?, columns.next()?))
    });
    let asked = |(file, topic): (&str, &str)| {
        let path = folder.join(file);
        if platform != "payments" {
            return Some(body(path, platform, Some(topic)));
        }
        let provider = topic.split('.').next().unwrap_or_default();
        let is_sent = PROVIDERS.contains(&provider) && !topic.ends_with(".fetched");
        is_sent.then(|| body(path, provider, None))
    };
    rows.filter(|(file, _)| file.ends_with(".json")).filter_map(asked).collect()
}

fn own() -> Vec<Body> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/platforms/tests/fixtures");
    let files = fs::read_dir(folder).expect("the parsers have bodies to read");
    let paths = files.map(|file| file.expect("the folder can be listed").path());
    paths.map(|path| body(path, "shopify", Some("orders/updated"))).collect()
}

fn bodies() -> Vec<Body> {
    let Some(folder) = std::env::var_os("ONHAND_FIXTURES").filter(|it| !it.is_empty()) else {
        return own();
    };
    let folder = PathBuf::from(folder);
    let of = |platform: &&str| indexed(&folder.join(platform), platform);
    ["shopify", "woocommerce", "payments"].iter().flat_map(of).collect()
}

/// What cannot mean anything: the reason that the body itself shows.
fn doom(body: &Value) -> Option<&str> {
    let lines = body["line_items"].as_array().map(Vec::as_slice).unwrap_or_default();
    if lines.iter().any(|line| line["quantity"].as_f64().is_some_and(|units| units.fract() != 0.0))
    {
        return Some("fractional_quantity");
    }
    // What a site sends where there should be a resource.
    let is_error = body["message"].is_string() && body["id"].is_null();
    body["code"].as_str().filter(|_| is_error)
}

#[tokio::test]
async fn every_body_means_something_or_is_ignored_with_a_reason() {
    let fleet = Fleet::bare(Profile::Embedded);
    let bodies = bodies();
    assert!(bodies.len() >= 5, "there is nothing to explain");
    let mut wrong = BTreeMap::<OsString, String>::new();
    for Body { path, arguments } in bodies {
        let file = path.display().to_string();
        let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        arguments.push(&file);
        let answer = fleet.cli(&arguments).await;
        let text = fs::read(&path).expect("it is there");
        let sent: Value = serde_json::from_slice(&text).expect("a body is JSON");
        let said: Value = serde_json::from_str(&answer.stdout).unwrap_or_default();
        let means_something = said["facts"].as_array().is_some_and(|facts| !facts.is_empty());
        let fine = match answer.code {
            0 => means_something || said["ignored"].is_string(),
            1 => doom(&sent).is_some_and(|reason| said["dead"]["reason"] == reason),
            _ => false,
        };
        if !fine {
            wrong.insert(path.into(), format!("{answer:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    fleet.discard();
}

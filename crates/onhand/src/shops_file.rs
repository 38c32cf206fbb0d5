//! The shops file: read at start, and again whenever it or a file with a secret of its shops changes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use domain::{LocationId, ShopId};
use platforms::{Shop, Shops};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::exit::bad_config;

/// How often the files' dates are looked at.
const LOOK: Duration = Duration::from_secs(1);

const EXAMPLE: &str = r#"
[[shop]]
name = "demo"
platform = "shopify"
domain = "demo.myshopify.com"
secrets = ["env:DEMO_SECRET"]
"#;

/// Reads the file and the secrets that it names.
pub(crate) fn load(path: &Path) -> anyhow::Result<Shops> {
    Seen::default().load(path)
}

/// The files that were read, each with its date and length from before: a change while it is being
/// read is seen at the next look.
#[derive(Default)]
struct Seen(Vec<(PathBuf, Option<Version>)>);

type Version = (SystemTime, u64);

impl Seen {
    /// Reads the file and the secrets that it names. As far as it came, where it fails.
    fn load(&mut self, path: &Path) -> anyhow::Result<Shops> {
        self.0.clear();
        self.see(path);
        let text = std::fs::read_to_string(path).map_err(|error| {
            bad_config(format!(
                "cannot read the shops file {} (ONHAND_SHOPS, --shops): {error}; for example:\n\
                 {EXAMPLE}",
                path.display()
            ))
        })?;
        Shops::parse(&text, |entry| {
            if let Some(path) = entry.strip_prefix("file:") {
                self.see(Path::new(path));
            }
            secret(entry)
        })
        .map_err(|error| bad_config(format!("the shops file {}: {error}", path.display())))
    }

    fn see(&mut self, path: &Path) {
        self.0.push((path.to_owned(), version(path)));
    }

    fn is_outdated(&self) -> bool {
        self.0.iter().any(|(path, seen)| version(path) != *seen)
    }
}

fn version(path: &Path) -> Option<Version> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// The shop of that name, which somebody typed.
pub(crate) fn named<'a>(shops: &'a Shops, name: &str) -> anyhow::Result<&'a Shop> {
    shops.get(&ShopId::new(name)).ok_or_else(|| {
        let names: Vec<&str> = shops.iter().map(|shop| shop.name.as_str()).collect();
        bad_config(format!(
            "the shops file names no shop {name}; its shops are {}",
            names.join(", ")
        ))
    })
}

/// To be asked where nothing was found of a shop that somebody typed: fails if the shops file does
/// not name it either. One that was taken out of the file may well have left something here.
pub(crate) fn check_typo(path: &Path, name: Option<&str>) -> anyhow::Result<()> {
    if let (Some(name), Ok(shops)) = (name, load(path)) {
        named(&shops, name)?;
    }
    Ok(())
}

/// A location of no shop is allowed, because the shops file may be written later; but nobody should be
/// surprised that orders do not find what lies there. Without a shops file nothing is known of it.
pub(crate) fn warn_of_unknown<'a>(
    path: &Path,
    locations: impl IntoIterator<Item = &'a LocationId>,
) {
    let Ok(shops) = load(path) else { return };
    let known: BTreeSet<_> = shops.iter().flat_map(|shop| &shop.policy.locations).collect();
    let locations: BTreeSet<_> = locations.into_iter().collect();
    for location in locations.difference(&known) {
        eprintln!(
            "onhand: no shop ships from {location}, so no order takes what lies there: `locations` \
             in the shops file says from where each does"
        );
    }
}

/// `env:NAME` and `file:/path`.
pub(crate) fn secret(entry: &str) -> Result<String, String> {
    match entry.split_once(':') {
        Some(("env", name)) => std::env::var_os(name)
            .ok_or_else(|| format!("the environment variable {name} is not set"))?
            .into_string()
            .map_err(|_| format!("the environment variable {name} is not text")),
        Some(("file", path)) => {
            std::fs::read_to_string(path).map_err(|error| format!("cannot read {path}: {error}"))
        }
        _ => Err("is none of env:NAME, file:/path or plain:text".to_owned()),
    }
}

/// Keeps the newest good version. A file that turns bad is reported, and the last good one stays.
pub(crate) fn watch(
    path: &Path,
    tasks: &TaskTracker,
    stop: CancellationToken,
) -> anyhow::Result<watch::Receiver<Arc<Shops>>> {
    let mut seen = Seen::default();
    let (sender, receiver) = watch::channel(Arc::new(seen.load(path)?));
    measure(true);
    tasks.spawn(stop.run_until_cancelled_owned(keep_reading(path.to_owned(), seen, sender)));
    Ok(receiver)
}

async fn keep_reading(path: PathBuf, mut seen: Seen, sender: watch::Sender<Arc<Shops>>) {
    loop {
        tokio::time::sleep(LOOK).await;
        if !seen.is_outdated() {
            continue;
        }
        match seen.load(&path) {
            Ok(shops) => {
                measure(true);
                tracing::info!(shops = shops.count(), "read the shops file again");
                sender.send_replace(Arc::new(shops));
            }
            Err(error) => {
                measure(false);
                tracing::error!(
                    error = format!("{error:#}"),
                    "the shops file is bad; the last good one stays in use"
                );
            }
        }
    }
}

/// Tells of the latest reading.
fn measure(good: bool) {
    const GOOD: &str = "onhand_shops_file_good";
    const READ: &str = "onhand_shops_file_read_timestamp_seconds";
    metrics::describe_gauge!(GOOD, "1: the shops file is good; 0: an older one is in use");
    metrics::describe_gauge!(READ, "When the shops file in use was read, since 1970");
    metrics::gauge!(GOOD).set(f64::from(good));
    if good {
        metrics::gauge!(READ).set(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default());
    }
}

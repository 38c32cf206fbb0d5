//! One `[[shop]]` of the shops file, field by field.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::policy::{CommitOn, UnknownSku, WhenShort};
use domain::stock::QUANTITY_MAX;
use domain::{LocationId, Platform, PlatformLocation, Policy, ShopId, Timestamp};
use secrecy::SecretString;
use toml::Value;

use super::{Capture, Shop, ShopsError, TestPayments, WhenRestocked};
use crate::shopify::Id;
use crate::{moment, span};

/// Every field, as an error shows it to somebody who has to write it.
const EXAMPLES: [(&str, &str); 16] = [
    ("name", r#"name = "demo""#),
    ("platform", r#"platform = "shopify""#),
    ("domain", r#"domain = "demo.myshopify.com""#),
    ("secrets", r#"secrets = ["env:DEMO_SECRET", "file:/run/secrets/demo_old"]"#),
    ("commit_on", r#"commit_on = "placed""#),
    ("when_short", r#"when_short = "reject""#),
    ("when_restocked", r#"when_restocked = "wait""#),
    ("unknown_sku", r#"unknown_sku = "dead_letter""#),
    ("locations", r#"locations = ["main"]"#),
    ("location_ids", r#"location_ids = { "655441491" = "main" }"#),
    ("safety_stock", "safety_stock = 0"),
    ("live_from", r#"live_from = "2026-11-01T00:00:00Z""#),
    ("pays_for", r#"pays_for = "demo""#),
    ("capture", r#"capture = "automatic""#),
    ("test_payments", r#"test_payments = "ignore""#),
    ("keep_bodies", r#"keep_bodies = "7d""#),
];

const NAME_BYTES_MAX: usize = 64;
/// What DNS allows.
const DOMAIN_BYTES_MAX: usize = 253;
const LOCATION_BYTES_MAX: usize = 255;
/// Every secret costs one pass over each body; a rotation needs two.
const SECRETS_PER_SHOP_MAX: usize = 16;

/// Personal data that is kept for longer needs a better reason than this.
const KEEP_MAX: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// What envelopes of unnamed senders say instead of a shop; no shop may take it.
pub const UNKNOWN_SHOP: &str = "unknown";

/// The fields of one shop that were not read yet.
pub(super) struct Entry {
    name: String,
    table: toml::Table,
}

impl Entry {
    /// Refuses tables without a usable name, and fields that nobody knows.
    pub(super) fn new(index: usize, mut table: toml::Table) -> Result<Self, ShopsError> {
        let name = table.remove("name");
        // Until it has a name, a shop is told by its place in the file.
        let mut entry = Self { name: format!("number {}", index + 1), table };
        let name = match name {
            Some(Value::String(name)) => name,
            Some(_) => return Err(entry.error("name", "is not a text")),
            None => return Err(entry.error("name", "is missing")),
        };
        let is_safe = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
        if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.bytes().all(is_safe) {
            let what = format!(
                "{name:?} is not 1 to {NAME_BYTES_MAX} of the characters a-z, 0-9, _ and -"
            );
            return Err(entry.error("name", what));
        }
        if name == UNKNOWN_SHOP {
            return Err(entry.error("name", format!("{name:?} stands for senders without a name")));
        }
        entry.name = format!("{name:?}");
        entry.table.insert("name".into(), Value::String(name));
        entry.check_fields()?;
        Ok(entry)
    }

    pub(super) fn read(
        mut self,
        resolve: &mut impl FnMut(&str) -> Result<String, String>,
    ) -> Result<Shop, ShopsError> {
        let name = self.text("name")?.unwrap_or_default();
        let platforms = [Platform::Shopify, Platform::WooCommerce, Platform::Payments]
            .map(|platform| (platform.as_str(), platform));
        let platform = self
            .choice("platform", &platforms)?
            .ok_or_else(|| self.error("platform", "is missing"))?;
        let domain = self.domain(platform)?;
        let (secrets, secret_sources) = self.secrets(platform, resolve)?;
        Ok(Shop {
            name: ShopId::new(name),
            platform,
            domain,
            secrets,
            secret_sources,
            policy: self.policy(platform)?,
            when_restocked: self
                .choice(
                    "when_restocked",
                    &[("wait", WhenRestocked::Wait), ("commit_short", WhenRestocked::CommitShort)],
                )?
                .unwrap_or_default(),
            pays_for: self.text("pays_for")?.map(ShopId::new),
            capture: self
                .choice(
                    "capture",
                    &[("manual", Capture::Manual), ("automatic", Capture::Automatic)],
                )?
                .unwrap_or_default(),
            test_payments: self
                .choice(
                    "test_payments",
                    &[("count", TestPayments::Count), ("ignore", TestPayments::Ignore)],
                )?
                .unwrap_or_default(),
            keep_bodies: self.keep_bodies()?,
        })
    }

    fn keep_bodies(&mut self) -> Result<Option<Duration>, ShopsError> {
        let Some(text) = self.text("keep_bodies")? else { return Ok(None) };
        match span::parse(&text) {
            Some(length) if length <= KEEP_MAX => Ok(Some(length).filter(|it| !it.is_zero())),
            _ => {
                let what =
                    format!("{text:?} is not a length of time up to {} days", days(KEEP_MAX));
                Err(self.error("keep_bodies", what))
            }
        }
    }

    fn policy(&mut self, platform: Platform) -> Result<Policy, ShopsError> {
        let locations = self.locations()?;
        Ok(Policy {
            commit_on: self
                .choice("commit_on", &[("placed", CommitOn::Placed), ("paid", CommitOn::Paid)])?
                .unwrap_or_default(),
            when_short: self
                .choice(
                    "when_short",
                    &[
                        ("reject", WhenShort::Reject),
                        ("hold", WhenShort::Hold),
                        ("backorder", WhenShort::Backorder),
                    ],
                )?
                .unwrap_or_default(),
            unknown_sku: self
                .choice(
                    "unknown_sku",
                    &[("dead_letter", UnknownSku::DeadLetter), ("ignore", UnknownSku::Ignore)],
                )?
                .unwrap_or_default(),
            location_ids: self.location_ids(platform, &locations)?,
            locations,
            safety_stock: self.safety_stock()?,
            live_from: self.live_from()?,
        })
    }

    fn domain(&mut self, platform: Platform) -> Result<Option<String>, ShopsError> {
        let Some(domain) = self.text("domain")? else {
            return match platform {
                Platform::Shopify => {
                    Err(self.error("domain", "is missing; Shopify names the sender by it"))
                }
                Platform::WooCommerce | Platform::Payments => Ok(None),
            };
        };
        match clean_domain(&domain) {
            Some(domain) => Ok(Some(domain)),
            None => Err(self.error("domain", format!("{domain:?} is not a bare domain name"))),
        }
    }

    fn secrets(
        &mut self,
        platform: Platform,
        resolve: &mut impl FnMut(&str) -> Result<String, String>,
    ) -> Result<(Vec<SecretString>, Vec<String>), ShopsError> {
        let entries = self.texts("secrets")?.unwrap_or_default();
        // Payments may come without: Mollie's classic callbacks are not signed.
        if entries.is_empty() && platform != Platform::Payments {
            return Err(self.error("secrets", "is missing or empty, so that nobody could sign"));
        }
        if entries.len() > SECRETS_PER_SHOP_MAX {
            let what = format!("has more than {SECRETS_PER_SHOP_MAX} entries");
            return Err(self.error("secrets", what));
        }
        let mut secrets = Vec::with_capacity(entries.len());
        let mut sources = Vec::with_capacity(entries.len());
        for (index, entry) in entries.iter().enumerate() {
            // What the entry holds may be a secret itself, so no message repeats it.
            let failed = |what: &str| self.error("secrets", format!("entry {} {what}", index + 1));
            let (secret, source) = if let Some(plain) = entry.strip_prefix("plain:") {
                (plain.to_owned(), format!("plain, number {}", index + 1))
            } else if entry.starts_with("env:") || entry.starts_with("file:") {
                let secret = resolve(entry);
                (secret.map_err(|why| failed(&format!("cannot be read: {why}")))?, entry.clone())
            } else {
                return Err(failed("begins with none of env:, file: and plain:"));
            };
            // Files end in a newline that is no part of the secret.
            let secret = secret.trim_end_matches(['\r', '\n']);
            if secret.is_empty() {
                return Err(failed("is empty"));
            }
            secrets.push(SecretString::from(secret));
            sources.push(source);
        }
        Ok((secrets, sources))
    }

    fn locations(&mut self) -> Result<Vec<LocationId>, ShopsError> {
        let Some(names) = self.texts("locations")? else {
            return Ok(Policy::default().locations);
        };
        if names.is_empty() {
            return Err(self.error("locations", "is empty; orders need a place to ship from"));
        }
        for (index, name) in names.iter().enumerate() {
            let bad = name.trim().is_empty()
                || name.len() > LOCATION_BYTES_MAX
                || name.contains(char::is_control);
            if bad {
                return Err(self.error("locations", format!("{name:?} is not a usable name")));
            }
            if names[..index].contains(name) {
                return Err(self.error("locations", format!("{name:?} is there twice")));
            }
        }
        Ok(names.into_iter().map(LocationId::new).collect())
    }

    fn location_ids(
        &mut self,
        platform: Platform,
        locations: &[LocationId],
    ) -> Result<BTreeMap<PlatformLocation, LocationId>, ShopsError> {
        let table = match self.table.remove("location_ids") {
            None => return Ok(BTreeMap::new()),
            Some(Value::Table(table)) => table,
            Some(_) => return Err(self.error("location_ids", "is not a table")),
        };
        let mut ids = BTreeMap::new();
        for (id, name) in table {
            let Some(location) = locations.iter().find(|l| name.as_str() == Some(l.as_str()))
            else {
                let what = format!("{id:?} names {name}, which is not in locations");
                return Err(self.error("location_ids", what));
            };
            let platform_location = match platform {
                Platform::Shopify => Id::from_text(&id).map(|id| id.to_string()),
                Platform::WooCommerce | Platform::Payments => Some(id.clone()),
            };
            let Some(platform_location) = platform_location.map(PlatformLocation::new) else {
                let what = format!("{id:?} is not a location id of Shopify");
                return Err(self.error("location_ids", what));
            };
            if ids.insert(platform_location, location.clone()).is_some() {
                return Err(self.error("location_ids", format!("{id:?} is there twice")));
            }
        }
        Ok(ids)
    }

    fn safety_stock(&mut self) -> Result<i64, ShopsError> {
        match self.table.remove("safety_stock") {
            None => Ok(0),
            Some(Value::Integer(units)) if (0..=QUANTITY_MAX).contains(&units) => Ok(units),
            Some(other) => {
                let what = format!("{other} is not a whole number from 0 to {QUANTITY_MAX}");
                Err(self.error("safety_stock", what))
            }
        }
    }

    fn live_from(&mut self) -> Result<Option<Timestamp>, ShopsError> {
        let text = match self.table.remove("live_from") {
            None => return Ok(None),
            Some(Value::String(text)) => text,
            Some(Value::Datetime(moment)) => moment.to_string(),
            Some(_) => return Err(self.error("live_from", "is not a moment")),
        };
        match moment::parse(&text) {
            Some(moment) => Ok(Some(moment)),
            None => {
                let what = format!("{text:?} is not a moment with date, time and offset");
                Err(self.error("live_from", what))
            }
        }
    }

    fn text(&mut self, field: &str) -> Result<Option<String>, ShopsError> {
        match self.table.remove(field) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.error(field, "is not a text")),
        }
    }

    fn texts(&mut self, field: &str) -> Result<Option<Vec<String>>, ShopsError> {
        let not_texts = "is not a list of texts";
        match self.table.remove(field) {
            None => Ok(None),
            Some(Value::Array(values)) => values
                .into_iter()
                .map(|value| match value {
                    Value::String(text) => Ok(text),
                    _ => Err(self.error(field, not_texts)),
                })
                .collect::<Result<_, _>>()
                .map(Some),
            Some(_) => Err(self.error(field, not_texts)),
        }
    }

    fn choice<T: Copy>(
        &mut self,
        field: &str,
        choices: &[(&str, T)],
    ) -> Result<Option<T>, ShopsError> {
        let Some(text) = self.text(field)? else { return Ok(None) };
        if let Some((_, choice)) = choices.iter().find(|(name, _)| *name == text) {
            return Ok(Some(*choice));
        }
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        Err(self.error(field, format!("{text:?} is none of {}", names.join(", "))))
    }

    fn check_fields(&self) -> Result<(), ShopsError> {
        let fields = || EXAMPLES.iter().map(|(field, _)| *field);
        let Some(unknown) = self.table.keys().find(|key| fields().all(|field| field != *key))
        else {
            return Ok(());
        };
        Err(match nearest(unknown, fields()) {
            Some(field) => {
                self.error(field, format!("{unknown:?} is unknown; did you mean {field:?}?"))
            }
            None => {
                let fields: Vec<&str> = fields().collect();
                let what = format!("is unknown; a shop has {}", fields.join(", "));
                self.error(unknown, what)
            }
        })
    }

    fn error(&self, field: &str, what: impl AsRef<str>) -> ShopsError {
        let example = EXAMPLES
            .iter()
            .find(|(name, _)| *name == field)
            .map(|(_, example)| format!("; for example: {example}"))
            .unwrap_or_default();
        ShopsError(format!("shop {}: {field}: {}{example}", self.name, what.as_ref()))
    }
}

fn days(length: Duration) -> u64 {
    length.as_secs() / (24 * 60 * 60)
}

/// A domain in lower case, or `None` where the text is something else. Always has a dot, so that it
/// can never be taken for the name of a shop.
pub(crate) fn clean_domain(text: &str) -> Option<String> {
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let good = text.len() <= DOMAIN_BYTES_MAX
        && text.bytes().all(is_safe)
        && text.contains('.')
        && text.split('.').all(|label| !label.is_empty());
    good.then(|| text.to_ascii_lowercase())
}

/// The candidate that somebody who wrote `text` most probably meant.
pub(super) fn nearest<'a>(
    text: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    /// Below this, a guess helps nobody.
    const SIMILARITY_MIN: f64 = 0.8;
    candidates
        .map(|candidate| (strsim::jaro_winkler(text, candidate), candidate))
        .filter(|(similarity, _)| *similarity >= SIMILARITY_MIN)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

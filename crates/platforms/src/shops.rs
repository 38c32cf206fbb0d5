//! The shops file: who may send, with which secrets, under which rules.
//!
//! Reading it is pure: the caller brings the text and resolves `env:` and `file:` secrets. A file
//! is taken whole or not at all, and an error names the shop, the field, what is wrong with it and
//! how it could look. No error and no `Debug` output shows a secret.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::time::Duration;

use domain::{Platform, Policy, ShopId};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

mod entry;

pub use entry::UNKNOWN_SHOP;
pub(crate) use entry::clean_domain;
use entry::{Entry, nearest};

/// With more shops in the file, no shop is a label of a metric.
const LABELS_MAX: usize = 50;

/// What metrics then call all of them.
const OTHER: &str = "other";

/// One connected channel account.
#[derive(Clone, Debug)]
pub struct Shop {
    pub name: ShopId,
    pub platform: Platform,
    /// Lower case. Always there for Shopify, which names the sender by it.
    pub domain: Option<String>,
    /// Any of them may sign, so that a new one can come before the old one goes.
    pub secrets: Vec<SecretString>,
    /// Where each of them is from: `env:DEMO_SECRET`, `file:/run/secrets/demo`; of one that stands in
    /// the file itself only that, and which of the shop's secrets it is.
    pub secret_sources: Vec<String>,
    pub policy: Policy,
    pub when_restocked: WhenRestocked,
    /// The shop whose orders are paid through this one; only payments shops have use for it.
    pub pays_for: Option<ShopId>,
    /// When money that was authorised is taken; only payments shops have use for it.
    pub capture: Capture,
    /// What a provider's test mode is worth; only payments shops have use for it.
    pub test_payments: TestPayments,
    /// How long bodies are kept after they were decided; `None`: not at all.
    pub keep_bodies: Option<Duration>,
}

impl Shop {
    pub(crate) fn secret_source(&self, place: usize) -> Option<String> {
        self.secret_sources.get(place).cloned()
    }
}

/// How an account takes the money that was authorised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capture {
    /// Somebody asks for it, and a callback tells.
    #[default]
    Manual,
    /// At once, and some providers (Adyen) then tell of the authorisation alone.
    Automatic,
}

/// Whether what a provider tells in its test mode pays orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestPayments {
    /// Like any other: its endpoint and secret are for that.
    #[default]
    Count,
    /// It comes by the same endpoint as live events, and pays nothing.
    Ignore,
}

/// What happens to a shop's short orders when units come in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenRestocked {
    /// They stay short until somebody retries them.
    #[default]
    Wait,
    /// They are tried again, oldest first.
    CommitShort,
}

/// All shops, found by name or by domain.
#[derive(Clone, Debug, Default)]
pub struct Shops {
    by_name: BTreeMap<ShopId, Shop>,
    by_domain: BTreeMap<String, ShopId>,
    /// Each Shopify secret once: shops that share an app share its secret.
    shopify_secrets: Vec<SecretString>,
}

/// What is wrong with a shops file, for the person who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ShopsError(pub String);

impl Shops {
    /// Reads a shops file. `resolve` gets whole entries such as `env:DEMO_SECRET` or
    /// `file:/run/secrets/demo` and returns what is behind them.
    pub fn parse(
        text: &str,
        mut resolve: impl FnMut(&str) -> Result<String, String>,
    ) -> Result<Shops, ShopsError> {
        let mut shops = Shops::default();
        for (index, table) in tables(text)?.into_iter().enumerate() {
            shops.add(Entry::new(index, table)?.read(&mut resolve)?)?;
        }
        shops.check_pays_for()?;
        Ok(shops)
    }

    pub fn get(&self, name: &ShopId) -> Option<&Shop> {
        self.by_name.get(name)
    }

    /// The Shopify shop of `domain`, in any case.
    pub fn shopify(&self, domain: &str) -> Option<&Shop> {
        let name = self.by_domain.get(&domain.to_ascii_lowercase())?;
        self.by_name.get(name).filter(|shop| shop.platform == Platform::Shopify)
    }

    /// Whether a secret of `shop` is another Shopify shop's, too: of one app.
    pub fn share_a_secret_with(&self, shop: &Shop) -> bool {
        let of_shop = |secret: &SecretString| {
            shop.secrets.iter().any(|own| own.expose_secret() == secret.expose_secret())
        };
        let others = self.iter().filter(|other| other.name != shop.name);
        others.flat_map(|other| &other.secrets).any(of_shop)
    }

    /// The payments shops that collect for `shop`.
    pub fn payers(&self, shop: &ShopId) -> Vec<ShopId> {
        let paying = self.iter().filter(|payer| payer.pays_for.as_ref() == Some(shop));
        paying.map(|payer| payer.name.clone()).collect()
    }

    /// What a metric calls the shop: its name while there are few shops, else one word for all.
    /// `None`: the file does not name it. So nothing that a sender chooses becomes a label.
    pub fn label(&self, shop: &ShopId) -> Option<String> {
        let shop = self.get(shop)?;
        let label = if self.count() <= LABELS_MAX { shop.name.as_str() } else { OTHER };
        Some(label.to_owned())
    }

    pub fn count(&self) -> usize {
        self.by_name.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Shop> {
        self.by_name.values()
    }

    /// The secrets of all Shopify shops, each once.
    pub(crate) fn shopify_secrets(&self) -> &[SecretString] {
        &self.shopify_secrets
    }

    fn add(&mut self, shop: Shop) -> Result<(), ShopsError> {
        if self.by_name.contains_key(&shop.name) {
            return Err(ShopsError(format!(
                "shop {:?}: name: another shop has it; every [[shop]] needs its own",
                shop.name
            )));
        }
        if let Some(domain) = &shop.domain {
            match self.by_domain.entry(domain.clone()) {
                Slot::Vacant(slot) => {
                    slot.insert(shop.name.clone());
                }
                Slot::Occupied(other) => {
                    return Err(ShopsError(format!(
                        "shop {:?}: domain: {domain:?} is also the domain of shop {:?}",
                        shop.name,
                        other.get()
                    )));
                }
            }
        }
        if shop.platform == Platform::Shopify {
            for secret in &shop.secrets {
                let known = |k: &SecretString| k.expose_secret() == secret.expose_secret();
                if !self.shopify_secrets.iter().any(known) {
                    self.shopify_secrets.push(secret.clone());
                }
            }
        }
        self.by_name.insert(shop.name.clone(), shop);
        Ok(())
    }

    fn check_pays_for(&self) -> Result<(), ShopsError> {
        for shop in self.iter() {
            let Some(paid) = &shop.pays_for else { continue };
            let wrong = match self.by_name.get(paid).map(|paid| paid.platform) {
                None => {
                    let names = self.by_name.keys().map(ShopId::as_str);
                    let hint = nearest(paid.as_str(), names)
                        .map(|name| format!("; did you mean {name:?}?"))
                        .unwrap_or_default();
                    format!("no shop in this file is named {paid:?}{hint}")
                }
                Some(Platform::Payments) => {
                    format!("{paid:?} is a payments shop, which has no orders")
                }
                Some(_) if shop.platform != Platform::Payments => {
                    "only shops with platform = \"payments\" pay for others".to_owned()
                }
                Some(_) => continue,
            };
            return Err(ShopsError(format!("shop {:?}: pays_for: {wrong}", shop.name)));
        }
        Ok(())
    }
}

/// The `[[shop]]` tables of a file.
fn tables(text: &str) -> Result<Vec<toml::Table>, ShopsError> {
    // The error's own text would quote the line, and with it perhaps a secret.
    let mut file: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        ShopsError(format!("line {line}: {}", error.message()))
    })?;
    let shops = file.remove("shop");
    if let Some(key) = file.keys().next() {
        return Err(ShopsError(format!("{key}: unknown; every shop begins with a line [[shop]]")));
    }
    let no_table = || ShopsError("shop: write [[shop]] with two brackets on each side".into());
    let shops = match shops {
        None => Vec::new(),
        Some(toml::Value::Array(shops)) => shops,
        Some(_) => return Err(no_table()),
    };
    if shops.is_empty() {
        return Err(ShopsError(
            "the file names no shop; a shop begins with a line [[shop]]".into(),
        ));
    }
    shops
        .into_iter()
        .map(|shop| match shop {
            toml::Value::Table(table) => Ok(table),
            _ => Err(no_table()),
        })
        .collect()
}

//! The shops file: who may send, with which secrets, under which rules.

use domain::{Platform, Policy, ShopId};
use secrecy::SecretString;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
pub struct Shop {
    pub name: ShopId,
    pub platform: Platform,
    pub domain: Option<String>,
    pub secrets: Vec<SecretString>,
    pub policy: Policy,
}

#[derive(Clone, Debug, Default)]
pub struct Shops {
    by_name: BTreeMap<ShopId, Shop>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ShopsError(pub String);

impl Shops {
    pub fn parse(
        text: &str,
        resolve: impl Fn(&str) -> Result<String, String>,
    ) -> Result<Shops, ShopsError> {
        let _ = (text, resolve(""));
        unimplemented!()
    }
    pub fn get(&self, name: &ShopId) -> Option<&Shop> {
        self.by_name.get(name)
    }
    pub fn shopify(&self, domain: &str) -> Option<&Shop> {
        self.by_name
            .values()
            .find(|s| s.platform == Platform::Shopify && s.domain.as_deref() == Some(domain))
    }
    pub fn iter(&self) -> impl Iterator<Item = &Shop> {
        self.by_name.values()
    }
}

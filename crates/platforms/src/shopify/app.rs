//! `app/uninstalled`: the shop no longer wants the app, and its webhooks will end.

use domain::sighting::Thing;
use domain::{Sighting, Timestamp};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::Unfit;
use super::body::{Gid, is_other_than};
use super::id::Id;
use crate::value::{self, Stated, Text, stated};

/// The shop, as its own settings show it.
#[derive(Deserialize)]
struct Shop<'a> {
    #[serde(borrow)]
    admin_graphql_api_id: Gid<'a>,
    id: Option<Id>,
    // Null in the samples that Shopify's own tools send, but nothing else has such fields.
    #[serde(default, deserialize_with = "stated")]
    domain: Stated<IgnoredAny>,
    #[serde(default, deserialize_with = "stated")]
    myshopify_domain: Stated<Text<'a>>,
}

/// One from before a new installation may come after it: whoever reads the sighting has to compare
/// the moments.
pub(super) fn uninstalled(body: &[u8], at: Timestamp) -> Result<Vec<Sighting>, Unfit> {
    let shop: Shop<'_> = value::read(body)?;
    if is_other_than(&shop.admin_graphql_api_id, "Shop") {
        return Err(Unfit::Other("something whose admin_graphql_api_id is not a shop's"));
    }
    let has_domain = shop.domain.is_some() || shop.myshopify_domain.is_some();
    if shop.id.is_none() || !has_domain {
        return Err(Unfit::Other("something without a shop's id and domain"));
    }
    let domain = shop.myshopify_domain.flatten();
    let domain = domain.map(|domain| domain.as_str().to_ascii_lowercase());
    Ok(vec![Sighting { seen_at: at, thing: Thing::App { domain }, gone: true }])
}

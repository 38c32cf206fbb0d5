//! Orders and products as WooCommerce's REST API version 3 writes them: the few fields that stock
//! depends on. All others are skipped unread; plugins add whatever they like.

use std::collections::BTreeMap;

use domain::DeadReason;
use domain::stock::QUANTITY_MAX;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::scalar::{Amount, Gmt, Id, Label};
use crate::unfit::Unfit;
use crate::value::{self, Object, Stated, Text, stated};

#[derive(Debug, Deserialize)]
pub(super) struct Order<'a> {
    pub(super) id: Option<Id>,
    /// For people; plugins change it.
    #[serde(borrow)]
    pub(super) number: Option<Label<'a>>,
    pub(super) status: Option<Text<'a>>,
    pub(super) date_created_gmt: Option<Gmt>,
    /// Null where a program made the order, without one.
    #[serde(default, deserialize_with = "stated")]
    pub(super) date_modified_gmt: Stated<Gmt>,
    pub(super) date_paid_gmt: Option<Gmt>,
    pub(super) date_completed_gmt: Option<Gmt>,
    #[serde(default, deserialize_with = "stated")]
    date_modified: Stated<IgnoredAny>,
    pub(super) line_items: Option<Vec<Object<Line<'a>>>>,
    /// Each tells what was paid back and why, and nothing of units.
    pub(super) refunds: Option<Vec<IgnoredAny>>,
}

impl Order<'_> {
    /// As the REST API's version 1 writes it, which a webhook's settings still offer: without dates
    /// in UTC, and without what the shop took out of its stock. Version 3 has both kinds of dates.
    pub(super) fn is_of_version_1(&self) -> bool {
        self.date_modified.is_some() && self.date_modified_gmt.is_none()
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Line<'a> {
    pub(super) id: Id,
    pub(super) product_id: Option<Id>,
    /// 0 where the product has no variations.
    pub(super) variation_id: Option<Id>,
    /// Edits change it, refunds do not.
    pub(super) quantity: Amount,
    #[serde(borrow)]
    pub(super) sku: Option<Label<'a>>,
    meta_data: Option<Vec<Object<Meta<'a>>>>,
}

/// Read no further than needed: most values are other plugins' and can be anything.
#[derive(Debug, Deserialize)]
struct Meta<'a> {
    #[serde(borrow)]
    key: Option<&'a RawValue>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
}

impl Line<'_> {
    /// What the shop itself has taken out of its stock for the line and not put back. Nothing, if
    /// it has not yet, or has put all back, or keeps no stock of the product.
    pub(super) fn reduced_stock(&self) -> Result<Option<Amount>, String> {
        let all = self.meta_data.as_deref().unwrap_or_default().iter().map(|Object(meta)| meta);
        let mut ours = all.filter(|meta| is(meta.key, r#""_reduced_stock""#));
        let Some(value) = ours.next().and_then(|meta| meta.value) else { return Ok(None) };
        // What counts as nothing in PHP, a whole zero apart: that is what is left of a line when
        // refunds have put back all of it.
        if [r#""""#, "false", "null"].contains(&value.get()) {
            return Ok(None);
        }
        let text = value.get().trim_matches('"');
        // More was put back than taken: a plugin's doing, but no reason to take the order for
        // unreadable.
        if text.starts_with('-') && text.parse::<f64>().is_ok() {
            return Ok(Some(Amount::Whole(0)));
        }
        serde_json::from_str(value.get()).map(Some).map_err(|error| error.to_string())
    }
}

fn is(value: Option<&RawValue>, json: &str) -> bool {
    value.is_some_and(|value| value.get() == json)
}

/// What the topics bring that end in `deleted`: an id and nothing else.
#[derive(Debug, Deserialize)]
pub(super) struct Deleted {
    id: Option<Id>,
    #[serde(flatten)]
    others: BTreeMap<String, IgnoredAny>,
}

/// The id in a body that has nothing else.
pub(super) fn deleted(body: &[u8]) -> Result<Id, Unfit> {
    let deleted: Deleted = value::read(body)?;
    if !deleted.others.is_empty() {
        return Err(Unfit::Other("something with more fields than an id"));
    }
    Ok(deleted.id.ok_or("id: missing")?)
}

#[derive(Debug, Deserialize)]
pub(super) struct Product<'a> {
    pub(super) id: Option<Id>,
    #[serde(borrow)]
    pub(super) sku: Option<Label<'a>>,
    pub(super) date_modified_gmt: Option<Gmt>,
    /// Every product has it: true, false, or for a variation the word "parent".
    #[serde(borrow)]
    manage_stock: Option<&'a RawValue>,
    #[serde(borrow)]
    stock_quantity: Option<&'a RawValue>,
}

impl Product<'_> {
    pub(super) fn is_product(&self) -> bool {
        self.manage_stock.is_some()
    }

    /// The shop's own stock of it, which may be below zero. Nothing, if it does not count it, or
    /// counts parts of units.
    pub(super) fn available(&self) -> Option<i64> {
        let quantity = self.stock_quantity.filter(|_| is(self.manage_stock, "true"))?;
        let text = quantity.get().trim_matches('"');
        let units = text.strip_suffix(".0").unwrap_or(text).parse().ok()?;
        (-QUANTITY_MAX..=QUANTITY_MAX).contains(&units).then_some(units)
    }
}

/// What stands in a resource's place if the shop could not show it.
#[derive(Deserialize)]
struct Problem<'a> {
    #[serde(borrow)]
    code: Option<Text<'a>>,
}

/// The error that `body` is, if it is one. WooCommerce signs and sends it like any other: it reads
/// the resource in the name of the webhook's owner, who may have been deleted or lost rights.
pub(super) fn problem(body: &[u8], resource: &str) -> Option<Unfit> {
    let problem: Problem<'_> = value::read(body).ok()?;
    let code = problem.code?;
    let what = format!("the shop sent an error instead of {resource}");
    Some(if code.as_str() == DeadReason::RestCannotView.as_str() {
        let detail = format!(
            "{what}: the webhook's owner was deleted or may no longer read it; choose another \
             owner under WooCommerce > Settings > Advanced > Webhooks, then save {resource} again \
             in the shop, or wait for its next change: that brings it whole"
        );
        Unfit::Never(DeadReason::RestCannotView, detail)
    } else {
        Unfit::Malformed(format!("{what}: {}", code.as_str()))
    })
}

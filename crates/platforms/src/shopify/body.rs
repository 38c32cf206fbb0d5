//! Orders and their parts as Shopify writes them: the few fields that stock depends on. All others
//! are skipped unread, since Shopify adds some every quarter, and sums are nobody's business here.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::Unfit;
use super::id::Id;
use crate::value::{self, Moment, Object, Quantity, Stated, Text, stated};

/// A field where only its presence counts: not missing, not null.
type Present = Option<IgnoredAny>;

/// Lists may be missing or null where older versions had none.
pub(super) type List<T> = Option<Vec<Object<T>>>;

/// The id by which newer interfaces call a thing; it names the kind of thing, too.
pub(super) type Gid<'a> = Option<Text<'a>>;

/// Whether it is some other kind of thing. Where the id is missing, or is none of Shopify's, the
/// fields must tell.
pub(super) fn is_other_than(gid: &Gid<'_>, kind: &str) -> bool {
    let named = gid.as_ref().and_then(|gid| gid.as_str().strip_prefix("gid://shopify/"));
    named.is_some_and(|named| !named.strip_prefix(kind).is_some_and(|rest| rest.starts_with('/')))
}

#[derive(Debug, Deserialize)]
pub(super) struct Order<'a> {
    pub(super) id: Option<Id>,
    #[serde(borrow)]
    admin_graphql_api_id: Gid<'a>,
    pub(super) name: Option<Text<'a>>,
    #[serde(default)]
    pub(super) test: Option<bool>,
    pub(super) updated_at: Option<Moment>,
    /// Null while it is not cancelled.
    #[serde(default, deserialize_with = "stated")]
    pub(super) cancelled_at: Stated<Moment>,
    pub(super) financial_status: Option<Text<'a>>,
    pub(super) fulfillment_status: Option<Text<'a>>,
    pub(super) line_items: List<Line<'a>>,
    /// Missing where a subscription leaves the field out.
    #[serde(default, deserialize_with = "stated")]
    pub(super) fulfillments: Stated<Vec<Object<Fulfilment<'a>>>>,
    #[serde(default, deserialize_with = "stated")]
    pub(super) refunds: Stated<Vec<Object<Refund<'a>>>>,
    // No stock matter: they tell an order from what only looks like one.
    order_number: Present,
    order_id: Present,
    order_edit: Present,
    refund_line_items: Present,
}

#[derive(Debug, Deserialize)]
pub(super) struct Line<'a> {
    pub(super) id: Id,
    pub(super) variant_id: Option<Id>,
    #[serde(borrow)]
    pub(super) sku: Option<Text<'a>>,
    /// As ordered at first; neither refunds nor edits lower it.
    pub(super) quantity: Quantity,
    /// After edits and refunds. Bodies before 2023-10 do not have it.
    pub(super) current_quantity: Option<Quantity>,
    pub(super) fulfillable_quantity: Option<Quantity>,
    /// Null where Shopify keeps no stock of the variant. Missing says nothing: a subscription may
    /// leave fields out.
    #[serde(default, deserialize_with = "stated")]
    pub(super) variant_inventory_management: Stated<Text<'a>>,
    pub(super) gift_card: Option<bool>,
    pub(super) tip: Present,
}

#[derive(Debug, Deserialize)]
pub(super) struct Fulfilment<'a> {
    pub(super) id: Option<Id>,
    #[serde(borrow)]
    pub(super) admin_graphql_api_id: Gid<'a>,
    /// Missing where the fulfilment is inside its order.
    pub(super) order_id: Option<Id>,
    pub(super) status: Option<Text<'a>>,
    pub(super) created_at: Option<Moment>,
    pub(super) updated_at: Option<Moment>,
    pub(super) location_id: Option<Id>,
    #[serde(default, deserialize_with = "stated")]
    pub(super) line_items: Stated<Vec<Object<FulfilmentLine>>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct FulfilmentLine {
    /// The id of the order's line.
    pub(super) id: Id,
    pub(super) quantity: Quantity,
}

#[derive(Debug, Deserialize)]
pub(super) struct Refund<'a> {
    #[serde(borrow)]
    pub(super) admin_graphql_api_id: Gid<'a>,
    /// Missing where the refund is inside its order.
    pub(super) order_id: Option<Id>,
    pub(super) created_at: Option<Moment>,
    pub(super) processed_at: Option<Moment>,
    #[serde(default, borrow, deserialize_with = "stated")]
    pub(super) refund_line_items: Stated<Vec<Object<RefundLine<'a>>>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RefundLine<'a> {
    pub(super) id: Id,
    pub(super) line_item_id: Id,
    pub(super) quantity: Quantity,
    #[serde(borrow)]
    pub(super) restock_type: Option<Text<'a>>,
    pub(super) location_id: Option<Id>,
}

/// What `orders/edited` brings: which lines changed, but not what they are now.
#[derive(Debug, Deserialize)]
pub(super) struct Edited {
    pub(super) order_edit: Option<Object<OrderEdit>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct OrderEdit {
    pub(super) order_id: Id,
    /// Missing before 2024-07.
    pub(super) committed_at: Option<Moment>,
    pub(super) created_at: Option<Moment>,
}

/// Money that moved, or did not.
#[derive(Debug, Deserialize)]
pub(super) struct Transaction<'a> {
    #[serde(borrow)]
    pub(super) admin_graphql_api_id: Gid<'a>,
    pub(super) order_id: Option<Id>,
    pub(super) kind: Option<Text<'a>>,
    pub(super) status: Option<Text<'a>>,
    pub(super) test: Option<bool>,
}

#[derive(Deserialize)]
struct Deleted {
    id: Option<Id>,
    #[serde(flatten)]
    others: BTreeMap<String, IgnoredAny>,
}

/// What `orders/delete` and `products/delete` bring: an id and nothing else.
pub(super) fn only_id(body: &[u8]) -> Result<Id, Unfit> {
    let deleted: Deleted = value::read(body)?;
    if !deleted.others.is_empty() {
        return Err(Unfit::Other("something with more fields than an id"));
    }
    Ok(deleted.id.ok_or("id: missing")?)
}

/// What a list has, if anything.
pub(super) fn shown<T>(list: &Stated<Vec<T>>) -> &[T] {
    list.as_ref().and_then(Option::as_deref).unwrap_or_default()
}

impl Order<'_> {
    /// Whether it has all that was taken off what is still to be fulfilled. A subscription names the
    /// fields that it wants, down to those of lists.
    pub(super) fn shows_parts(&self) -> bool {
        let refunds = || shown(&self.refunds).iter().map(|Object(refund)| refund);
        let fulfilments = || shown(&self.fulfillments).iter().map(|Object(fulfilment)| fulfilment);
        self.refunds.is_some()
            && self.fulfillments.is_some()
            && refunds().all(|refund| refund.refund_line_items.is_some())
            && fulfilments().all(|fulfilment| fulfilment.line_items.is_some())
    }

    /// What the body is instead, if it is no order.
    pub(super) fn mismatch(&self) -> Option<&'static str> {
        // What every order has and its parts do not.
        let of_orders_alone = self.financial_status.is_some()
            || self.order_number.is_some()
            || matches!(self.refunds, Some(Some(_)))
            || matches!(self.fulfillments, Some(Some(_)));
        match () {
            () if is_other_than(&self.admin_graphql_api_id, "Order") => {
                Some("something whose admin_graphql_api_id is not an order's")
            }
            () if self.order_edit.is_some() => Some("an order edit"),
            () if of_orders_alone => None,
            () if self.refund_line_items.is_some() => Some("a refund"),
            () if self.order_id.is_some() => Some("a part of an order"),
            () if self.line_items.is_none() => Some("something without an order's fields"),
            () => None,
        }
    }
}

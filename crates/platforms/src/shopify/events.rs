//! What webhooks say that bring no whole order: a part of one, its end, or that it changed.
//!
//! Headers are not signed, so each body must show by itself that it is what its topic says.

use std::collections::BTreeMap;

use domain::order::Known;
use domain::{OrderFact, OrderId};

use super::body::{self, Edited, Refund, Transaction, is_other_than};
use super::id::Id;
use super::{Unfit, parts};
use crate::value::{self, Object, Text};

/// `refunds/create`.
pub(super) fn refund(body: &[u8]) -> Result<OrderFact, Unfit> {
    let refund: Refund<'_> = value::read(body)?;
    let (Some(order), Some(Some(_))) = (refund.order_id, &refund.refund_line_items) else {
        return Err(Unfit::Other("something without a refund's order_id and refund_line_items"));
    };
    if is_other_than(&refund.admin_graphql_api_id, "Refund") {
        return Err(Unfit::Other("something whose admin_graphql_api_id is not a refund's"));
    }
    let mut refund_lines = BTreeMap::new();
    parts::add_refund(&refund, &mut refund_lines)?;
    Ok(of_order(order, Known { refund_lines, ..Known::default() }))
}

/// `fulfillments/create` and `fulfillments/update`.
pub(super) fn fulfilment(body: &[u8]) -> Result<OrderFact, Unfit> {
    let fulfilment: body::Fulfilment<'_> = value::read(body)?;
    let (Some(order), Some(Some(_))) = (fulfilment.order_id, &fulfilment.line_items) else {
        return Err(Unfit::Other("something without a fulfilment's order_id and line_items"));
    };
    if is_other_than(&fulfilment.admin_graphql_api_id, "Fulfillment") {
        return Err(Unfit::Other("something whose admin_graphql_api_id is not a fulfilment's"));
    }
    let fulfilments = BTreeMap::from([parts::fulfilment(&fulfilment)?]);
    Ok(of_order(order, Known { fulfilments, ..Known::default() }))
}

/// `order_transactions/create`. `None`: no money came in.
pub(super) fn transaction(body: &[u8]) -> Result<Option<OrderFact>, Unfit> {
    let transaction: Transaction<'_> = value::read(body)?;
    let (Some(order), Some(kind)) = (transaction.order_id, &transaction.kind) else {
        return Err(Unfit::Other("something without a transaction's order_id and kind"));
    };
    if is_other_than(&transaction.admin_graphql_api_id, "OrderTransaction") {
        return Err(Unfit::Other("something whose admin_graphql_api_id is not a transaction's"));
    }
    let came_in = matches!(kind.as_str(), "sale" | "capture")
        && transaction.status.as_ref().map(Text::as_str) == Some("success");
    let mut fact = of_order(order, Known { paid: true, ..Known::default() });
    fact.test |= transaction.test.unwrap_or_default();
    Ok(came_in.then_some(fact))
}

/// `orders/edited`: the order changed, and only its next snapshot will say how.
pub(super) fn edit(body: &[u8]) -> Result<OrderFact, Unfit> {
    let Some(Object(edit)) = value::read::<Edited>(body)?.order_edit else {
        return Err(Unfit::Other("something without an order_edit"));
    };
    let at = edit.committed_at.or(edit.created_at).ok_or("order_edit.committed_at: missing")?;
    Ok(of_order(edit.order_id, Known { edited_at: Some(at.0), ..Known::default() }))
}

/// `orders/delete`.
pub(super) fn deletion(body: &[u8]) -> Result<OrderFact, Unfit> {
    Ok(of_order(body::only_id(body)?, Known { deleted: true, ..Known::default() }))
}

/// The order of Shopify's own test notifications, and the same as programs write it that hold
/// numbers in doubles. Its parts do not say that they are a test.
const SAMPLE_ORDERS: [&str; 2] = ["820982911946154508", "820982911946154500"];

fn of_order(order: Id, known: Known) -> OrderFact {
    let order = OrderId::new(order.to_string());
    let test = SAMPLE_ORDERS.contains(&order.as_str());
    OrderFact { order, test, lines: BTreeMap::new(), known }
}

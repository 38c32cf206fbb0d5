//! Refund lines and fulfilments, made parts of what is known of an order. The same part is the same,
//! whether it came in its own webhook or inside an order's body.

use std::collections::BTreeMap;
use std::fmt::Display;

use domain::order::{Fulfilment, FulfilmentStatus, RefundLine, Restock};
use domain::stock::QUANTITY_MAX;
use domain::{FulfilmentId, LineId, PlatformLocation, RefundLineId};

use super::body;
use super::id::Id;
use crate::value::{Object, Text};

/// The lines of all refunds inside an order.
pub(super) fn refund_lines(
    refunds: &[Object<body::Refund<'_>>],
) -> Result<BTreeMap<RefundLineId, RefundLine>, String> {
    let mut lines = BTreeMap::new();
    for (index, Object(refund)) in refunds.iter().enumerate() {
        add_refund(refund, &mut lines).map_err(|what| format!("refunds[{index}].{what}"))?;
    }
    Ok(lines)
}

/// Adds the lines of one refund. Errors name the field within it.
pub(super) fn add_refund(
    refund: &body::Refund<'_>,
    lines: &mut BTreeMap<RefundLineId, RefundLine>,
) -> Result<(), String> {
    for (index, Object(line)) in body::shown(&refund.refund_line_items).iter().enumerate() {
        let created_at = refund.created_at.or(refund.processed_at).ok_or("created_at: missing")?;
        let part = RefundLine {
            line: LineId::new(line.line_item_id.to_string()),
            quantity: line.quantity.units(),
            restock: restock(line.restock_type.as_ref()),
            location: line.location_id.map(location),
            created_at: created_at.0,
        };
        if lines.insert(RefundLineId::new(line.id.to_string()), part).is_some() {
            return Err(twice(&format!("refund_line_items[{index}]"), line.id));
        }
    }
    Ok(())
}

/// What Shopify may invent later, and what old refunds leave out, moves nothing by itself; if units
/// are no longer meant for the customer, the line's fulfillable quantity says so.
fn restock(restock_type: Option<&Text<'_>>) -> Restock {
    match restock_type.map(Text::as_str) {
        Some("cancel") => Restock::Cancel,
        Some("return") => Restock::Return,
        Some("legacy_restock") => Restock::LegacyRestock,
        _ => Restock::NoRestock,
    }
}

/// All fulfilments inside an order.
pub(super) fn fulfilments(
    fulfilments: &[Object<body::Fulfilment<'_>>],
) -> Result<BTreeMap<FulfilmentId, Fulfilment>, String> {
    let mut by_id = BTreeMap::new();
    for (index, Object(body)) in fulfilments.iter().enumerate() {
        // What shows no lines must not pass for one that has none.
        if body.line_items.is_none() {
            continue;
        }
        let (id, part) =
            fulfilment(body).map_err(|what| format!("fulfillments[{index}].{what}"))?;
        if by_id.insert(id.clone(), part).is_some() {
            return Err(twice(&format!("fulfillments[{index}]"), &id));
        }
    }
    Ok(by_id)
}

/// One fulfilment. Errors name the field within it.
pub(super) fn fulfilment(
    body: &body::Fulfilment<'_>,
) -> Result<(FulfilmentId, Fulfilment), String> {
    let id = body.id.ok_or("id: missing")?;
    let created_at = body.created_at.or(body.updated_at).ok_or("created_at: missing")?;
    let part = Fulfilment {
        updated_at: body.updated_at.unwrap_or(created_at).0,
        status: status(body.status.as_ref()),
        created_at: created_at.0,
        location: body.location_id.map(location),
        lines: fulfilled(body)?,
    };
    Ok((FulfilmentId::new(id.to_string()), part))
}

/// A status that we do not know, or none, counts as pending: the units did not leave, and they stay
/// owed, so that nobody else can buy them.
fn status(status: Option<&Text<'_>>) -> FulfilmentStatus {
    match status.map(Text::as_str) {
        Some("open") => FulfilmentStatus::Open,
        Some("success") => FulfilmentStatus::Success,
        Some("error") => FulfilmentStatus::Error,
        Some("failure") => FulfilmentStatus::Failure,
        Some("cancelled") => FulfilmentStatus::Cancelled,
        _ => FulfilmentStatus::Pending,
    }
}

/// Units per line. One line may be there more than once; lines without units say nothing.
fn fulfilled(fulfilment: &body::Fulfilment<'_>) -> Result<BTreeMap<LineId, i64>, String> {
    let mut lines = BTreeMap::new();
    for (index, Object(line)) in body::shown(&fulfilment.line_items).iter().enumerate() {
        let units = line.quantity.units();
        if units == 0 {
            continue;
        }
        let sum: &mut i64 = lines.entry(LineId::new(line.id.to_string())).or_default();
        *sum += units;
        if *sum > QUANTITY_MAX {
            return Err(format!("line_items[{index}].quantity: more than {QUANTITY_MAX} in all"));
        }
    }
    Ok(lines)
}

fn location(id: Id) -> PlatformLocation {
    PlatformLocation::new(id.to_string())
}

pub(super) fn twice(path: &str, id: impl Display) -> String {
    format!("{path}.id: {id} is there twice")
}

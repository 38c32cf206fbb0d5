//! An order's body, made a platform-neutral fact.
//!
//! Each list is walked once, so that an order with ten thousand lines costs ten thousand times what
//! one line costs, and no more.

use std::collections::{BTreeMap, HashMap};

use domain::order::{
    Fulfilment, FulfilmentStatus, Known, Rank, RefundLine, Restock, Snapshot, SnapshotLine,
};
use domain::stock::QUANTITY_MAX;
use domain::{
    FulfilmentId, LineClass, LineId, LineRef, OrderFact, OrderId, PlatformLocation, RefundLineId,
    Sku, Timestamp,
};

use super::body::{self, Order};
use super::rank;
use super::value::{Id, Object, Text};

/// What an order's body says, or what is wrong with it and where.
pub(super) fn fact(
    order: &Order<'_>,
    triggered_at: Option<Timestamp>,
) -> Result<OrderFact, String> {
    let id = order.id.ok_or("id: missing")?;
    let refund_lines = refund_lines(order.refunds.as_deref().unwrap_or_default())?;
    let fulfilments = fulfilments(order.fulfillments.as_deref().unwrap_or_default())?;
    let status = order.financial_status.as_ref().map(Text::as_str);
    let paid =
        matches!(status, Some("paid" | "partially_paid" | "partially_refunded" | "refunded"));
    let (lines, snapshot) = snapshot(order, triggered_at, &refund_lines, &fulfilments)?;
    Ok(OrderFact {
        order: OrderId::new(id.to_string()),
        test: order.test.unwrap_or_default(),
        lines,
        known: Known { snapshot: Some(snapshot), refund_lines, fulfilments, paid, deleted: false },
    })
}

fn snapshot(
    order: &Order<'_>,
    triggered_at: Option<Timestamp>,
    refund_lines: &BTreeMap<RefundLineId, RefundLine>,
    fulfilments: &BTreeMap<FulfilmentId, Fulfilment>,
) -> Result<(BTreeMap<LineId, LineRef>, Snapshot), String> {
    let updated_at = order.updated_at.ok_or("updated_at: missing")?.0;
    let body_lines = order.line_items.as_deref().ok_or("line_items: missing")?;
    let moved = moved(refund_lines, fulfilments);
    let mut refs = BTreeMap::new();
    let mut lines = BTreeMap::new();
    for (index, Object(line)) in body_lines.iter().enumerate() {
        let id = LineId::new(line.id.to_string());
        let moved = moved.get(&id).copied().unwrap_or_default();
        let fulfillable = line.fulfillable_quantity.map(|quantity| quantity.units());
        let quantity = line.quantity.units();
        let kept = SnapshotLine::new(quantity, fulfillable, moved.in_fulfilments, moved.cancelled);
        if lines.insert(id.clone(), kept).is_some() {
            return Err(twice(&format!("line_items[{index}]"), line.id));
        }
        refs.insert(id, line_ref(line));
    }

    let status = order.financial_status.as_ref().map(Text::as_str);
    let voided = matches!(status, Some("voided" | "expired"));
    let cancelled = order.cancelled_at.is_some();
    let progress = rank::progress(
        cancelled || voided,
        body_lines.iter().map(|Object(line)| line),
        refund_lines.values(),
        fulfilments.values(),
    );
    // Without its header the moment is 0 and not the time of receipt: the same webhook that comes
    // again, or by another way, must get the same rank.
    let triggered_at = triggered_at.unwrap_or_default();
    let mut snapshot = Snapshot {
        rank: Rank { updated_at, progress, triggered_at, digest: 0 },
        name: owned(order.name.as_ref()),
        financial_status: owned(order.financial_status.as_ref()),
        fulfillment_status: owned(order.fulfillment_status.as_ref()),
        cancelled,
        voided,
        lines,
        refund_lines: refund_lines.keys().cloned().collect(),
    };
    snapshot.rank.digest = rank::digest(&snapshot);
    Ok((refs, snapshot))
}

fn line_ref(line: &body::Line<'_>) -> LineRef {
    let sku = line.sku.as_ref().map(Text::as_str).filter(|sku| !sku.is_empty());
    let custom = line.variant_id.is_none() && sku.is_none();
    let manager = line.variant_inventory_management.as_ref().map(Text::as_str);
    let class = if line.tip.is_some() || line.gift_card.unwrap_or_default() || custom {
        LineClass::NotStock
    } else if manager.unwrap_or_default().is_empty() {
        LineClass::Untracked
    } else {
        LineClass::Tracked
    };
    LineRef { sku: sku.map(Sku::new), variant: line.variant_id.map(|id| id.to_string()), class }
}

fn refund_lines(
    refunds: &[Object<body::Refund<'_>>],
) -> Result<BTreeMap<RefundLineId, RefundLine>, String> {
    let mut lines = BTreeMap::new();
    for (refund_index, Object(refund)) in refunds.iter().enumerate() {
        let body_lines = refund.refund_line_items.as_deref().unwrap_or_default();
        for (index, Object(line)) in body_lines.iter().enumerate() {
            let created_at = refund
                .created_at
                .or(refund.processed_at)
                .ok_or_else(|| format!("refunds[{refund_index}].created_at: missing"))?;
            let part = RefundLine {
                line: LineId::new(line.line_item_id.to_string()),
                quantity: line.quantity.units(),
                restock: restock(line.restock_type.as_ref()),
                location: line.location_id.map(location),
                created_at: created_at.0,
            };
            if lines.insert(RefundLineId::new(line.id.to_string()), part).is_some() {
                let path = format!("refunds[{refund_index}].refund_line_items[{index}]");
                return Err(twice(&path, line.id));
            }
        }
    }
    Ok(lines)
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

fn fulfilments(
    fulfilments: &[Object<body::Fulfilment<'_>>],
) -> Result<BTreeMap<FulfilmentId, Fulfilment>, String> {
    let mut by_id = BTreeMap::new();
    for (index, Object(fulfilment)) in fulfilments.iter().enumerate() {
        let path = || format!("fulfillments[{index}]");
        let either = fulfilment.created_at.or(fulfilment.updated_at);
        let created_at = either.ok_or_else(|| format!("{}.created_at: missing", path()))?;
        let part = Fulfilment {
            updated_at: fulfilment.updated_at.unwrap_or(created_at).0,
            status: status(fulfilment.status.as_ref()),
            created_at: created_at.0,
            location: fulfilment.location_id.map(location),
            lines: fulfilled(fulfilment).map_err(|what| format!("{}.{what}", path()))?,
        };
        if by_id.insert(FulfilmentId::new(fulfilment.id.to_string()), part).is_some() {
            return Err(twice(&path(), fulfilment.id));
        }
    }
    Ok(by_id)
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
    let body_lines = fulfilment.line_items.as_deref().unwrap_or_default();
    for (index, Object(line)) in body_lines.iter().enumerate() {
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

/// What the body's own parts say of one line.
#[derive(Clone, Copy, Default)]
struct Moved {
    in_fulfilments: i64,
    cancelled: i64,
}

fn moved<'a>(
    refund_lines: &'a BTreeMap<RefundLineId, RefundLine>,
    fulfilments: &'a BTreeMap<FulfilmentId, Fulfilment>,
) -> HashMap<&'a LineId, Moved> {
    let mut moved: HashMap<&LineId, Moved> = HashMap::new();
    for refund in refund_lines.values().filter(|refund| refund.restock == Restock::Cancel) {
        moved.entry(&refund.line).or_default().cancelled += refund.quantity;
    }
    for fulfilment in fulfilments.values().filter(|fulfilment| fulfilment.status.is_active()) {
        for (line, units) in &fulfilment.lines {
            moved.entry(line).or_default().in_fulfilments += units;
        }
    }
    moved
}

fn location(id: Id) -> PlatformLocation {
    PlatformLocation::new(id.to_string())
}

fn owned(text: Option<&Text<'_>>) -> Option<String> {
    text.map(|text| text.as_str().to_owned())
}

fn twice(path: &str, id: Id) -> String {
    format!("{path}.id: {id} is there twice")
}

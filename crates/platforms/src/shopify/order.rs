//! An order's body, made a platform-neutral fact.
//!
//! Each list is walked once, so that an order with ten thousand lines costs ten thousand times what
//! one line costs, and no more.

use std::collections::{BTreeMap, HashMap};

use domain::order::{Fulfilment, Known, Rank, RefundLine, Restock, Snapshot, SnapshotLine};
use domain::{
    FulfilmentId, LineClass, LineId, LineRef, OrderFact, OrderId, RefundLineId, Sku, Timestamp,
    Variant,
};

use super::Unfit;
use super::body::{self, Order, shown};
use super::parts::{self, twice};
use super::rank;
use crate::digest::digest;
use crate::value::{self, Object, Text};

/// What the body of a whole order says.
pub(super) fn whole(body: &[u8], triggered_at: Option<Timestamp>) -> Result<OrderFact, Unfit> {
    Ok(fact(&read(body)?, triggered_at)?)
}

/// `orders/cancelled`: without the moment of it the order would look like any other.
pub(super) fn cancelled(body: &[u8], triggered_at: Option<Timestamp>) -> Result<OrderFact, Unfit> {
    let order = read(body)?;
    if order.cancelled_at.is_none() {
        return Err("cancelled_at: missing; have the subscription include it".into());
    }
    Ok(fact(&order, triggered_at)?)
}

fn read(body: &[u8]) -> Result<Order<'_>, Unfit> {
    let order: Order<'_> = value::read(body)?;
    order.mismatch().map_or(Ok(order), |what| Err(Unfit::Other(what)))
}

fn fact(order: &Order<'_>, triggered_at: Option<Timestamp>) -> Result<OrderFact, String> {
    let id = order.id.ok_or("id: missing")?;
    let refund_lines = parts::refund_lines(shown(&order.refunds))?;
    let fulfilments = parts::fulfilments(shown(&order.fulfillments))?;
    let status = order.financial_status.as_ref().map(Text::as_str);
    let paid =
        matches!(status, Some("paid" | "partially_paid" | "partially_refunded" | "refunded"));
    let (lines, snapshot) = snapshot(order, triggered_at, &refund_lines, &fulfilments)?;
    Ok(OrderFact {
        order: OrderId::new(id.to_string()),
        test: order.test.unwrap_or_default(),
        lines,
        known: Known {
            snapshot: Some(snapshot),
            refund_lines,
            fulfilments,
            paid,
            cancelled_at: order.cancelled_at.flatten().map(|at| at.0),
            ..Known::default()
        },
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
    // What is still to be fulfilled is less what refunds and fulfilments took. Of a body that does not
    // show these, nobody knows what was taken off, and what is known of it elsewhere would be taken
    // off twice.
    let shows_parts = order.shows_parts();
    let mut refs = BTreeMap::new();
    let mut lines = BTreeMap::new();
    for (index, Object(line)) in body_lines.iter().enumerate() {
        let id = LineId::new(line.id.to_string());
        let moved = moved.get(&id).copied().unwrap_or_default();
        let fulfillable = line.fulfillable_quantity.filter(|_| shows_parts);
        let fulfillable = fulfillable.map(|quantity| quantity.units());
        let quantity = line.quantity.units();
        let kept = SnapshotLine::new(quantity, fulfillable, moved.in_fulfilments, moved.cancelled);
        if lines.insert(id.clone(), kept).is_some() {
            return Err(twice(&format!("line_items[{index}]"), line.id));
        }
        refs.insert(id, line_ref(line));
    }

    let status = order.financial_status.as_ref().map(Text::as_str);
    let voided = matches!(status, Some("voided" | "expired"));
    let cancelled = order.cancelled_at.flatten().is_some();
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
        completed_at: None,
        lines,
        refund_lines: refund_lines.keys().cloned().collect(),
    };
    snapshot.rank.digest = digest(&snapshot);
    Ok((refs, snapshot))
}

fn line_ref(line: &body::Line<'_>) -> LineRef {
    let sku = line.sku.as_ref().map(Text::as_str).filter(|sku| !sku.is_empty());
    let custom = line.variant_id.is_none() && sku.is_none();
    let manager = line.variant_inventory_management.as_ref().map(Option::as_ref);
    let manager = manager.map(|manager| manager.map(Text::as_str).unwrap_or_default());
    let class = if line.tip.is_some() || line.gift_card.unwrap_or_default() || custom {
        LineClass::NotStock
    } else if manager.is_some_and(str::is_empty) {
        LineClass::Untracked
    } else {
        LineClass::Tracked
    };
    LineRef {
        sku: sku.map(Sku::new),
        variant: line.variant_id.map(|id| Variant::new(id.to_string())),
        class,
    }
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

fn owned(text: Option<&Text<'_>>) -> Option<String> {
    text.map(|text| text.as_str().to_owned())
}

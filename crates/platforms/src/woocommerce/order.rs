//! An order's body, made a platform-neutral fact.

use std::collections::BTreeMap;

use domain::order::{Known, Rank, Snapshot, SnapshotLine};
use domain::{
    DeadReason, Envelope, Fact, LineClass, LineId, LineRef, Meaning, OrderFact, OrderId, Sku,
    Timestamp, Variant,
};

use super::body::{self, Line, Order};
use super::scalar::{Amount, Id, Label};
use super::status::Status;
use crate::digest::digest;
use crate::unfit::Unfit;
use crate::value::{self, Object, Text};

/// `order.created` and `order.updated`.
pub(super) fn whole(envelope: &Envelope) -> Result<Meaning, Unfit> {
    meaning(envelope, None)
}

/// `order.restored`: the order was in the bin until now, whatever its own date is.
pub(super) fn restored(envelope: &Envelope) -> Result<Meaning, Unfit> {
    meaning(envelope, Some(envelope.received_at))
}

/// `order.deleted`: the order is in the bin since now. From there it may come back.
pub(super) fn deleted(envelope: &Envelope) -> Result<Meaning, Unfit> {
    let id = body::deleted(&envelope.body)?;
    let trashed_at = Some(envelope.received_at);
    Ok(fact(id, BTreeMap::new(), Known { trashed_at, ..Known::default() }))
}

fn meaning(envelope: &Envelope, left_the_bin_at: Option<Timestamp>) -> Result<Meaning, Unfit> {
    let order: Order<'_> = value::read(&envelope.body)?;
    let (Some(text), Some(body_lines)) = (&order.status, &order.line_items) else {
        let error = order.id.is_none().then(|| body::problem(&envelope.body, "the order"));
        let other = Unfit::Other("something without an order's status and line_items");
        return Err(error.flatten().unwrap_or(other));
    };
    if order.is_of_version_1() {
        return Err(
            "date_modified_gmt: missing; choose WP REST API Integration v3 as the webhook's \
            API version (WooCommerce > Settings > Advanced > Webhooks)"
                .into(),
        );
    }
    let status = Status::of(text.as_str());
    if let Status::Draft(why) = status {
        return Ok(Meaning::Ignored(why));
    }
    let id = order.id.ok_or("id: missing")?;
    let paid =
        order.date_paid_gmt.is_some() || matches!(status, Status::Processing | Status::Completed);
    // What the shop dates later than we received it, its clock dates wrongly: going by that date
    // the order could not be thrown into the bin until our own clock has caught up.
    let changed_at = Some(changed_at(&order).min(envelope.received_at));
    if status == Status::Trash {
        // Only that it is in the bin: what it held and sent is as its last body outside says.
        let known = Known { trashed_at: changed_at, paid, ..Known::default() };
        return Ok(fact(id, BTreeMap::new(), known));
    }
    let (lines, snapshot) = snapshot(&order, text, status, body_lines, envelope.received_at)?;
    let changed = snapshot.rank.updated_at;
    let outside_at = changed_at.max(left_the_bin_at);
    let known = Known {
        snapshot: Some(snapshot),
        paid,
        outside_at,
        cancelled_at: (status == Status::Cancelled).then_some(changed),
        put_back_at: status.puts_back().then_some(changed),
        had_left_at: order.date_completed_gmt.map(|date| date.0).filter(|_| status.puts_back()),
        ..Known::default()
    };
    Ok(fact(id, lines, known))
}

fn fact(id: Id, lines: BTreeMap<LineId, LineRef>, known: Known) -> Meaning {
    // WooCommerce has no test orders.
    let order = OrderFact { order: OrderId::new(id.to_string()), test: false, lines, known };
    Meaning::Fact(Fact::Order(Box::new(order)))
}

fn snapshot(
    order: &Order<'_>,
    text: &Text<'_>,
    status: Status,
    body_lines: &[Object<Line<'_>>],
    received_at: Timestamp,
) -> Result<(BTreeMap<LineId, LineRef>, Snapshot), Unfit> {
    let updated_at = changed_at(order);
    let date_completed = order.date_completed_gmt.map(|date| date.0);
    let completed_at = status.completed_at(date_completed, updated_at);
    let mut refs = BTreeMap::new();
    let mut lines = BTreeMap::new();
    for (index, Object(line)) in body_lines.iter().enumerate() {
        let id = LineId::new(line.id.to_string());
        let shown = snapshot_line(line, status, completed_at.is_some(), index)?;
        if lines.insert(id.clone(), shown).is_some() {
            return Err(format!("line_items[{index}].id: {} is there twice", line.id).into());
        }
        refs.insert(id, line_ref(line));
    }

    let refunds = order.refunds.as_deref().unwrap_or_default().len();
    let paid = order.date_paid_gmt.is_some();
    let progress = status.progress(refunds, date_completed.is_some(), paid);
    let cancelled = status == Status::Cancelled;
    // Sites that keep orders as posts leave the date as it is when only lines change. A body is built
    // when it is sent, and never sent again.
    let triggered_at = received_at;
    let mut snapshot = Snapshot {
        rank: Rank { updated_at, progress, triggered_at, digest: 0 },
        name: order.number.as_ref().and_then(name),
        financial_status: Some(text.as_str().to_owned()),
        fulfillment_status: completed_at.map(|_| "fulfilled".to_owned()),
        cancelled,
        voided: false,
        completed_at,
        lines,
        refund_lines: Default::default(),
    };
    snapshot.rank.digest = digest(&snapshot);
    Ok((refs, snapshot))
}

/// An order made by a program may have no date at all: then any that has one is newer.
fn changed_at(order: &Order<'_>) -> Timestamp {
    order
        .date_modified_gmt
        .flatten()
        .or(order.date_created_gmt)
        .map(|date| date.0)
        .unwrap_or_default()
}

fn snapshot_line(
    line: &Line<'_>,
    status: Status,
    completed: bool,
    index: usize,
) -> Result<SnapshotLine, Unfit> {
    let reduced = line
        .reduced_stock()
        .map_err(|what| format!("line_items[{index}]._reduced_stock: {what}"))?;
    let units = |amount, field: &str| match amount {
        Amount::Whole(units) => Ok(units),
        Amount::Fraction(part) => Err(fractional(&format!("line_items[{index}].{field}"), part)),
    };
    let quantity = units(line.quantity, "quantity")?;
    let reduced = reduced.map(|reduced| units(reduced, "_reduced_stock")).transpose()?;
    Ok(status.line(completed, quantity, reduced))
}

fn fractional(path: &str, part: f64) -> Unfit {
    let detail = format!(
        "{path}: {part} is not a whole number of units, and stock is counted in whole ones; sell \
         the product by a smaller unit (grams, say), or give the order a whole quantity in the \
         shop: its next webhook then brings it, and this one can be discarded"
    );
    Unfit::Never(DeadReason::FractionalQuantity, detail)
}

fn line_ref(line: &Line<'_>) -> LineRef {
    let sku = line.sku.as_ref().and_then(Label::text).map(Sku::new);
    let of_product = [line.variation_id, line.product_id];
    let variant = of_product.into_iter().flatten().find(|id| !id.is_nothing());
    let class = match (&sku, variant) {
        // A custom line, or a product that was removed since.
        (None, None) => LineClass::NotStock,
        _ => LineClass::Tracked,
    };
    LineRef { sku, variant: variant.map(|id| Variant::new(id.to_string())), class }
}

/// The longest name that every database can keep; a plugin that makes longer ones gets none.
const NAME_BYTES_MAX: usize = 255;

fn name(number: &Label<'_>) -> Option<String> {
    let name = format!("#{}", number.text()?);
    (name.len() <= NAME_BYTES_MAX).then_some(name)
}

//! What a body means, in words.

use domain::order::{FulfilmentStatus, Known, Restock, Snapshot};
use domain::sighting::Thing;
use domain::{Fact, LineClass, OrderFact, PaymentFact, Sighting};

use super::Explained;
use crate::output;

pub(super) fn print(explained: &Explained<'_>) {
    if let Some(dead) = &explained.dead {
        outln!("It would become a dead letter: {} ({}).", dead.reason, dead.detail);
    }
    if let Some(reason) = explained.ignored {
        outln!("It would be ignored: {reason}.");
    }
    if let Some(note) = explained.note {
        outln!("{note}.");
    }
    for fact in &explained.facts {
        match fact {
            Fact::Order(fact) => order(fact),
            Fact::Payment(fact) => payment(fact),
            Fact::Sightings(all) => sightings(all),
            Fact::Privacy(request) => {
                outln!("A customer's request: {}.", request.kind.as_str());
                outln!("  of      {}", output::or_dash(request.customer.as_ref()));
                outln!("  orders  {}", request.orders_text());
            }
        }
    }
}

fn payment(fact: &PaymentFact) {
    outln!("It says this about payment {}:", fact.payment);
    let orders: Vec<&str> = fact.known.references.iter().map(|order| order.as_str()).collect();
    match &orders[..] {
        [] => outln!("  it does not say which order it pays for"),
        orders => outln!("  it pays for order {}", orders.join(", ")),
    }
    for (id, event) in &fact.known.events {
        let money = event.money.as_ref().map(|money| format!(", {}", output::money(money)));
        outln!(
            "  {} at {}{} (event {id})",
            event.kind.as_str(),
            output::moment(event.at),
            money.unwrap_or_default()
        );
    }
    outln!("  by itself that makes it {}", fact.known.state());
}

fn sightings(all: &[Sighting]) {
    outln!("It shows what the platform has; it is kept beside ours and moves nothing:");
    let units = |units: &Option<i64>| output::or_dash(units.as_ref());
    for Sighting { seen_at, thing, gone } in all {
        let what = match thing {
            Thing::Variant { variant, sku, inventory_item, available, .. } => format!(
                "variant {variant}: SKU {}, inventory item {}, {} available",
                output::or_dash(sku.as_ref()),
                output::or_dash(inventory_item.as_ref()),
                units(available)
            ),
            Thing::Product { product } if *gone => format!("product {product}"),
            Thing::Product { product } => format!("product {product}, which has no other variants"),
            Thing::InventoryItem { inventory_item, sku } => {
                format!("inventory item {inventory_item}: SKU {}", output::or_dash(sku.as_ref()))
            }
            Thing::Level { inventory_item, location, available } => format!(
                "inventory item {inventory_item} at location {location}: {} available",
                units(available)
            ),
            Thing::App { .. } => "the app".to_owned(),
        };
        let gone = if *gone { " is no more" } else { "" };
        outln!("  {what}{gone} (seen at {})", output::moment(*seen_at));
    }
}

fn order(order: &OrderFact) {
    outln!("It says this about order {}:", order.order);
    if let Some(shown) = &order.known.snapshot {
        snapshot(shown);
        for (id, line) in &shown.lines {
            let of = order.lines.get(id);
            let sku = output::or_dash(of.and_then(|line| line.sku.as_ref()));
            let variant = of.and_then(|line| line.variant.as_ref());
            let variant = variant.map(|variant| format!(" (variant {variant})"));
            let kept = match of.map(|line| line.class) {
                Some(LineClass::NotStock) => "no stock matter".to_owned(),
                Some(LineClass::Untracked) => {
                    format!("of which {} are kept if its SKU has stock here", line.kept)
                }
                _ => format!("of which {} are kept", line.kept),
            };
            let moved = [(line.shipped, "shipped"), (line.returned, "returned")];
            let moved: String = moved
                .iter()
                .filter(|(units, _)| *units > 0)
                .map(|(units, what)| format!(", {units} {what}"))
                .collect();
            outln!(
                "  line {id}: {} × {sku}{}, {kept}{moved}",
                line.quantity,
                variant.unwrap_or_default()
            );
        }
    }
    parts(&order.known);
}

fn snapshot(shown: &Snapshot) {
    outln!(
        "  {} as of {}: {}, {}{}{}",
        shown.name.as_deref().unwrap_or("a snapshot"),
        output::moment(shown.rank.updated_at),
        shown.financial_status.as_deref().unwrap_or("no financial status"),
        shown.fulfillment_status.as_deref().unwrap_or("not fulfilled"),
        if shown.cancelled { ", cancelled" } else { "" },
        if shown.voided { ", voided or expired" } else { "" },
    );
    if let Some(at) = shown.completed_at {
        outln!("  all of it left at {}", output::moment(at));
    }
}

fn parts(known: &Known) {
    for (id, part) in &known.refund_lines {
        let what = restocked(part.restock);
        outln!("  refund line {id}: {} of line {}, {what}", part.quantity, part.line);
    }
    for (id, part) in &known.fulfilments {
        let units: i64 = part.lines.values().sum();
        outln!("  fulfilment {id}: {units} units, {}", left(part.status));
    }
    for (id, payment) in &known.payments {
        outln!("  payment {id}: {}", payment.state);
    }
    if known.paid {
        outln!("  money came in");
    }
    for (at, what) in [
        (known.edited_at, "it was edited at {}; its next snapshot says how"),
        (known.trashed_at, "it lies in the bin, as of {}"),
        (known.outside_at, "it does not lie in the bin, as of {}"),
    ] {
        if let Some(at) = at {
            outln!("  {}", what.replace("{}", &output::moment(at)));
        }
    }
    if known.deleted {
        outln!("  it was deleted");
    }
}

fn restocked(restock: Restock) -> &'static str {
    match restock {
        Restock::NoRestock => "not restocked",
        Restock::Cancel => "no longer owed",
        Restock::Return => "came back",
        Restock::LegacyRestock => {
            "restocked, in the old way that does not say whether it came back"
        }
    }
}

fn left(status: FulfilmentStatus) -> &'static str {
    match status {
        FulfilmentStatus::Pending => "pending",
        FulfilmentStatus::Open => "on their way out",
        FulfilmentStatus::Success => "left",
        FulfilmentStatus::Error => "went wrong",
        FulfilmentStatus::Failure => "failed",
        FulfilmentStatus::Cancelled => "cancelled",
    }
}

//! What a body means, in words.

use domain::order::{FulfilmentStatus, Known, Restock, Snapshot};
use domain::sighting::Thing;
use domain::{Fact, LineClass, Meaning, OrderFact, PaymentFact, Sighting};

use crate::output;

/// Lines of text, one after another.
type Words = Vec<String>;

macro_rules! say {
    ($words:expr, $($text:tt)*) => {
        $words.push(format!($($text)*))
    };
}

/// What becomes of a body that means this.
pub fn lines(meaning: &Meaning) -> Vec<String> {
    let mut words = Words::new();
    match meaning {
        Meaning::Fact(fact) => return fact_lines(fact),
        Meaning::Ignored(reason) => say!(words, "It would be ignored: {reason}."),
        Meaning::Dead { reason, detail } => {
            say!(words, "It would become a dead letter: {} ({detail}).", reason.as_str());
        }
    }
    words
}

/// What a fact says.
pub fn fact_lines(fact: &Fact) -> Vec<String> {
    let mut words = Words::new();
    match fact {
        Fact::Order(fact) => order(&mut words, fact),
        Fact::Payment(fact) => payment(&mut words, fact),
        Fact::Sightings(all) => sightings(&mut words, all),
        Fact::Privacy(request) => {
            let orders: Vec<&str> = request.orders.iter().map(|order| order.as_str()).collect();
            say!(words, "A customer's request: {}.", request.kind.as_str());
            say!(words, "  shop      {}", request.domain);
            say!(words, "  customer  {}", output::or_dash(request.customer.as_ref()));
            say!(words, "  orders    {}", orders.join(" "));
        }
    }
    words
}

fn payment(words: &mut Words, fact: &PaymentFact) {
    say!(words, "It says this about payment {}:", fact.payment);
    let orders: Vec<&str> = fact.known.references.iter().map(|order| order.as_str()).collect();
    match &orders[..] {
        [] => say!(words, "  it does not say which order it pays for"),
        orders => say!(words, "  it pays for order {}", orders.join(", ")),
    }
    for (id, event) in &fact.known.events {
        let money = event.money.as_ref().map(|money| format!(", {}", output::money(money)));
        say!(
            words,
            "  {} at {}{} (event {id})",
            event.kind.as_str(),
            output::moment(event.at),
            money.unwrap_or_default()
        );
    }
    say!(words, "  by itself that makes it {}", fact.known.state());
}

fn sightings(words: &mut Words, all: &[Sighting]) {
    say!(words, "It shows what the platform has; it is kept beside ours and moves nothing:");
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
        say!(words, "  {what}{gone} (seen at {})", output::moment(*seen_at));
    }
}

fn order(words: &mut Words, order: &OrderFact) {
    say!(words, "It says this about order {}:", order.order);
    if let Some(shown) = &order.known.snapshot {
        snapshot(words, shown);
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
            say!(
                words,
                "  line {id}: {} × {sku}{}, {kept}{moved}",
                line.quantity,
                variant.unwrap_or_default()
            );
        }
    }
    parts(words, &order.known);
}

fn snapshot(words: &mut Words, shown: &Snapshot) {
    say!(
        words,
        "  {} as of {}: {}, {}{}{}",
        shown.name.as_deref().unwrap_or("a snapshot"),
        output::moment(shown.rank.updated_at),
        shown.financial_status.as_deref().unwrap_or("no financial status"),
        shown.fulfillment_status.as_deref().unwrap_or("not fulfilled"),
        if shown.cancelled { ", cancelled" } else { "" },
        if shown.voided { ", voided or expired" } else { "" },
    );
    if let Some(at) = shown.completed_at {
        say!(words, "  all of it left at {}", output::moment(at));
    }
}

fn parts(words: &mut Words, known: &Known) {
    for (id, part) in &known.refund_lines {
        let what = restocked(part.restock);
        say!(words, "  refund line {id}: {} of line {}, {what}", part.quantity, part.line);
    }
    for (id, part) in &known.fulfilments {
        let units: i64 = part.lines.values().sum();
        say!(words, "  fulfilment {id}: {units} units, {}", left(part.status));
    }
    for (id, payment) in &known.payments {
        say!(words, "  payment {id}: {}", payment.state);
    }
    if known.paid {
        say!(words, "  money came in");
    }
    for (at, what) in [
        (known.edited_at, "it was edited at {}; its next snapshot says how"),
        (known.trashed_at, "it lies in the bin, as of {}"),
        (known.outside_at, "it does not lie in the bin, as of {}"),
    ] {
        if let Some(at) = at {
            say!(words, "  {}", what.replace("{}", &output::moment(at)));
        }
    }
    if known.deleted {
        say!(words, "  it was deleted");
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

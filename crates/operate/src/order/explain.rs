//! An order's state and flags in words: what they mean, why it came to that, and what to do.

use domain::order::{FulfilmentStatus, Order, OrderFlag, OrderState};
use domain::payment::PaymentState;
use domain::policy::WhenShort;
use domain::stock::Stock;
use domain::view::StockView;
use domain::{
    LocationId, OrderKey, Payment, PaymentKey, Policy, Sku, StockKey, Timestamp, Version,
};

use crate::output;

/// An order, and all that its state may come from.
#[derive(Clone, Copy, Debug)]
pub struct Explained<'a> {
    pub key: &'a OrderKey,
    pub order: &'a Order,
    pub policy: &'a Policy,
    pub stock: &'a StockView,
    pub payments: &'a [(PaymentKey, Payment)],
}

/// The state in words.
pub fn state(state: OrderState) -> &'static str {
    match state {
        OrderState::Deleted => "deleted",
        OrderState::Trashed => "in the bin",
        OrderState::Partial => "not here yet, only parts of it",
        OrderState::Cancelled => "cancelled",
        OrderState::PaidAfterCancel => "cancelled, and paid afterwards",
        OrderState::NotStock => "no stock matter",
        OrderState::Short => "short",
        OrderState::PartiallyShipped => "partially shipped",
        OrderState::Committed => "committed",
        OrderState::Shipped => "shipped",
        OrderState::AwaitingPayment => "awaiting payment",
        OrderState::Released => "nothing owed",
    }
}

/// Why it is in its state, and what to do if something is.
pub fn why(explained: &Explained<'_>) -> String {
    let Explained { key, order, policy, .. } = *explained;
    let snapshot = order.known.snapshot.as_ref();
    let committed: i64 = order.holdings.values().map(|holding| holding.committed).sum();
    let at = |moment: Option<Timestamp>| {
        moment.map(|at| format!(" at {}", output::moment(at))).unwrap_or_default()
    };
    let cancelled = at(order.known.cancelled_since());
    match order.state(policy) {
        OrderState::Deleted => "The platform deleted it. Nothing is owed for it any more, and \
            nothing that still comes changes that."
            .to_owned(),
        OrderState::Trashed => format!(
            "It was thrown into the platform's bin{}. What was committed is released; taken out of \
             the bin it is decided again.",
            at(order.known.trashed_at)
        ),
        OrderState::Partial => format!(
            "Only parts of it came so far ({}), so nobody knows what it asks for. They wait, and \
             count as soon as the order itself comes. If it does not come: `onhand dead list` \
             shows whether it could not be applied.",
            parts(order)
        ),
        OrderState::Cancelled => {
            format!("The platform cancelled it{cancelled}. What was committed is released.")
        }
        OrderState::PaidAfterCancel => format!(
            "The platform cancelled it{cancelled}, and money came in afterwards ({}). Nothing is \
             committed. {}",
            payments(explained, PaymentState::holds_money),
            after_cancel(explained)
        ),
        OrderState::NotStock if explained.order.known.test => {
            "It is a test order, which the platform never means to send: nothing is kept of it."
                .to_owned()
        }
        OrderState::NotStock => "Nothing in it is a stock matter: tips, gift cards, custom lines \
            or items whose stock nobody keeps."
            .to_owned(),
        OrderState::Short => short(explained),
        OrderState::PartiallyShipped => {
            let still = are(committed);
            format!("Some of it went out; {still} still committed to it.{}", backorders(explained))
        }
        OrderState::Committed => format!(
            "{} committed to it, until the platform says otherwise.{}",
            are(committed),
            backorders(explained)
        ),
        OrderState::Shipped => {
            "The platform shipped all that it asks for. Nothing is owed for it any more.".to_owned()
        }
        OrderState::AwaitingPayment => {
            let known = match explained.payments {
                [] => "No payment for it is known.".to_owned(),
                _ => format!("Known of: {}.", payments(explained, |_| true)),
            };
            format!(
                "The shop {} commits units when an order is paid (commit_on = \"paid\"), and no \
                 money came in for this one. {known}",
                key.shop
            )
        }
        OrderState::Released => format!(
            "Nothing is owed for it: its status ({}) asks for nothing, or all of it was refunded or \
             edited away.",
            snapshot.and_then(|shown| shown.financial_status.as_deref()).unwrap_or("none")
        ),
    }
}

/// Which of its units are promised before they are there. A row does not say whose units those are that
/// it lacks, so all orders that hold some of it say so.
fn backorders(explained: &Explained<'_>) -> String {
    let held = explained.order.holdings.iter().filter(|(_, held)| held.committed > 0);
    let lacking = held.filter_map(|(key, _)| {
        let available = explained.stock.get(key).available();
        (available < 0).then(|| format!("{key} has {} units less than are promised", -available))
    });
    let lacking: Vec<String> = lacking.collect();
    match &lacking[..] {
        [] => String::new(),
        rows => {
            format!(" As a backorder: {}, so it may have to wait for a delivery.", rows.join(", "))
        }
    }
}

/// What to do about money that came in after the cancellation.
fn after_cancel(explained: &Explained<'_>) -> String {
    let refund = "refund it at the provider, or revive the order at the platform.";
    let any = |which: fn(PaymentState) -> bool| {
        explained.payments.iter().any(|(_, payment)| which(payment.known.state()))
    };
    match (any(is_disputed), any(is_there)) {
        (false, _) => format!("So {refund}"),
        (true, false) => wait(explained),
        (true, true) => format!("{} The rest: {refund}", wait(explained)),
    }
}

/// A refund beside a dispute would give the money back twice.
fn wait(explained: &Explained<'_>) -> String {
    format!(
        "Wait for the end of the dispute ({}), and give nothing back meanwhile: the payer's bank \
         may take the money, too.",
        payments(explained, is_disputed)
    )
}

/// Its money can be given back.
fn is_there(state: PaymentState) -> bool {
    state.holds_money() && !state.is_contested()
}

/// Its money is there, but the payer's bank asks for it.
fn is_disputed(state: PaymentState) -> bool {
    state.holds_money() && state.is_contested()
}

fn are(units: i64) -> String {
    if units == 1 { "1 unit is".to_owned() } else { format!("{units} units are") }
}

/// What came of an order that has not come itself.
fn parts(order: &Order) -> String {
    let known = &order.known;
    let parts = [
        (known.payments.len(), "payments"),
        (known.fulfilments.len(), "fulfilments"),
        (known.refund_lines.len(), "refund lines"),
        (usize::from(known.edited_at.is_some()), "an edit"),
        (usize::from(known.trashed_at.is_some()), "that it is in the bin"),
    ];
    let parts: Vec<&str> =
        parts.into_iter().filter_map(|(count, name)| (count > 0).then_some(name)).collect();
    if parts.is_empty() { "that it was paid".to_owned() } else { parts.join(", ") }
}

fn payments(explained: &Explained<'_>, which: impl Fn(PaymentState) -> bool) -> String {
    let states = explained.payments.iter().map(|(key, payment)| (key, payment.known.state()));
    let named: Vec<String> = states
        .filter(|(_, state)| which(*state))
        .map(|(key, state)| format!("payment {key}: {state}"))
        .collect();
    if named.is_empty() { "no payment is named".to_owned() } else { named.join(", ") }
}

/// An item that a short order lacks.
#[derive(Debug)]
pub struct Missing<'a> {
    pub sku: &'a Sku,
    /// Not committed.
    pub units: i64,
    /// Where most of it is free, how much that is, and the row.
    at: StockKey,
    room: i64,
    stock: Stock,
    /// What is free where the shop does not ship from.
    elsewhere: Vec<(LocationId, i64)>,
}

/// What a short order lacks, over the stock as it is now.
pub fn missing<'a>(order: &'a Order, view: &StockView, policy: &Policy) -> Vec<Missing<'a>> {
    let demand = order.short.iter().flat_map(|short| &short.demand);
    let missing = demand.filter_map(|(sku, owed)| {
        let units = owed - order.committed(sku);
        let rows = policy.locations.iter().map(|location| {
            let at = StockKey::new(sku, location);
            let row = view.get(&at);
            (row.available() - row.floor.max(policy.safety_stock), row, at)
        });
        // One that is there before one that is not; of equals the first choice.
        let best =
            |(room, row, _): &(i64, Stock, StockKey)| (row.version != Version::ABSENT, *room);
        let (room, stock, at) = rows.rev().max_by_key(best)?;
        let elsewhere = elsewhere(sku, view, policy);
        (units > 0).then_some(Missing { sku, units, at, room, stock, elsewhere })
    });
    missing.collect()
}

/// What is free at locations that the shop does not ship from.
fn elsewhere(sku: &Sku, view: &StockView, policy: &Policy) -> Vec<(LocationId, i64)> {
    let rows = view
        .rows(sku)
        .filter(|(location, row)| !policy.locations.contains(location) && row.available() > 0);
    rows.map(|(location, row)| (location.clone(), row.available())).collect()
}

impl Missing<'_> {
    /// The command that brings enough for this order.
    pub fn more_stock(&self) -> Option<String> {
        let lacking = self.units - self.room;
        let StockKey { sku, location } = &self.at;
        let command = match self.stock.version {
            Version::ABSENT => format!("set {sku} {lacking}"),
            _ => format!("adjust {sku} +{lacking} --reason delivery"),
        };
        (lacking > 0).then(|| format!("onhand stock {command} --location {location}"))
    }

    fn words(&self, policy: &Policy) -> String {
        let elsewhere: Vec<String> = self
            .elsewhere
            .iter()
            .map(|(location, units)| format!("{units} at {location}"))
            .collect();
        let elsewhere = match &elsewhere[..] {
            [] => String::new(),
            all => format!(
                " (there are {}, from where this shop does not ship: its `locations` in the shops \
                 file say so)",
                all.join(", ")
            ),
        };
        if self.stock.version == Version::ABSENT {
            let shipped_from: Vec<&str> =
                policy.locations.iter().map(|location| location.as_str()).collect();
            return format!(
                "{} × {} missing, no stock row at {}{elsewhere}",
                self.units,
                self.sku,
                shipped_from.join(" or ")
            );
        }
        let place = match policy.locations.len() {
            1 => String::new(),
            _ => format!(" at {}, where most is", self.at.location),
        };
        let kept = match policy.safety_stock {
            0 => String::new(),
            units => format!(" ({units} are kept as safety stock)"),
        };
        let available = self.stock.available();
        format!(
            "{} × {} missing, {available} available{place}{kept}{elsewhere}",
            self.units, self.sku
        )
    }
}

fn short(explained: &Explained<'_>) -> String {
    let Explained { key, order, policy, stock, .. } = *explained;
    let missing = missing(order, stock, policy);
    let what: Vec<String> = missing.iter().map(|item| item.words(policy)).collect();
    let held = if order.holdings.values().any(|holding| holding.committed > 0) {
        "Only a part of it is committed."
    } else {
        "Nothing is committed."
    };
    let retry = format!("onhand order retry {} {}", key.shop, key.order);
    let stock: Vec<String> = missing.iter().filter_map(Missing::more_stock).collect();
    let then = match &stock[..] {
        [] => format!("By now there is enough: `{retry}` commits it"),
        commands => format!("Add stock with `{}`, then `{retry}`", commands.join("`, `")),
    };
    let backorder = match policy.when_short {
        WhenShort::Backorder => {
            "; the rows' floors (`onhand stock floor`) say how far below zero backorders go"
                .to_owned()
        }
        _ => format!("; or promise it for later with `{retry} --backorder`"),
    };
    format!("It asked for more than there was: {}. {held} {then}{backorder}.", what.join("; "))
}

/// What a person should look at.
pub fn flags(explained: &Explained<'_>) -> Vec<String> {
    let flags = explained.order.flags(explained.policy);
    flags.into_iter().map(|flag| words(flag, explained)).collect()
}

fn words(flag: OrderFlag, explained: &Explained<'_>) -> String {
    let order = explained.order;
    match flag {
        OrderFlag::Uncovered => {
            let rows = order.holdings.iter().filter(|(_, held)| held.uncovered > 0);
            let rows: Vec<String> =
                rows.map(|(row, held)| format!("{} × {row}", held.uncovered)).collect();
            format!(
                "The platform shipped what we had no units for: {}. Count what lies there, then \
                 `onhand stock set`; this line stays, for the books.",
                rows.join(", ")
            )
        }
        OrderFlag::TakenElsewhere => {
            let each = order.taken_elsewhere.iter().map(|taken| {
                let (units, sku, from) = (taken.units, &taken.sku, &taken.shipped_from);
                format!("{units} × {sku} from {from}, taken from {}", taken.taken_from)
            });
            format!(
                "The platform shipped from a place where all units are meant for other orders, so they \
                 were taken from another one: {}. The sum is right; what lies where, a count of both \
                 places says.",
                each.collect::<Vec<_>>().join("; ")
            )
        }
        OrderFlag::LegacyRestock => "A refund was restocked the old way, which does not say \
            whether units came back. If they did: `onhand stock adjust SKU +N --reason returned`."
            .to_owned(),
        OrderFlag::NotRestocked => {
            let each = order.not_restocked(explained.policy).into_iter();
            let place = match explained.policy.locations.len() {
                1 => "",
                _ => " --location LOCATION",
            };
            let (what, commands): (Vec<_>, Vec<_>) = each
                .map(|(sku, units)| {
                    let command =
                        format!("`onhand stock adjust {sku} -{units}{place} --reason lost`");
                    (format!("{units} × {sku}"), command)
                })
                .unzip();
            format!(
                "Refunded without restocking before they were sent, and available again here: {}. \
                 If they are not there any more: {}.",
                what.join(", "),
                commands.join(", ")
            )
        }
        OrderFlag::CrossesCutOver => {
            let changed = order.known.fulfilments.iter().filter(|(_, fulfilment)| {
                explained.policy.before_cut_over(fulfilment.created_at)
                    && fulfilment.status != FulfilmentStatus::Success
            });
            let changed: Vec<&str> = changed.map(|(id, _)| id.as_str()).collect();
            let which = match &changed[..] {
                [] => String::new(),
                ids => format!(" (fulfilment {})", ids.join(", ")),
            };
            format!(
                "It was shipped before the shop went live, and that changed afterwards{which}: \
                 check by hand whether its units were counted."
            )
        }
        OrderFlag::Held => "It is short, but what fitted is committed.".to_owned(),
        OrderFlag::EditPending => "It was edited, and the platform has not shown yet what it is \
            now: its next orders/updated does."
            .to_owned(),
        OrderFlag::PaidButShort => "It is paid, but there are no units for it: serve it or refund \
            it."
        .to_owned(),
        OrderFlag::HoldsMoney => format!(
            "It will not be served, but money for it is there ({}): give it back at the provider.",
            payments(explained, is_there)
        ),
        OrderFlag::PaidNotOwed => format!(
            "Money for it is there ({}), but nothing is owed for it. Units are committed as soon as \
             the platform's own status asks for them: set that, or give the money back at the \
             provider.",
            payments(explained, is_there)
        ),
        OrderFlag::PaymentContested => format!(
            "Money for it is contested or did not come about after all ({}): look before sending.",
            payments(explained, PaymentState::is_contested)
        ),
    }
}

#[cfg(test)]
mod tests;

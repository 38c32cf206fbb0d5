//! Orders that live as they do at Shopify, and what they send.
//!
//! A [`ShopifyOrder`] is the platform's own row: actions change it, and [`ShopifyOrder::webhook`]
//! builds a body from its state at that moment, as Shopify does when it sends. So the order in
//! which a test lets actions and webhooks happen decides what the bodies show.
//!
//! [`ShopifyOrder::fact`] is what a right parser makes of the same webhook, written down
//! independently of the parser: tests of the domain feed it, tests of the parser compare with it.

use domain::order::{FulfilmentStatus, Restock};

mod body;
mod fact;
mod trimmings;
mod webhook;

pub use body::PRICE_CENTS;
pub use webhook::SignedWebhook;

/// The shop that orders belong to unless they are told otherwise.
pub const DOMAIN: &str = "demo.myshopify.com";

/// What the webhooks of that shop are signed with.
pub const SECRET: &str = "only-for-tests";

/// The location that things happen at unless they are told otherwise.
pub const LOCATION: u64 = 655_441_491;

/// The moment at which orders are placed unless they are told otherwise: 2026-11-21T12:00:00Z.
pub const PLACED_AT: i64 = 1_795_262_400;

/// An order as the platform keeps it.
#[derive(Clone, Debug)]
pub struct ShopifyOrder {
    id: u64,
    domain: String,
    secret: String,
    test: bool,
    created_at: i64,
    updated_at: i64,
    /// How much time passes before each action: the platform's clock shows whole seconds.
    seconds_per_action: i64,
    financial_status: &'static str,
    cancelled_at: Option<i64>,
    lines: Vec<Line>,
    fulfilments: Vec<Fulfilment>,
    refunds: Vec<Refund>,
    /// The fulfilment that was touched last: what `fulfillments/*` show.
    touched: usize,
    /// The last edit: line and delta.
    edited: Option<(usize, i64)>,
}

#[derive(Clone, Debug)]
struct Line {
    sku: Option<String>,
    kind: LineKind,
    quantity: i64,
    /// Taken out by edits. `quantity` stays.
    removed: i64,
}

/// What a line sells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKind {
    /// A variant whose stock the platform keeps.
    Tracked,
    /// A variant whose stock it does not keep.
    Untracked,
    Tip,
    GiftCard,
    /// Typed in by hand: no variant, no SKU.
    Custom,
}

#[derive(Clone, Debug)]
struct Fulfilment {
    status: FulfilmentStatus,
    created_at: i64,
    updated_at: i64,
    location: Option<u64>,
    /// Units by line.
    lines: Vec<(usize, i64)>,
}

#[derive(Clone, Debug)]
struct Refund {
    created_at: i64,
    location: Option<u64>,
    restock: Restock,
    /// Units by line.
    lines: Vec<(usize, i64)>,
}

impl ShopifyOrder {
    /// An order without lines, placed at [`PLACED_AT`], not paid yet.
    pub fn new(id: u64) -> Self {
        Self {
            id,
            domain: DOMAIN.to_owned(),
            secret: SECRET.to_owned(),
            test: false,
            created_at: PLACED_AT,
            updated_at: PLACED_AT,
            seconds_per_action: 1,
            financial_status: "pending",
            cancelled_at: None,
            lines: Vec::new(),
            fulfilments: Vec::new(),
            refunds: Vec::new(),
            touched: 0,
            edited: None,
        }
    }

    /// Belongs to another shop.
    #[must_use]
    pub fn of(mut self, domain: &str, secret: &str) -> Self {
        (self.domain, self.secret) = (domain.to_owned(), secret.to_owned());
        self
    }

    /// Is placed at another moment, in seconds since 1970.
    #[must_use]
    pub fn placed_at(mut self, seconds: i64) -> Self {
        (self.created_at, self.updated_at) = (seconds, seconds);
        self
    }

    /// Is a test order.
    #[must_use]
    pub fn test(mut self) -> Self {
        self.test = true;
        self
    }

    /// Has one more line of a tracked variant.
    #[must_use]
    pub fn line(self, sku: &str, quantity: i64) -> Self {
        self.line_of(LineKind::Tracked, Some(sku), quantity)
    }

    /// Has one more line.
    #[must_use]
    pub fn line_of(mut self, kind: LineKind, sku: Option<&str>, quantity: i64) -> Self {
        self.push_line(kind, sku, quantity);
        self
    }

    /// From now on each action comes so much later than the one before; 0 puts what follows into
    /// one second.
    pub fn seconds_per_action(&mut self, seconds: i64) -> &mut Self {
        self.seconds_per_action = seconds;
        self
    }

    pub fn id(&self) -> u64 {
        self.id
    }

    pub fn line_count(&self) -> usize {
        self.lines.len()
    }

    /// Units of a line that can still be sent: not removed, not cancelled, not on their way.
    pub fn fulfillable(&self, line: usize) -> i64 {
        let cancelled = self.refunded(line, |restock| restock == Restock::Cancel);
        self.lines[line].quantity - self.lines[line].removed - cancelled - self.active(line)
    }

    /// Units of a line that went out and did not come back.
    pub fn returnable(&self, line: usize) -> i64 {
        let shipped = self.in_fulfilments(line, |status| status == FulfilmentStatus::Success);
        shipped - self.refunded(line, |restock| restock != Restock::Cancel)
    }

    /// How far each fulfilment is.
    pub fn fulfilments(&self) -> Vec<FulfilmentStatus> {
        self.fulfilments.iter().map(|fulfilment| fulfilment.status).collect()
    }

    /// Whether a fulfilment can still be cancelled: none of its units came back.
    pub fn is_reversible(&self, fulfilment: usize) -> bool {
        let lines = &self.fulfilments[fulfilment].lines;
        lines.iter().all(|(line, units)| self.returnable(*line) >= *units)
    }

    pub fn is_cancelled(&self) -> bool {
        self.cancelled_at.is_some()
    }

    /// All of the money has come in.
    pub fn pay(&mut self) -> &mut Self {
        self.financial_status("paid")
    }

    /// Money moved in some other way.
    pub fn financial_status(&mut self, status: &'static str) -> &mut Self {
        self.tick();
        self.financial_status = status;
        self
    }

    /// An edit adds units to a line, or takes fulfillable ones away.
    pub fn edit(&mut self, line: usize, delta: i64) -> &mut Self {
        assert!(-delta <= self.fulfillable(line), "only fulfillable units can be edited away");
        self.tick();
        match delta {
            0.. => self.lines[line].quantity += delta,
            _ => self.lines[line].removed -= delta,
        }
        self.edited = Some((line, delta));
        self
    }

    /// An edit adds a line.
    pub fn add_line(&mut self, sku: &str, quantity: i64) -> &mut Self {
        self.tick();
        self.push_line(LineKind::Tracked, Some(sku), quantity);
        self.edited = Some((self.lines.len() - 1, quantity));
        self
    }

    /// Sends everything that is fulfillable.
    pub fn fulfil(&mut self) -> &mut Self {
        let all: Vec<(usize, i64)> =
            (0..self.lines.len()).map(|line| (line, self.fulfillable(line))).collect();
        self.fulfil_at(LOCATION, FulfilmentStatus::Success, &all)
    }

    /// Sends units of lines from a location.
    pub fn fulfil_at(
        &mut self,
        location: u64,
        status: FulfilmentStatus,
        units: &[(usize, i64)],
    ) -> &mut Self {
        for (line, units) in units {
            assert!(*units <= self.fulfillable(*line), "only fulfillable units can be fulfilled");
        }
        self.tick();
        self.fulfilments.push(Fulfilment {
            status,
            created_at: self.updated_at,
            updated_at: self.updated_at,
            location: Some(location),
            lines: units.iter().copied().filter(|(_, units)| *units > 0).collect(),
        });
        self.touched = self.fulfilments.len() - 1;
        self
    }

    /// A fulfilment goes on, or is cancelled.
    pub fn fulfilment_becomes(&mut self, index: usize, status: FulfilmentStatus) -> &mut Self {
        self.tick();
        self.fulfilments[index].status = status;
        self.fulfilments[index].updated_at = self.updated_at;
        self.touched = index;
        self
    }

    /// Refunds units of lines; `restock` says what became of the units.
    pub fn refund(
        &mut self,
        restock: Restock,
        location: Option<u64>,
        units: &[(usize, i64)],
    ) -> &mut Self {
        for (line, units) in units {
            let most = match restock {
                Restock::Cancel => self.fulfillable(*line),
                _ => self.returnable(*line).max(self.fulfillable(*line)),
            };
            assert!(*units <= most, "line {line} has only {most} units for this refund");
        }
        self.tick();
        if self.has_been_paid() && !self.is_cancelled() {
            self.financial_status = "partially_refunded";
        }
        let created_at = self.updated_at;
        self.refunds.push(Refund { created_at, location, restock, lines: units.to_vec() });
        self
    }

    /// Cancels the order; what was not sent is restocked where a location is given.
    pub fn cancel(&mut self, restock_at: Option<u64>) -> &mut Self {
        let left: Vec<(usize, i64)> = (0..self.lines.len())
            .map(|line| (line, self.fulfillable(line)))
            .filter(|(_, units)| *units > 0)
            .collect();
        match restock_at {
            Some(location) if !left.is_empty() => {
                self.refund(Restock::Cancel, Some(location), &left);
            }
            _ => self.tick(),
        }
        self.financial_status = if self.has_been_paid() { "refunded" } else { "voided" };
        self.cancelled_at = Some(self.updated_at);
        self
    }

    fn push_line(&mut self, kind: LineKind, sku: Option<&str>, quantity: i64) {
        self.lines.push(Line { sku: sku.map(str::to_owned), kind, quantity, removed: 0 });
    }

    fn tick(&mut self) {
        self.updated_at += self.seconds_per_action;
    }

    fn has_been_paid(&self) -> bool {
        matches!(
            self.financial_status,
            "paid" | "partially_paid" | "partially_refunded" | "refunded"
        )
    }

    /// Units on their way or gone.
    fn active(&self, line: usize) -> i64 {
        self.in_fulfilments(line, FulfilmentStatus::is_active)
    }

    fn in_fulfilments(&self, line: usize, counts: impl Fn(FulfilmentStatus) -> bool) -> i64 {
        let counted = self.fulfilments.iter().filter(|fulfilment| counts(fulfilment.status));
        units_of(line, counted.flat_map(|fulfilment| &fulfilment.lines))
    }

    fn refunded(&self, line: usize, counts: impl Fn(Restock) -> bool) -> i64 {
        let counted = self.refunds.iter().filter(|refund| counts(refund.restock));
        units_of(line, counted.flat_map(|refund| &refund.lines))
    }

    fn line_id(&self, line: usize) -> u64 {
        self.part_id(1, line)
    }

    fn fulfilment_id(&self, fulfilment: usize) -> u64 {
        self.part_id(2, fulfilment)
    }

    fn refund_id(&self, refund: usize) -> u64 {
        self.part_id(3, refund)
    }

    fn refund_line_id(&self, refund: usize, index: usize) -> u64 {
        self.part_id(4, refund * 100 + index)
    }

    /// Ids of parts differ between orders, and are long, as the platform's are.
    fn part_id(&self, kind: u64, index: usize) -> u64 {
        let index = u64::try_from(index).expect("a handful of parts");
        kind * 10_000_000_000_000_000 + self.id % 1_000_000_000_000 * 10_000 + index
    }
}

fn units_of<'a>(line: usize, all: impl Iterator<Item = &'a (usize, i64)>) -> i64 {
    all.filter(|(of, _)| *of == line).map(|(_, units)| units).sum()
}

#[cfg(test)]
mod tests;

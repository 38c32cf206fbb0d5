//! Orders that live as they do at a WooCommerce site, and what it sends.
//!
//! A [`WooOrder`] is the site's own row: actions change it, and [`WooOrder::webhook`] builds a body
//! from its state at that moment, as WooCommerce does when it sends. With every line it keeps what
//! the site has taken out of its own stock for it (`_reduced_stock`), by WooCommerce's rules: taken
//! on the way to on-hold, processing and completed unless it was; put back on the way to pending
//! and cancelled; lowered by refunds that restock; adjusted by edits.
//!
//! [`WooOrder::fact`] is what a right parser makes of the same webhook, written down from the
//! site's side.

mod body;
mod fact;
mod life;
mod stock;
mod trimmings;
mod webhook;

pub use life::{Life, Step, life};
pub use webhook::{cannot_view, ping, signed};

/// The shop that orders belong to unless they are told otherwise.
pub const SHOP: &str = "site";

/// What the webhooks of that shop are signed with.
pub const SECRET: &str = "only-for-tests";

/// The moment at which orders are placed unless they are told otherwise: 2026-11-21T12:00:00Z.
pub const PLACED_AT: i64 = 1_795_262_400;

/// An order as the site keeps it.
#[derive(Clone, Debug)]
pub struct WooOrder {
    id: u64,
    shop: String,
    secret: String,
    created_at: i64,
    modified_at: i64,
    /// How much time passes before each action: the site's clock shows whole seconds.
    seconds_per_action: i64,
    status: String,
    /// The status that the order gets back when it leaves the bin.
    before_trash: String,
    paid_at: Option<i64>,
    completed_at: Option<i64>,
    /// The site has taken units for this order: it does not do so twice.
    stock_reduced: bool,
    lines: Vec<Line>,
    refunds: Vec<Refund>,
}

#[derive(Clone, Debug)]
struct Line {
    sku: String,
    quantity: i64,
    /// The site keeps stock of it.
    managed: bool,
    /// `_reduced_stock`.
    reduced: Option<i64>,
    /// `_restock_refunded_items`.
    restocked: i64,
    refunded: i64,
    /// An edit took it out of the order.
    removed: bool,
}

#[derive(Clone, Debug)]
struct Refund {
    units: i64,
    reason: &'static str,
}

impl WooOrder {
    /// An order without lines, placed at [`PLACED_AT`], not paid yet.
    pub fn new(id: u64) -> Self {
        Self {
            id,
            shop: SHOP.to_owned(),
            secret: SECRET.to_owned(),
            created_at: PLACED_AT,
            modified_at: PLACED_AT,
            seconds_per_action: 1,
            status: "pending".to_owned(),
            before_trash: String::new(),
            paid_at: None,
            completed_at: None,
            stock_reduced: false,
            lines: Vec::new(),
            refunds: Vec::new(),
        }
    }

    /// Belongs to another shop.
    #[must_use]
    pub fn of(mut self, shop: &str, secret: &str) -> Self {
        (self.shop, self.secret) = (shop.to_owned(), secret.to_owned());
        self
    }

    /// Is placed at another moment, in seconds since 1970.
    #[must_use]
    pub fn placed_at(mut self, seconds: i64) -> Self {
        (self.created_at, self.modified_at) = (seconds, seconds);
        self
    }

    /// Has one more line, of a product whose stock the site keeps.
    #[must_use]
    pub fn line(self, sku: &str, quantity: i64) -> Self {
        self.with_line(sku, quantity, true)
    }

    /// Has one more line, of a product whose stock the site does not keep.
    #[must_use]
    pub fn unmanaged_line(self, sku: &str, quantity: i64) -> Self {
        self.with_line(sku, quantity, false)
    }

    fn with_line(mut self, sku: &str, quantity: i64, managed: bool) -> Self {
        self.lines.push(Line {
            sku: sku.to_owned(),
            quantity,
            managed,
            reduced: None,
            restocked: 0,
            refunded: 0,
            removed: false,
        });
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

    /// The moment of the last action.
    pub fn now(&self) -> i64 {
        self.modified_at
    }

    pub fn status(&self) -> &str {
        &self.status
    }

    pub fn line_count(&self) -> usize {
        self.lines.len()
    }

    pub fn quantity(&self, line: usize) -> i64 {
        self.lines[line].quantity
    }

    /// Units of a line that were not refunded yet.
    pub fn refundable(&self, line: usize) -> i64 {
        let line = &self.lines[line];
        if line.removed { 0 } else { line.quantity - line.refunded }
    }

    /// Units that the site itself has taken out of its stock for a line and not put back.
    pub fn held_by_site(&self, line: usize) -> i64 {
        self.lines[line].reduced.unwrap_or(0)
    }

    /// All of the money has come in. Says nothing once an order is on its way.
    pub fn pay(&mut self) -> &mut Self {
        if ["pending", "on-hold", "failed", "cancelled"].contains(&self.status()) {
            self.change_status("processing");
        }
        self
    }

    /// Waits for money that was promised.
    pub fn hold(&mut self) -> &mut Self {
        self.change_status("on-hold")
    }

    /// Everything left.
    pub fn complete(&mut self) -> &mut Self {
        self.change_status("completed")
    }

    pub fn cancel(&mut self) -> &mut Self {
        self.change_status("cancelled")
    }

    /// The payment failed.
    pub fn fail(&mut self) -> &mut Self {
        self.change_status("failed")
    }

    /// Somebody sets any status by hand, one of a plugin's, or one that the order had before.
    pub fn custom_status(&mut self, status: &str) -> &mut Self {
        self.change_status(status)
    }

    /// Throws it into the bin.
    pub fn trash(&mut self) -> &mut Self {
        assert_ne!(self.status, "trash", "it is in the bin already");
        self.tick();
        self.before_trash = std::mem::replace(&mut self.status, "trash".to_owned());
        self
    }

    /// Takes it out of the bin, as it was.
    pub fn restore(&mut self) -> &mut Self {
        assert_eq!(self.status, "trash", "only what is in the bin can be restored");
        self.tick();
        self.status = std::mem::take(&mut self.before_trash);
        self
    }

    fn tick(&mut self) {
        self.modified_at += self.seconds_per_action;
    }

    fn change_status(&mut self, status: &str) -> &mut Self {
        self.tick();
        self.set_status(status);
        self
    }

    fn line_id(&self, line: usize) -> u64 {
        // Ids of lines come from one sequence for the whole site.
        self.id * 100 + u64::try_from(line).expect("a handful of lines")
    }

    /// The same SKU is the same product.
    fn product_id(&self, line: usize) -> u64 {
        let sku = self.lines[line].sku.bytes();
        1 + sku.fold(0, |sum, byte| (sum * 31 + u64::from(byte)) % 999_983)
    }
}

#[cfg(test)]
mod tests;

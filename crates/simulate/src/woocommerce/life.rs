//! Lives of orders, drawn from a seed.

use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use super::WooOrder;

/// Something that happens to an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Pay,
    /// Somebody, or something, sets a status.
    Status(&'static str),
    Refund {
        restock: bool,
        units: Vec<(usize, i64)>,
    },
    RefundByStatus,
    Edit {
        line: usize,
        quantity: i64,
    },
    Trash,
    Restore,
}

/// An order as it is placed, and what happens to it then.
#[derive(Clone, Debug)]
pub struct Life {
    pub order: WooOrder,
    pub steps: Vec<Step>,
}

impl WooOrder {
    /// Lets a step happen. Returns the topic under which the site tells of it.
    pub fn step(&mut self, step: &Step) -> &'static str {
        match step {
            Step::Pay => self.pay(),
            Step::Status(status) => self.custom_status(status),
            Step::Refund { restock, units } => self.refund(*restock, units),
            Step::RefundByStatus => self.refund_by_status(),
            Step::Edit { line, quantity } => self.edit(*line, *quantity),
            Step::Trash => {
                self.trash();
                return "order.deleted";
            }
            Step::Restore => {
                self.restore();
                return "order.restored";
            }
        };
        "order.updated"
    }
}

const STEPS_MAX: usize = 12;

/// Two of them are plugins', one is WooCommerce's own where customers fetch what they bought.
const STATUSES: [&str; 9] = [
    "pending",
    "on-hold",
    "processing",
    "completed",
    "cancelled",
    "failed",
    "packed",
    "ready-for-pickup",
    "awaiting-supplier",
];

/// The life of order number `seed`: any status may follow any other, as at a real site, but no more
/// is refunded than was bought.
pub fn life(seed: u64) -> Life {
    let mut dice = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut order = WooOrder::new(seed % 1_000_000_000 + 1);
    for line in 0..dice.random_range(1..=3_u32) {
        let (sku, units) = (format!("SKU-{line}"), dice.random_range(1..=4));
        let managed = dice.random_range(0..5_u32) > 0;
        order = if managed { order.line(&sku, units) } else { order.unmanaged_line(&sku, units) };
    }
    let mut living = order.clone();
    let steps = (0..dice.random_range(1..=STEPS_MAX))
        .map(|_| {
            let step = next(&living, &mut dice);
            living.step(&step);
            step
        })
        .collect();
    Life { order, steps }
}

fn next(order: &WooOrder, dice: &mut Xoshiro256PlusPlus) -> Step {
    if order.status() == "trash" {
        return Step::Restore;
    }
    let line = dice.random_range(0..order.line_count());
    match dice.random_range(0..20_u32) {
        0..6 if order.status() == "pending" => Step::Pay,
        0..4 => Step::Status("completed"),
        4..8 if order.refundable(line) > 0 => Step::Refund {
            restock: dice.random(),
            units: vec![(line, dice.random_range(1..=order.refundable(line)))],
        },
        8 => Step::RefundByStatus,
        9 | 10 if order.refundable(line) > 0 && follows_edits(order.status()) => {
            let refunded = order.quantity(line) - order.refundable(line);
            Step::Edit { line, quantity: dice.random_range(refunded.max(1)..=refunded + 5) }
        }
        11 | 12 => Step::Trash,
        _ => Step::Status(STATUSES.choose(dice).expect("there are some")),
    }
}

/// In other statuses the site lets an edit pass without looking at its stock, and then
/// `_reduced_stock` has nothing to do with the quantity any more.
fn follows_edits(status: &str) -> bool {
    ["pending", "on-hold", "processing", "completed"].contains(&status)
}

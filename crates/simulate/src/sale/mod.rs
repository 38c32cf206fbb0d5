//! A flash sale, planned: which webhooks a shop's platform or payment provider sends, in which
//! order, and what it knows about the orders in the end.
//!
//! The plan is drawn from a seed and nothing else, so a run that broke a promise can be run again.
//! It is as unkind as platforms are: webhooks come late and out of order, twice, at the same
//! instant on two connections, and old bodies come after newer ones.
//!
//! The orders are drawn first, and by themselves: one seed places the same orders on every channel,
//! so the payments that a provider tells of are those of a Shopify shop's orders.

use std::collections::BTreeMap;

use domain::Provider;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use crate::shopify::PLACED_AT;

mod draft;
mod payments;
mod plan;
mod shopify;
mod woocommerce;

pub use plan::{Message, Plan, PlannedOrder, PlannedWebhook};

use draft::{Draft, happens};

pub const ORDERS_MAX: usize = 100_000;

/// All bodies are built before the first is sent, so that building does not slow the sending: a sale
/// may be so large. [`ORDERS_MAX`] orders with two lines and one webhook each are about 700 MB.
pub const MEGABYTES_MAX: f64 = 2000.0;

/// How many orders come in each second of the platform's clock.
const ORDERS_PER_SECOND: usize = 200;

/// One line in so many is for two units.
const LINES_PER_PAIR: u32 = 8;

/// Ids of orders are as long as Shopify's.
const FIRST_ORDER_ID: u64 = 5_000_000_000_000;
const ORDER_IDS: u64 = 900_000_000_000;

/// What a sale is like. Shares are 0 to 1.
#[derive(Clone, Debug)]
pub struct Sale {
    pub channel: Channel,
    /// What is sent is signed with this.
    pub secret: String,
    pub orders: usize,
    pub skus: usize,
    /// The first so many SKUs are hot…
    pub hot_skus: usize,
    /// …and this share of all lines asks for one of them.
    pub hot_share: f64,
    pub lines_per_order: usize,
    /// Of orders that do not live on: paid, which is a second webhook. Payments always are.
    pub pay_share: f64,
    /// Of orders that do not live on, and of payments: cancelled in the end.
    pub cancel_share: f64,
    /// Of orders: live on after they were placed, as their platform lets them. Of payments: are
    /// refunded or disputed.
    pub life_share: f64,
    /// Of orders that changed: an old body comes after the newer ones, under an id of its own. Of
    /// payments: what happened first is told last.
    pub late_share: f64,
    /// Of webhooks: sent a second time, same id and same bytes.
    pub duplicate_share: f64,
    /// Of those: at the same instant, on another connection.
    pub same_instant_share: f64,
    /// A webhook may be sent up to so many orders too late. 0: in order.
    pub disorder: u64,
    pub seed: u64,
}

/// Who sends, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Channel {
    Shopify {
        domain: String,
    },
    /// `shop` is the name in the path.
    WooCommerce {
        shop: String,
    },
    /// The payments of the orders that the same seed places at a Shopify shop.
    Payments {
        provider: Provider,
        shop: String,
    },
}

impl Channel {
    /// Who sends: a platform, or a payment provider.
    pub fn as_str(&self) -> &'static str {
        match self {
            Channel::Shopify { .. } => "shopify",
            Channel::WooCommerce { .. } => "woocommerce",
            Channel::Payments { provider, .. } => provider.as_str(),
        }
    }
}

/// An order as somebody places it.
struct Basket {
    /// Its place in the sale.
    number: u64,
    /// As long as Shopify's.
    id: u64,
    placed_at: i64,
    lines: Vec<(String, i64)>,
}

impl Sale {
    /// The name of an item, counted from 0.
    pub fn sku(index: usize) -> String {
        format!("SKU-{:05}", index + 1)
    }

    /// All items of the sale, the hot ones first.
    pub fn all_skus(&self) -> impl Iterator<Item = String> {
        (0..self.skus).map(Self::sku)
    }

    /// How large all bodies are together, about, and rather too large than too small.
    pub fn megabytes(&self) -> f64 {
        // Bytes of a body and of each of its lines, and webhooks of an order that lives on.
        let (body, line, life) = match self.channel {
            Channel::Shopify { .. } => (6000.0, 1300.0, 8.5),
            Channel::WooCommerce { .. } => (2650.0, 420.0, 4.5),
            Channel::Payments { .. } => (650.0, 0.0, 3.0),
        };
        let others = match self.channel {
            Channel::Payments { .. } => life,
            _ => 1.0 + self.pay_share + self.cancel_share,
        };
        let webhooks = life * self.life_share + others * (1.0 - self.life_share) + self.late_share;
        let [orders, lines] = [self.orders, self.lines_per_order]
            .map(|count| u32::try_from(count).map_or(f64::MAX, f64::from));
        orders * webhooks * (body + lines * line) / 1e6
    }

    /// Units of each SKU that its orders may come to ask for: one that lives on is edited so often
    /// at the most, each time for one unit.
    pub fn units_at_most(&self, plan: &Plan) -> BTreeMap<String, i64> {
        let edits = match self.channel {
            Channel::Shopify { .. } if self.life_share > 0.0 => shopify::STEPS_MAX,
            _ => 0,
        };
        let mut units = plan.units();
        units.values_mut().for_each(|units| *units *= 1 + edits);
        units
    }

    /// Draws the plan.
    pub fn plan(&self) -> Plan {
        let mut dice = Xoshiro256PlusPlus::seed_from_u64(self.seed);
        let baskets = self.baskets(&mut dice);
        let mut draft = Draft::new(self, dice);
        let mut orders = Vec::with_capacity(baskets.len());
        for basket in &baskets {
            orders.push(match &self.channel {
                Channel::Shopify { domain } => shopify::live(&mut draft, domain, basket),
                Channel::WooCommerce { shop } => woocommerce::live(&mut draft, shop, basket),
                Channel::Payments { provider, shop } => {
                    payments::live(&mut draft, *provider, shop, basket)
                }
            });
        }
        draft.plan(orders)
    }

    /// Draws who orders what.
    fn baskets(&self, dice: &mut Xoshiro256PlusPlus) -> Vec<Basket> {
        let first = FIRST_ORDER_ID + dice.random_range(0..ORDER_IDS);
        let basket = |index: usize| {
            let number = u64::try_from(index).expect("at most ORDERS_MAX");
            let second = i64::try_from(index / ORDERS_PER_SECOND).expect("at most ORDERS_MAX");
            Basket {
                number,
                id: first + number,
                placed_at: PLACED_AT + second,
                lines: (0..self.lines_per_order).map(|_| self.line(dice)).collect(),
            }
        };
        (0..self.orders).map(basket).collect()
    }

    fn line(&self, dice: &mut Xoshiro256PlusPlus) -> (String, i64) {
        let (hot, all) = (self.hot(), self.skus);
        let of_hot = hot == all || hot > 0 && happens(dice, self.hot_share);
        let index = dice.random_range(if of_hot { 0..hot } else { hot..all });
        let pair = dice.random_ratio(1, LINES_PER_PAIR);
        (Self::sku(index), if pair { 2 } else { 1 })
    }

    /// How many items are hot.
    fn hot(&self) -> usize {
        if self.hot_share > 0.0 { self.hot_skus.min(self.skus) } else { 0 }
    }
}

impl Basket {
    /// How this order ends on its platform, which calls it `id`.
    fn planned(&self, id: u64, paid: bool, cancelled: bool) -> PlannedOrder {
        let mut order = PlannedOrder { id, paid, cancelled, units: Default::default() };
        for (sku, units) in &self.lines {
            *order.units.entry(sku.clone()).or_default() += units;
        }
        order
    }
}

#[cfg(test)]
mod tests;
